"""How messages look in Telegram: few tags, nothing lost, never too long."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.cards import Card
from agent.domain import Action, Button, Citation, Message
from api.channels.buttons import data_of, place_of
from api.channels.speaker import speaker
from api.channels.telegram_text import LONGEST, cut, formatted, length, length_of, parts, rows
from tests.telegram_api import plain
from tests.tree import ROOT
from tools.phrases import Phrases

PHRASES = Phrases(ROOT / "agent" / "texts")


def message(text: str, **more: Any) -> Message:
    return Message(
        seq=7, author=more.pop("author", "ai"), text=text, at=datetime(2026, 11, 22, tzinfo=UTC), **more
    )


def cited(*titles: str) -> tuple[Citation, ...]:
    return tuple(Citation(document=t, passage=f"{t}#1", title=t, quote="") for t in titles)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("You have **14 days** & `a<b`.", "You have <b>14 days</b> &amp; <code>a&lt;b</code>."),
        ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
        (
            "Take:\n\n- a lamp\n- a *bulb*\n\nThat is all.",
            "Take:\n\n• a lamp\n• a <i>bulb</i>\n\nThat is all.",
        ),
        ("1. first\n2. second", "1. first\n2. second"),
        ("<script>x</script> <b>no</b>", "&lt;script&gt;x&lt;/script&gt; &lt;b&gt;no&lt;/b&gt;"),
        ("see [here](https://evil.example)", "see [here](https://evil.example)"),
        ("Доставка — 300 ₽.", "Доставка — 300 ₽."),
    ],
)
def test_markdown_becomes_the_few_tags_telegram_knows(text: str, html: str) -> None:
    assert formatted(text, author="ai") == html


def test_a_card_takes_no_word_from_the_text_and_adds_none() -> None:
    card = Card(kind="order", subject="1", title="Order 1", state="On its way")
    assert parts(message("Order 1 is on its way.", cards=(card,))) == ("Order 1 is on its way.",)


def test_the_sources_are_one_line_and_each_is_named_once() -> None:
    (text,) = parts(message("Yes.", citations=cited("Returns", "Delivery <b>", "Returns")))
    assert text == "Yes.\n\n<i>¹ Returns · ² Delivery &lt;b&gt;</i>"


@pytest.mark.parametrize(
    ("text", "more", "label"),
    [
        ("Hello.", {}, "AI"),
        ("Здравствуйте.", {}, "ИИ"),
        ("Hello.", {"author": "person", "name": "Olga <3"}, "Olga <3 · person"),
        ("Здравствуйте.", {"author": "person", "name": "Ольга"}, "Ольга · сотрудник"),
        ("Здравствуйте.", {"author": "person"}, "Сотрудник"),
        ("Only words, please.", {"author": "system"}, ""),
    ],
)
def test_over_every_message_stands_who_speaks(text: str, more: dict[str, str], label: str) -> None:
    said = message(text, **more)
    assert speaker(said, phrases=PHRASES) == label
    (shown,) = parts(said, speaker=label)
    assert plain(shown) == f"{label}\n{text}".lstrip()


def test_what_fits_is_one_message_and_what_does_not_is_cut_at_a_sentence() -> None:
    assert len(parts(message("x" * LONGEST))) == 1
    sentence = "Это предложение не длинное и не короткое. "
    long = (sentence * 200).strip()
    texts = parts(message(long, citations=cited("Returns")))
    assert [text.endswith(".") for text in texts[:-1]] == [True] * (len(texts) - 1)
    assert texts[-1].endswith("<i>¹ Returns</i>")
    assert " ".join(texts).removesuffix("\n\n<i>¹ Returns</i>") == long


def test_sources_that_do_not_fit_any_more_are_a_message_of_their_own() -> None:
    texts = parts(message("x" * LONGEST, citations=cited("Returns")))
    assert texts == ("x" * LONGEST, "<i>¹ Returns</i>")


def test_emoji_count_as_telegram_counts_them_and_are_not_torn_apart() -> None:
    assert length_of("🔦") == 2
    texts = parts(message("🔦" * 3000))
    assert all(length(text) <= LONGEST for text in texts)
    assert "".join(texts) == "🔦" * 3000


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=300), st.integers(1, 40))
def test_no_text_becomes_html_that_telegram_refuses_or_too_long(text: str, times: int) -> None:
    for part in parts(message(f"{text} " * times + ".")):
        assert length(part) <= LONGEST
        plain(part)


def test_marks_of_any_kind_close_in_order() -> None:
    chance = random.Random(3)
    for _ in range(300):
        text = "".join(chance.choice("*_`-<>&[]()!.\n 1aЖ") for _ in range(60))
        for part in parts(message(text)):
            plain(part)


@given(st.text(max_size=400), st.integers(4, 100))
def test_a_cut_loses_nothing_but_space(text: str, room: int) -> None:
    beginning, rest = cut(text, room)
    assert length_of(beginning) <= room
    assert "".join((beginning + rest).split()) == "".join(text.split())


def test_two_short_buttons_stand_side_by_side_and_longer_ones_below_each_other() -> None:
    def labels(*names: str) -> list[list[str]]:
        buttons = tuple(Button(label=n, action=Action(kind="say", target=n)) for n in names)
        return [[label for label, _ in row] for row in rows(message("?", buttons=buttons))]

    assert labels("Разрешить", "Не сейчас") == [["Разрешить", "Не сейчас"]]
    assert labels("Да, подтверждаю", "Нет, оставить как есть") == [
        ["Да, подтверждаю"],
        ["Нет, оставить как есть"],
    ]
    assert labels("a", "b", "c") == [["a"], ["b"], ["c"]]


def test_callback_data_is_short_says_its_place_and_changes_with_the_action() -> None:
    yes = Button(label="Yes", action=Action(kind="confirm", target="p" * 900))
    no = Button(label="Yes", action=Action(kind="confirm", target="p" * 900, yes=False))
    data = data_of(999_999_999, 12, yes)
    assert len(data.encode()) <= 64
    assert place_of(data) == (999_999_999, 12)
    assert data != data_of(999_999_999, 12, no)
    for wrong in (
        "",
        "7:0",
        "7:0:xyz",
        "-1:0:0123456789abcdef",
        "7:0:0123456789abcdef0",
        "７:0:0123456789abcdef",
    ):
        assert place_of(wrong) is None
