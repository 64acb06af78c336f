"""Proposals: who asks the same is counted once more, what was decided stays decided and can be taken back."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.records.engine import connect
from knowledge.errors import UnknownDocument, WrongState
from knowledge.keeping.lesson_book import LessonBook
from knowledge.keeping.tables import create_tables, metadata
from knowledge.lessons import LONGEST_QUESTION, Taught, article, begun, joined, same
from knowledge.types import DocumentId
from tests.knowledge.shelf import sqlite
from tests.knowledge.test_gaps import BACKGROUND, encode

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WRAP = Taught(
    turn="t1",
    conversation="c1",
    question="Сколько стоит подарочная упаковка?",
    language="ru",
    said=("Упаковка стоит 90 рублей за коробку.",),
    answer="Упаковка стоит 90 рублей за коробку.",
    by="olga",
    at=NOW,
)
AGAIN = replace(WRAP, turn="t2", conversation="c2", question="подарочная упаковка — сколько стоит")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def book(request, tmp_path):
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    engine = sqlite(tmp_path) if url is None else connect(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await create_tables(engine)
    yield LessonBook(engine)
    await engine.dispose()


def test_who_asks_the_same_joins_the_proposal_and_who_asks_else_does_not():
    first = begun(WRAP, id="l1")
    other = begun(replace(WRAP, turn="t9", question="Есть аренда света на праздник?"), id="l2")
    found = same(AGAIN, [other, first], encode=encode, background=BACKGROUND)
    assert found == first
    both = joined(first, AGAIN)
    assert (both.count, both.examples) == (2, (WRAP.question, AGAIN.question))
    assert joined(both, AGAIN) == both
    strange = replace(WRAP, turn="t3", question="Продаёте самокаты?")
    assert same(strange, [first, other], encode=encode, background=BACKGROUND) is None
    assert same(strange, [], encode=encode, background=BACKGROUND) is None


def test_the_same_words_are_the_same_question_whatever_the_encoder_says():
    spelt = replace(WRAP, turn="t2", question="сколько стоит ПОДАРОЧНАЯ упаковка")
    assert same(spelt, [begun(WRAP, id="l1")], encode=lambda texts: pytest.fail("asked the encoder"))


def test_words_a_person_chose_replace_those_that_were_found_but_not_a_curators():
    lesson = begun(WRAP, id="l1")
    chosen = replace(AGAIN, answer="Упаковка — 90 рублей.", wish="yes")
    assert joined(lesson, chosen).answer == "Упаковка — 90 рублей."
    assert joined(lesson, replace(AGAIN, answer="Другое.")).answer == WRAP.answer
    assert joined(replace(lesson, state="drafted"), chosen).answer == WRAP.answer


def test_an_article_asks_and_answers_and_long_questions_are_cut():
    long = begun(replace(WRAP, question="как " * 500), id="l1")
    assert len(long.question) == LONGEST_QUESTION
    text = article(replace(begun(WRAP, id="l1"), question="Сколько\nстоит?"))
    assert text == "# Сколько стоит?\n\nУпаковка стоит 90 рублей за коробку.\n"


async def test_a_case_is_counted_once_whoever_looks_at_it(book):
    lesson = begun(WRAP, id="l1")
    assert await book.unseen(["t1", "t2"]) == {"t1", "t2"}
    assert await book.learn(WRAP, lesson, at=NOW)
    assert not await book.learn(WRAP, begun(WRAP, id="l2"), at=NOW)
    assert await book.learn(AGAIN, lesson, at=NOW)
    (kept,) = await book.lessons()
    assert (kept.id, kept.members) == ("l1", ("t1", "t2"))
    assert await book.unseen(["t1", "t2", "t3"]) == {"t3"}
    assert [(one.conversation, one.said) for one in await book.evidence(["l1"])] == [
        ("c1", WRAP.said),
        ("c2", WRAP.said),
    ]


async def test_a_case_that_teaches_nothing_is_not_looked_at_again(book):
    assert await book.learn(WRAP, None, at=NOW)
    assert await book.unseen(["t1"]) == frozenset()
    assert await book.lessons() == ()


async def test_a_wish_waits_for_the_end_of_its_case_and_the_last_one_counts(book):
    await book.wished(replace(WRAP, wish="no", answer=""))
    await book.wished(replace(WRAP, wish="yes", answer="Своими словами."))
    assert (await book.wish("t1")).answer == "Своими словами."
    assert await book.wish("t2") is None
    assert await book.unseen(["t1"]) == {"t1"}
    await book.learn(WRAP, begun(WRAP, id="l1"), at=NOW)
    with pytest.raises(WrongState, match="looked at"):
        await book.wished(replace(WRAP, wish="no"))


async def test_a_refusal_has_a_reason_stays_when_the_question_comes_again_and_is_taken_back(book):
    await book.learn(WRAP, begun(WRAP, id="l1"), at=NOW)
    refused = await book.refused("l1", "case", why="личное", by="kirill", at=NOW)
    assert (refused.state, refused.refusal, refused.why, refused.decided_by) == (
        "refused",
        "case",
        "личное",
        "kirill",
    )
    await book.learn(AGAIN, refused, at=NOW)
    (kept,) = await book.lessons()
    assert (kept.state, kept.count) == ("refused", 2)
    with pytest.raises(WrongState, match="is refused"):
        await book.drafted("l1", DocumentId("d"), question="q", answer="a", by="kirill", at=NOW)
    with pytest.raises(WrongState, match="is refused"):
        await book.refused("l1", "known", by="kirill", at=NOW)
    again = await book.reopened("l1")
    assert (again.state, again.refusal, again.decided_by) == ("open", None, "")
    with pytest.raises(WrongState, match="is open"):
        await book.reopened("l1")


async def test_a_draft_keeps_the_curators_words(book):
    await book.learn(WRAP, begun(WRAP, id="l1"), at=NOW)
    await book.drafted(
        "l1", DocumentId("lesson-l1"), question="Цена упаковки?", answer="90 ₽.", by="k", at=NOW
    )
    kept = await book.lesson("l1")
    assert (kept.state, kept.question, kept.answer, kept.document) == (
        "drafted",
        "Цена упаковки?",
        "90 ₽.",
        "lesson-l1",
    )
    with pytest.raises(UnknownDocument, match="no proposal"):
        await book.lesson("nobody")
