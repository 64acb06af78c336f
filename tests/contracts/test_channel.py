"""One contract for every way to reach a customer outside the widget: the fake one and Telegram."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.domain import Action, Button, Message
from agent.ports import Channel
from api.channels.fake import FakeChannel
from api.channels.port import Later, Refused, Uncertain
from api.channels.telegram import TelegramChannel
from tests.telegram_api import TOKEN, Fault, telegram_api

ADDRESS = "77"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A channel with the other side in hand: what arrived there, and ways to make it fail once."""

    channel: Channel
    arrived: Callable[[], list[tuple[str, tuple[str, ...]]]]
    busy: Callable[[], None]
    gone: Callable[[], None]
    late: Callable[[], None]
    unreachable: Callable[[], Awaitable[None]]
    secret: str = ""


async def fake() -> AsyncIterator[Side]:
    channel = FakeChannel()

    async def unreachable() -> None:
        channel.before.append(Later("nobody is there"))

    yield Side(
        channel=channel,
        arrived=lambda: [(r.text, r.labels) for r in channel.received if r.address == ADDRESS],
        busy=lambda: channel.before.append(Later("busy", seconds=3)),
        gone=lambda: channel.before.append(Refused("gone")),
        late=lambda: channel.late.append(Uncertain("late")),
        unreachable=unreachable,
    )


async def telegram() -> AsyncIterator[Side]:
    async with telegram_api() as api:
        channel = TelegramChannel(TOKEN, api=api.url, speaker=lambda message: "")

        async def unreachable() -> None:
            await channel.close()
            elsewhere = TelegramChannel(TOKEN, api="http://127.0.0.1:9", speaker=lambda message: "")
            channel._bot, channel._wires = elsewhere._bot, elsewhere._wires

        yield Side(
            channel=channel,
            arrived=lambda: [
                (s.text, tuple(label for label, _ in s.buttons)) for s in api.chat(int(ADDRESS))
            ],
            busy=lambda: api.faults.append(Fault("flood", seconds=3)),
            gone=lambda: api.faults.append(Fault("blocked")),
            late=lambda: api.faults.append(Fault("late")),
            unreachable=unreachable,
            secret=TOKEN.partition(":")[2],
        )
        await channel.close()


@pytest.fixture(params=[fake, telegram], ids=["fake", "telegram"])
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    async for side in request.param():
        yield side


def message(text: str = "Hello, 2 < 3 & **bold**", **more: Any) -> Message:
    return Message(seq=4, author="ai", text=text, at=datetime(2026, 11, 22, tzinfo=UTC), **more)


class TestChannel:
    async def test_a_message_arrives_with_its_buttons(self, side: Side) -> None:
        yes = Button(label="Allow", action=Action(kind="consent", target="orders:read"))
        await side.channel.deliver(ADDRESS, message("Hello, 2 < 3 & <b>more</b>", buttons=(yes,)), key="c:4")
        assert side.arrived() == [("Hello, 2 < 3 & <b>more</b>", ("Allow",))]

    async def test_messages_arrive_in_the_order_they_are_given(self, side: Side) -> None:
        for n in range(5):
            await side.channel.deliver(ADDRESS, message(f"number {n}"), key=f"c:{n}")
        assert [text for text, _ in side.arrived()] == [f"number {n}" for n in range(5)]

    async def test_a_busy_side_says_how_long_to_wait_and_has_taken_nothing(self, side: Side) -> None:
        side.busy()
        with pytest.raises(Later) as later:
            await side.channel.deliver(ADDRESS, message(), key="c:4")
        assert later.value.seconds == 3
        assert side.arrived() == []
        await side.channel.deliver(ADDRESS, message("again"), key="c:4")
        assert [text for text, _ in side.arrived()] == ["again"]

    async def test_a_customer_who_left_is_refused_for_good(self, side: Side) -> None:
        side.gone()
        with pytest.raises(Refused):
            await side.channel.deliver(ADDRESS, message(), key="c:4")
        assert side.arrived() == []

    async def test_a_side_that_confirms_nothing_leaves_it_uncertain(self, side: Side) -> None:
        side.late()
        with pytest.raises(Uncertain):
            await side.channel.deliver(ADDRESS, message("perhaps"), key="c:4")
        assert [text for text, _ in side.arrived()] == ["perhaps"]

    async def test_a_side_that_cannot_be_reached_has_surely_taken_nothing(self, side: Side) -> None:
        await side.unreachable()
        with pytest.raises(Later) as later:
            await side.channel.deliver(ADDRESS, message(), key="c:4")
        assert later.value.seconds is None
        assert side.arrived() == []

    async def test_no_fault_tells_a_secret_or_the_message(self, side: Side) -> None:
        for fail in (side.busy, side.gone, side.late):
            fail()
            with pytest.raises((Later, Refused, Uncertain)) as fault:
                await side.channel.deliver(ADDRESS, message("my own words"), key="c:4")
            shown = f"{fault.value!r} {fault.value.__cause__!r}"
            assert str(fault.value)
            assert "my own words" not in shown
            assert not side.secret or side.secret not in shown
