"""What the audit promises on every database: one chain, tampering is found, an erasure takes fields and key and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from agent.basis import Basis
from agent.records.audit import append, forget, walked
from agent.records.chain import Entry, Fault, customer, mark_of
from agent.records.engine import connect
from agent.records.errors import AuditLost
from agent.records.sql import SqlRecords
from agent.records.tables import audit, audit_head, audit_keys, consents, conversations, metadata
from tests.contracts.memory import Clock, card, clock, granted
from tools.context import Caller, CustomerId, TurnId

__all__ = ["clock"]

ANNA, BORIS = CustomerId("anna"), CustomerId("boris")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'r.sqlite'}" if sqlite else request.getfixturevalue("postgres_database")
    engine = connect(url)
    tables = [conversations, consents, audit, audit_head, audit_keys]
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all, tables=tables)
    yield engine
    await engine.dispose()


@pytest.fixture
def records(engine: AsyncEngine, clock: Clock) -> SqlRecords:
    return SqlRecords(engine, clock=clock, card=card, purposes={})


async def wrote(records: SqlRecords, lines: int = 6) -> None:
    """Lines about two customers in turn."""
    for n in range(lines):
        await records.audit(
            "read",
            actor="olga",
            target=f"c{n}",
            detail={"n": n, "у": "да"},
            about=customer((ANNA, BORIS)[n % 2]),
        )


async def do(engine: AsyncEngine, *statements: Any) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(statement)


async def everything(engine: AsyncEngine, *tables: Table) -> str:
    async with engine.connect() as connection:
        rows = [(await connection.execute(select(table))).all() for table in tables]
    return str(rows)


NOTHING = dict.fromkeys(("about", "at", "actor", "act", "target", "detail"))


def changed(line: int, /, **values: Any) -> Any:
    return update(audit).where(audit.c.n == line).values(**values)


def swapped(one: int, other: int) -> list[Any]:
    return [changed(one, n=99), changed(other, n=one), changed(99, n=other)]


def closed_up(missing: int, last: int) -> list[Any]:
    later = [changed(n, n=n - 1) for n in range(missing + 1, last + 1)]
    return [delete(audit).where(audit.c.n == missing), *later, update(audit_head).values(n=last - 1)]


def slipped_in(after: int) -> list[Any]:
    columns = [column for column in audit.c if column.name != "n"]
    again = select((audit.c.n + 1).label("n"), *columns).where(audit.c.n == after)
    return [insert(audit).from_select(["n", *(column.name for column in columns)], again)]


TAMPERING: dict[str, tuple[list[Any], list[tuple[int, str]]]] = {
    "actor": ([changed(3, actor="nobody")], [(3, "changed")]),
    "act": ([changed(3, act="list")], [(3, "changed")]),
    "target": ([changed(3, target="c9")], [(3, "changed")]),
    "detail": ([changed(3, detail={"n": 2, "у": "нет"})], [(3, "changed")]),
    "moment": ([changed(3, at=datetime(2026, 11, 22, 9, 0, 1, tzinfo=UTC))], [(3, "changed")]),
    "whom": ([changed(3, about="customer:boris")], [(3, "changed")]),
    "mac": ([changed(3, mac="0" * 64)], [(3, "moved"), (3, "changed")]),
    "link": ([changed(3, link="0" * 64)], [(3, "moved"), (4, "moved")]),
    "one field gone": ([changed(3, target=None)], [(3, "changed")]),
    "fields gone": ([changed(3, **NOTHING)], [(3, "bare")]),
    "key gone": (
        [delete(audit_keys).where(audit_keys.c.about == "customer:anna")],
        [(1, "keyless"), (3, "keyless"), (5, "keyless")],
    ),
    "key changed": (
        [update(audit_keys).where(audit_keys.c.about == "customer:boris").values(key="00" * 32)],
        [(2, "changed"), (4, "changed"), (6, "changed")],
    ),
    "first": ([delete(audit).where(audit.c.n == 1)], [(1, "missing")]),
    "middle": ([delete(audit).where(audit.c.n == 3)], [(3, "missing")]),
    "middle, closed up": (
        closed_up(3, 6),
        [(3, "moved"), (3, "changed"), (4, "moved"), (4, "changed"), (5, "moved"), (5, "changed")],
    ),
    "last": ([delete(audit).where(audit.c.n == 6)], [(6, "cut")]),
    "all": ([delete(audit)], [(6, "cut")]),
    "head": ([delete(audit_head)], [(6, "cut")]),
    "swapped": (
        swapped(2, 5),
        [(2, "moved"), (2, "changed"), (3, "moved"), (5, "moved"), (5, "changed"), (6, "moved")],
    ),
    "slipped in": (slipped_in(6), [(7, "moved"), (7, "changed"), (7, "cut")]),
    "ruined": ([update(audit).values(link="")], [(n, "moved") for n in range(1, 7)] + [(6, "cut")]),
}


class TestTampering:
    async def test_every_way_to_change_the_chain_is_found_and_told_where(
        self, engine: AsyncEngine, records: SqlRecords
    ) -> None:
        assert (await records.trail.verified()).holds
        await wrote(records)
        seen = {}
        for name, (statements, _) in TAMPERING.items():
            async with engine.connect() as connection:
                for statement in statements:
                    await connection.execute(statement)
                seen[name] = (await walked(connection, batch=4)).faults
                await connection.rollback()
        assert {name: [(f.n, f.kind) for f in faults] for name, faults in seen.items()} == {
            name: expected for name, (_, expected) in TAMPERING.items()
        }
        for batch in (1, 2, 1000):
            verdict = await records.trail.verified(batch=batch)
            assert (verdict.holds, verdict.lines, verdict.erased) == (True, 6, 0)

    async def test_without_its_head_the_chain_does_not_grow(
        self, engine: AsyncEngine, records: SqlRecords
    ) -> None:
        await do(engine, delete(audit_head))
        with pytest.raises(AuditLost):
            await wrote(records, 1)


class TestErasing:
    async def test_what_was_said_of_a_customer_and_their_key_are_gone_and_the_chain_still_holds(
        self, engine: AsyncEngine, records: SqlRecords
    ) -> None:
        await wrote(records)
        chain = select(audit.c.n, audit.c.mac, audit.c.link).where(audit.c.n <= 6).order_by(audit.c.n)
        async with engine.connect() as connection:
            before = (await connection.execute(chain)).all()
        assert await records.trail.forget(ANNA) == 3
        async with engine.connect() as connection:
            assert (await connection.execute(chain)).all() == before
        assert "anna" not in await everything(engine, audit, audit_keys, audit_head)
        verdict = await records.trail.verified(batch=2)
        assert (verdict.holds, verdict.lines, verdict.erased) == (True, 7, 3)
        (told, *others) = await records.trail.listed()
        assert told.fields is not None
        assert (told.fields.act, told.fields.detail) == (
            "erased",
            {"lines": [[1, 1], [3, 3], [5, 5]], "count": 3},
        )
        assert [line.n for line in others] == [6, 4, 2]

    async def test_what_came_before_we_knew_who_it_was_goes_with_it(
        self, engine: AsyncEngine, records: SqlRecords
    ) -> None:
        talk = (await records.open_conversation(channel="widget", language="ru")).id
        await records.consent_outside(talk, granted())
        await do(engine, update(conversations).values(customer_id="anna", assurance="verified"))
        await records.consent_outside(talk, granted(yes=False))
        assert await records.trail.forget(ANNA) == 2
        assert talk not in await everything(engine, audit, audit_keys)
        assert (await records.trail.verified()).holds

    async def test_a_customer_who_comes_back_is_written_down_under_another_key(
        self, engine: AsyncEngine, records: SqlRecords
    ) -> None:
        await wrote(records, 1)
        async with engine.connect() as connection:
            anna = select(audit_keys.c.key).where(audit_keys.c.about == customer(ANNA))
            old = (await connection.execute(anna)).scalars().all()
        await records.trail.forget(ANNA)
        await wrote(records, 1)
        assert await records.trail.forget(BORIS) == 0
        kept = await everything(engine, audit_keys)
        assert not any(key in kept for key in old)
        assert (await records.trail.verified()).holds
        assert await records.trail.forget(ANNA) == 1
        assert (await records.trail.verified()).holds

    async def test_an_erasure_that_is_rolled_back_erased_nothing(
        self, engine: AsyncEngine, records: SqlRecords, clock: Clock
    ) -> None:
        await wrote(records)
        async with engine.connect() as connection:
            assert await forget(connection, clock.now(), [customer(ANNA)]) == 3
            await connection.rollback()
        verdict = await records.trail.verified()
        assert (verdict.holds, verdict.lines, verdict.erased) == (True, 6, 0)
        assert len(await records.trail.listed(about=[customer(ANNA)])) == 3

    async def test_whom_a_list_showed_can_be_told_by_their_key_alone(
        self, engine: AsyncEngine, records: SqlRecords
    ) -> None:
        people = [customer(ANNA), customer(BORIS)]
        await records.audit("list", actor="olga", target="open", shown=people)
        (line,) = await records.trail.listed()
        assert line.fields is not None
        async with engine.connect() as connection:
            rows = await connection.execute(select(audit_keys.c.about, audit_keys.c.key))
            keys = {row.about: row.key for row in rows}
        assert line.fields.detail == {"shown": [mark_of(1, key=keys[one]) for one in people]}
        await records.trail.forget(ANNA)
        assert "anna" not in await everything(engine, audit, audit_keys)
        assert (await records.trail.verified()).holds


class TestWriting:
    async def test_lines_written_at_once_form_one_chain(self, records: SqlRecords) -> None:
        await asyncio.gather(*(records.audit("view", actor=f"op{n}", target="c") for n in range(12)))
        verdict = await records.trail.verified()
        assert (verdict.holds, verdict.lines) == (True, 12)

    async def test_a_line_is_there_with_what_it_tells_of_or_not_at_all(
        self, engine: AsyncEngine, records: SqlRecords, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        talk = (await records.open_conversation(channel="widget", language="ru", customer_id=ANNA)).id
        await records.consent_outside(talk, granted())
        (line,) = await records.trail.listed(about=[customer(ANNA)])
        assert line.fields is not None
        assert (line.fields.act, line.fields.actor, line.fields.target) == ("consent", "customer", talk)
        assert {"purpose": "orders:read", "granted": True}.items() <= line.fields.detail.items()
        assert "May I?" not in await everything(engine, audit)
        await do(engine, text("DELETE FROM audit_head"))
        with pytest.raises(AuditLost):
            await records.consent_outside(talk, granted(yes=False))
        assert [row.granted for row in await records.consents(talk)] == [True]

    async def test_a_transaction_adds_several_lines_under_one_lock(
        self, engine: AsyncEngine, records: SqlRecords, clock: Clock
    ) -> None:
        entries = [Entry(act="read", actor="ai", about=customer(ANNA), detail={"n": n}) for n in range(3)]
        async with engine.begin() as connection:
            await append(connection, clock.now(), entries)
        assert [line.n for line in await records.trail.listed(act="read", before=3)] == [2, 1]
        assert (await records.trail.verified()).holds


class TestUsing:
    async def test_a_use_by_a_tool_names_its_purpose_and_the_row_it_rests_on(
        self, records: SqlRecords, clock: Clock
    ) -> None:
        talk = (await records.open_conversation(channel="widget", language="ru", customer_id=ANNA)).id
        await records.consent_outside(talk, granted())
        (row,) = await records.consents(talk)
        caller = Caller(
            conversation=talk,
            turn=TurnId("t"),
            language="ru",
            channel="widget",
            customer_id=ANNA,
            assurance="verified",
            purposes=frozenset(),
            now=clock.now(),
        )
        await records.used(caller, "order_status", Basis(purpose="orders:read", kind="consent", row=row))
        await records.used(caller, "cancel_order", Basis(purpose="orders:write", kind="contract"))
        lines = await records.trail.listed(about=[customer(ANNA)], act="tool")
        keys = ("tool", "purpose", "basis", "consent", "turn")
        assert [[line.fields.detail[key] for key in keys] for line in reversed(lines) if line.fields] == [
            ["order_status", "orders:read", "consent", row.number, "t"],
            ["cancel_order", "orders:write", "contract", None, "t"],
        ]


class TestPolicy:
    async def test_a_policy_that_changed_is_written_down_once_with_the_tables_that_did(
        self, records: SqlRecords
    ) -> None:
        first = {"limits": {"messages": 5}, "promise": {"at_most_wrong": 0.05}}
        assert await records.trail.ruled(first) == ["limits", "promise"]
        assert await records.trail.ruled(dict(reversed(first.items()))) == []
        await wrote(records, 1)
        then = {"limits": {"messages": 6}, "promise": first["promise"], "caps": {"usd": 1.5}}
        assert await records.trail.ruled(then) == ["caps", "limits"]
        assert await records.trail.ruled({"limits": then["limits"]}) == ["caps", "promise"]
        lines = await records.trail.listed(act="policy")
        assert [line.fields.detail["changed"] for line in reversed(lines) if line.fields] == [
            ["limits", "promise"],
            ["caps", "limits"],
            ["caps", "promise"],
        ]
        assert "messages" not in str(lines), "what the policy says stands in the pack"
        assert (await records.trail.verified()).holds

    async def test_of_two_that_start_at_once_one_writes_it_down(self, records: SqlRecords) -> None:
        told = await asyncio.gather(*(records.trail.ruled({"limits": {"messages": 5}}) for _ in range(3)))
        assert sorted(told) == [[], [], ["limits"]]


def test_a_fault_is_told_in_words() -> None:
    assert Fault(n=7, kind="cut").told == "line 7 is not where the chain ended when it was last written"
