"""Rows of the durable engine's own tables, read and deleted as plain SQL: nothing here launches the engine.

Synchronous: call it in a thread.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from api.rights.registry import Held, held
from api.rights.subject import among

SCHEMA = "dbos"
"""Where the engine keeps its tables in PostgreSQL; SQLite has a file of its own for them."""


def engine_tables() -> tuple[Held, ...]:
    """Return the engine's tables that may hold rows of customers, those that others are bound to last."""
    own = [one for one in held() if one.room == "engine"]
    return tuple(sorted(own, key=lambda one: one.table == "workflow_status"))


def read(url: str, workflows: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the engine's rows of these workflows by table; empty lists where the engine never ran."""
    found: dict[str, list[dict[str, Any]]] = {one.table: [] for one in engine_tables()}
    with connected(url) as connection:
        if connection is None:
            return found
        for one in engine_tables():
            table, where = _where(one, workflows, connection)
            columns = [table.c[name] for name in one.told]
            rows = connection.execute(sa.select(*columns).where(where)).mappings()
            found[one.table] = [dict(row) for row in rows]
    return found


def delete(url: str, workflows: Sequence[str]) -> dict[str, int]:
    """Delete the engine's rows of these workflows; return how many by table."""
    counts: dict[str, int] = {}
    with connected(url) as connection:
        if connection is None:
            return counts
        for one in engine_tables():
            table, where = _where(one, workflows, connection)
            counts[one.table] = connection.execute(sa.delete(table).where(where)).rowcount
    return counts


@contextmanager
def connected(url: str) -> Iterator[sa.Connection | None]:
    """Open the engine's database for one transaction; None where it was never made."""
    parsed = sa.make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite and not Path(parsed.database or "").is_file():
        yield None
        return
    engine = sa.create_engine(parsed.set(drivername="sqlite" if sqlite else "postgresql+psycopg"))
    try:
        with engine.begin() as connection:
            if sqlite:
                connection.exec_driver_sql("PRAGMA busy_timeout=30000")
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            there = sa.inspect(connection).has_table("workflow_status", schema=_schema(connection))
            yield connection if there else None
    finally:
        engine.dispose()


def _schema(connection: sa.Connection) -> str | None:
    return None if connection.dialect.name == "sqlite" else SCHEMA


def _where(
    one: Held, workflows: Sequence[str], connection: sa.Connection
) -> tuple[sa.TableClause, sa.ColumnElement[bool]]:
    names: list[sa.ColumnClause[Any]] = [sa.column(name) for name in sorted(one.columns)]
    table = sa.table(one.table, *names, schema=_schema(connection))
    where = sa.or_(*(among(table.c[column], tuple(workflows)) for column in one.by))
    return table, where
