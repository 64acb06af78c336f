"""The tables of the knowledge room: documents, their versions, live passages, history, cached vectors.

kb_documents 1 ── * kb_versions      every saved text
             1 ── * kb_passages      pieces of published versions only: the one that counts and those to come
             1 ── * kb_events        who did what and why; the database refuses to change or delete a row
kb_vectors                           what was embedded once is not embedded again
kb_revision                          one row; every change of what is live raises it
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    event,
    false,
)
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeDecorator

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; SQLite, which forgets zones, gets it back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


documents = Table(
    "kb_documents",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("title", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("source", Text, nullable=False),
    Column("format", String(8), nullable=False),
    Column("audience", String(16), nullable=False),
    Column("department", String(64)),
    Column("status", String(16), nullable=False),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("version", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("source_hash", String(64), nullable=False, default=""),
    Column("revision", Integer, nullable=False, index=True),
    Column("updated", Moment, nullable=False),
    Column("twin", String(200)),
    Column("twin_changed", Moment),
    Column("owner", String(200)),
    Column("origin", Text),
    Column("approved", Boolean, nullable=False, default=False, server_default=false()),
)

versions = Table(
    "kb_versions",
    metadata,
    Column("document", String(200), ForeignKey("kb_documents.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("text", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", Moment, nullable=False),
    Column("published", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("effective_from", Moment),
    Column("effective_until", Moment),
    # Derived in the commit that publishes: when the next published version begins.
    Column("superseded_from", Moment),
)

passages = Table(
    "kb_passages",
    metadata,
    Column("id", String(220), primary_key=True),
    Column("document", String(200), ForeignKey("kb_documents.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("heading", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("page", Integer),
    Index("kb_passages_document", "document"),
)

events = Table(
    "kb_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("document", String(200), nullable=False),
    Column("version", Integer),
    Column("action", String(16), nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", Moment, nullable=False),
    Column("why", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("kb_events_document", "document", "id"),
)

vectors = Table(
    "kb_vectors",
    metadata,
    Column("embedder", String(200), primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

revision = Table(
    "kb_revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
)


_KEPT = {
    "sqlite": [
        f"CREATE TRIGGER kb_events_{verb} BEFORE {verb} ON kb_events "
        "BEGIN SELECT RAISE(ABORT, 'kb_events is append-only'); END"
        for verb in ("update", "delete")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION kb_events_kept() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'kb_events is append-only'; END $$",
        "CREATE TRIGGER kb_events_kept BEFORE UPDATE OR DELETE ON kb_events "
        "FOR EACH ROW EXECUTE FUNCTION kb_events_kept()",
    ],
}
for _dialect, _statements in _KEPT.items():
    for _statement in _statements:
        event.listen(events, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]


async def create_tables(engine: AsyncEngine) -> None:
    """Create what is missing; installations use migrations, tests and tools use this."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
