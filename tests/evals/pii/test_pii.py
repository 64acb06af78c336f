"""The made set, the figures, the command."""

import itertools
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.privacy.checks import inn, luhn, snils
from agent.privacy.detect import Detector
from agent.privacy.spans import Span
from evals.commands import app
from evals.pii.command import found, read_texts
from evals.pii.made import Place, Sentence, sentences
from evals.pii.measuring import Read, covered, figures, untouched
from knowledge.errors import BadRecords


def test_the_made_set_is_large_bilingual_and_the_same_each_time() -> None:
    made = sentences()
    assert len(made) >= 1000
    assert {one.language for one in made} == {"ru", "en"}
    assert made == sentences()
    assert made != sentences(seed=1)
    kinds = {place.kind for one in made for place in one.gold}
    assert kinds >= {"name", "phone", "email", "card", "passport", "snils", "inn", "address", "birth_date"}


def test_made_numbers_have_right_control_digits_but_for_slips() -> None:
    checks = {"card": luhn, "snils": snils, "inn": inn}
    seen = dict.fromkeys(checks, 0)
    for one in sentences():
        for place in one.gold:
            value = one.text[place.start : place.end]
            if place.kind in checks and not re.search(r"[^\W\d_]", value):
                assert checks[place.kind](re.sub(r"\D", "", value)), value
                seen[place.kind] += 1
    assert min(seen.values()) > 30


def test_gold_places_hold_their_values_and_overlap_nothing_that_stays() -> None:
    for one in sentences():
        places = sorted((*one.gold, *one.stays), key=lambda place: place.start)
        assert all(one.text[p.start : p.end].strip() == one.text[p.start : p.end] != "" for p in places)
        assert all(a.end <= b.start for a, b in itertools.pairwise(places))


def test_a_find_counts_only_when_every_letter_of_it_is_masked() -> None:
    text = "Анна Петрова, заказ 1045"
    sentence = Sentence(
        id="1",
        text=text,
        language="ru",
        gold=(Place(kind="name", start=0, end=12),),
        stays=(Place(kind="order", start=20, end=24),),
    )
    half = Read(sentence=sentence, spans=(Span(kind="name", start=0, end=4),), ms=1.0)
    whole = Read(sentence=sentence, spans=(Span(kind="phone", start=0, end=22),), ms=1.0)
    assert not covered(half, sentence.gold[0])
    assert untouched(half, sentence.stays[0])
    assert covered(whole, sentence.gold[0])
    assert not untouched(whole, sentence.stays[0])
    told = {one.name: one.value for one in figures([half, whole])}
    assert told["recall_name"] == told["kept_order"] == 0.5
    assert told["precision"] == 1.0


def test_the_dictionary_and_patterns_alone_keep_the_bounds_of_numbers_on_the_made_set() -> None:
    told = {
        one.name: one.value for one in figures(found(sentences(), detector=Detector(), tell=lambda *_: None))
    }
    for kind in ("phone", "email", "card", "passport", "snils", "inn"):
        assert told[f"recall_{kind}"] >= 0.98, kind
    assert told["recall_name_ru"] >= 0.90
    assert min(told["kept_order"], told["kept_price"], told["precision"]) >= 0.95


def test_texts_of_other_sets_are_read_by_their_own_names_of_kinds(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    spans = [
        {"type": "PERSON", "start": 0, "end": 4, "value": "Anna"},
        {"type": "GPE", "start": 8, "end": 12},
    ]
    path.write_text(json.dumps({"id": "a", "text": "Anna in Rome", "spans": spans, "lang": "en"}) + "\n")
    (read,) = read_texts(path)
    assert read.gold == (Place(kind="name", start=0, end=4),)


def test_a_line_without_text_or_with_a_broken_span_is_named(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"id": "a"}\n')
    with pytest.raises(BadRecords, match=r"texts\.jsonl:1"):
        read_texts(path)
    path.write_text('{"text": "x", "spans": [{"type": "PERSON"}]}\n')
    with pytest.raises(BadRecords, match="wrong span"):
        read_texts(path)


def test_the_command_prints_spans_a_line_a_text(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({"id": "a", "text": "\u200bтел. 8 916 123-45-67, заказ 1045"}) + "\n")
    done = CliRunner().invoke(app, ["pii", "--texts", str(path), "--fast", "--also", "order", "--json"])
    assert done.exit_code == 0, done.output
    row = json.loads(done.stdout.splitlines()[0])
    assert row["id"] == "a"
    assert row["spans"] == [
        {"type": "PHONE_NUMBER", "start": 6, "end": 21, "value": "8 916 123-45-67"},
        {"type": "ORDER_NUMBER", "start": 29, "end": 33, "value": "1045"},
    ]


def test_a_kind_nobody_can_ask_for_is_refused() -> None:
    assert CliRunner().invoke(app, ["pii", "--also", "phone"]).exit_code == 2
