"""What delivery needs of the events that wait for webhooks, the same in memory and in SQL."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.records.engine import connect
from agent.records.hooks import Hook, SqlHooks
from agent.records.sql import SqlRecords, create_tables
from agent.records.tables import metadata
from agent.webhooks import Webhook
from api.webhooks.fake import FakeHooks
from tests.contracts.memory import Clock, card, clock
from tools.context import ConversationId

__all__ = ["clock"]

CRM, BI = (Webhook(name=name, url=f"https://{name}.example/") for name in ("crm", "bi"))


class InMemory:
    """The fake, and how events come into it."""

    def __init__(self, clock: Clock) -> None:
        self.hooks: Any = FakeHooks(clock=clock)
        self._ids = iter(range(1000))

    async def conversation(self) -> ConversationId:
        return ConversationId(f"c{next(self._ids)}")

    async def tell(self, conversation: ConversationId, times: int = 1) -> None:
        for _ in range(times):
            for webhook in (CRM, BI):
                self.hooks.add(webhook.name, conversation, type="message.received", seq=1)


class InSql:
    """The table, and how events come into it: by transactions of the records."""

    def __init__(self, engine: Any, clock: Clock) -> None:
        self.hooks = SqlHooks(engine, clock=clock)
        self.records = SqlRecords(engine, clock=clock, card=card, purposes={}, webhooks=(CRM, BI))

    async def conversation(self) -> ConversationId:
        return (await self.records.open_conversation(channel="widget", language="en")).id

    async def tell(self, conversation: ConversationId, times: int = 1) -> None:
        async with self.records._page(conversation) as page:
            for _ in range(times):
                page.note("message.received", seq=1)


Box = InMemory | InSql


@pytest.fixture(params=["fake", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def box(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Box]:
    if request.param == "fake":
        yield InMemory(clock)
        return
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'r.sqlite'}" if sqlite else request.getfixturevalue("postgres_database")
    engine = connect(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await create_tables(engine)
    yield InSql(engine, clock)
    await engine.dispose()


async def took(box: Box, conversation: ConversationId, *, seconds: float = 30) -> Hook:
    hook = await box.hooks.take("crm", conversation, seconds=seconds)
    assert hook is not None
    return hook


class TestHooks:
    async def test_events_are_numbered_for_each_webhook_and_taken_in_order(self, box: Box) -> None:
        id = await box.conversation()
        await box.tell(id, 2)
        await box.tell(id)
        seen = []
        for _ in range(3):
            hook = await took(box, id)
            assert await box.hooks.take("crm", id, seconds=30) is None, "the next waits for this one"
            await box.hooks.delivered(hook.id)
            seen.append(hook)
        assert [hook.n for hook in seen] == [1, 2, 3]
        assert len({hook.event for hook in seen}) == 3
        assert await box.hooks.take("crm", id, seconds=30) is None
        assert (await box.hooks.backlog("bi")).waiting == 3

    async def test_a_conversation_that_waits_holds_up_no_other(self, box: Box, clock: Clock) -> None:
        one, other = await box.conversation(), await box.conversation()
        await box.tell(one, 2)
        clock.pass_by(1)
        await box.tell(other)
        assert await box.hooks.due("crm", limit=10) == (one, other)
        assert await box.hooks.due("crm", limit=1) == (one,)
        hook = await took(box, one)
        assert await box.hooks.due("crm", limit=1) == (other,)
        await box.hooks.postponed(hook.id, seconds=60, fault="busy")
        assert await box.hooks.due("crm", limit=10) == (other,)
        assert await box.hooks.take("crm", one, seconds=30) is None
        clock.pass_by(61)
        again = await took(box, one)
        assert (again.event, again.attempts, again.fault) == (hook.event, 2, "busy")
        assert not again.repeated

    async def test_a_taken_event_is_taken_again_when_its_time_is_up_and_known_to_be_repeated(
        self, box: Box, clock: Clock
    ) -> None:
        id = await box.conversation()
        await box.tell(id)
        first = await took(box, id, seconds=30)
        assert not first.repeated
        clock.pass_by(31)
        second = await took(box, id)
        assert (second.event, second.repeated, second.attempts) == (first.event, True, 2)

    async def test_after_a_restart_what_was_being_sent_is_due_at_once(self, box: Box) -> None:
        one, other = await box.conversation(), await box.conversation()
        await box.tell(one, 2)
        await box.tell(other)
        hook = await took(box, one)
        assert await box.hooks.reopen("bi") == 0
        assert await box.hooks.reopen("crm") == 1
        again = await took(box, one)
        assert (again.event, again.repeated) == (hook.event, True)

    async def test_what_is_given_up_holds_nothing_up_and_comes_back_when_asked_for(
        self, box: Box, clock: Clock
    ) -> None:
        id = await box.conversation()
        await box.tell(id, 2)
        one = await took(box, id)
        await box.hooks.given_up(one.id, fault="gone")
        two = await took(box, id)
        assert two.n == 2
        await box.hooks.delivered(two.id)
        backlog = await box.hooks.backlog("crm")
        assert (backlog.waiting, backlog.dead, backlog.oldest) == (0, 1, None)
        (listed,) = await box.hooks.listed("crm")
        assert (listed.event, listed.state, listed.fault) == (one.event, "dead", "gone")
        clock.pass_by(3600)
        assert await box.hooks.revive("crm", event="evt_other") == 0
        assert await box.hooks.revive("bi") == 0
        assert await box.hooks.revive("crm", event=one.event) == 1
        again = await took(box, id)
        assert (again.event, again.n, again.attempts) == (one.event, 1, 1)
        assert again.at == one.at
        assert again.since == clock.now(), "its patience begins anew"

    async def test_whoever_comes_late_does_not_undo_the_end_that_another_recorded(
        self, box: Box, clock: Clock
    ) -> None:
        id = await box.conversation()
        await box.tell(id)
        late = await took(box, id, seconds=1)
        clock.pass_by(2)
        again = await took(box, id)
        await box.hooks.delivered(again.id)
        await box.hooks.postponed(late.id, seconds=0, fault="late")
        await box.hooks.given_up(late.id, fault="late")
        assert await box.hooks.due("crm", limit=10) == ()
        assert (await box.hooks.backlog("crm")).dead == 0

    async def test_the_backlog_tells_since_when_the_oldest_waits(self, box: Box, clock: Clock) -> None:
        id = await box.conversation()
        assert (await box.hooks.backlog("crm")).oldest is None
        began = clock.now()
        await box.tell(id)
        clock.pass_by(100)
        await box.tell(id)
        backlog = await box.hooks.backlog("crm")
        assert (backlog.waiting, backlog.oldest) == (2, began)

    async def test_what_ended_long_ago_is_forgotten_and_what_waits_is_not(
        self, box: Box, clock: Clock
    ) -> None:
        id = await box.conversation()
        await box.tell(id, 3)
        await box.hooks.delivered((await took(box, id)).id)
        await box.hooks.given_up((await took(box, id)).id, fault="gone")
        clock.pass_by(7200)
        assert await box.hooks.forget("crm", before=clock.now() - timedelta(days=1)) == 0
        assert await box.hooks.forget("bi", before=clock.now()) == 0
        assert await box.hooks.forget("crm", before=clock.now()) == 2
        assert (await took(box, id)).n == 3
        await box.tell(id)
        assert (await box.hooks.backlog("crm")).waiting == 2

    async def test_numbers_go_on_after_everything_before_was_forgotten(self, box: Box, clock: Clock) -> None:
        id = await box.conversation()
        await box.tell(id, 2)
        for _ in range(2):
            await box.hooks.delivered((await took(box, id)).id)
        clock.pass_by(10)
        await box.hooks.forget("crm", before=clock.now())
        await box.tell(id)
        assert (await took(box, id)).n == 3

    async def test_events_of_a_webhook_that_is_gone_from_the_pack_are_given_up(self, box: Box) -> None:
        id = await box.conversation()
        await box.tell(id)
        assert await box.hooks.orphan(["crm"], fault="no such webhook") == 1
        assert (await box.hooks.backlog("bi")).dead == 1
        assert (await box.hooks.backlog("crm")).waiting == 1
