"""A change of knowledge as something to decide on: a draft, what it would change, what it contradicts, who took it.

    open ──► accepted ──► published        publishing begins with the decision; after a crash it is taken up again
      └────► dropped

A change is stale when another version counts than the one it was compared with: look again, then decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.errors import UnknownDocument, WrongState
from knowledge.keeping.curation_tables import changes
from knowledge.preview import Preview, Verdict
from knowledge.types import DocumentId

ChangeState = Literal["open", "accepted", "published", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """What the draft says against a published passage: both quotes, where they stand, how sure that is (0..1)."""

    kind: str
    subject: str
    quote: str
    passage: str
    other_quote: str
    other_passage: str
    other_document: DocumentId
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A draft with its consequences; `base` is the version that counted when they were computed, 0 for none.

    `accepted` says how many answers of each verdict were in view when somebody decided.
    """

    id: int
    document: DocumentId
    version: int
    base: int
    state: ChangeState
    by: str
    at: datetime
    preview: Preview
    conflicts: tuple[Contradiction, ...] = ()
    decided_by: str = ""
    decided_at: datetime | None = None
    why: str = ""
    accepted: Mapping[str, int] = field(default_factory=dict)


class Decisions:
    """Keeps changes; it publishes nothing itself."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def propose(
        self,
        preview: Preview,
        *,
        base: int,
        conflicts: tuple[Contradiction, ...],
        by: str,
        at: datetime,
    ) -> Change:
        """Keep a draft's consequences for a decision."""
        values = {
            "document": preview.document,
            "version": preview.version,
            "base": base,
            "state": "open",
            "by": by,
            "at": at,
            "preview": _json(Preview, preview),
            "conflicts": _json(tuple[Contradiction, ...], conflicts),
            "decided_by": "",
            "why": "",
            "accepted": {},
        }
        async with self._engine.begin() as connection:
            made = await connection.execute(changes.insert().values(**values).returning(changes.c.id))
            number = int(made.scalar_one())
        return await self.change(number)

    async def change(self, number: int) -> Change:
        """Return one change. Raises `UnknownDocument`."""
        async with self._engine.connect() as connection:
            found = await connection.execute(sa.select(changes).where(changes.c.id == number))
            row = found.mappings().first()
        if row is None:
            raise UnknownDocument(
                f"There is no change {number}.", remedy="Preview a draft; the number is shown."
            )
        return _change(row)

    async def of(self, document: DocumentId) -> list[Change]:
        """Return the changes of a document, newest first."""
        query = sa.select(changes).where(changes.c.document == document).order_by(changes.c.id.desc())
        async with self._engine.connect() as connection:
            return [_change(row) for row in (await connection.execute(query)).mappings()]

    async def accept(
        self, number: int, *, base: int, accepting: frozenset[Verdict], by: str, at: datetime, why: str = ""
    ) -> Change:
        """Record that somebody decided for the change, with its differences in view.

        Raises `WrongState` when it is stale or decided, or makes answers worse that `accepting` does not name.
        """
        change = await self.change(number)
        if change.base != base:
            raise WrongState(
                f"Version {base} of {change.document!r} counts by now, not {change.base}.",
                remedy="Preview the draft again.",
            )
        counts = change.preview.counts
        if counts["worse"] and "worse" not in accepting:
            raise WrongState(
                f"{counts['worse']} of {change.preview.asked} answers get worse.",
                remedy="Read them, then change the draft or accept them.",
            )
        await self._decide(
            number, "accepted", by=by, at=at, why=why, accepted={str(name): n for name, n in counts.items()}
        )
        return await self.change(number)

    async def drop(self, number: int, *, by: str, at: datetime, why: str = "") -> Change:
        """Record that somebody decided against the change. Raises `WrongState` when it is decided."""
        await self._decide(number, "dropped", by=by, at=at, why=why, accepted={})
        return await self.change(number)

    async def published(self, number: int) -> Change:
        """Record that an accepted change is live."""
        await self._move(number, "published", before=("accepted",))
        return await self.change(number)

    async def _decide(
        self, number: int, state: ChangeState, *, by: str, at: datetime, why: str, accepted: dict[str, int]
    ) -> None:
        # Whoever takes up an accepted change after a crash decides again.
        before: tuple[ChangeState, ...] = ("open", "accepted")
        decided = {"decided_by": by, "decided_at": at, "why": why.strip(), "accepted": accepted}
        await self._move(number, state, before=before, **decided)

    async def _move(
        self, number: int, state: ChangeState, *, before: tuple[ChangeState, ...], **values: Any
    ) -> None:
        own = (changes.c.id == number) & changes.c.state.in_(before)
        async with self._engine.begin() as connection:
            moved = await connection.execute(changes.update().where(own).values(state=state, **values))
        if not moved.rowcount:
            stands = (await self.change(number)).state
            raise WrongState(f"Change {number} is {stands}.", remedy="Preview the draft again for a new one.")


def _change(row: RowMapping) -> Change:
    plain = {name: row[name] for name in Change.__dataclass_fields__}
    return Change(
        **{
            **plain,
            "preview": _adapter(Preview).validate_python(row["preview"]),
            "conflicts": _adapter(tuple[Contradiction, ...]).validate_python(row["conflicts"]),
        }
    )


def _json(of: Any, value: Any) -> Any:
    return _adapter(of).dump_python(value, mode="json")


@cache
def _adapter(of: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(of)
