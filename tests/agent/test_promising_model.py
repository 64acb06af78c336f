"""A model that promises: nothing of it leaves, a person is offered in its place or called."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent.domain import Answered, Escalated, TurnRecord
from knowledge.types import Passage
from tests.agent.test_streaming import FIRST, QUESTION, SECOND, Desk, script
from tests.agent.test_turn import PHRASES, RETURNS
from tools.context import Language

ENGLISH = replace(
    RETURNS,
    title="Returns",
    language="en",
    text="You can return an item within 14 days of delivery. We answer letters within one working day.",
)
ASKED = "within how many days can I return an item?"
FACT = "You can return an item within 14 days of delivery."
LATE = "Если посылка задержалась, с вами свяжутся из отдела доставки."
ANSWERS = "Напишите на почту: ответим за 1 рабочий день."


async def told(
    *said: str, language: Language = "ru", passages: Sequence[Passage] = (RETURNS,)
) -> tuple[Desk, TurnRecord]:
    english = language == "en"
    desk = Desk(
        script([f"{sentence} [returns#1] " for sentence in said]),
        passages=(ENGLISH,) if english else passages,
        asks=ASKED if english else QUESTION,
    )
    return desk, await desk.run()


def offered(record: TurnRecord, language: Language) -> bool:
    last = record.replies[-1]
    kinds = [button.action.kind for button in last.buttons]
    return last.text == PHRASES.say("answer.no_promise", language) and kinds == ["person"]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ru", ["Уточню у склада и вернусь к вам до 18:00."]),
        ("ru", ["Вернуть товар можно за 14 дней после получения, а точную дату уточню и напишу вам."]),
        ("ru", ["Дату я уточню.", "Напишу вам завтра."]),
        ("en", ["I'll check with the warehouse and get back to you by 6 pm."]),
        (
            "en",
            ["You can return an item within 14 days of delivery, and I'll check the date and let you know."],
        ),
        ("en", ["Let me find out.", "I'll write to you tomorrow."]),
    ],
    ids=["ru", "ru with a fact", "ru in two", "en", "en with a fact", "en in two"],
)
async def test_a_draft_that_only_promises_calls_a_person_with_the_reason(
    language: Language, said: list[str]
) -> None:
    desk, record = await told(*said, language=language)
    assert record.outcome == Escalated(reason="promise")
    assert desk.left == []
    assert record.ticket is not None
    assert all(f"promise: {sentence}" in record.ticket.rejected for sentence in said)
    assert PHRASES.say("answer.promise", language) in record.replies[-1].text
    assert not any(sentence in reply.text for reply in record.replies for sentence in said)


@pytest.mark.parametrize(
    ("language", "said", "left"),
    [
        ("ru", [FIRST, "Дату я уточню.", "Напишу вам завтра.", SECOND], [FIRST, SECOND]),
        ("ru", ["Уточню и вернусь к вам завтра.", FIRST, SECOND], [FIRST, SECOND]),
        ("en", [FACT, "I'll check the rest.", "We'll get back to you tomorrow."], [FACT]),
    ],
    ids=["between", "first", "en last"],
)
async def test_beside_facts_a_promise_is_left_out_and_a_person_offered(
    language: Language, said: list[str], left: list[str]
) -> None:
    desk, record = await told(*said, language=language)
    assert record.outcome == Answered()
    assert desk.left == left
    assert offered(record, language)
    assert not record.pledge


async def test_the_words_of_a_document_are_a_quotation_and_leave() -> None:
    passage = replace(RETURNS, text=f"{FIRST} {LATE}")
    desk, record = await told(FIRST, LATE, passages=(passage,))
    assert record.outcome == Answered()
    assert desk.left == [FIRST, LATE]
    assert not offered(record, "ru")


async def test_what_a_document_pledges_to_everybody_may_be_said_in_other_words() -> None:
    passage = replace(RETURNS, text=f"{FIRST} {ANSWERS}")
    desk, record = await told(FIRST, "На почту ответим за 1 рабочий день.", passages=(passage,))
    assert (record.outcome, len(desk.left), offered(record, "ru")) == (Answered(), 2, False)
    desk, record = await told(FIRST, "Я отвечу на почту за 1 рабочий день.", passages=(passage,))
    assert (desk.left, offered(record, "ru")) == ([FIRST], True), "of one person it is a promise all the same"
