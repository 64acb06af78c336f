"""A change of knowledge is decided on with its consequences in view."""

from datetime import UTC, datetime

import pytest

from agent.records.engine import connect
from knowledge.decisions import Contradiction, Decisions
from knowledge.errors import UnknownDocument, WrongState
from knowledge.keeping.tables import create_tables, metadata
from knowledge.preview import Asked, Cited, Difference, Gold, Preview, Told
from knowledge.types import DocumentId
from tests.knowledge.shelf import sqlite

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RETURNS = DocumentId("returns")
CLASH = Contradiction(
    kind="term",
    subject="возврат",
    quote="30 дней",
    passage="returns@2#1",
    other_quote="14 дней",
    other_passage="faq#1",
    other_document=DocumentId("faq"),
    confidence=0.9,
)


def seen(*verdicts):
    cited = (Cited(document=RETURNS, passage="returns#1", title="Возврат", quote="14 дней"),)
    differences = tuple(
        Difference(
            question=Asked(
                text="q", language="ru", origin="pack", gold=Gold(documents=(RETURNS,)), context=("раньше",)
            ),
            before=Told(outcome="answered", text="a", citations=cited, confidence=0.8),
            after=Told(outcome="escalated", text="b"),
            verdict=verdict,
            why="other_words",
        )
        for verdict in verdicts
    )
    return Preview(
        document=RETURNS, version=2, differences=differences, unchanged=4, asked=5, ms=12.5, depth="answer"
    )


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def decisions(request, tmp_path):
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    engine = sqlite(tmp_path) if url is None else connect(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await create_tables(engine)
    yield Decisions(engine)
    await engine.dispose()


async def propose(decisions, *verdicts):
    return await decisions.propose(seen(*verdicts), base=1, conflicts=(CLASH,), by="anna", at=NOW)


async def test_a_change_comes_back_as_it_was_proposed(decisions):
    change = await propose(decisions, "better", "unknown")
    assert change.preview == seen("better", "unknown")
    assert (change.state, change.base, change.conflicts) == ("open", 1, (CLASH,))
    assert await decisions.of(RETURNS) == [change]
    assert (change.by, change.at) == ("anna", NOW)


async def test_a_decision_says_who_decided_when_why_and_with_what_in_view(decisions):
    change = await propose(decisions, "better", "unknown")
    later = datetime(2026, 11, 23, tzinfo=UTC)
    await decisions.accept(change.id, base=1, accepting=frozenset(), by="boris", at=later, why="new rules")
    done = await decisions.published(change.id)
    assert (done.state, done.decided_by, done.decided_at, done.why) == (
        "published",
        "boris",
        later,
        "new rules",
    )
    assert done.accepted == {"better": 1, "unknown": 1, "worse": 0}


async def test_answers_that_get_worse_must_be_accepted_by_name(decisions):
    change = await propose(decisions, "worse", "better")
    with pytest.raises(WrongState, match="1 of 5 answers get worse"):
        await decisions.accept(change.id, base=1, accepting=frozenset(), by="boris", at=NOW)
    assert (await decisions.change(change.id)).state == "open"
    taken = await decisions.accept(change.id, base=1, accepting=frozenset({"worse"}), by="boris", at=NOW)
    assert taken.state == "accepted"


async def test_a_change_compared_with_another_version_than_counts_now_is_stale(decisions):
    change = await propose(decisions, "better")
    with pytest.raises(WrongState, match="Preview the draft again"):
        await decisions.accept(change.id, base=2, accepting=frozenset(), by="boris", at=NOW)


async def test_what_is_decided_stays_decided(decisions):
    change = await propose(decisions)
    await decisions.drop(change.id, by="boris", at=NOW, why="too early")
    with pytest.raises(WrongState, match="is dropped"):
        await decisions.accept(change.id, base=1, accepting=frozenset(), by="anna", at=NOW)
    with pytest.raises(WrongState):
        await decisions.published(change.id)
    with pytest.raises(UnknownDocument):
        await decisions.change(99)
