"""Questions asked in vain: what counts, what belongs together, what a draft is made of, what closing one shows."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.records.engine import connect
from knowledge.errors import UnknownDocument, WrongState
from knowledge.gaps import Ended, Gap, Kept, draft_text, find_gaps, harm
from knowledge.keeping.gap_book import GapBook
from knowledge.keeping.tables import create_tables, metadata
from knowledge.types import DocumentId
from tests.knowledge.shelf import sqlite

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOPICS = ("упаков|wrap", "самокат|scooter", "аренд|rent")


def encode(texts):
    """One encoder for tests: an axis for each topic, in both languages."""
    rows = np.full((len(texts), len(TOPICS) + 1), 0.01, dtype=np.float32)
    for n, text in enumerate(texts):
        found = [i for i, topic in enumerate(TOPICS) if re.search(topic, text.lower())]
        rows[n, found[0] if found else len(TOPICS)] = 1.0
    return [rows / np.linalg.norm(rows, axis=1, keepdims=True)]


def ended(id, text, *, language="ru", days=0, outcome="escalated", reason="not_sure", **more):
    at = NOW + timedelta(days=days)
    return Ended(
        id=id,
        text=text,
        language=language,
        at=at,
        outcome=outcome,
        reason=reason,
        conversation=f"c-{id}",
        **more,
    )


WRAP = [
    ended(
        "1",
        "Сколько стоит подарочная упаковка?",
        replies=("Здравствуйте!\nПодарочная упаковка стоит 90 рублей за коробку.",),
    ),
    ended("2", "упаковка в подарок есть", days=1, replies=("Спасибо.",)),
    ended("3", "Do you wrap gifts?", language="en", days=2),
]
SCOOTER = [ended("4", "продаёте самокаты?", days=1, outcome="declined", reason="")]
FINE = [ended("5", "аренда света на праздник", outcome="answered", reason="", confidence=0.95)]


BACKGROUND = [
    (text, language)
    for text, language in (
        ("цвет упаковки", "ru"),
        ("wrapping paper", "en"),
        ("самокат", "ru"),
        ("my scooter", "en"),
        ("аренда", "ru"),
        ("to rent", "en"),
        ("часы работы", "ru"),
        ("opening hours", "en"),
    )
]


def gaps(questions, **more):
    return find_gaps(questions, encode=encode, background=BACKGROUND, **more)


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (ended("a", "q"), "not_sure"),
        (ended("a", "q", reason="ungrounded"), "ungrounded"),
        (ended("a", "q", outcome="declined", reason=""), "declined"),
        (ended("a", "q", outcome="answered", reason="", confidence=0.5), "unsure"),
        (ended("a", "q", outcome="answered", reason="", confidence=0.95, disliked=True), "disliked"),
        (ended("a", "q", outcome="answered", reason="", confidence=0.95, person_after=True), "person_after"),
        (ended("a", "q", outcome="answered", reason="", confidence=0.5, disliked=True), "disliked"),
        (ended("a", "q", outcome="answered", reason="", confidence=0.95), ""),
        (ended("a", "q", outcome="waiting", reason=""), ""),
        (ended("a", "q", reason="tool_failed"), ""),
        (ended("a", "q", reason="model_failed"), ""),
    ],
)
def test_the_worst_that_holds_counts_and_what_no_document_helps_does_not(question, why):
    name, weight = harm(question)
    assert name == why
    assert (weight > 0) == bool(why)


def test_questions_that_ask_the_same_in_two_languages_are_one_gap_and_harm_times_frequency_ranks():
    found = gaps([*WRAP, *SCOOTER, *FINE])
    assert [set(gap.members) for gap in found] == [{"1", "2", "3"}, {"4"}]
    first = found[0]
    assert (first.count, first.score, first.reasons) == (3, 1.8, {"not_sure": 3})
    assert first.question in {one.text for one in WRAP}
    assert (first.first, first.last) == (NOW, NOW + timedelta(days=2))
    assert first.status == "open"


def test_the_same_questions_give_the_same_gaps_in_any_order():
    questions = [*WRAP, *SCOOTER, *FINE]
    assert gaps(questions) == gaps(questions[::-1])
    assert gaps([]) == ()


def test_a_draft_quotes_staff_word_for_word_and_leaves_courtesies_out():
    first = gaps(WRAP)[0]
    assert [quote.text for quote in first.quotes] == ["Подарочная упаковка стоит 90 рублей за коробку."]
    text = draft_text(replace(first, language="ru"))
    assert "> Подарочная упаковка стоит 90 рублей за коробку.\n> — диалог c-1, 2026-11-22" in text
    assert "Черновик" in text
    said = {line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")}
    assert said == {one.text for one in WRAP}


def test_without_replies_a_draft_says_so_and_makes_nothing_up():
    text = draft_text(gaps(SCOOTER)[0])
    assert "Сотрудники на эти вопросы пока не отвечали." in text
    assert not [line for line in text.splitlines() if line.startswith(">")]


def kept(gap: Gap, **more) -> Kept:
    names = ("id", "status", "question", "language", "examples", "members")
    return Kept(**{**{name: getattr(gap, name) for name in names}, **more})


def test_after_closing_a_gap_shows_how_its_question_has_ended_since():
    first = gaps(WRAP)[0]
    closed = kept(first, status="closed", document="gifts", closed_at=NOW + timedelta(days=3))
    since = [
        ended("6", "подарочная упаковка цена", days=4, outcome="answered", reason="", confidence=0.9),
        ended("7", "упаковка подарка", days=5),
        ended("8", "аренда гирлянд", days=5, outcome="answered", reason="", confidence=0.9),
    ]
    found = {gap.id: gap for gap in gaps([*WRAP, *SCOOTER, *since], kept=[closed])}
    effect = found[first.id].effect
    assert (effect.questions, effect.outcomes, effect.troubles) == (2, {"answered": 1, "escalated": 1}, 1)
    assert found[first.id].status == "closed"
    assert [gap.members for gap in found.values() if gap.id != first.id] == [("4",)]


def test_a_gap_somebody_works_on_takes_new_questions_like_its_own_and_keeps_its_name():
    first = gaps(WRAP[:2])[0]
    taken = kept(first, status="drafted", draft="gap-x")
    found = gaps(WRAP, kept=[taken])
    assert [(gap.id, gap.status, gap.count, gap.draft) for gap in found] == [
        (first.id, "drafted", 3, "gap-x")
    ]


def test_closed_gaps_come_after_those_that_wait():
    first = gaps(WRAP)[0]
    found = gaps([*WRAP, *SCOOTER], kept=[kept(first, status="closed", closed_at=NOW)])
    assert [gap.status for gap in found] == ["open", "closed"]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def book(request, tmp_path):
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    engine = sqlite(tmp_path) if url is None else connect(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await create_tables(engine)
    yield GapBook(engine)
    await engine.dispose()


async def test_a_gap_goes_from_open_to_drafted_to_closed_and_keeps_its_draft(book):
    gap = gaps(WRAP)[0]
    assert (await book.drafted(gap, DocumentId("gap-1"), by="anna", at=NOW)).status == "drafted"
    (one,) = await book.kept()
    again = gaps(WRAP, kept=[one])[0]
    await book.closed(again, DocumentId("gifts"), by="boris", at=NOW + timedelta(days=1))
    (one,) = await book.kept()
    assert (one.status, one.draft, one.document, one.by) == ("closed", "gap-1", "gifts", "boris")
    assert (one.drafted_at, one.closed_at) == (NOW, NOW + timedelta(days=1))
    assert one.examples == gap.examples
    shut = gaps(WRAP, kept=[one])[0]
    for step in (book.drafted, book.closed):
        with pytest.raises(WrongState):
            await step(shut, DocumentId("other"), by="anna", at=NOW)


async def test_a_reopened_gap_is_grouped_anew(book):
    gap = gaps(WRAP)[0]
    await book.closed(gap, DocumentId("gifts"), by="anna", at=NOW)
    await book.reopened(gap.id)
    assert await book.kept() == []
    with pytest.raises(UnknownDocument):
        await book.reopened(gap.id)
