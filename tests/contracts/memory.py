"""What the contracts of the agent's memory share: the memories (in memory, SQLite, PostgreSQL), and short words."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.domain import (
    Action,
    Answered,
    Button,
    Citation,
    ConsentChange,
    Escalated,
    Reply,
    Ticket,
    TurnRecord,
    Verified,
)
from agent.records.engine import connect
from agent.records.fake import FakeRecords
from agent.records.sql import SqlRecords, create_tables
from agent.records.tables import metadata
from agent.terms import Purpose
from tools.context import ConversationId, Language, TurnId

Store = SqlRecords | FakeRecords
VERSION = "2026-11-01"
WORDS = "May I?"
PURPOSES = {
    name: Purpose(
        name=name,
        basis="consent",
        version=VERSION,
        text={"en": WORDS, "ru": "Можно?"},
        gives={"en": "an answer", "ru": "ответ"},
    )
    for name in ("orders:read", "memory")
}
CITED = Citation(document="returns", passage="returns#2", title="Returns", quote="14 days")
ONE = Verified(text="One.", citations=(CITED,))
ALLOW = Button(label="Allow", action=Action(kind="consent", target="orders:read"))


class Clock:
    """Moves only when told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_by(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def card(purpose: str, language: Language) -> Mapping[str, Any]:
    return {"text": f"May I use {purpose}?", "gives": "an answer", "version": VERSION}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rung() -> list[ConversationId]:
    return []


@pytest.fixture(params=["fake", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def records(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, rung: list[ConversationId]
) -> AsyncIterator[Store]:
    if request.param == "fake":
        yield FakeRecords(clock=clock, card=card, purposes=PURPOSES, rang=rung.append)
        return
    sqlite = request.param == "sqlite"
    url = (
        f"sqlite:///{tmp_path / 'records.sqlite'}" if sqlite else request.getfixturevalue("postgres_database")
    )
    engine = connect(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await create_tables(engine)
    yield SqlRecords(engine, clock=clock, card=card, purposes=PURPOSES, rang=rung.append)
    await engine.dispose()


async def opened(records: Store, **how: Any) -> ConversationId:
    return (await records.open_conversation(**{"channel": "widget", "language": "en", **how})).id


async def turn_for(records: Store, conversation: ConversationId, *texts: str) -> TurnId:
    for n, text in enumerate(texts or ("hello",)):
        await records.accept(conversation, key=f"{text}-{n}", text=text)
    turn = await records.next_batch(conversation)
    assert turn is not None
    return turn


def answer(turn: TurnId, conversation: ConversationId, text: str = "Yes.", **more: Any) -> TurnRecord:
    given: dict[str, Any] = {
        "turn": turn,
        "conversation": conversation,
        "outcome": Answered(),
        "language": "en",
        "replies": (Reply(text=text, citations=(CITED,), buttons=(ALLOW,)),),
    }
    return TurnRecord(**{**given, **more})


def escalation(turn: TurnId, conversation: ConversationId) -> TurnRecord:
    ticket = Ticket(reason="customer_asked", department="care", summary="wants a person", rejected="draft")
    outcome = Escalated(reason="customer_asked")
    return answer(turn, conversation, "Passing you on.", outcome=outcome, holder="queued", ticket=ticket)


def granted(purpose: str = "orders:read", *, yes: bool = True, version: str = VERSION) -> ConsentChange:
    return ConsentChange(purpose=purpose, granted=yes, version=version, text=WORDS, language="en")


async def types(records: Store, conversation: ConversationId) -> list[str]:
    return [event.type for event in await records.events(conversation)]


async def said(records: Store, conversation: ConversationId) -> list[tuple[str, str]]:
    return [(m.author, m.text) for m in await records.messages(conversation)]
