"""What people of the company answer: in which languages, how many conversations at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from agent.records.handoff_tables import desks
from tools.context import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """`languages` empty, `capacity` 0: what their department does."""

    languages: tuple[Language, ...] = ()
    capacity: int = 0


class Desks:
    """One row for each person who differs from their department; every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def set(self, login: str, *, languages: Sequence[Language] = (), capacity: int = 0) -> None:
        """Write down what somebody answers; without either they answer what their department does."""
        row = {"login": login, "languages": list(languages), "capacity": capacity}
        async with self.engine.begin() as connection:
            await connection.execute(delete(desks).where(desks.c.login == login))
            if languages or capacity:
                await connection.execute(insert(desks).values(**row))

    async def all(self) -> Mapping[str, Answers]:
        """Return what is written down, by login."""
        async with self.engine.connect() as connection:
            rows = await connection.execute(select(desks))
            return {row.login: Answers(languages=tuple(row.languages), capacity=row.capacity) for row in rows}
