"""The database's history leads to the tables in code, on both kinds of database."""

import hashlib
import json
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from agent.fake import FixedClock
from agent.records.audit import SqlAudit
from agent.records.sql import SqlRecords
from api.migrate import _config, _connected, differences, migrate
from api.schema import METADATA
from tools.context import ConversationId, CustomerId


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


AT = "2026-11-01 09:00:00"


def talk_of(id: str, *, customer: str = "NULL") -> str:
    """The row of a conversation as long as it had these columns."""
    return (
        "INSERT INTO conversations (id, channel, language, holder, customer_id, assurance, disclosed, question,"
        " awaiting, clarified, department, operator, token_hash, seq, event, lease_owner, created, updated)"
        f" VALUES ('{id}', 'api', 'ru', 'ai', {customer}, 'anonymous', true, '', '', false, '', '', '', 1, 0, '',"
        f" '{AT}', '{AT}')"
    )


async def brought_with_a_message(url: str) -> None:
    """A transcript of before there were cards is read as it was."""
    at, talk = AT, talk_of("c")
    line = (
        "INSERT INTO messages (conversation, seq, author, text, at, citations, buttons, name)"
        f" VALUES ('c', 1, 'ai', 'Здравствуйте.', '{at}', '[]', '[]', '')"
    )
    with _connected(url) as connection:
        command.upgrade(_config(connection), "0016")
        for statement in (talk, line):
            connection.execute(text(statement))
    migrate(url)
    engine = create_async_engine(url)
    records = SqlRecords(engine, clock=FixedClock(), card=lambda purpose, language: {}, purposes={})
    found = await records.messages(ConversationId("c"))
    await engine.dispose()
    assert [(message.text, message.cards) for message in found] == [("Здравствуйте.", ())]


async def test_an_older_sqlite_transcript_is_still_read(tmp_path: Path) -> None:
    await brought_with_a_message(f"sqlite+aiosqlite:///{tmp_path / 'm.sqlite'}")


@pytest.mark.postgres
async def test_an_older_postgresql_transcript_is_still_read(postgres_database: str) -> None:
    await brought_with_a_message(postgres_database)


OLD_LINES = [
    ("olga", "list", "open", {"conversations": ["c", "d"]}),
    ("olga", "read", "c", {"messages": 3}),
    ("olga", "read", "d", {"messages": 1}),
    ("mcp:0123", "mcp.order_status", "anna", {"outcome": "told", "order": "1051"}),
    ("ivan", "publish", "returns", {"version": 3}),
]


def old_audit(*, changed: bool) -> list[dict[str, Any]]:
    """The audit as it was chained over its readable fields; one of its lines was `changed` afterwards."""
    rows: list[dict[str, Any]] = []
    previous = ""
    for actor, act, target, detail in OLD_LINES:
        at = datetime.fromisoformat(f"{AT}+00:00").isoformat()
        line = json.dumps([at, actor, act, target, detail], ensure_ascii=False, sort_keys=True)
        link = hashlib.sha256(f"{previous}\n{line}".encode()).hexdigest()
        kept = {"at": at, "actor": actor, "act": act, "target": target, "detail": json.dumps(detail)}
        rows.append({**kept, "previous": previous, "hash": link})
        previous = link
    if changed:
        rows[2]["actor"] = "nobody"
    return rows


async def brought_with_an_audit(url: str, *, changed: bool) -> None:
    """Every line comes along under the key of whom it is about, and so does whether the old chain held."""
    insert = (
        "INSERT INTO audit (at, actor, act, target, detail, previous, hash)"
        " VALUES (:at, :actor, :act, :target, :detail, :previous, :hash)"
    )
    old = old_audit(changed=changed)
    with _connected(url) as connection:
        command.upgrade(_config(connection), "0018")
        for statement in (talk_of("c", customer="'anna'"), talk_of("d")):
            connection.execute(text(statement))
        if connection.dialect.name == "postgresql":
            insert = insert.replace(":at,", "CAST(:at AS timestamptz),").replace(
                ":detail", "CAST(:detail AS json)"
            )
        connection.execute(text(insert), [{**row, "at": AT} if "sqlite" in url else row for row in old])
    migrate(url)
    engine = create_async_engine(url)
    trail = SqlAudit(engine, clock=FixedClock())
    verdict = await trail.verified()
    lines = [line.fields for line in reversed(await trail.listed()) if line.fields]
    erased = await trail.forget(CustomerId("anna"))
    after = await trail.verified()
    await engine.dispose()
    assert (verdict.holds, verdict.lines, erased, after.holds) == (True, 6, 2, True)
    assert [(fields.act, fields.about) for fields in lines] == [
        ("list", ""),
        ("read", "customer:anna"),
        ("read", "conversation:d"),
        ("mcp.order_status", "customer:anna"),
        ("publish", ""),
        ("rechained", ""),
    ]
    assert [len(mark) for mark in lines[0].detail["shown"]] == [32, 32]
    held = {"held": not changed, "first_fault": 3 if changed else None}
    assert lines[-1].detail == {"lines": 5, "head": old[-1]["hash"], **held}


async def test_an_older_sqlite_audit_is_chained_anew(tmp_path: Path) -> None:
    await brought_with_an_audit(f"sqlite+aiosqlite:///{tmp_path / 'm.sqlite'}", changed=False)


@pytest.mark.postgres
async def test_an_older_postgresql_audit_that_was_changed_is_chained_anew_and_says_so(
    postgres_database: str,
) -> None:
    await brought_with_an_audit(postgres_database, changed=True)
