"""Ten conversations tell a receiver that fails, dawdles and restarts: in order, each event at least once, signed."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from agent.records.engine import connect
from agent.records.hooks import SqlHooks
from agent.records.sql import SqlRecords, create_tables
from agent.webhooks import Webhook
from api.webhooks import postman as carrying
from api.webhooks.counts import Counts
from api.webhooks.posting import HttpPost
from api.webhooks.postman import Postman
from tests.api.desk import SystemClock
from tests.api.receiver import SECRET, Receiver
from tests.api.telegram_desk import sometime
from tests.contracts.memory import card
from tools.context import ConversationId

pytestmark = pytest.mark.heavy

CONVERSATIONS, EVENTS = 10, 20
BETWEEN = 45
"""Events after which the receiver restarts."""
PATIENCE = 1.5
"""Seconds a sender waits for an answer here."""


class Station:
    """Records on a real database, and postmen who come and go."""

    def __init__(self, engine: Any, receiver: Receiver) -> None:
        self.clock = SystemClock()
        self.webhook = Webhook(name="crm", url=receiver.url)
        self.hooks = SqlHooks(engine, clock=self.clock)
        self.records = SqlRecords(engine, clock=self.clock, card=card, purposes={}, webhooks=(self.webhook,))
        self.counts = Counts()
        self.alone = engine.dialect.name == "sqlite"

    def postman(self) -> Postman:
        return Postman(
            self.webhook,
            secrets=(SECRET,),
            hooks=self.hooks,
            transcripts=self.records,
            post=HttpPost(self.webhook.url, hosts=("127.0.0.1",), seconds=PATIENCE),
            counts=self.counts,
            clock=self.clock,
            source="https://help.example",
            alone=self.alone,
        )

    async def tells(self, chat: ConversationId, lot: random.Random) -> None:
        """Write the events of one conversation, now a few at once, now with a pause."""
        left = EVENTS
        while left:
            some = min(left, lot.randint(1, 4))
            async with self.records._page(chat) as page:
                for _ in range(some):
                    page.note("message.received", seq=1)
            left -= some
            await asyncio.sleep(lot.random() * 0.2)

    async def empty(self, *, seconds: float) -> None:
        async def nothing() -> bool:
            return not (await self.hooks.backlog("crm")).waiting

        await sometime(nothing, seconds=seconds)

    def counted(self, result: str) -> float:
        return float(self.counts.results.labels("crm", result)._value.get())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.heavy])])
async def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Any]:
    monkeypatch.setattr(carrying, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(carrying, "LONGEST_WAIT", 0.4)
    monkeypatch.setattr(carrying, "POLL_SECONDS", 0.05)
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'r.sqlite'}" if sqlite else request.getfixturevalue("postgres_database")
    engine = connect(url)
    await create_tables(engine)
    yield engine
    await engine.dispose()


def moody(lot: random.Random) -> Any:
    """A fifth of all events is refused, every fortieth is taken and never said to be."""
    asked = itertools.count(1)

    def behave(event: Any) -> Response | float | None:
        chance = lot.random()
        if chance < 0.15:
            return Response(status_code=500)
        if chance < 0.2:
            return Response(status_code=429, headers={"Retry-After": "0"})
        return 2 * PATIENCE if next(asked) % 40 == 0 else None

    return behave


@asynccontextmanager
async def coming_and_going(receiver: Receiver) -> AsyncIterator[list[int]]:
    """The receiver is away for a while after every so many events; yields how many it had each time."""
    ends = asyncio.Event()
    away: list[int] = []

    async def run() -> None:
        while not ends.is_set():
            until = len(receiver.taken) + BETWEEN
            async with receiver.open():
                while len(receiver.taken) < until and not ends.is_set():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(ends.wait(), 0.05)
            away.append(len(receiver.taken))
            await asyncio.sleep(0.3)

    task = asyncio.create_task(run())
    try:
        yield away
    finally:
        ends.set()
        await task


@pytest.mark.timeout(900)
async def test_each_event_arrives_at_least_once_and_in_order_whatever_the_receiver_does(
    engine: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    lot = random.Random(7)
    receiver = Receiver(behave=moody(lot))
    async with receiver.open():
        """Only a port."""
    station = Station(engine, receiver)
    chats = [
        (await station.records.open_conversation(channel="widget", language="en")).id
        for _ in range(CONVERSATIONS)
    ]
    async with coming_and_going(receiver) as away:
        postman = station.postman()
        await postman.start()
        await asyncio.gather(*(station.tells(chat, lot) for chat in chats))
        await postman.stop()
        # The sender, too, is started anew while much is under way.
        postman = station.postman()
        await postman.start()
        await station.empty(seconds=600)
        await postman.stop()
    arrived = receiver.numbers()
    assert set(arrived) == set(chats)
    for numbers in arrived.values():
        assert numbers == sorted(numbers), "no event is seen before the one it followed, not even repeated"
        assert sorted(set(numbers)) == list(range(1, EVENTS + 1))
    ids = [event["id"] for event in receiver.taken]
    total = CONVERSATIONS * EVENTS
    repeated = len(ids) - len(set(ids))
    with capsys.disabled():
        print(
            f"\n{total} events: {len(ids)} taken, {repeated} again, {receiver.refused} refused, {len(away)} restarts"
        )
    assert len(set(ids)) == total
    assert repeated > 0, "some were taken without a word, so they came again"
    assert receiver.refused > 0
    assert len(away) > 2, "it was away in the middle of it"
    assert receiver.forged == 0
    assert station.counted("delivered") == total
    assert station.counted("later") >= receiver.refused
    assert station.counted("dead") == 0
