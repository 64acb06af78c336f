"""Proposals of knowledge kept in SQL, and the cases they come from, each counted once."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.errors import UnknownDocument, WrongState
from knowledge.keeping.lesson_tables import lesson_cases, lessons
from knowledge.lessons import LONGEST_ANSWER, LONGEST_QUESTION, Evidence, Lesson, Refusal, Taught, joined
from knowledge.types import DocumentId

_MANY = 500


class LessonBook:
    """Remembers what people taught, and what a curator decided."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def lessons(self) -> tuple[Lesson, ...]:
        """Return every proposal somebody's question still stands behind, the oldest first."""
        query = sa.select(lessons).order_by(lessons.c.at, lessons.c.id)
        async with self._engine.connect() as connection:
            found = [_lesson(row) for row in (await connection.execute(query)).mappings()]
        return tuple(one for one in found if one.members or one.state != "open")

    async def lesson(self, id: str) -> Lesson:
        """Return one proposal. Raises `UnknownDocument`."""
        async with self._engine.connect() as connection:
            return await _one(connection, id)

    async def evidence(self, ids: Collection[str]) -> tuple[Evidence, ...]:
        """Return what people replied in the cases of these proposals, oldest first."""
        query = (
            sa.select(lesson_cases).where(lesson_cases.c.lesson.in_(list(ids))).order_by(lesson_cases.c.at)
        )
        async with self._engine.connect() as connection:
            return tuple(
                Evidence(
                    lesson=row["lesson"],
                    conversation=row["conversation"],
                    said=tuple(row["said"]),
                    by=row["by"],
                    at=row["at"],
                )
                for row in (await connection.execute(query)).mappings()
            )

    async def wished(self, taught: Taught) -> None:
        """Note what the person who answered wishes to propose, or that nothing is. Raises `WrongState` once it was looked at."""
        async with self._engine.begin() as connection:
            if not await _note(connection, taught, lesson="", seen=None):
                raise WrongState("The case has been looked at.", remedy="See the proposals.")

    async def wish(self, turn: str) -> Taught | None:
        """Return what was noted of a case, None where nothing was."""
        async with self._engine.connect() as connection:
            row = (
                (await connection.execute(sa.select(lesson_cases).where(lesson_cases.c.turn == turn)))
                .mappings()
                .first()
            )
        return None if row is None else _taught(row)

    async def unseen(self, turns: Sequence[str]) -> frozenset[str]:
        """Return those of the cases that have not been looked at."""
        known: set[str] = set()
        async with self._engine.connect() as connection:
            for n in range(0, len(turns), _MANY):
                some = lesson_cases.c.turn.in_(turns[n : n + _MANY])
                query = sa.select(lesson_cases.c.turn).where(some, lesson_cases.c.seen.is_not(None))
                known |= set((await connection.execute(query)).scalars())
        return frozenset(turns) - known

    async def learn(self, taught: Taught, lesson: Lesson | None, *, at: datetime) -> bool:
        """Note that a case was looked at, and its proposal, new or joined; `lesson` is None where it teaches nothing.

        False where somebody else looked at it meanwhile: nothing is counted twice.
        """
        async with self._engine.begin() as connection:
            if not await _note(connection, taught, lesson=lesson.id if lesson else "", seen=at):
                return False
            if lesson is None:
                return True
            query = sa.select(lessons).where(lessons.c.id == lesson.id).with_for_update()
            row = (await connection.execute(query)).mappings().first()
            if row is None:
                await connection.execute(lessons.insert().values(**_values(lesson)))
            else:
                await _change(connection, joined(_lesson(row), taught))
        return True

    async def drafted(
        self, id: str, document: DocumentId, *, question: str, answer: str, by: str, at: datetime
    ) -> Lesson:
        """Note the curator's words and the draft made of them. Raises `WrongState` for one that is refused."""
        words = {"question": question[:LONGEST_QUESTION], "answer": answer[:LONGEST_ANSWER]}
        decided = {"document": document, "decided_by": by, "decided_at": at, "state": "drafted"}
        return await self._decide(id, among=("open", "drafted"), **words, **decided)

    async def refused(self, id: str, refusal: Refusal, *, why: str = "", by: str, at: datetime) -> Lesson:
        """Note that it is not to become knowledge, and why. Raises `WrongState` unless it is open."""
        decided = {"refusal": refusal, "why": why, "decided_by": by, "decided_at": at, "state": "refused"}
        return await self._decide(id, among=("open",), **decided)

    async def reopened(self, id: str) -> Lesson:
        """Take a decision back; a draft stays among the documents. Raises `WrongState` for one that is open."""
        undone = {"refusal": None, "why": "", "decided_by": "", "decided_at": None, "state": "open"}
        return await self._decide(id, among=("drafted", "refused"), **undone)

    async def _decide(self, id: str, *, among: Collection[str], **values: Any) -> Lesson:
        async with self._engine.begin() as connection:
            before = await _one(connection, id, locked=True)
            if before.state not in among:
                raise WrongState(
                    f"Proposal {id} is {before.state}.", remedy="Take the decision back, then decide anew."
                )
            after = replace(before, **values)
            await _change(connection, after)
        return after


async def _one(connection: AsyncConnection, id: str, *, locked: bool = False) -> Lesson:
    query = sa.select(lessons).where(lessons.c.id == id)
    row = (await connection.execute(query.with_for_update() if locked else query)).mappings().first()
    if row is None:
        raise UnknownDocument(f"There is no proposal {id!r}.", remedy="See the proposals in the console.")
    return _lesson(row)


async def _note(connection: AsyncConnection, taught: Taught, *, lesson: str, seen: datetime | None) -> bool:
    """Write a case down unless it was looked at; the last wish counts."""
    values = {name: getattr(taught, name) for name in Taught.__dataclass_fields__}
    values |= {"said": list(taught.said), "lesson": lesson, "seen": seen}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    later = {name: value for name, value in values.items() if name != "turn"}
    written = insert(lesson_cases).values(**values)
    written = written.on_conflict_do_update(
        index_elements=["turn"], set_=later, where=lesson_cases.c.seen.is_(None)
    )
    return (await connection.execute(written.returning(lesson_cases.c.turn))).first() is not None


async def _change(connection: AsyncConnection, lesson: Lesson) -> None:
    values = _values(lesson)
    await connection.execute(lessons.update().where(lessons.c.id == values.pop("id")).values(**values))


def _values(lesson: Lesson) -> dict[str, Any]:
    values = {name: getattr(lesson, name) for name in Lesson.__dataclass_fields__}
    return values | {"members": list(lesson.members), "examples": list(lesson.examples)}


def _lesson(row: RowMapping) -> Lesson:
    values = {name: row[name] for name in Lesson.__dataclass_fields__}
    return Lesson(**{**values, "members": tuple(row["members"]), "examples": tuple(row["examples"])})


def _taught(row: RowMapping) -> Taught:
    values = {name: row[name] for name in Taught.__dataclass_fields__}
    return Taught(**{**values, "said": tuple(row["said"])})
