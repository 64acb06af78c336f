"""One contract for every purse: what model calls cost, summed by conversation and by day."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from agent.records.engine import connect
from agent.records.purse import FakePurse, SqlPurse
from agent.records.sql import SqlRecords, create_tables
from agent.spending import Charge, Purse, Spent
from tests.contracts.memory import Clock, card
from tools.context import ConversationId, TurnId

ANNA, BORIS = ConversationId("anna"), ConversationId("boris")
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture(params=["fake", "sqlite"])
async def purse(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Purse]:
    if request.param == "fake":
        yield FakePurse()
        return
    async with opened(tmp_path) as sql:
        yield sql


class opened:
    """A SQLite purse with the two conversations it needs; opening it again is a restart."""

    def __init__(self, folder: Path) -> None:
        self.engine = connect(f"sqlite+aiosqlite:///{folder / 'purse.sqlite'}")

    async def __aenter__(self) -> SqlPurse:
        await create_tables(self.engine)
        records = SqlRecords(self.engine, clock=Clock(), card=card, purposes={})
        for id in (ANNA, BORIS):
            if not await records.token_hash(id):
                await records.open_conversation(channel="widget", language="ru", id=id, token_hash="x")
        return SqlPurse(self.engine)

    async def __aexit__(self, *_: object) -> None:
        await self.engine.dispose()


def charge(tokens: int, usd: float = 0.0) -> Charge:
    return Charge(model="openai:m", prompt=tokens - 1, completion=1, usd=usd)


class TestPurse:
    async def test_nothing_is_spent_at_first(self, purse: Purse) -> None:
        assert await purse.spent(ANNA, day=MONDAY) == (Spent(), Spent())

    async def test_conversations_are_summed_apart_and_the_day_together(self, purse: Purse) -> None:
        await purse.note(charge(10, 0.25), charge(5), conversation=ANNA, turn=TurnId("1"), day=MONDAY)
        await purse.note(charge(100, 1.0), conversation=BORIS, turn=TurnId("2"), day=MONDAY)
        assert await purse.spent(ANNA, day=MONDAY) == (
            Spent(tokens=15, usd=0.25),
            Spent(tokens=115, usd=1.25),
        )
        assert await purse.spent(BORIS, day=MONDAY) == (
            Spent(tokens=100, usd=1.0),
            Spent(tokens=115, usd=1.25),
        )

    async def test_a_new_day_begins_at_nothing_and_the_conversation_goes_on(self, purse: Purse) -> None:
        await purse.note(charge(10), conversation=ANNA, turn=TurnId("1"), day=MONDAY)
        await purse.note(charge(7), conversation=ANNA, turn=TurnId("2"), day=TUESDAY)
        assert await purse.spent(ANNA, day=TUESDAY) == (Spent(tokens=17), Spent(tokens=7))

    async def test_no_charge_is_no_row(self, purse: Purse) -> None:
        await purse.note(conversation=ANNA, turn=TurnId("1"), day=MONDAY)
        assert await purse.spent(ANNA, day=MONDAY) == (Spent(), Spent())


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as before:
        await before.note(charge(10, 0.5), conversation=ANNA, turn=TurnId("1"), day=MONDAY)
    async with opened(tmp_path) as after:
        assert await after.spent(ANNA, day=MONDAY) == (Spent(tokens=10, usd=0.5), Spent(tokens=10, usd=0.5))
