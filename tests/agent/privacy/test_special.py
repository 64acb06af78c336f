"""What tells a special category of personal data is seen in whatever form it is written; what only sounds like it is not."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.cues import TEXTS
from agent.memory import stated
from agent.pack import load_pack
from agent.privacy.special import CATEGORIES, OVERLAP, READ, special

DEMO = Path(__file__).resolve().parents[3] / "demo"
SENTENCES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("special.yaml").read_text("utf-8"))
SETS: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("special_sets.yaml").read_text("utf-8"))
LEAST_RECALL = 0.98
MOST_FALSE = 0.02


def test_sentences_of_special_categories_are_told() -> None:
    said = [text for texts in SENTENCES["special"].values() for text in texts] + SENTENCES["further"]
    missed = [text for text in said if special(text) is None]
    assert len(said) >= 200
    assert len(missed) <= (1 - LEAST_RECALL) * len(said), missed


def test_sets_written_before_the_lists_knew_them_are_told_as_well() -> None:
    missed = [text for text in SETS["special"] if special(text) is None]
    taken = [text for text in SETS["innocent"] if special(text) is not None]
    assert min(map(len, SETS.values())) >= 200
    assert len(missed) <= (1 - LEAST_RECALL) * len(SETS["special"]), missed
    assert len(taken) <= MOST_FALSE * len(SETS["innocent"]), taken


@pytest.mark.parametrize("asked", ["", "Запомните: ", "Remember that "])
def test_what_the_lists_miss_leaves_no_note_either(asked: str) -> None:
    """A note is a fact of a kind a company remembers, in a form of its own: the lists are not the only wall."""
    terms = load_pack(DEMO).policy.memory
    said = [text for texts in SENTENCES["special"].values() for text in texts]
    said += SENTENCES["further"] + SETS["special"]
    assert {fact.text for text in said for fact in stated(f"{asked}{text}", terms=terms)} == set()


@pytest.mark.parametrize("path", sorted(TEXTS.glob("special.*.toml")), ids=lambda path: path.name)
def test_no_phrase_has_brackets_in_brackets(path: Path) -> None:
    """The language of phrases has none: such a phrase would match nothing, and silently."""
    raw = tomllib.loads(path.read_text("utf-8"))
    phrases = [one for name in CATEGORIES for key in ("phrases", "never") for one in raw[name].get(key, ())]
    assert len(phrases) > 100
    assert [one for one in phrases if re.search(r"[(\[][^)\]]*[(\[]", one)] == []


def test_every_category_has_sentences_in_both_languages() -> None:
    assert set(SENTENCES["special"]) == set(CATEGORIES)
    for texts in SENTENCES["special"].values():
        russian = [any("а" <= letter <= "я" for letter in text.lower()) for text in texts]
        assert any(russian)
        assert not all(russian)


def test_near_misses_are_not_taken_for_special_categories() -> None:
    said = SENTENCES["innocent"]
    taken = [text for text in said if special(text) is not None]
    assert len(said) >= 120
    assert len(taken) <= MOST_FALSE * len(said), taken


@pytest.mark.parametrize(
    "text",
    [
        "Which party pays for return shipping?",
        "I am convinced it is a faulty driver.",
        "Mario and Tristan Dennis will collect it",
        "Сколько платить за подъём?",
    ],
)
def test_a_word_that_is_one_is_not_put_right(text: str) -> None:
    assert special(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "запомни: «у меня диабет»",
        "У меня диа\u200bбет",
        "u menya diabet",
        "e vtyz lbf,tn",
        "У МЕНЯ ДИАБЕТ",
        "Remember «epilepsy» please",
    ],
)
def test_a_special_category_is_told_however_it_is_typed(text: str) -> None:
    assert special(text) == "health"


def test_the_middle_of_a_long_text_is_read_as_well() -> None:
    for before in range(READ - OVERLAP, READ + OVERLAP, 30):
        assert special("лампа " * (before // 6) + "у меня диабет" + " лампа" * 300) == "health"


def test_a_word_is_not_mended_into_an_innocent_one() -> None:
    assert special("I was in prison") == "criminal"
