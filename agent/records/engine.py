"""Opens the database that all rooms share: SQLite in one file, or PostgreSQL, by one URL."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from agent.records.near import NearConnection, near_connection

BUSY_MS = 10_000
"""How long a writer waits for another program that holds the file."""
QUEUE_SECONDS = 30.0
"""How long a writer waits for those of its own process before it."""


class Database(AsyncEngine):
    """An engine whose `connect` reads and whose `begin` writes.

    On SQLite a writing transaction takes the write lock when it begins, because one that reads first and writes
    later cannot wait for another writer and fails instead; a reading one waits for no writer. The writers of this
    process come one after another: left to itself SQLite makes them ask again and again, in no order, and on a disk
    that is slow to sync one of a dozen can ask in vain until its time is up.
    """

    def __init__(self, engine: AsyncEngine, *, turn: asyncio.Lock | None = None) -> None:
        super().__init__(engine.sync_engine)
        self._turn = turn

    @property
    def near(self) -> "Database":
        """The same database for transactions of a few short statements, which run without a thread in between."""
        return self.execution_options(near=True)

    def execution_options(self, **options: Any) -> "Database":
        """Return the same database with these options for its transactions; writers still come one after another.

        `near=True` is for rooms that know only SQLAlchemy's own engine; every other engine takes and ignores it.
        """
        return Database(super().execution_options(**options), turn=self._turn)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that may write; it commits at the end of the block, or rolls back on an error.

        Raises SQLAlchemy's `OperationalError` when the database stays locked.
        """
        # The turn comes before the connection: those who wait leave the pool to the readers.
        async with self._writing(), self.connect() as connection:
            await connection.execution_options(writing=True)
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        if self._turn is None:
            yield
            return
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            fault = sqlite3.OperationalError("database is locked: earlier changes are still being written")
            fault.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise OperationalError("BEGIN IMMEDIATE", {}, fault) from None
        try:
            yield
        finally:
            self._turn.release()


def connect(url: str) -> Database:
    """Return an engine for `sqlite…///file` or `postgresql…://…`; nothing is opened yet."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_async_engine(
            parsed.set(drivername="sqlite+aiosqlite"), json_serializer=_json, pool_size=8, max_overflow=8
        )
        event.listen(engine.sync_engine, "do_connect", _by_near)
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
        return Database(engine, turn=asyncio.Lock())
    engine = create_async_engine(
        parsed.set(drivername="postgresql+psycopg"),
        json_serializer=_json,
        pool_size=10,
        max_overflow=10,
        pool_pre_ping=True,
    )
    return Database(engine)


def near(engine: AsyncEngine) -> AsyncEngine:
    """Return the engine for short transactions, see `Database.near`; any other engine as it is."""
    return engine.near if isinstance(engine, Database) else engine


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
        # What is deleted is written over, not only unlinked.
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _by_near(dialect: Any, record: Any, args: Any, parameters: dict[str, Any]) -> None:
    parameters["async_creator_fn"] = near_connection


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    writing = options.get("writing", False)
    driver = connection.connection.driver_connection
    if isinstance(driver, NearConnection):
        driver.near = options.get("near", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED")
