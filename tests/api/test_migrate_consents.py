"""The ledger of consents in a database that was there before: rows are kept, and what they prove cannot be changed."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from agent.records.standing import EVIDENCE, POSTGRESQL, SQLITE
from api.migrate import _config, _connected, migrate

AT = "2026-11-01 09:00:00"
TALK = (
    "INSERT INTO conversations (id, channel, language, holder, customer_id, assurance, disclosed, question, awaiting,"
    " clarified, department, operator, token_hash, seq, event, lease_owner, created, updated)"
    " VALUES ('{id}', 'api', 'ru', 'ai', {whose}, '{sure}', true, '', '', false, '', '', '', 1, 0, '',"
    f" '{AT}', '{AT}')"
)
ROW = (
    "INSERT INTO consents (conversation, customer_id, purpose, granted, version, text, text_sha256, language, channel,"
    " address, actor, at) VALUES ('{id}', {whose}, 'memory', true, '1', 'Можно?', 'aa', 'ru', 'api', '7', 'customer',"
    f" '{AT}')"
)


def brought_with_rows(url: str) -> None:
    """Rows of before are as sure as their conversations are; afterwards their evidence stands."""
    with _connected(url) as connection:
        command.upgrade(_config(connection), "0018")
        for id, whose, sure in (("a", "NULL", "anonymous"), ("b", "'anna'", "verified")):
            connection.execute(text(TALK.format(id=id, whose=whose, sure=sure)))
            connection.execute(text(ROW.format(id=id, whose=whose)))
    migrate(url)
    with _connected(url) as connection:
        found = connection.execute(text("SELECT conversation, assurance FROM consents ORDER BY id"))
        assert [tuple(row) for row in found] == [("a", "anonymous"), ("b", "verified")]
        for column in EVIDENCE:
            assert refused(connection, f"UPDATE consents SET {column} = {column}"), column
        # Who it was may be forgotten, and a whole row may go when its time is over.
        assert not refused(connection, "UPDATE consents SET address = '', text = '', customer_id = NULL")
        assert not refused(connection, "DELETE FROM consents WHERE conversation = 'a'")


def refused(connection: Connection, statement: str) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(text(statement))
    except DBAPIError as fault:
        return "append-only" in str(fault)
    return False


def test_an_older_ledger_in_sqlite_is_kept_and_then_stands(tmp_path: Path) -> None:
    brought_with_rows(f"sqlite+aiosqlite:///{tmp_path / 'm.sqlite'}")


@pytest.mark.postgres
def test_an_older_ledger_in_postgresql_is_kept_and_then_stands(postgres_database: str) -> None:
    brought_with_rows(postgres_database)


def test_tables_made_without_migrations_stand_in_the_same_way() -> None:
    history = (Path(__file__).resolve().parents[2] / "api/migrations/versions/0019_consents.py").read_text()
    assert ", ".join(EVIDENCE) in history
    assert "append-only" in "".join((*SQLITE, *POSTGRESQL))
