"""What the records tell curators of questions and their outcomes; on SQLite and PostgreSQL."""

from datetime import timedelta

import pytest

from agent.domain import Action, Answered, Escalated, Ticket
from agent.privacy.hiding import MASK
from agent.records.questions import Questions
from tests.contracts.memory import answer, clock, escalation, opened, records, rung, turn_for

__all__ = ["clock", "records", "rung"]

pytestmark = pytest.mark.parametrize(
    "records", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
FOUND = ("returns#2",)


@pytest.fixture
def questions(records):
    return Questions(records.engine)


async def asked(records, clock, id, text, **record):
    clock.pass_by(60)
    turn = await turn_for(records, id, text)
    await records.commit(answer(turn, id, **{"evidence": FOUND, "confidence": 0.9, **record}))
    return turn


def called(reason="not_sure"):
    return {
        "outcome": Escalated(reason=reason),
        "holder": "queued",
        "ticket": Ticket(reason=reason, department="care", summary="s"),
        "confidence": 0.2,
    }


async def test_the_latest_questions_come_newest_first_and_masked(records, clock, questions):
    id = await opened(records, language="ru")
    await asked(records, clock, id, "Где заказ? Меня зовут Анна, почта a@b.ru")
    await asked(records, clock, id, "А сколько стоит доставка?")
    latest, first = await questions.latest(5)
    assert first.text == f"Где заказ? Меня зовут {MASK}, почта {MASK}"
    assert latest.context == (first.text,)
    assert (latest.outcome, latest.confidence, latest.language) == ("answered", 0.9, "en")
    assert [one.text for one in await questions.latest(1)] == [latest.text]


async def test_greetings_presses_and_open_turns_are_no_questions(records, clock, questions):
    id = await opened(records)
    await asked(records, clock, id, "hello", evidence=())
    turn = await asked(records, clock, id, "how long can I return it?")
    clock.pass_by(5)
    await records.accept(id, key="r", text="", action=Action(kind="rate", target=turn, yes=False))
    rated = await records.next_batch(id)
    await records.commit(answer(rated, id, confidence=1.0))
    await turn_for(records, id, "and this is still open")
    (one,) = await questions.latest(10)
    assert one.turn == turn
    assert one.disliked


async def test_what_was_searched_in_vain_is_a_question_too(records, clock, questions):
    id = await opened(records)
    await asked(records, clock, id, "do you rent lamps?", evidence=(), ms={"retrieval": 3.0}, **called())
    (one,) = await questions.latest(10)
    assert (one.outcome, one.reason) == ("escalated", "not_sure")


async def test_a_question_after_which_the_customer_called_a_person_says_so(records, clock, questions):
    id = await opened(records)
    await asked(records, clock, id, "where is it?")
    clock.pass_by(5)
    turn = await turn_for(records, id, "a person please")
    await records.commit(escalation(turn, id))
    (one,) = await questions.latest(10)
    assert one.person_after


async def test_replies_of_people_belong_to_the_question_they_follow(records, clock, questions):
    id = await opened(records)
    await asked(records, clock, id, "do you wrap gifts?", **called())
    await records.claim(id, operator="olga", name="Olga")
    clock.pass_by(30)
    await records.person_says(id, key="p1", operator="olga", name="Olga", text="Yes, a box costs 90 roubles.")
    await records.return_to_ai(id, operator="olga")
    await asked(records, clock, id, "thanks, and how do I return it?")
    second, first = await questions.latest(10)
    assert first.replies == ("Yes, a box costs 90 roubles.",)
    assert second.replies == ()


async def test_only_questions_since_a_day_are_told(records, clock, questions):
    id = await opened(records)
    await asked(records, clock, id, "old question")
    clock.pass_by(timedelta(days=2).total_seconds())
    await asked(records, clock, id, "new question", outcome=Answered())
    since = clock.now() - timedelta(days=1)
    assert [one.text for one in await questions.latest(10, since=since)] == ["new question"]


async def test_more_questions_than_a_page_are_read_once_each(records, clock, questions, monkeypatch):
    monkeypatch.setattr("agent.records.questions._PAGE", 3)
    id = await opened(records)
    for n in range(8):
        turn = await turn_for(records, id, f"question number {n}")
        await records.commit(answer(turn, id, evidence=FOUND))
        clock.pass_by(60 if n % 3 == 0 else 0)
    found = await questions.latest(50)
    assert sorted(one.text for one in found) == [f"question number {n}" for n in range(8)]
