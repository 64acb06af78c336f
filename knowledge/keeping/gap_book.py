"""Gaps somebody has taken up, kept in SQL: open ─► drafted ─► closed, and open again when the draft is thrown away."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.errors import UnknownDocument, WrongState
from knowledge.gaps import Gap, Kept
from knowledge.keeping.curation_tables import gaps
from knowledge.types import DocumentId


class GapBook:
    """Remembers which gaps have a draft or a document."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def kept(self) -> list[Kept]:
        """Return every gap somebody has taken up, oldest first."""
        query = sa.select(gaps).order_by(sa.func.coalesce(gaps.c.drafted_at, gaps.c.closed_at), gaps.c.id)
        async with self._engine.connect() as connection:
            return [_kept(row) for row in (await connection.execute(query)).mappings()]

    async def drafted(self, gap: Gap, draft: DocumentId, *, by: str, at: datetime) -> Kept:
        """Note that a draft for the gap exists. Raises `WrongState` for a closed one."""
        if gap.status == "closed":
            raise WrongState(
                f"Gap {gap.id} is closed.", remedy="A new gap opens when the question comes back."
            )
        return await self._keep(replace(_of(gap), status="drafted", draft=draft, by=by, drafted_at=at))

    async def closed(self, gap: Gap, document: DocumentId, *, by: str, at: datetime) -> Kept:
        """Note which document answers the gap from now on. Raises `WrongState` for a closed one."""
        if gap.status == "closed":
            raise WrongState(
                f"Gap {gap.id} is closed by {gap.document!r}.", remedy="Reopen it to name another document."
            )
        return await self._keep(replace(_of(gap), status="closed", document=document, by=by, closed_at=at))

    async def reopened(self, gap: str) -> None:
        """Forget that somebody took the gap up; its questions are grouped anew. Raises `UnknownDocument`."""
        async with self._engine.begin() as connection:
            gone = await connection.execute(gaps.delete().where(gaps.c.id == gap))
        if not gone.rowcount:
            raise UnknownDocument(f"Nobody has taken up gap {gap!r}.", remedy="See `mayak knowledge gaps`.")

    async def _keep(self, one: Kept) -> Kept:
        values = {name: getattr(one, name) for name in Kept.__dataclass_fields__}
        values |= {"examples": list(one.examples), "members": list(one.members)}
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        later = {name: value for name, value in values.items() if name != "id"}
        async with self._engine.begin() as connection:
            before = (await connection.execute(sa.select(gaps).where(gaps.c.id == one.id))).mappings().first()
            if before is not None:
                # What an earlier step noted stays: a closed gap keeps its draft.
                later |= {
                    name: before[name] for name in ("draft", "drafted_at") if before[name] and not later[name]
                }
            await connection.execute(
                insert(gaps).values(**values).on_conflict_do_update(index_elements=["id"], set_=later)
            )
            row = (await connection.execute(sa.select(gaps).where(gaps.c.id == one.id))).mappings().one()
        return _kept(row)


def _of(gap: Gap) -> Kept:
    return Kept(
        id=gap.id,
        status=gap.status,
        question=gap.question,
        language=gap.language,
        examples=gap.examples,
        members=gap.members,
        draft=gap.draft,
        document=gap.document,
    )


def _kept(row: RowMapping) -> Kept:
    values = {name: row[name] for name in Kept.__dataclass_fields__}
    return Kept(**{**values, "examples": tuple(row["examples"]), "members": tuple(row["members"])})
