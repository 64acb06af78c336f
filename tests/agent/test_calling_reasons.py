"""When a person is called without being asked for: anger, the same question again, a budget that is used up."""

from datetime import timedelta

import pytest

from agent.departments import department_for
from agent.domain import Author, Clarify, Draft, Escalated, Message
from agent.policy.budget import spent
from agent.ports import Situation
from tests.agent.test_turn import CLOCK, PACK, PHRASES, decide, situation

QUESTION = "за сколько дней можно вернуть товар?"


def talk(text: str, *said: tuple[Author, str], ago: float = 1) -> Situation:
    history = tuple(
        Message(seq=n, author=author, text=words, at=CLOCK.now() - timedelta(minutes=ago))
        for n, (author, words) in enumerate(said)
    )
    return situation(text, history=history)


def asked(*questions: str) -> list[tuple[Author, str]]:
    return [line for question in questions for line in (("customer", question), ("ai", "Ответ."))]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "before", "ago", "called"),
    [
        (QUESTION, [QUESTION, QUESTION], 1, True),
        ("Вернуть товар можно за сколько дней", [QUESTION, "за сколько дней вернуть можно товар"], 1, True),
        (QUESTION, [QUESTION], 1, False),
        (QUESTION, [QUESTION, "а обменять лампу на другую?"], 1, False),
        (QUESTION, [QUESTION, QUESTION], 60, False),
        ("где заказ", ["где заказ", "где заказ"], 1, False),
    ],
    ids=["three times", "in other order", "twice", "another between", "another day", "short"],
)
async def test_the_same_question_a_third_time_in_a_row_calls_a_person(
    text: str, before: list[str], ago: float, called: bool
) -> None:
    ledger, writer = await decide(talk(text, *asked(*before), ago=ago), Draft(kind="answer"))
    assert (ledger.record.outcome == Escalated(reason="repeated")) == called
    assert bool(writer.asked) != called


@pytest.mark.parametrize(
    ("before", "called"), [([], False), (["идиоты"], True), (["где заказ 1051?"], False)]
)
async def test_abuse_once_more_calls_a_person_and_the_first_asks_what_happened(
    before: list[str], called: bool
) -> None:
    ledger, _ = await decide(talk("вы идиоты", *asked(*before)))
    if called:
        assert ledger.record.outcome == Escalated(reason="anger")
        assert ledger.record.replies[0].text.startswith(PHRASES.say("answer.anger", "ru"))
    else:
        assert ledger.record.outcome == Clarify()


@pytest.mark.parametrize(
    ("withheld", "reason"),
    [((), "not_sure"), (("budget_day_usd",), "budget_spent")],
)
async def test_an_unsure_answer_for_want_of_money_says_so(withheld: tuple[str, ...], reason: str) -> None:
    unsure = Draft(kind="answer", sentences=(), withheld=withheld)
    ledger, _ = await decide(situation("какой сегодня курс лиры к песо?"), unsure)
    assert ledger.record.outcome == Escalated(reason=reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reasons", "is_spent"),
    [(("budget_turn_tokens",), True), (("model: slow", "budget_day_usd"), True), (("model:external",), False), ((), False)],
)  # fmt: skip
def test_whether_a_budget_ended_it_is_told_by_its_codes(reasons: tuple[str, ...], is_spent: bool) -> None:
    assert spent(reasons) == is_spent


@pytest.mark.parametrize(
    ("question", "department"),
    [
        ("позовите человека, посылка не пришла", "delivery"),
        ("позовите человека", "care"),
        ("оператора! хочу возврат", "returns"),
    ],
)
def test_what_it_is_about_comes_before_the_wish_for_somebody(question: str, department: str) -> None:
    assert department_for(question, pack=PACK, language="ru").id == department


def test_the_words_for_each_reason_are_there() -> None:
    for key in ("answer.anger", "answer.no_help", "trouble.model"):
        for language in PACK.languages:
            assert PHRASES.say(key, language)
