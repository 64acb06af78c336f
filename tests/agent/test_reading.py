"""Answers as models write them, read into sentences and references."""

import pytest

from agent.domain import Sentence
from agent.reading import read_answer


def s(text: str, *refs: str) -> Sentence:
    return Sentence(text=text, refs=refs)


READ: dict[str, tuple[str, list[Sentence]]] = {
    "after the full stop": ("Одно. [a#1] Другое. [b#2]", [s("Одно.", "a#1"), s("Другое.", "b#2")]),
    "before the full stop": ("Одно [a#1]. Другое [b#2].", [s("Одно.", "a#1"), s("Другое.", "b#2")]),
    "several in one bracket": ("Одно. [a#1, b#2; tool:x:1]", [s("Одно.", "a#1", "b#2", "tool:x:1")]),
    "several brackets": ("Одно. [a#1][b#2] [a#1]", [s("Одно.", "a#1", "b#2")]),
    "bullets": (
        "- Одно. [a#1]\n* Другое [b#2]\n1. Третье. [c#3]",
        [s("Одно.", "a#1"), s("Другое", "b#2"), s("Третье.", "c#3")],
    ),
    "bold and code": ("**Срок** — `14 дней`. [a#1]", [s("Срок — 14 дней.", "a#1")]),
    "a reference in the middle": (
        "Можно [a#1], но не везде [b#2].",
        [s("Можно, но не везде.", "a#1", "b#2")],
    ),
    "on the next line": ("Одно.\n[a#1]", [s("Одно.", "a#1")]),
    "in front": ("[a#1] Одно.", [s("Одно.", "a#1")]),
    "one for the paragraph": ("Одно. Другое. [a#1]", [s("Одно.", "a#1"), s("Другое.", "a#1")]),
    "without any": (
        "Здравствуйте! Одно. [a#1]\nПишите ещё.",
        [s("Здравствуйте!", "a#1"), s("Одно.", "a#1"), s("Пишите ещё.")],
    ),
    "a fence": ("```\nОдно. [a#1]\n```", [s("Одно.", "a#1")]),
    "a fence with JSON": (
        '```json\n{"sentences": [{"text": "Одно.", "refs": ["a#1"]}]}\n```',
        [s("Одно.", "a#1")],
    ),
    "JSON with one answer": (
        '{"answer": "Одно. Другое.", "refs": "a#1"}',
        [s("Одно.", "a#1"), s("Другое.", "a#1")],
    ),
    "JSON rows with references inside": (
        '["Одно. [a#1]", {"sentence": "Другое.", "ref": "[b#2]"}]',
        [s("Одно.", "a#1"), s("Другое.", "b#2")],
    ),
    "thoughts": ("<think>so [z#9]\nhm</think>One. [a#1]", [s("One.", "a#1")]),
    "thoughts cut off": ("<think>so [z#9]", []),
    "lenticular brackets": ("One【a#1】.", [s("One.", "a#1")]),
    "a link": ("One. [a#1](https://x.example/a)", [s("One.", "a#1")]),
    "the word ref": ("One. [ref: a#1] Two. [refs: `b#2`]", [s("One.", "a#1"), s("Two.", "b#2")]),
    "a name of nothing": ("One. [returns-2] Two. [7]", [s("One. [returns-2] Two.", "7")]),
    "brackets of the text": ("Нажмите [Пуск] и ждите. [a#1]", [s("Нажмите [Пуск] и ждите.", "a#1")]),
    "decimals and abbreviations": (
        "Весит 1.5 кг, т. е. немного. [a#1]",
        [s("Весит 1.5 кг, т. е. немного.", "a#1")],
    ),
    "a tool": ("Заказ в пути. [tool:order_status:1]", [s("Заказ в пути.", "tool:order_status:1")]),
    "a document with dots and slashes": ("Да, можно. [ru/faq.v2#10]", [s("Да, можно.", "ru/faq.v2#10")]),
    "nothing": ("", []),
    "marks alone": ("--- ... [a#1]", []),
}


@pytest.mark.parametrize("case", READ)
def test_an_answer_is_read_as_it_was_meant(case: str) -> None:
    text, expected = READ[case]
    assert list(read_answer(text)) == expected


def test_an_endless_answer_is_cut() -> None:
    assert len(read_answer("Да. [a#1] " * 500)) == 24


def test_hostile_texts_are_read_quickly() -> None:
    for text in (
        "[" * 20_000,
        "[a#1" * 5_000,
        "**" * 10_000,
        "{" * 10_000 + "}",
        "<think>" * 3_000,
        "a#1] " * 4_000,
    ):
        read_answer(text)
