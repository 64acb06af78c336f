"""Turns in which the customer asks what answers: the honest line, and whatever else was asked."""

from dataclasses import replace

import pytest

from agent.domain import Action, Answered, Escalated, Held, Holder
from tests.agent.test_turn import GROUNDED, PHRASES, decide, situation

LINE = PHRASES.say("disclosure.beside.machine", "ru")
ALONE = PHRASES.say("disclosure.alone.machine", "ru")


async def test_asked_beside_a_question_both_are_answered_and_the_writer_reads_only_the_question() -> None:
    ledger, writer = await decide(situation("Ты робот? За сколько дней можно вернуть товар?"), GROUNDED)
    assert ledger.record.outcome == Answered()
    assert [reply.text for reply in ledger.record.replies] == [
        LINE,
        "Вернуть товар можно за 14 дней после получения.",
    ]
    assert [brief.question for brief in writer.asked] == ["За сколько дней можно вернуть товар?"]


async def test_asked_beside_a_wish_for_a_person_the_person_comes_and_the_line_is_said() -> None:
    ledger, _ = await decide(situation("Позовите оператора. Или вы и есть человек?"))
    assert ledger.record.outcome == Escalated(reason="customer_asked")
    assert ledger.record.replies[0].text == PHRASES.say("disclosure.beside.either", "ru")


@pytest.mark.parametrize(
    "text", ["Позовите человека!", "Соедините с живым оператором", "call a human please"]
)
async def test_who_only_wants_a_person_is_told_nothing_else(text: str) -> None:
    ledger, _ = await decide(situation(text))
    assert ledger.record.outcome == Escalated(reason="customer_asked")
    assert len(ledger.record.replies) == 1


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Вы робот?", "Да, я программа."),
        ("Вы живой человек?", "Нет, я программа, а не человек."),
        ("Вы человек или робот?", "Я программа, а не человек."),
        ("Are you a bot?", "Yes, I'm a program."),
        ("Are you human?", "No, I'm a program, not a person."),
        ("Who am I talking to?", "I'm a program, not a person."),
        ("Вы не робот?", "Я программа, а не человек."),
        ("Вы человек? За сколько дней можно вернуть товар?", "Нет, я программа, а не человек."),
    ],
)
async def test_yes_or_no_stands_before_the_truth_only_where_it_fits_the_question(
    text: str, first: str
) -> None:
    ledger, _ = await decide(situation(text), GROUNDED)
    assert ledger.record.outcome == Answered()
    assert ledger.record.replies[0].text.startswith(first)


async def test_a_consent_given_beside_the_question_counts() -> None:
    ledger, _ = await decide(situation("Да. А ты робот?", awaiting="orders:read", question=""))
    assert [reply.text for reply in ledger.record.replies] == [LINE, PHRASES.say("consent.granted", "ru")]


async def test_the_question_alone_is_no_consent_and_leaves_it_open_to_be_given() -> None:
    ledger, writer = await decide(situation("Да ты робот?", awaiting="orders:read"))
    assert [reply.text for reply in ledger.record.replies] == [ALONE]
    assert writer.asked == []


@pytest.mark.parametrize("holder", ["person", "queued"])
async def test_nobody_answers_it_while_a_person_is_there_or_awaited(holder: Holder) -> None:
    at = situation("Ты робот?")
    ledger, _ = await decide(replace(at, conversation=replace(at.conversation, holder=holder)))
    assert ledger.record.outcome == Held()
    assert ledger.record.replies == ()


async def test_in_danger_nothing_is_said_of_programs() -> None:
    ledger, _ = await decide(situation("Ты робот? Я не хочу больше жить"))
    assert ledger.record.outcome == Escalated(reason="distress")
    assert all(LINE not in reply.text for reply in ledger.record.replies)


async def test_a_button_asks_nothing() -> None:
    ledger, _ = await decide(situation("Ты робот?", action=Action(kind="person")))
    assert ledger.record.outcome == Escalated(reason="customer_asked")
    assert len(ledger.record.replies) == 1


async def test_the_first_message_gets_the_introduction_and_the_line() -> None:
    at = situation("Ты робот?")
    ledger, _ = await decide(replace(at, conversation=replace(at.conversation, disclosed=False)))
    first = PHRASES.say("disclosure.first", "ru", company="Фонарь")
    assert [reply.text for reply in ledger.record.replies] == [first, ALONE]
