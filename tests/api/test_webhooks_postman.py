"""The postman: in order, again and later, given up and shown; with a clock that moves when told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from agent.domain import Reply
from agent.records.fake import FakeRecords
from agent.webhooks import Webhook
from api.webhooks import postman as carrying
from api.webhooks.counts import Counts
from api.webhooks.envelope import posted, signed
from api.webhooks.fake import FakeHooks, FakePost
from api.webhooks.port import Undelivered
from api.webhooks.postman import Postman, wait_after
from tests.api.receiver import OTHER, SECRET
from tests.api.telegram_desk import sometime
from tests.contracts.memory import Clock, card
from tools.context import ConversationId, CustomerId

C1, C2 = ConversationId("c1"), ConversationId("c2")
BUSY = "answered 503"


class Office:
    """One webhook, its events, its receiver."""

    def __init__(self, **webhook: Any) -> None:
        self.clock = Clock()
        self.hooks = FakeHooks(clock=self.clock)
        self.records = FakeRecords(clock=self.clock, card=card, purposes={})
        self.post = FakePost()
        self.counts = Counts()
        self.webhook = Webhook(**{"name": "crm", "url": "https://crm.example/", **webhook})
        self.secrets: tuple[str, ...] = (SECRET,)

    def tell(self, conversation: ConversationId, times: int = 1, **data: Any) -> None:
        for _ in range(times):
            self.hooks.add("crm", conversation, type="message.received", **data)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Postman]:
        postman = Postman(
            self.webhook,
            secrets=self.secrets,
            hooks=self.hooks,
            transcripts=self.records,
            post=self.post,
            counts=self.counts,
            clock=self.clock,
            source="https://help.example",
            alone=True,
            lot=lambda: 1.0,
        )
        await postman.start()
        try:
            yield postman
        finally:
            await postman.stop()

    def arrived(self) -> list[tuple[str, int]]:
        bodies = [json.loads(body) for body in self.post.bodies]
        return [(body["subject"], int(body["sequence"])) for body in bodies]

    async def until(self, count: int) -> list[tuple[str, int]]:
        async def enough() -> bool:
            return len(self.post.bodies) >= count

        await sometime(enough)
        return self.arrived()

    def counted(self, result: str) -> float:
        return float(self.counts.results.labels("crm", result)._value.get())

    async def until_counted(self, result: str, count: float) -> None:
        async def enough() -> bool:
            return self.counted(result) >= count

        await sometime(enough)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "POLL_SECONDS", 0.02)


async def test_events_of_a_conversation_arrive_in_order() -> None:
    office = Office()
    office.tell(C1, 30)
    async with office.open():
        assert await office.until(30) == [("c1", n) for n in range(1, 31)]
    assert office.counted("delivered") == 30
    assert office.post.closed


async def test_an_event_that_is_not_taken_holds_up_its_own_conversation_only() -> None:
    office = Office()
    office.post.faults = [Undelivered("answered 500")]
    office.tell(C1, 2)
    async with office.open():
        await office.until_counted("later", 1)
        office.tell(C2)
        assert await office.until(1) == [("c2", 1)]
        office.clock.pass_by(0.9)
        await asyncio.sleep(0.1)
        assert len(office.post.bodies) == 1
        office.clock.pass_by(0.2)
        assert await office.until(3) == [("c2", 1), ("c1", 1), ("c1", 2)]


async def test_waits_double_up_to_a_quarter_of_an_hour_and_are_spread() -> None:
    assert [wait_after(n, lot=1.0) for n in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert wait_after(50, lot=1.0) == wait_after(5000, lot=1.0) == 900
    assert wait_after(4, lot=0.0) == 4
    assert 4 < wait_after(4, lot=0.5) < 8


async def test_a_receiver_that_asks_to_be_left_alone_is_left_alone_by_all_conversations() -> None:
    office = Office()
    office.post.faults = [Undelivered(BUSY, seconds=120)]
    office.tell(C1)
    async with office.open():
        await office.until_counted("later", 1)
        office.tell(C2)
        office.clock.pass_by(100)
        await asyncio.sleep(0.15)
        assert office.post.bodies == []
        office.clock.pass_by(21)
        assert sorted(await office.until(2)) == [("c1", 1), ("c2", 1)]


async def test_nobody_is_left_alone_for_longer_than_an_hour() -> None:
    office = Office()
    office.post.faults = [Undelivered(BUSY, seconds=1e9)]
    office.tell(C1)
    async with office.open():
        await office.until_counted("later", 1)
        office.clock.pass_by(3601)
        assert await office.until(1) == [("c1", 1)]


async def test_after_its_patience_an_event_is_given_up_and_the_next_one_follows() -> None:
    office = Office(give_up_hours=2)
    office.post.faults = [Undelivered("answered 500"), Undelivered("answered 500"), None]
    office.tell(C1)
    async with office.open():
        await office.until_counted("later", 1)
        office.clock.pass_by(7201)
        office.tell(C1)
        assert await office.until(1) == [("c1", 2)]
        backlog = await office.hooks.backlog("crm")
        assert (backlog.waiting, backlog.dead) == (0, 1)
        assert office.counted("dead") == 1
        assert await office.hooks.revive("crm") == 1
        assert await office.until(2) == [("c1", 2), ("c1", 1)]


async def test_what_the_receiver_will_never_take_is_given_up_at_once() -> None:
    office = Office()
    office.post.faults = [Undelivered("answered 410", final=True)]
    office.tell(C1, 2)
    async with office.open():
        assert await office.until(1) == [("c1", 2)]
    (dead,) = await office.hooks.listed("crm")
    assert (dead.n, dead.fault) == (1, "answered 410")


async def test_an_event_that_was_being_sent_when_the_process_died_is_sent_again_under_its_id() -> None:
    office = Office()
    office.tell(C1)
    cut = await office.hooks.take("crm", C1, seconds=1000)
    assert cut is not None
    async with office.open():
        await office.until(1)
    assert json.loads(office.post.bodies[0])["id"] == cut.event
    assert office.counted("repeated") == 1


async def test_a_bug_in_one_event_is_logged_and_keeps_no_other_conversation_waiting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    office = Office(include=("text",))
    office.tell(C1, seq="not a number")
    async with office.open():
        await asyncio.sleep(0.1)
        office.tell(C2)
        assert await office.until(1) == [("c2", 1)]
        assert "ValueError" in caplog.text
        office.tell(C1)
        office.clock.pass_by(24 * 3600 + 1)
        assert await office.until(2) == [("c2", 1), ("c1", 2)], "nor its own for ever"
    assert office.counted("dead") == 1


async def test_an_event_is_a_cloudevent_signed_for_every_secret_of_its_webhook() -> None:
    office = Office()
    office.secrets = (OTHER, SECRET)
    # A receiver's library refuses what is older than five minutes.
    office.clock.time = datetime.now(UTC)
    office.tell(C1, seq=3, channel="widget")
    async with office.open():
        await office.until(1)
    body, headers = office.post.bodies[0], dict(office.post.headers[0])
    for secret in office.secrets:
        event = Verifier(secret).verify(body, headers)
    assert headers["content-type"] == "application/cloudevents+json"
    assert headers["webhook-id"] == event["id"] == "evt_1"
    assert event["time"] == office.clock.now().isoformat().replace("+00:00", "Z")
    del event["time"]
    assert event == {
        "id": "evt_1",
        "source": "https://help.example",
        "type": "mayak.message.received",
        "subject": "c1",
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "sequence": "0000000001",
        "data": {"conversation": "c1", "seq": 3, "channel": "widget"},
    }


async def test_words_and_customers_are_sent_only_where_the_pack_includes_them() -> None:
    plain, full = Office(), Office(include=("text", "customer"))
    for office in (plain, full):
        chat = await office.records.open_conversation(
            channel="widget", language="ru", customer_id=CustomerId("c-001"), disclosure=Reply(text="Мяу")
        )
        office.tell(chat.id, seq=1)
        office.hooks.add("crm", chat.id, type="turn.answered", turn="t")
        async with office.open():
            await office.until(2)
    sent, turn = (json.loads(body)["data"] for body in full.post.bodies)
    assert (sent["text"], sent["customer"]) == ("Мяу", "c-001")
    assert "text" not in turn
    for body in plain.post.bodies:
        assert not {"text", "customer"} & json.loads(body)["data"].keys()


async def test_words_that_are_gone_from_the_transcript_are_not_sent() -> None:
    office = Office(include=("text",))
    chat = await office.records.open_conversation(channel="widget", language="ru")
    office.tell(chat.id, seq=7)
    async with office.open():
        await office.until(1)
    assert json.loads(office.post.bodies[0])["data"]["text"] == ""


async def test_the_backlog_and_its_age_are_measured() -> None:
    office = Office()
    office.post.faults = [Undelivered("answered 500")] * 3
    office.tell(C1, 2)
    office.clock.pass_by(30)
    async with office.open():
        await office.until_counted("later", 1)
    assert office.counts.waiting.labels("crm")._value.get() == 2
    assert office.counts.oldest.labels("crm")._value.get() == 30


async def test_the_signature_is_that_of_the_moment_of_the_attempt() -> None:
    office = Office()
    hook = office.hooks.add("crm", C1, type="turn.answered")
    body = posted(hook, source="https://help.example")
    one, two = (
        signed(body, event=hook.event, at=datetime(2026, 11, 22, 9, n, tzinfo=UTC), secrets=(SECRET,))
        for n in (1, 2)
    )
    assert one["webhook-timestamp"] != two["webhook-timestamp"]
    assert one["webhook-signature"] != two["webhook-signature"]
