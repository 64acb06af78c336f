"""Nothing of a deleted row is left in the files: SQLite is written anew, PostgreSQL's tables are vacuumed.

Synchronous: call it in a thread.
"""

import logging
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from api.rights.engine_rows import SCHEMA

logger = logging.getLogger("mayak.rights")

BUSY_SECONDS = 30
TRIES = 60
"""Times a checkpoint is tried while a reader is in its way, half a second apart."""


def scrub(url: str, tables: Sequence[str], *, engine: bool = False) -> None:
    """Clean the files of the database at `url` (any SQLAlchemy URL of it) after rows of these tables were deleted.

    `engine`: the tables are those of the durable engine.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if (path := Path(parsed.database or "")).is_file():
            _sqlite(path)
        return
    _postgresql(parsed.set(drivername="postgresql+psycopg"), tables, schema=SCHEMA if engine else "public")


def _sqlite(path: Path) -> None:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA secure_delete=ON")
        _checkpoint(connection)
        connection.execute("VACUUM")
        _checkpoint(connection)
    finally:
        connection.close()


def _checkpoint(connection: sqlite3.Connection) -> None:
    """Move the write-ahead log into the file and empty it, as soon as no reader needs it."""
    for _ in range(TRIES):
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return
        time.sleep(0.5)
    raise sqlite3.OperationalError("the write-ahead log is read all the time and cannot be emptied")


def _postgresql(url: sa.URL, tables: Sequence[str], *, schema: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            there = set(sa.inspect(connection).get_table_names(schema=schema))
            for table in sorted(there.intersection(tables)):
                connection.exec_driver_sql(f'VACUUM (FULL) "{schema}"."{table}"')
            try:
                connection.exec_driver_sql("CHECKPOINT")
            except sa.exc.ProgrammingError:
                # Only a superuser may; the server does it by itself within minutes.
                logger.info("the database's files are cleaned at its next checkpoint")
    finally:
        engine.dispose()
