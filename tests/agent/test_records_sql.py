"""What only a database can promise: pragmas, constraints, locks, and an audit beside what was done."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from agent.domain import Answered, Held, Holder, Reply, Ticket, TurnRecord, Verified
from agent.records import engine as database
from agent.records.codec import record_json
from agent.records.engine import connect
from agent.records.page import Page
from agent.records.rules import leaving
from agent.records.sql import SqlRecords, create_tables
from agent.records.tables import turns
from tools.context import ConversationId, Language, TurnId


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def card(purpose: str, language: Language) -> Mapping[str, Any]:
    return {}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = connect(f"sqlite:///{tmp_path / 'records.sqlite'}")
    await create_tables(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def records(engine: AsyncEngine) -> SqlRecords:
    return SqlRecords(engine, clock=Clock(), card=card, purposes={})


async def test_sqlite_keeps_what_was_committed_and_enforces_its_keys(engine: AsyncEngine) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    async with engine.connect() as connection:
        found = {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in expected}
    assert found == expected


async def test_the_table_itself_forbids_two_open_turns_of_a_conversation(
    engine: AsyncEngine, records: SqlRecords
) -> None:
    id = (await records.open_conversation(channel="widget", language="en")).id
    row = {
        "conversation": id,
        "opened": Clock().now(),
        "reason": "",
        "language": "en",
        "model": "",
        "withheld": False,
    }
    async with engine.begin() as connection:
        await connection.execute(insert(turns).values(id="one", **row))
    with pytest.raises(IntegrityError):
        async with engine.begin() as connection:
            await connection.execute(insert(turns).values(id="two", **row))
    async with engine.begin() as connection:
        await connection.execute(update(turns).where(turns.c.id == "one").values(outcome="answered"))
        await connection.execute(insert(turns).values(id="two", **row))


async def test_a_conversation_and_its_disclosure_are_there_together_or_not_at_all(
    engine: AsyncEngine, records: SqlRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(page: Page) -> None:
        raise ConnectionError("the process died here")

    opening = {
        "channel": "telegram",
        "language": "en",
        "external_id": "7",
        "disclosure": Reply(text="A program."),
    }
    with monkeypatch.context() as patch:
        patch.setattr(Page, "close", dies)
        with pytest.raises(ConnectionError):
            await records.open_conversation(**opening)  # type: ignore[arg-type]
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM conversations"))).scalar() == 0
    opened = await records.open_conversation(**opening)  # type: ignore[arg-type]
    assert [m.text for m in await records.messages(opened.id)] == ["A program."]


async def test_a_record_of_an_earlier_release_is_still_read(engine: AsyncEngine, records: SqlRecords) -> None:
    id = (await records.open_conversation(channel="widget", language="en")).id
    await records.accept(id, key="k", text="hello")
    turn = await records.next_batch(id)
    assert turn is not None
    record = TurnRecord(
        turn=turn, conversation=id, outcome=Held(), language="en", replies=(Reply(text="Hi."),)
    )
    await records.commit(record)
    async with engine.begin() as connection:
        old = {**record_json(record), "consents": []}
        # Before there were cards.
        old["replies"] = [{"text": "Hi.", "citations": [], "buttons": []}]
        await connection.execute(update(turns).where(turns.c.id == turn).values(record=old))
    assert await records.receipt(id, turn) == record


async def test_a_reader_waits_for_no_writer(engine: AsyncEngine, records: SqlRecords) -> None:
    id = (await records.open_conversation(channel="widget", language="en")).id
    async with engine.begin() as writing:
        await writing.execute(text("UPDATE conversations SET language = 'ru'"))
        assert (await asyncio.wait_for(records.conversation(id), 2)).language == "en"
    assert (await records.conversation(id)).language == "ru"


async def test_a_transaction_that_reads_first_still_gets_to_write(engine: AsyncEngine) -> None:
    async def count() -> None:
        async with engine.begin() as connection:
            seen = (await connection.execute(text("SELECT coalesce(max(seq), 0) FROM messages"))).scalar_one()
            await asyncio.sleep(0.01)
            await connection.execute(
                text("INSERT INTO messages VALUES ('c', :n, 'ai', '', '', NULL, '[]', '[]', '')"),
                {"n": seen + 1},
            )

    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE messages"))
        await connection.execute(text("CREATE TABLE messages (c, seq UNIQUE, a, t, at, tu, ci, b, na)"))
    await asyncio.gather(*(count() for _ in range(10)))
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM messages"))).scalar() == 10


async def test_writers_come_one_after_another_however_slow_each_of_them_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 50)
    engine = connect(f"sqlite:///{tmp_path / 'slow.sqlite'}")
    done: list[int] = []

    async def write(n: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO lines VALUES (:n)"), {"n": n})
            await asyncio.sleep(0.02)
        done.append(n)

    try:
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE lines (n)"))
        await asyncio.gather(*(write(n) for n in range(20)))
    finally:
        await engine.dispose()
    assert done == list(range(20))


async def test_a_writer_whose_turn_does_not_come_is_told_that_the_database_is_locked(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "QUEUE_SECONDS", 0.05)
    async with engine.begin():
        with pytest.raises(OperationalError, match="database is locked"):
            async with engine.begin():
                raise AssertionError("two writers at once")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE conversations SET language = 'ru'"))


async def test_the_audit_names_who_did_what_and_not_what_was_said(records: SqlRecords) -> None:
    id = (await records.open_conversation(channel="widget", language="en")).id
    await records.claim(id, operator="olga", name="Olga")
    await records.person_says(id, "Hello.", operator="olga", name="Olga")
    await records.close(id, operator="olga")
    await records.audit("publish", actor="ivan", target="returns", detail={"version": 3})
    lines = await records.trail.listed()
    assert [(line.fields.actor, line.fields.act) for line in reversed(lines) if line.fields] == [
        ("olga", "claim"),
        ("olga", "reply"),
        ("olga", "close"),
        ("ivan", "publish"),
    ]
    assert "Hello" not in str(lines)
    assert (await records.trail.verified()).holds


RECORD = TurnRecord(
    turn=TurnId("t"),
    conversation=ConversationId("c"),
    outcome=Held(),
    language="en",
    replies=(Reply(text="Whole."),),
)


@pytest.mark.parametrize("left", [(), (Verified(text="One."), Verified(text="Two."))])
def test_once_a_person_came_nothing_more_leaves(left: tuple[Verified, ...]) -> None:
    out = leaving(RECORD, holder="person", left=left)
    assert (out.replies, out.holder, out.withheld) == ((), "person", True)


@pytest.mark.parametrize(
    ("holder", "left", "change", "leaves"),
    [
        ("ai", (), {}, True),
        ("ai", (Verified(text="One."),), {}, False),
        ("ai", (), {"ticket": Ticket(reason="not_sure", department="care", summary="s")}, False),
        ("queued", (), {}, False),
        ("closed", (), {}, False),
        ("queued", (), {"closed_proposal": ("p", "done")}, True),
        ("closed", (), {"closed_proposal": ("p", "done")}, True),
        ("person", (), {"closed_proposal": ("p", "done")}, False),
    ],
)
def test_words_a_person_came_between_leave_only_where_they_still_fit(
    holder: Holder, left: tuple[Verified, ...], change: dict[str, Any], leaves: bool
) -> None:
    record = replace(RECORD, outcome=Answered(), holder="queued" if "ticket" in change else "ai", **change)
    out = leaving(record, holder=holder, left=left, late=True)
    assert (bool(out.replies), out.holder, out.withheld) == (leaves, holder, not leaves)


def test_only_what_was_said_with_the_person_in_mind_leaves_beside_them() -> None:
    knows = leaving(replace(RECORD, holder="person"), holder="person", left=())
    assert [reply.text for reply in knows.replies] == ["Whole."]
    assert leaving(replace(RECORD, holder="queued"), holder="person", left=()).replies == ()


def test_a_held_turn_never_changes_who_holds_the_conversation() -> None:
    for holder in ("ai", "queued", "closed"):
        assert leaving(RECORD, holder=holder, left=()).holder == holder


async def test_what_a_commit_took_is_added_to_its_record_when_the_lease_is_given_back(
    records: SqlRecords,
) -> None:
    id = (await records.open_conversation(channel="widget", language="en")).id
    await records.accept(id, key="k1", text="Hello")
    assert await records.lease(id, "one", seconds=30)
    turn = await records.next_batch(id)
    assert turn is not None
    spent = {"queue": 2.0, "situation": 3.0, "first_sentence": 4.0, "total": 5.0}
    await records.commit(
        TurnRecord(turn=turn, conversation=id, outcome=Held(), language="en", ms=spent, reasons=("x",))
    )
    await records.release(id, "one", committing={turn: 1.5, TurnId("unknown"): 9.0})
    record = await records.receipt(id, turn)
    assert record is not None
    assert record.ms == {**spent, "commit": 1.5, "total": 6.5}
    assert record.reasons == ("x",)
    assert await records.lease(id, "two", seconds=30), "the lease was given back"
