"""`SqlPurse`: what model calls cost, in SQL, so that a restart forgets nothing; `FakePurse` beside it for tests."""

from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.records.engine import near
from agent.records.tables import charges
from agent.spending import Charge, Spent
from tools.context import ConversationId, TurnId


class SqlPurse:
    """Implements `agent.spending.Purse`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = near(engine)

    async def spent(self, conversation: ConversationId, *, day: date) -> tuple[Spent, Spent]:
        """Return the sums of the conversation and of the day."""
        async with self._engine.connect() as connection:
            return (
                await _sum(connection, charges.c.conversation == conversation),
                await _sum(connection, charges.c.day == day),
            )

    async def note(self, *new: Charge, conversation: ConversationId, turn: TurnId, day: date) -> None:
        """Write the charges down."""
        rows: list[dict[str, Any]] = [
            {"conversation": conversation, "turn": turn, "day": day, **asdict(charge)} for charge in new
        ]
        if rows:
            async with self._engine.begin() as connection:
                await connection.execute(insert(charges), rows)


class FakePurse:
    """Keeps charges in this process."""

    def __init__(self) -> None:
        self.rows: list[tuple[ConversationId, date, Charge]] = []

    async def spent(self, conversation: ConversationId, *, day: date) -> tuple[Spent, Spent]:
        """Return the sums of the conversation and of the day."""
        of_conversation = [charge for known, _, charge in self.rows if known == conversation]
        of_day = [charge for _, known, charge in self.rows if known == day]
        return _total(of_conversation), _total(of_day)

    async def note(self, *new: Charge, conversation: ConversationId, turn: TurnId, day: date) -> None:
        """Remember the charges."""
        self.rows += [(conversation, day, charge) for charge in new]


async def _sum(connection: AsyncConnection, where: ColumnElement[bool]) -> Spent:
    tokens = func.coalesce(func.sum(charges.c.prompt + charges.c.completion), 0)
    usd = func.coalesce(func.sum(charges.c.usd), 0.0)
    row = (await connection.execute(select(tokens, usd).where(where))).one()
    return Spent(tokens=int(row[0]), usd=float(row[1]))


def _total(rows: list[Charge]) -> Spent:
    return Spent(
        tokens=sum(charge.prompt + charge.completion for charge in rows),
        usd=sum(charge.usd for charge in rows),
    )
