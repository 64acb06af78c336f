"""Opens the database that all rooms share: SQLite in one file, or PostgreSQL, by one URL."""

import json
from typing import Any

from sqlalchemy import Connection, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BUSY_MS = 10_000
READING = {"reading": True}
"""Execution options of a connection that only reads: on SQLite it waits for no writer."""


def connect(url: str) -> AsyncEngine:
    """Return an engine for `sqlite…///file` or `postgresql…://…`; nothing is opened yet.

    On SQLite a transaction takes the write lock when it begins, because one that reads first and writes
    later cannot wait for another writer and fails instead. `execution_options(**READING)` opts out.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_async_engine(
            parsed.set(drivername="sqlite+aiosqlite"), json_serializer=_json, pool_size=8, max_overflow=8
        )
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
        return engine
    return create_async_engine(
        parsed.set(drivername="postgresql+psycopg"),
        json_serializer=_json,
        pool_size=10,
        max_overflow=10,
        pool_pre_ping=True,
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _prepare(connection: Any, record: Any) -> None:
    # Transactions are begun by `_begin`; the driver's own late BEGIN would take the lock too late.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN DEFERRED" if reading else "BEGIN IMMEDIATE")
