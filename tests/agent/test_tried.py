"""What was tried before a person came: answers and how they were taken, tools and what came of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.domain import Answered, Author, Message, ToolUse, TurnRecord
from agent.tried import MOST_ANSWERS, Call, tried
from tools.context import ConversationId, TurnId

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def talk(*texts: str) -> tuple[list[Message], Mapping[TurnId, str]]:
    """Customer and AI by turns; every turn answered."""
    found = []
    for n, text in enumerate(texts, start=1):
        author: Author = "customer" if n % 2 else "ai"
        turn = None if n % 2 else TurnId(f"t{n}")
        found.append(Message(seq=n, author=author, text=text, at=AT, turn=turn))
    return found, {m.turn: "answered" for m in found if m.turn is not None}


def used(*tools: ToolUse) -> TurnRecord:
    return TurnRecord(
        turn=TurnId("t"), conversation=ConversationId("c"), outcome=Answered(), language="ru", tools=tools
    )


def call(name: str, *, ok: bool = True, fault: str = "", **arguments: Any) -> ToolUse:
    return ToolUse(name=name, arguments=arguments, ok=ok, result={}, fault=fault)


@pytest.mark.parametrize(
    ("following", "taken"),
    [
        ("это не помогло", "no_help"),
        ("как вернуть товар", "asked_again"),
        ("спасибо", ""),
        ("А за какой срок?", ""),
        ("x" * 100_000, ""),
    ],
)
def test_an_answer_is_told_with_how_the_customer_took_it(following: str, taken: str) -> None:
    messages, outcomes = talk("Как вернуть товар?", "Привезите его в магазин.", following)
    [answer] = tried(messages, (), outcomes=outcomes).answers
    assert (answer.seq, answer.text, answer.taken) == (2, "Привезите его в магазин.", taken)


def test_a_thumbs_down_counts_whatever_was_written_after_it() -> None:
    messages, outcomes = talk("Как вернуть товар?", "Привезите его.", "спасибо")
    [answer] = tried(messages, (), outcomes=outcomes, disliked={TurnId("t2")}).answers
    assert answer.taken == "disliked"


def test_only_the_last_answers_are_told_and_no_word_that_called_a_person() -> None:
    messages, outcomes = talk(*(f"слово {n}" for n in range(12)))
    told = tried(messages, (), outcomes={**outcomes, TurnId("t12"): "escalated"})
    assert [answer.seq for answer in told.answers] == [6, 8, 10]
    assert len(told.answers) == MOST_ANSWERS


def test_the_last_call_about_a_thing_is_how_it_stands() -> None:
    records = [
        used(call("order_status", ok=False, fault="unavailable", order_id="1051"), call("list_orders")),
        used(call("order_status", order_id="1051"), call("order_status", ok=False, order_id="77")),
    ]
    assert tried((), records, outcomes={}).calls == (
        Call(name="order_status", subject="1051", fault=""),
        Call(name="list_orders", subject="", fault=""),
        Call(name="order_status", subject="77", fault="unavailable"),
    )
