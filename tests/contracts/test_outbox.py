"""What delivery and messengers' doors need of the records, the same for every memory."""

from agent.domain import Button, Reply
from tests.contracts.memory import (
    ALLOW,
    Clock,
    Store,
    answer,
    clock,
    opened,
    records,
    rung,
    said,
    turn_for,
)
from tools.context import ConversationId

__all__ = ["clock", "records", "rung"]


async def chat(records: Store, *texts: str, address: str = "77") -> ConversationId:
    """A messenger's conversation with these answers in its outbox."""
    id = await opened(records, channel="telegram", external_id=address)
    for text in texts:
        await records.commit(answer(await turn_for(records, id, text), id, text))
    return id


class TestOutbox:
    async def test_a_begun_delivery_is_nobody_elses_and_its_end_is_unknown(
        self, records: Store, clock: Clock
    ) -> None:
        await chat(records, "one")
        (delivery,) = await records.due("telegram")
        assert not delivery.unknown
        assert await records.begin_delivery(delivery.id, seconds=30)
        assert not await records.begin_delivery(delivery.id, seconds=30)
        assert await records.due("telegram") == ()
        clock.pass_by(31)
        (again,) = await records.due("telegram")
        assert (again.id, again.unknown, again.attempts) == (delivery.id, True, 0)
        assert await records.begin_delivery(again.id, seconds=30)
        await records.delivered(again.id)
        assert not await records.begin_delivery(again.id, seconds=30)

    async def test_after_a_restart_what_was_begun_is_due_at_once(self, records: Store) -> None:
        await chat(records, "one", "two")
        one, two = await records.due("telegram")
        await records.begin_delivery(one.id, seconds=30)
        assert await records.due("telegram") == (), "the second waits for the first"
        assert await records.reopen_deliveries("matrix") == 0
        assert await records.reopen_deliveries("telegram") == 1
        again, next = await records.due("telegram")
        assert (again.id, again.unknown, next.id, next.unknown) == (one.id, True, two.id, False)

    async def test_no_message_overtakes_an_earlier_one_of_its_conversation(
        self, records: Store, clock: Clock
    ) -> None:
        await chat(records, "one", "two")
        await chat(records, "other", address="78")
        one, _, _ = await records.due("telegram")
        await records.begin_delivery(one.id, seconds=30)
        await records.postponed(one.id, seconds=60, fault="busy")
        (other,) = await records.due("telegram")
        assert other.address == "78"
        clock.pass_by(61)
        assert [d.address for d in await records.due("telegram")] == ["77", "77", "78"]

    async def test_a_failed_attempt_tells_whether_the_message_may_have_arrived(
        self, records: Store, clock: Clock
    ) -> None:
        await chat(records, "one")
        (delivery,) = await records.due("telegram")
        await records.begin_delivery(delivery.id, seconds=30)
        await records.postponed(delivery.id, seconds=0, fault="not connected")
        (surely_not,) = await records.due("telegram")
        assert (surely_not.unknown, surely_not.attempts) == (False, 1)
        await records.begin_delivery(delivery.id, seconds=30)
        await records.postponed(delivery.id, seconds=0, fault="late", unknown=True)
        (maybe,) = await records.due("telegram")
        assert (maybe.unknown, maybe.attempts) == (True, 2)

    async def test_what_is_given_up_is_never_due_again_and_holds_nothing_up(
        self, records: Store, clock: Clock
    ) -> None:
        await chat(records, "one", "two")
        one, two = await records.due("telegram")
        await records.begin_delivery(one.id, seconds=30)
        await records.postponed(one.id, seconds=60, fault="blocked", give_up=True)
        assert [d.id for d in await records.due("telegram")] == [two.id]
        clock.pass_by(3600)
        assert [d.id for d in await records.due("telegram")] == [two.id]


class TestDoor:
    async def test_one_line_of_the_transcript_is_read_by_its_number(self, records: Store) -> None:
        id = await chat(records, "one")
        line = await records.message(id, 2)
        assert line is not None
        assert (line.author, line.text, line.buttons) == ("ai", "one", (ALLOW,))
        assert await records.message(id, 3) is None

    async def test_an_accepted_key_is_known_in_its_conversation_alone(self, records: Store) -> None:
        id, other = await chat(records), await chat(records, address="78")
        await records.accept(id, key="m1", text="hello")
        assert await records.knows(id, "m1")
        assert not await records.knows(id, "m2")
        assert not await records.knows(other, "m1")

    async def test_a_remark_is_said_and_delivered_once_and_is_no_turn(
        self, records: Store, clock: Clock
    ) -> None:
        id = await chat(records)
        button = Button(label="Allow", action=ALLOW.action)
        lines = (Reply(text="I am a program."), Reply(text="Only words, please.", buttons=(button,)))
        assert await records.remark(id, *lines, key="m1:kind", discloses=True)
        assert not await records.remark(id, *lines, key="m1:kind", discloses=True)
        assert await said(records, id) == [
            ("system", "I am a program."),
            ("system", "Only words, please."),
        ]
        clock.pass_by(1)
        assert [d.seq for d in await records.due("telegram")] == [1, 2]
        assert (await records.conversation(id)).disclosed
        assert await records.pending_conversations() == ()

    async def test_a_remark_that_says_nothing_of_us_leaves_the_disclosure_due(self, records: Store) -> None:
        id = await chat(records)
        await records.remark(id, Reply(text="Only words, please."), key="m1:kind")
        assert not (await records.conversation(id)).disclosed
