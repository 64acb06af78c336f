"""Fitting the tagger of Latin names."""

import pytest

from agent.privacy.latin import Weights, latin_names
from evals.pii import teaching
from evals.pii.teaching import School, common_in, heard_of, lessons, unseen, written

pytestmark = pytest.mark.heavy

PUBLIC = [
    {
        "text": "ask for Anna Smith today",
        "template_id": n,
        "spans": [{"type": "PERSON", "start": 8, "end": 18, "value": "Anna Smith"}],
    }
    for n in range(8)
]
MESSAGES = [
    "where is my order",
    "my order is late",
    "cancel my order today please",
    "ask for a refund today",
] * 20


@pytest.fixture(autouse=True)
def few_lessons(monkeypatch) -> None:
    monkeypatch.setattr(teaching, "EACH_TAUGHT", 8)


@pytest.fixture
def taught() -> School:
    return School(PUBLIC, MESSAGES, heard_of(["en_GB"]), common_in(MESSAGES))


def test_lessons_hold_other_names_than_the_public_sentences_at_the_places_told() -> None:
    made = [lesson for lesson in lessons(PUBLIC, MESSAGES) if lesson.group.startswith("public-")]
    assert {lesson.text[a:b] for lesson in made for a, b in lesson.names} != {"Anna Smith"}
    assert all(lesson.text.startswith("ask for ") and lesson.text.endswith(" today") for lesson in made)
    assert all(lesson.text[8:-6] == lesson.text[lesson.names[0][0] : lesson.names[0][1]] for lesson in made)
    assert list(lessons(PUBLIC, MESSAGES)) == list(lessons(PUBLIC, MESSAGES))


def test_a_fitted_tagger_finds_names_in_sentences_it_has_not_seen(taught: School) -> None:
    told = unseen(taught)
    assert told["recall_unseen"] >= 0.8
    weights = taught.fit()
    assert list(latin_names("where is my order", weights=weights)) == []


def test_weights_are_kept_in_eight_bits_and_read_back_the_same(taught: School, tmp_path, monkeypatch) -> None:
    from agent.privacy import latin

    weights = taught.fit()
    path = tmp_path / "fit.json"
    path.write_text(written(weights))
    monkeypatch.setattr(latin, "WEIGHTS", path)
    read: Weights = latin.fitted.__wrapped__()
    largest = max(map(abs, weights.places))
    assert max(abs(a - b) for a, b in zip(read.places, weights.places, strict=True)) <= largest / 127
    assert (read.heard, read.common, read.bound) == (weights.heard, weights.common, weights.bound)
