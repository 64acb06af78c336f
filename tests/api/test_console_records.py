"""Accounts and the desk in SQL: the same on both kinds of database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.domain import Escalated, Reply, Ticket, TurnRecord
from agent.records.desk import Desk
from agent.records.engine import connect
from agent.records.sql import SqlRecords, create_tables
from agent.records.staff import FREE_ATTEMPTS, LoginTaken, Person, Staff
from api.security import hashed
from tests.api.console_house import Clock
from tools.context import ConversationId

OLGA = Person(login="olga", name="Ольга", roles=frozenset({"operator", "curator"}), department="care")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'staff.sqlite'}" if sqlite else request.getfixturevalue("postgres_database")
    opened = connect(url)
    await create_tables(opened)
    yield opened
    await opened.dispose()


@pytest.fixture
async def staff(engine: Any, clock: Clock) -> Staff:
    found = Staff(engine, clock=clock)
    await found.add(OLGA, password_hash="hash")
    return found


async def test_a_person_comes_back_as_added_and_only_once(staff: Staff) -> None:
    assert await staff.person("olga") == OLGA
    assert await staff.people() == (OLGA,)
    assert await staff.names(["olga", "nobody", ""]) == {"olga": "Ольга"}
    assert (await staff.password_hash("olga"), await staff.password_hash("nobody")) == ("hash", "")
    with pytest.raises(LoginTaken):
        await staff.add(OLGA, password_hash="other")


async def test_of_many_attempts_at_once_only_the_free_ones_are_checked(staff: Staff) -> None:
    waits = await asyncio.gather(*(staff.attempt("olga") for _ in range(20)))
    assert sum(wait == timedelta(0) for wait in waits) == FREE_ATTEMPTS
    await staff.forgive("olga")
    assert await staff.attempt("olga") == timedelta(0)


async def test_attempts_are_forgotten_after_a_day(staff: Staff, clock: Clock) -> None:
    for _ in range(FREE_ATTEMPTS):
        await staff.attempt("olga")
    assert await staff.attempt("olga") > timedelta(0)
    clock.pass_by(hours=24, seconds=1)
    assert [await staff.attempt("olga") for _ in range(FREE_ATTEMPTS)] == [timedelta(0)] * FREE_ATTEMPTS


async def test_sessions_are_found_by_their_digest_and_end(staff: Staff, clock: Clock) -> None:
    await staff.open_session("olga", token_hash=hashed("a"))
    await staff.open_session("olga", token_hash=hashed("b"))
    assert await whose(staff, "a") == OLGA
    assert await staff.session("a") is None
    await staff.close_session(hashed("a"))
    assert (await whose(staff, "a"), await whose(staff, "b")) == (None, OLGA)
    clock.pass_by(hours=11)
    assert await whose(staff, "b") == OLGA
    clock.pass_by(hours=11)
    assert await whose(staff, "b") == OLGA, "looking at it keeps it alive"
    clock.pass_by(hours=13)
    assert await whose(staff, "b") is None


async def whose(staff: Staff, token: str) -> Person | None:
    session = await staff.session(hashed(token))
    return session.person if session is not None else None


async def test_the_desk_counts_and_orders_what_waits(engine: Any, clock: Clock) -> None:
    records = SqlRecords(engine, clock=clock, card=lambda purpose, language: {}, purposes={})
    desk = Desk(engine)

    async def called(department: str) -> ConversationId:
        talk = await records.open_conversation(channel="telegram", external_id=department, language="ru")
        await records.accept(talk.id, key="k", text=f"из {department}")
        turn = await records.next_batch(talk.id)
        assert turn is not None
        ticket = Ticket(reason="not_sure", department=department, summary="s", rejected="r")
        await records.commit(
            TurnRecord(
                turn=turn,
                conversation=talk.id,
                outcome=Escalated(reason="not_sure"),
                language="ru",
                replies=(Reply(text="Передаю."),),
                holder="queued",
                ticket=ticket,
            )
        )
        return talk.id

    first = await called("care")
    clock.pass_by(minutes=1)
    second = await called("delivery")
    await records.claim(first, operator="olga", name="Ольга", said="Дальше отвечаю я.")
    lines = await desk.lines("open", operator="olga")
    assert [(line.conversation.id, line.words, line.reason) for line in lines] == [
        (first, "из care", "not_sure"),
        (second, "из delivery", "not_sure"),
    ]
    counts = await desk.counts(operator="olga")
    assert counts == {"open": 2, "waiting": 1, "mine": 1, "snoozed": 0}
    assert [
        line.conversation.id for line in await desk.lines("open", operator="", department="delivery")
    ] == [second]
    clock.pass_by(seconds=1)
    await records.person_says(first, "Ответ.", operator="olga", name="Ольга")
    assert [line.since for line in await desk.lines("mine", operator="olga")] == [None]
    await records.close(first, operator="olga")
    assert [line.conversation.id for line in await desk.lines("done", operator="olga")] == [first]
    ticket = await desk.last_ticket(first)
    assert ticket is not None
    assert (ticket.state, ticket.rejected) == ("resolved", "r")
    # What the AI said and nobody had carried yet does not come after the person.
    assert set((await desk.deliveries(first)).values()) == {"pending", "withdrawn"}
