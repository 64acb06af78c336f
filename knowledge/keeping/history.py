"""Who did what to a document, when and why: rows that are added and never changed (the database refuses)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge.keeping import tables as t
from knowledge.types import Action, DocumentId, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who changes something, why, and the moment of it; `detail` is told beside the reason."""

    by: str
    at: datetime
    why: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


async def record(
    connection: AsyncConnection, document: DocumentId, action: Action, act: Act, *, version: int | None = None
) -> None:
    """Add a line inside the transaction of the change it tells of."""
    values = {"document": document, "version": version, "action": action, "by": act.by, "at": act.at}
    detail = json.dumps(dict(act.detail), ensure_ascii=False)
    await connection.execute(t.events.insert().values(**values, why=act.why, detail=detail))


async def events(connection: AsyncConnection, document: DocumentId) -> list[Event]:
    """Return the history of a document, newest first."""
    query = sa.select(t.events).where(t.events.c.document == document).order_by(t.events.c.id.desc())
    return [_event(row) for row in (await connection.execute(query)).mappings()]


def _event(row: RowMapping) -> Event:
    names = ("document", "version", "action", "by", "at", "why")
    return Event(n=row["id"], **{name: row[name] for name in names}, detail=json.loads(row["detail"]))
