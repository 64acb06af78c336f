"""Fitting the confidence of answers: isotonic, held out, and written so that it reads back."""

import random
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from agent.confidence import NAMES, calibration
from agent.promise import Promise
from evals.answers import Labelled, Observed, digest, observe, read_labelled
from evals.fitting import TooFew, as_toml, fitted, judged, reliability, risk_coverage
from evals.isotonic import between, isotonic
from knowledge.errors import BadRecords
from tests.conftest import ROOT
from tests.evals.fake_house import FakeHouse, answer, cited

LAX = Promise(at_most_wrong=0.3, confidence=0.9)


def labelled(n: int, *, answerable: bool = True) -> Labelled:
    return Labelled(
        id=f"q{n}",
        text=f"question {n}",
        language="en",
        documents=("returns",) if answerable else (),
        contains="14 days" if answerable else "",
        kind="answerable" if answerable else "absent",
        half="fit",
    )


def seen(n: int, *, right: bool, **signals: float) -> Observed:
    return Observed(
        asked=labelled(n), ended="answered", right=right, signals=dict.fromkeys(NAMES, 1.0) | signals, text=""
    )


def drawn(rows: int, *, seed: int = 1) -> list[Observed]:
    """Answers that are the likelier right the higher their retrieval, and `margin` speaks against them."""
    dice, out = random.Random(seed), []
    for n in range(rows):
        retrieval = dice.random()
        right = dice.random() < retrieval
        out.append(seen(n, right=right, retrieval=retrieval, margin=0.2 if right else 0.8))
    return out


def test_signals_that_speak_against_an_answer_or_never_vary_are_left_out() -> None:
    found = fitted(drawn(300), tools=0.97, sha256="ab", source="rows", on=date(2026, 11, 22))
    assert set(found.weights) == {"retrieval"}
    assert found.weights["retrieval"] > 0


def test_what_is_fitted_is_calibrated_on_other_answers() -> None:
    found = fitted(drawn(500), tools=0.97, sha256="ab", source="rows", on=date(2026, 11, 22))
    shown = judged(found, drawn(500, seed=2), promise=LAX)
    assert shown.ece < 0.08
    assert 0 < shown.risk < 0.3
    assert shown.sent + shown.handed_over == 500


def test_it_reads_back_as_it_was_written(tmp_path: Path) -> None:
    found = fitted(drawn(200), tools=0.97, sha256="ab" * 32, source="labelled.yaml", on=date(2026, 11, 22))
    path = tmp_path / "confidence.toml"
    path.write_text(as_toml(found), "utf-8")
    assert calibration(path) == found


def test_a_handful_of_answers_is_refused_with_a_remedy() -> None:
    with pytest.raises(TooFew) as refused:
        fitted(drawn(20), tools=0.97, sha256="", source="", on=date(2026, 11, 22))
    assert "labelled questions" in refused.value.remedy


def test_the_isotonic_line_keeps_order_and_never_promises_certainty() -> None:
    guessed = np.linspace(0, 1, 200)
    right = np.array([n % 10 < n / 20 for n in range(200)])
    knots = isotonic(guessed, right)
    line = between(knots, guessed)
    assert np.all(np.diff(line) > 0)
    assert 0 < line.min() < line.max() < 1
    assert abs(float(line.mean()) - float(right.mean())) < 0.03


def test_curves_for_people_begin_with_the_surest() -> None:
    scores, right = np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, True, False, False])
    assert risk_coverage(scores, right) == [(0.25, 0.0), (0.5, 0.0), (0.75, 0.3333), (1.0, 0.5)]
    assert reliability(scores, right, bins=2) == [(0.15, 0.0), (0.85, 1.0)]


async def test_an_answer_is_right_when_it_cites_the_document_and_holds_the_words() -> None:
    signals = {"signals": {"retrieval": 0.9}}
    house = FakeHouse(
        {
            "question 1": answer("Within 14\u00a0days.", citations=[cited("returns")], **signals),
            "question 2": answer("Within 14 days.", citations=[cited("payment")], **signals),
            "question 3": answer("Soon.", citations=[cited("returns")], **signals),
            "question 4": answer("", outcome="escalated", signals={}),
            "question 5": answer("Which one?", outcome="clarify", signals={}),
        }
    )
    told: list[tuple[int, int]] = []
    found = await observe(house, [labelled(n) for n in range(1, 6)], tell=lambda *step: told.append(step))  # type: ignore[arg-type]
    assert [one.right for one in found] == [True, False, False, False, False]
    assert [one.ended for one in found] == ["answered", "answered", "answered", "kept_back", "asked"]
    assert [one.judged for one in found] == [True, True, True, False, False]
    assert told[-1] == (5, 5)


def test_the_demo_companys_questions_are_read_in_two_halves_with_their_digest() -> None:
    rows = read_labelled(ROOT / "demo")
    assert {one.half for one in rows} == {"fit", "judge"}
    assert all(one.contains for one in rows if one.answerable)
    assert calibration().fitted.sha256 == digest(ROOT / "demo"), "fit the packaged confidence anew"


@pytest.mark.parametrize("text", ["", "- 1", "- {q: x}", "- {q: x, language: de, document: null}", "a: ["])
def test_a_broken_file_of_questions_is_refused_with_a_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / "labelled.yaml").write_text(text, "utf-8")
    with pytest.raises(BadRecords):
        read_labelled(tmp_path)
