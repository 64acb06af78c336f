"""Brings a database to this release's tables; `python -m api.migrate "what changes"` writes the next step.

Synchronous: call it in a thread from running code. Both drivers of the house have a synchronous twin.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

import api.migrations
from api.outage import outage_of
from api.schema import METADATA
from api.settings import BadSetting

FOLDER = Path(api.migrations.__file__).parent
ONE_AT_A_TIME = 0x6D6967726174
"""Key of the PostgreSQL advisory lock under which one process migrates."""


def migrate(url: str) -> None:
    """Apply every step the database at `url` (any SQLAlchemy URL of it) has not seen."""
    with _connected(url) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
        command.upgrade(_config(connection), "head")


def migrate_or_say(url: str) -> None:
    """`migrate`, for whoever starts: raises `BadSetting` with a remedy when the database cannot be opened."""
    try:
        migrate(url)
    except DBAPIError as fault:
        outage = outage_of(fault)
        raise BadSetting(
            f"The database cannot be opened: {fault.orig}.",
            remedy=outage.remedy
            if outage
            else "Check MAYAK_DATABASE; if the file is damaged, put a backup in its place.",
        ) from fault


def differences(url: str) -> list[object]:
    """Return what the tables in code have that the database does not, and the reverse; empty when equal."""
    with _connected(url) as connection:
        known = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(known, METADATA))  # type: ignore[arg-type]


def knows(head: str) -> bool:
    """Whether this release has the step that a database was brought to last."""
    return any(step.revision == head for step in ScriptDirectory(str(FOLDER)).walk_revisions())


def write_step(message: str) -> None:
    """Write the step from the newest one to the tables in code."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'empty.sqlite'}"
        migrate(url)
        with _connected(url) as connection:
            number = len(list((FOLDER / "versions").glob("[0-9]*.py"))) + 1
            command.revision(_config(connection), message=message, autogenerate=True, rev_id=f"{number:04}")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    engine = create_engine(parsed.set(drivername="sqlite" if sqlite else "postgresql+psycopg"))
    if sqlite:
        # The driver would commit each step's parts one by one; a step is whole or absent.
        event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


if __name__ == "__main__":
    write_step(" ".join(sys.argv[1:]) or "change")
