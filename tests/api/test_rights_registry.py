"""Every table and column of a real installation is somebody's or nobody's, and the registry says whose."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent.ports import Steps
from api.durable import open_turns
from api.migrate import migrate
from api.rights.engine_rows import SCHEMA
from api.rights.page import _phrases
from api.rights.registry import Held, held, registry
from tools.context import TurnId
from tools.phrases import LANGUAGES

POSTGRESQL_ONLY = {"event_dispatch_kv"}


def columns_of(url: str, *, schema: str | None = None) -> dict[str, set[str]]:
    engine = sa.create_engine(url.replace("+aiosqlite", ""))
    try:
        inspector = sa.inspect(engine)
        return {
            table: {column["name"] for column in inspector.get_columns(table, schema=schema)}
            for table in inspector.get_table_names(schema=schema)
            if not table.startswith("sqlite_")
        }
    finally:
        engine.dispose()


async def run_the_engine(url: str, folder: Path) -> None:
    async def run(turn: TurnId, steps: Steps) -> str:
        return turn

    async with open_turns(run, url=url, data=folder):
        pass


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, set[str]]:
    """Tables and columns of a migrated database and of the durable engine's own."""
    if request.param == "sqlite":
        url, engine, schema = f"sqlite:///{tmp_path / 'm.sqlite'}", f"sqlite:///{tmp_path / 'd.sqlite'}", None
    else:
        url = engine = request.getfixturevalue("postgres_database")
        schema = SCHEMA
    migrate(url)
    asyncio.run(run_the_engine(engine, tmp_path))
    return columns_of(url) | columns_of(engine, schema=schema)


def test_every_table_and_column_is_covered(tables: dict[str, set[str]]) -> None:
    known = {name: set(one.columns) for name, one in registry().items()}
    assert set(tables) <= set(known), "name the table in api/rights/tables.toml"
    assert set(known) - set(tables) <= POSTGRESQL_ONLY, "take the table out of api/rights/tables.toml"
    for table, columns in tables.items():
        assert known[table] == columns, f"{table}: name its columns in api/rights/tables.toml"


def test_columns_that_look_like_somebodys_lead_to_rows() -> None:
    """A table that points at a conversation, a turn or an owner cannot be called nobody's."""
    pointing = {"conversation", "customer_id", "customer", "owner", "order_id", "workflow_uuid"}
    curators = {"kb_documents"}
    for name, one in registry().items():
        if not isinstance(one, Held) and name not in curators:
            assert not pointing & one.columns, name


def test_every_table_of_customers_has_a_name_for_them() -> None:
    for one in held():
        for language in LANGUAGES:
            assert _phrases().say(f"table.{one.table}", language)
    assert _phrases().differences() == []
