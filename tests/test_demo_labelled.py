"""The demo company's labelled questions are answered where they say, are new, and split into two even halves."""

import re
import shutil
from collections import Counter, defaultdict
from datetime import date
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.pack import load_pack
from api.pack_questions import pack_questions
from evals.company import read_company
from tests.test_demo_pack import DEMO, document_id, manifest, questions, squeezed, text

DAY = date(2026, 11, 22)
NEAR_COPY = (
    0.55  # share of words in common, by their first five letters; the pairs above it say the same again
)


@cache
def labelled() -> list[dict[str, Any]]:
    return yaml.safe_load((DEMO / "labelled.yaml").read_text("utf-8"))


def answered() -> list[dict[str, Any]]:
    return [row for row in labelled() if row["document"]]


@cache
def lasting() -> dict[str, str]:
    """Return the text of every document that customers see in any season, by id."""
    return {
        document_id(row["path"]): text(row["path"])
        for row in manifest()
        if row.get("audience", "customer") == "customer"
        and row.get("status", "published") == "published"
        and "valid_until" not in row
    }


def language_of(document: str) -> str:
    return "en" if document.endswith(".en") else "ru"


def stems(question: str) -> frozenset[str]:
    return frozenset(word[:5] for word in re.findall(r"\w+", question.casefold()))


def test_a_row_has_the_fields_of_its_kind_and_no_others() -> None:
    for row in labelled():
        if row["document"]:
            assert set(row) - {"also"} == {"q", "language", "document", "contains", "half"}, row["q"]
        else:
            assert set(row) == {"q", "language", "document", "kind", "half"}, row["q"]
            assert row["kind"] in {"absent", "outside"}
        assert row["language"] in {"ru", "en"}
        assert row["half"] in {"fit", "judge"}


def test_there_are_enough_questions_of_each_language_and_kind() -> None:
    kinds = Counter(row.get("kind", "answered") for row in labelled())
    languages = Counter(row["language"] for row in labelled())
    assert kinds["answered"] >= 370
    assert kinds["absent"] >= 110
    assert kinds["outside"] >= 40
    assert 0.55 <= languages["ru"] / languages.total() <= 0.65


def test_every_lasting_document_is_asked_at_least_three_questions_and_no_other_document_is() -> None:
    asked = Counter(row["document"] for row in answered())
    assert set(asked) == set(lasting())
    assert min(asked.values()) >= 3


def test_the_gold_words_stand_once_in_the_document_and_within_a_sentence() -> None:
    for row in answered():
        piece = row["contains"]
        assert lasting()[row["document"]].count(squeezed(piece)) == 1, row["q"]
        assert len(piece) >= 8, row["q"]
        assert not re.search(r"[.!?;] ", piece), row["q"]
        assert language_of(row["document"]) == row["language"], row["q"]


def test_every_other_document_with_the_same_words_is_named() -> None:
    for row in answered():
        same = {
            name
            for name, words in lasting().items()
            if language_of(name) == row["language"] and squeezed(row["contains"]) in words
        }
        assert same == {row["document"], *row.get("also", [])}, row["q"]


def test_no_question_repeats_another_or_a_question_of_the_pack() -> None:
    new = {row["q"]: stems(row["q"]) for row in labelled()}
    old = {row["q"]: stems(row["q"]) for row in questions()}
    assert len(new) == len(labelled())
    pairs = [*combinations(new.items(), 2), *product(new.items(), old.items())]
    near = [(a, b) for (a, one), (b, two) in pairs if len(one & two) >= NEAR_COPY * len(one | two)]
    assert near == []


def test_no_fact_of_a_document_is_asked_twice() -> None:
    facts = Counter((row["document"], squeezed(row["contains"])) for row in answered())
    assert max(facts.values()) == 1
    pack = {(row["document"], squeezed(row["contains"])) for row in questions() if row["document"]}
    assert pack.isdisjoint(facts)


def test_each_document_and_each_kind_is_in_both_halves_evenly() -> None:
    halves: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in labelled():
        halves[row["language"], row["document"] or row["kind"]][row["half"]] += 1
    assert all(abs(count["fit"] - count["judge"]) <= 1 for count in halves.values())
    both = Counter(row["half"] for row in labelled())
    assert abs(both["fit"] - both["judge"]) <= 1


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the demo company's settings and documents."""
    copy = tmp_path / "demo"
    shutil.copytree(DEMO, copy, ignore=shutil.ignore_patterns("shop", "sources"))
    return copy


def test_every_answer_lies_within_one_passage_that_customers_may_see(pack: Path) -> None:
    (pack / "labelled.yaml").replace(pack / "questions.yaml")
    _, read = read_company(pack, day=DAY)
    assert sum(question.answerable for question in read) == len(answered())
    assert all(question.gold for question in read if question.answerable)


def test_loading_the_pack_does_not_read_the_labelled_questions(pack: Path) -> None:
    (pack / "labelled.yaml").write_text("{ neither yaml nor questions", encoding="utf-8")
    assert load_pack(pack).name["ru"] == "Фонарь"
    assert len(pack_questions(pack)) == len(questions())
