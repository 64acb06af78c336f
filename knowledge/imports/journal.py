"""Who imported what and what came of it, kept: a report outlives the page, the process and the one who asked for it.

begin ─► running ─┬─► ended | stopped            finish, with the rows
                  └─► cut                        the process ended first: nobody could write a report
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.imports.report import ImportReport, Row
from knowledge.sources import tables as t

State = Literal["running", "ended", "stopped", "cut"]
MOST = 200
"""Imports that are remembered."""
_NOTHING = {"imported": 0, "unchanged": 0, "skipped": 0}
_ROWS = TypeAdapter(tuple[Row, ...])
_STATE: TypeAdapter[State] = TypeAdapter(State)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import: `wanted` names its files and addresses, `counts` its documents by result.

    `drafts`: what arrived waits to be published. `rows` are given only where one import is asked for.
    """

    number: str
    by: str
    drafts: bool
    wanted: tuple[str, ...]
    began: datetime
    state: State = "running"
    ended: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()


class Journal:
    """Every method is one commit."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, one: Import) -> None:
        """Note that an import begins; the oldest beyond `MOST` are forgotten."""
        values = {"number": one.number, "by": one.by, "drafts": one.drafts, "state": one.state}
        told = {"began": one.began, "wanted": json.dumps(one.wanted), "counts": "{}", "rows": "[]"}
        kept = sa.select(t.imports.c.number).order_by(t.imports.c.began.desc()).limit(MOST).subquery()
        async with self._engine.begin() as connection:
            await connection.execute(t.imports.insert().values(**values, **told))
            old = t.imports.delete().where(t.imports.c.number.not_in(sa.select(kept.c.number)))
            await connection.execute(old.where(t.imports.c.state != "running"))

    async def finish(self, number: str, *, state: State, rows: Sequence[Row], at: datetime) -> None:
        """Keep the report."""
        counts = ImportReport(rows=tuple(rows), embedded=0, seconds=0.0).counts
        values = {"state": state, "ended": at, "counts": json.dumps(counts)}
        report = _ROWS.dump_json(tuple(rows)).decode()
        async with self._engine.begin() as connection:
            own = t.imports.update().where(t.imports.c.number == number)
            await connection.execute(own.values(**values, rows=report))

    async def cut(self, *, at: datetime) -> None:
        """Say of every import that still counts as running that its process ended."""
        async with self._engine.begin() as connection:
            running = t.imports.update().where(t.imports.c.state == "running")
            await connection.execute(running.values(state="cut", ended=at))

    async def one(self, number: str) -> Import | None:
        """Return an import with its rows."""
        query = sa.select(t.imports).where(t.imports.c.number == number)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        return None if row is None else _import(row, rows=_ROWS.validate_json(row["rows"]))

    async def last(self, count: int = 20) -> list[Import]:
        """Return the latest imports, newest first, without their rows."""
        columns = [column for column in t.imports.c if column.name != "rows"]
        query = sa.select(*columns).order_by(t.imports.c.began.desc(), t.imports.c.number).limit(count)
        async with self._engine.connect() as connection:
            return [_import(row) for row in (await connection.execute(query)).mappings()]


def _import(row: Mapping[Any, Any], *, rows: tuple[Row, ...] = ()) -> Import:
    return Import(
        number=row["number"],
        by=row["by"],
        drafts=bool(row["drafts"]),
        wanted=tuple(json.loads(row["wanted"])),
        began=row["began"],
        state=_STATE.validate_python(row["state"]),
        ended=row["ended"],
        counts=json.loads(row["counts"]) or dict(_NOTHING),
        rows=rows,
    )
