"""An answer cut while it is written: whatever the pieces, the sentences are those of the whole text, and they come early."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.cutting import Cutter
from agent.domain import Sentence
from agent.reading import read_answer
from tests.agent.test_reading import READ

WORDS = (
    "Одно.", "Другое!", "Третье", "и так", "т. е.", "г. Тула", "1.5 кг", "14 дней", "Yes.", "No.", "e.g. this", "…", "?!", "»", '"',
    "[a#1]", "[b#2, c#3]", "[tool:x:1]", "【a#1】", "[7]", "[Пуск]", "[returns-2]", "[", "]", "(https://x.example)", "(это)", "(", ")",
    "\n", "\n\n", "\r\n", "\r", "- ", "1. ", "## ", "> ", "* ", "```", "```json", "**", "`", "|", "<", "<think>", "</think>", "{", "}", ".", ",", ":", " ",
)  # fmt: skip
TEXTS = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(("", " ", " ", "\n"))), max_size=24).map(
    lambda parts: "".join(word + gap for word, gap in parts)
)
# A thought inside a row would break the JSON around it.
SAID = TEXTS.map(lambda text: text.replace("<", ""))
ROWS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"text": SAID, "refs": st.lists(st.sampled_from(("a#1", "[b#2]")))}), SAID
    ),
    max_size=4,
)
CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=12)


def in_pieces(text: str, sizes: Sequence[int]) -> list[str]:
    """Cut the text into pieces of these sizes, over and over."""
    found, at, n = [], 0, 0
    while at < len(text):
        size = sizes[n % len(sizes)]
        found.append(text[at : at + size])
        at, n = at + size, n + 1
    return found


def heard(pieces: Sequence[str]) -> list[Sentence]:
    cutter = Cutter()
    return [sentence for piece in pieces for sentence in cutter.add(piece)]


@settings(max_examples=1500, deadline=None)
@given(text=TEXTS, sizes=CUTS)
def test_whatever_the_pieces_what_was_heard_is_the_beginning_of_what_is_read(
    text: str, sizes: Sequence[int]
) -> None:
    early = heard(in_pieces(text, sizes))
    assert early == list(read_answer(text))[: len(early)]


@settings(max_examples=400, deadline=None)
@given(rows=ROWS, sizes=CUTS, wrapped=st.booleans(), fenced=st.booleans())
def test_rows_of_json_are_heard_as_they_are_read(
    rows: list[object], sizes: Sequence[int], wrapped: bool, fenced: bool
) -> None:
    text = json.dumps({"sentences": rows} if wrapped else rows, ensure_ascii=False)
    text = f"```json\n{text}\n```" if fenced else text
    early = heard(in_pieces(text, sizes))
    whole = list(read_answer(text))
    assert early == whole[: len(early)]
    if wrapped and len(text) < 6000:
        assert early == whole, "a row is finished when its bracket closes"


@pytest.mark.parametrize("case", READ)
def test_every_way_of_writing_is_heard_letter_by_letter(case: str) -> None:
    text, expected = READ[case]
    early = heard(list(text))
    assert early == expected[: len(early)]


@pytest.mark.parametrize(
    ("written", "finished"),
    [
        ("Вернуть можно за 14 дней. [a#1]", 0),
        ("Вернуть можно за 14 дней. [a#1] ", 0),
        ("Вернуть можно за 14 дней. [a#1] [", 0),
        ("Вернуть можно за 14 дней. [a#1] Л", 1),
        ("Вернуть можно за 14 дней [a#1]. Л", 1),
        ("Вернуть можно за 14 дней [a#1], н", 0),
        ("Вернуть можно за 14 дней [a#1] и", 0),
        ("Вернуть можно за 14 дней. [a#1]\n", 1),
        ("- Вернуть можно за 14 дней. [a#1]\n- Л", 1),
        ("Весит 1.5 кг, т. е. немного, г. Тула. [a#1] Д", 1),
        ("You can return it, e.g. by post. [a#1] W", 1),
        ("Одно. Другое. [a#1] Т", 2),
        ("Рады помочь!\n", 0),
        ("Рады помочь!\n[a#1]\n", 1),
        ('{"sentences": [{"text": "Одно.", "refs": ["a#1"]', 0),
        ('{"sentences": [{"text": "Одно.", "refs": ["a#1"]}', 1),
        ("<think>Одно. [a#1] Д", 0),
        ("<think>x</think>Одно. [a#1] Д", 1),
        ("Одно. [a#1] <thi", 0),
    ],
)
def test_a_sentence_is_finished_as_soon_as_nothing_can_change_it(written: str, finished: int) -> None:
    assert len(heard(list(written))) == finished


def test_hostile_texts_are_cut_quickly_enough_to_end() -> None:
    for text in ("[" * 7000, "{" * 7000, "[a#1] " * 1500, "<think>" * 1000, "Да. [a#1] " * 900):
        assert heard(in_pieces(text, [97])) == list(read_answer(text))[: len(heard(in_pieces(text, [97])))]
