"""The courier: in order, once where it can be, again where nobody knows, and never not at all."""

import asyncio
from typing import Any

import pytest

from agent.domain import Answered, Message, Reply, TurnRecord
from agent.records.fake import FakeRecords
from api.channels.delivery import Courier, Deliveries, wait_after
from api.channels.fake import FakeChannel
from api.channels.port import Later, Refused, Uncertain
from tests.api.telegram_desk import sometime
from tests.contracts.memory import Clock, card


class Desk:
    """Records with an outbox and a channel that can fail."""

    def __init__(self, *, keyless: bool = True) -> None:
        self.clock = Clock()
        self.records = FakeRecords(clock=self.clock, card=card, purposes={})
        self.channel = FakeChannel(keyless=keyless)
        self.deliveries = Deliveries()

    def courier(self) -> Courier:
        return Courier(records=self.records, channel=self.channel, deliveries=self.deliveries, alone=True)

    async def says(self, address: str, *texts: str) -> None:
        """Have the assistant answer a customer of the fake channel."""
        chat = await self.records.open_conversation(channel="fake", language="en", external_id=address)
        for text in texts:
            await self.records.accept(chat.id, key=text, text=text)
            turn = await self.records.next_batch(chat.id)
            assert turn is not None
            record = TurnRecord(
                turn=turn,
                conversation=chat.id,
                outcome=Answered(),
                language="en",
                replies=(Reply(text=text),),
            )
            await self.records.commit(record)

    def counted(self, result: str) -> float:
        return self.deliveries.counter.labels("fake", result)._value.get()

    async def until(self, count: int) -> list[str]:
        async def arrived() -> bool:
            return len(self.channel.received) >= count

        await sometime(arrived)
        return [received.text for received in self.channel.received]

    async def empty(self) -> None:
        async def nothing() -> bool:
            return not self.records._outbox

        await sometime(nothing)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_what_waits_is_delivered_in_order_as_soon_as_the_courier_starts(desk: Desk) -> None:
    await desk.says("7", "one", "two", "three")
    courier = desk.courier()
    await courier.start()
    assert await desk.until(3) == ["one", "two", "three"]
    await desk.empty()
    await courier.stop()
    assert desk.counted("delivered") == 3


async def test_a_crash_between_sending_and_recording_loses_nothing_and_the_repetition_is_counted_and_logged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.says("7", "one", "two")

    with monkeypatch.context() as crash:
        crash.setattr(desk.records, "delivered", lambda delivery: hang())
        first = desk.courier()
        await first.start()
        assert await desk.until(1) == ["one"]
        for task in (first._looking, *first._tasks.values()):
            assert task is not None
            task.cancel()
    second = desk.courier()
    await second.start()
    assert await desk.until(3) == ["one", "one", "two"]
    await desk.empty()
    await second.stop()
    assert (desk.counted("repeated"), desk.counted("delivered")) == (1, 2)
    assert "1 deliveries were cut off; their end is unknown" in caplog.text
    assert "repeated: sent again, it may have arrived before" in caplog.text


async def hang() -> None:
    await asyncio.Event().wait()


async def test_where_the_other_side_takes_a_key_a_repetition_is_dropped_there() -> None:
    desk = Desk(keyless=False)
    desk.channel.late.append(Uncertain("late"))
    await desk.says("7", "one")
    courier = desk.courier()
    await courier.start()
    await desk.until(1)
    desk.clock.pass_by(5)
    await desk.empty()
    await courier.stop()
    assert [received.text for received in desk.channel.received] == ["one"]


async def test_a_message_that_must_wait_holds_up_its_own_conversation_only(desk: Desk) -> None:
    desk.channel.before.append(Later("busy", seconds=60))
    await desk.says("7", "one", "two")
    courier = desk.courier()
    await courier.start()
    await sometime(lambda: counts(desk, "later"))
    await desk.says("8", "other")
    courier.wake()
    assert await desk.until(1) == ["other"]
    desk.clock.pass_by(59)
    await asyncio.sleep(0.6)
    assert len(desk.channel.received) == 1
    desk.clock.pass_by(2)
    assert await desk.until(3) == ["other", "one", "two"]
    await courier.stop()
    assert desk.counted("repeated") == 0


async def counts(desk: Desk, result: str) -> bool:
    return desk.counted(result) > 0


async def test_a_refused_message_is_given_up_and_the_next_one_is_tried(desk: Desk) -> None:
    desk.channel.before.append(Refused("gone"))
    await desk.says("7", "one", "two")
    courier = desk.courier()
    await courier.start()
    assert await desk.until(1) == ["two"]
    await desk.empty()
    await courier.stop()
    assert (desk.counted("refused"), desk.counted("delivered")) == (1, 1)


async def test_a_sure_failure_does_not_make_an_earlier_doubt_forgotten(desk: Desk) -> None:
    desk.channel.late.append(Uncertain("late"))
    await desk.says("7", "one")
    courier = desk.courier()
    await courier.start()
    await sometime(lambda: counts(desk, "uncertain"))
    desk.channel.before.append(Later("not connected"))
    desk.clock.pass_by(2)
    await sometime(lambda: counts(desk, "later"))
    desk.clock.pass_by(10)
    assert await desk.until(2) == ["one", "one"]
    await desk.empty()
    await courier.stop()
    assert desk.counted("repeated") == 2


async def test_an_unknown_fault_of_a_channel_is_logged_and_the_message_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    deliver, failed = desk.channel.deliver, []

    async def broken(address: str, message: Message, *, key: str) -> None:
        if not failed:
            failed.append(key)
            raise ZeroDivisionError("a bug")
        await deliver(address, message, key=key)

    monkeypatch.setattr(desk.channel, "deliver", broken)
    await desk.says("7", "one")
    courier = desk.courier()
    await courier.start()

    async def logged() -> bool:
        return "a bug" in caplog.text

    await sometime(logged)
    desk.clock.pass_by(100)
    assert await desk.until(1) == ["one"]
    await courier.stop()


async def test_two_couriers_on_one_outbox_deliver_each_message_once(desk: Desk) -> None:
    for n in range(20):
        await desk.says(str(n), f"one for {n}", f"two for {n}")
    couriers: list[Any] = [desk.courier(), desk.courier()]
    for courier in couriers:
        courier.alone = False
        await courier.start()
    await desk.empty()
    for courier in couriers:
        await courier.stop()
    sent = [(r.address, r.text) for r in desk.channel.received]
    assert sorted(sent) == sorted((str(n), f"{word} for {n}") for n in range(20) for word in ("one", "two"))
    for n in range(20):
        assert [text for address, text in sent if address == str(n)] == [f"one for {n}", f"two for {n}"]


def test_attempts_become_rarer_but_never_end() -> None:
    waits = [wait_after(n) for n in range(12)]
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == wait_after(10_000) == 300
