"""The database's history leads to the tables in code, on both kinds of database."""

import sqlite3
from pathlib import Path

import pytest

from api.migrate import differences, migrate
from api.schema import METADATA


def test_an_empty_sqlite_database_is_brought_to_the_tables_in_code(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'm.sqlite'}"
    migrate(url)
    assert differences(url) == []
    migrate(url)
    with sqlite3.connect(tmp_path / "m.sqlite") as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = {row[0] for row in rows}
    assert {table for metadata in METADATA for table in metadata.tables} <= names
    connection.close()


@pytest.mark.postgres
def test_an_empty_postgresql_database_is_brought_to_the_tables_in_code(postgres_database: str) -> None:
    migrate(postgres_database)
    assert differences(postgres_database) == []
    migrate(postgres_database)


def test_a_difference_between_code_and_database_is_seen(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'm.sqlite'}"
    migrate(url)
    with sqlite3.connect(tmp_path / "m.sqlite") as connection:
        connection.execute("ALTER TABLE tickets DROP COLUMN summary")
    connection.close()
    assert "summary" in str(differences(url))


def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE turns (id TEXT)")
    connection.close()
    with pytest.raises(Exception, match="already exists"):
        migrate(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert names == {"turns"}
