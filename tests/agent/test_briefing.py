"""What an operator reads first: five lines at most, in the customer's words, the same every time."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.briefing import LINES, LONGEST_QUOTE, Line, brief
from agent.cards import Card
from agent.domain import Author, Message
from agent.unanswered import Open, only_talk, open_question
from tools.context import TurnId

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LAMP: tuple[tuple[Author, str], ...] = (
    ("customer", "Здравствуйте"),
    ("ai", "Здравствуйте. Чем помочь?"),
    ("customer", "Заказ 1045-А пришёл с разбитым плафоном люстры «Ладога». Как вернуть деньги?"),
    ("ai", "Вернуть товар можно за 14 дней."),
    ("customer", "это не помогло"),
    ("customer", "Сколько можно! Позовите оператора"),
    ("ai", "Передаю разговор в отдел возвратов."),
)
PARCEL: tuple[tuple[Author, str], ...] = (
    ("customer", "Hi there!"),
    ("customer", "My parcel hasn't arrived, it's been two weeks. Where is order 1051? Thanks"),
    ("ai", "I'm passing this to delivery."),
)


def talk(*rows: tuple[Author, str]) -> list[Message]:
    return [
        Message(seq=n, author=author, text=text, at=AT, turn=TurnId(f"t{n}") if author == "ai" else None)
        for n, (author, text) in enumerate(rows, start=1)
    ]


def outcomes(messages: Sequence[Message], last: str = "escalated") -> Mapping[TurnId, str]:
    """Every turn answered; the last one called a person."""
    turns = [m.turn for m in messages if m.turn is not None]
    return dict.fromkeys(turns, "answered") | dict.fromkeys(turns[-1:], last)


def read(messages: Sequence[Message], **more: Any) -> dict[str, Line]:
    ended = outcomes(messages)
    lines = brief(messages, waiting=open_question(messages, outcomes=ended), outcomes=ended, **more)
    assert len(lines) <= LINES
    assert all(len(line.quote) <= LONGEST_QUOTE + 2 and "\n" not in line.quote for line in lines)
    return {line.kind: line for line in lines}


def test_a_russian_dialogue_is_told_by_the_request_what_happened_the_order_and_the_last_answer() -> None:
    lines = read(talk(*LAMP), reason="customer_asked")
    assert list(lines) == ["asks", "adds", "names", "answered", "lacks"]
    assert lines["asks"].quote == "Как вернуть деньги?"
    assert lines["adds"].quote == "Заказ 1045-А пришёл с разбитым плафоном люстры «Ладога»."
    assert lines["names"].names == ("1045-А", "люстры «Ладога»")
    assert lines["answered"].quote == "Вернуть товар можно за 14 дней."
    assert lines["lacks"].lacks == ("identity",)


def test_an_english_dialogue_tells_what_stood_in_the_way_as_well() -> None:
    lines = read(talk(*PARCEL), reason="tool_failed", refused=["orders:read"])
    assert lines["asks"].quote == "Where is order 1051?"
    assert lines["adds"].quote == "My parcel hasn't arrived, it's been two weeks."
    assert lines["names"].names == ("1051",)
    assert lines["lacks"].lacks == ("system", "identity", "consent")
    assert "answered" not in lines, "calling a person is no answer"


def test_one_message_is_its_own_brief_and_says_which_number_is_missing() -> None:
    lines = read(talk(("customer", "Где мой заказ?")))
    assert (lines["asks"].quote, lines["lacks"].lacks) == ("Где мой заказ?", ("number", "identity"))
    assert "lacks" not in read(talk(("customer", "Где мой заказ?")), assurance="verified")


def test_what_a_card_showed_is_named_once() -> None:
    messages = talk(("customer", "Когда привезут 1045-А?"), ("ai", "В пути."))
    card = Card(kind="order", subject="1045-А", title="Торшер «Нева»")
    own = Card(kind="order", subject="1045-А", title="1045-А")
    shown = Message(seq=2, author="ai", text="В пути.", at=AT, turn=TurnId("t2"), cards=(own, card))
    assert read([messages[0], shown])["names"].names == ("1045-А", "Торшер «Нева»")


@pytest.mark.parametrize("rows", [(), (("ai", "Здравствуйте."),), (("customer", " \n"),)])
def test_where_the_customer_said_nothing_there_is_nothing_to_read(rows: Any) -> None:
    assert read(talk(*rows)) == {}


def test_only_emoji_and_only_talk_are_shown_as_they_are() -> None:
    assert read(talk(("customer", "😀😀")))["wordless"].quote == "😀😀"
    assert read(talk(("customer", "Позовите человека")))["wordless"].quote == "Позовите человека"


def test_two_hundred_messages_are_told_by_what_is_open_now_and_read_quickly() -> None:
    rows: list[tuple[Author, str]] = []
    for n in range(100):
        rows += [("customer", f"Как вернуть товар {1000 + n}?"), ("ai", f"Ответ {n}.")]
    messages = talk(*rows)
    lines = read(messages)
    assert lines["asks"].quote == "Как вернуть товар 1099?"
    assert lines["names"].names[0] == "1099"
    assert lines["answered"].quote == "Ответ 98."
    began = time.process_time()
    again = read(messages)
    assert again == lines, "the same talk gives the same lines"
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Можно ли ставить светильник в парной при 110 градусах?", ()),
        ("Есть лампа на 1000 лм и 3000 К, не дороже 2500 ₽?", ()),
        ("Do you have 3000K bulbs with 800 lumen?", ()),
        ("Где мой заказ 104?", ("104",)),
    ],
)
def test_what_is_measured_names_nothing(text: str, names: tuple[str, ...]) -> None:
    lines = read(talk(("customer", text)))
    assert (lines["names"].names if "names" in lines else ()) == names


@pytest.mark.parametrize("filler", ["Мы долго выбирали светильник. ", "щ", "😀", "<b>", "\n"])
def test_a_message_of_a_hundred_kilobytes_is_read_for_its_question(filler: str) -> None:
    text = (filler * 100_000)[:50_000]
    began = time.process_time()
    lines = read(talk(("customer", f"{text}\nГде мой заказ 1045-А?\n{text}")))
    assert lines["asks"].quote == "Где мой заказ 1045-А?"
    assert time.process_time() - began < 5


def test_script_in_a_message_stays_the_text_it_is() -> None:
    lines = read(talk(("customer", "<script>alert(1)</script> почему не горит лампа?")))
    assert lines["asks"].quote == "<script>alert(1)</script> почему не горит лампа?"


@pytest.mark.parametrize(
    ("text", "talks"),
    [
        ("Здравствуйте", True),
        ("спасибо", True),
        ("Позовите оператора", True),
        ("это не помогло", True),
        ("…", True),
        ("Thanks", True),
        ("I want to talk to a human", True),
        ("Позовите оператора, где мой заказ 1045?", False),
        ("Где мой заказ?", False),
        ("My lamp is broken", False),
    ],
)
def test_talk_is_told_from_what_wants_an_answer(text: str, talks: bool) -> None:
    assert only_talk(text) is talks


def test_the_question_that_was_answered_badly_is_open_while_no_person_has_answered() -> None:
    messages = talk(*LAMP)
    found = open_question(messages, outcomes=outcomes(messages))
    assert found == Open(seq=3, first=3, text=messages[2].text)
    assert open_question(messages[:4], outcomes=outcomes(messages)) is None, "nobody has written since"


def test_what_a_person_answered_is_not_open_and_their_greeting_is_no_answer() -> None:
    greeting = AT + timedelta(minutes=1)
    asked = talk(*PARCEL)
    came = Message(seq=4, author="person", text="Ольга. Дальше отвечаю я.", at=greeting)
    found = open_question([*asked, came], outcomes=outcomes(asked), greetings={greeting})
    assert found is not None
    assert (found.seq, found.text.startswith("My parcel")) == (2, True)
    replied = Message(seq=5, author="person", text="Смотрю.", at=greeting + timedelta(minutes=1))
    thanks = Message(seq=6, author="customer", text="спасибо", at=greeting + timedelta(minutes=2))
    assert open_question([*asked, came, replied, thanks], outcomes={}, greetings={greeting}) is None


def test_messages_in_a_row_are_one_question() -> None:
    messages = talk(("customer", "Где мой заказ?"), ("customer", "номер 1051"), ("ai", "Передаю."))
    found = open_question(messages, outcomes={TurnId("t3"): "escalated"})
    assert found == Open(seq=2, first=1, text="Где мой заказ?\nномер 1051")
