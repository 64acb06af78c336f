"""Confidence is arithmetic: bounded, monotone, with reasons, and held to a promise."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from agent.confidence import (
    NAMES,
    NEVER,
    BadCalibration,
    Calibration,
    Signals,
    calibration,
    calibration_of,
)
from agent.promise import Case, Promise

UNIT = some.floats(0, 1)
SIGNALS = some.builds(Signals, **dict.fromkeys(NAMES, UNIT), from_tools=some.booleans())  # type: ignore[arg-type]
FIVE = Promise(at_most_wrong=0.05, confidence=0.9)
CURVE = Calibration(
    weights={"retrieval": 3.0, "coverage": 2.0},
    intercept=-2.0,
    knots=((0.0, 0.1), (0.5, 0.4), (1.0, 0.9)),
    usual={"retrieval": 0.6, "coverage": 0.5},
)


@given(SIGNALS)
def test_it_is_a_probability(signals: Signals) -> None:
    assert 0 <= calibration().judge(signals).value <= 1


@given(SIGNALS, some.sampled_from(NAMES))
def test_a_better_signal_never_makes_it_less_sure(signals: Signals, name: str) -> None:
    better = replace(signals, **{name: min(1.0, getattr(signals, name) + 0.1)})
    assert calibration().judge(better).value >= calibration().judge(signals).value


def test_signals_below_what_right_answers_show_are_named_costliest_first() -> None:
    assert CURVE.judge(Signals(retrieval=0.1, coverage=0.4, support=1)).reasons == (
        "low_retrieval",
        "low_coverage",
    )
    assert CURVE.judge(Signals(retrieval=0.9, coverage=0.9, support=1)).reasons == ()
    assert CURVE.judge(Signals(retrieval=0.9, coverage=0.9, support=0.5)).reasons == ("low_support",)


def test_the_line_through_the_knots_is_followed() -> None:
    level = replace(CURVE, weights={}, intercept=0.0)
    assert level.judge(Signals()).value == pytest.approx(0.4)
    assert replace(level, intercept=30.0).judge(Signals()).value == pytest.approx(0.9)
    assert replace(level, knots=()).judge(Signals()).value == pytest.approx(0.5)


def test_an_answer_from_tools_stands_when_most_of_it_was_found_in_their_replies() -> None:
    whole, half, little = (
        CURVE.judge(Signals(support=support, from_tools=True)).value for support in (1.0, 0.5, 0.25)
    )
    accept = CURVE.accept(FIVE, from_tools=True)
    assert whole == half == CURVE.tools >= accept
    assert little < accept


def test_without_judged_answers_nothing_may_be_sent_under_a_promise_but_by_hand() -> None:
    assert CURVE.accept(FIVE) == NEVER
    assert replace(CURVE, by_hand=0.5).accept(FIVE) == 0.5


def test_another_promise_needs_no_new_fit() -> None:
    judged = replace(CURVE, cases=tuple(Case(confidence=1 - n / 1000, right=n % 15 != 7) for n in range(600)))
    assert judged.accept(FIVE) == NEVER
    assert judged.accept(Promise(at_most_wrong=0.1, confidence=0.9)) < 0.6


def test_a_pack_may_bring_its_own_calibration(tmp_path: Path) -> None:
    assert calibration_of(tmp_path).weights == calibration().weights
    (tmp_path / "confidence.toml").write_text(
        "cases = [[0.9, 1]]\n[curve]\nintercept = 1.5\nknots = []\ntools = 0.9\n"
        "[curve.weights]\nmatch = 2.0\n[curve.usual]\nmatch = 0.5\n[fitted]\non = '2026-11-22'\n",
        "utf-8",
    )
    own = calibration_of(tmp_path, by_hand=0.3)
    assert own.weights == {"match": 2.0}
    assert own.cases == (Case(confidence=0.9, right=True),)
    assert own.accept(FIVE) == 0.3


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "cases = []\n[curve]\nintercept = 'x'", "[curve.weights]\nmoon = 1.0"],
)
def test_a_broken_calibration_is_refused_with_a_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / "confidence.toml").write_text(text, "utf-8")
    with pytest.raises(BadCalibration) as refused:
        calibration_of(tmp_path)
    assert "mayak eval calibrate --answers" in refused.value.remedy


def test_the_packaged_calibration_says_where_it_comes_from() -> None:
    made = calibration().fitted
    assert made.rows > 200
    assert len(made.sha256) == 64
