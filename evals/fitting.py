"""The agent's confidence fitted to observed answers: logistic, then isotonic, each answer judged by curves that had not
seen it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from agent import curves
from agent.confidence import NAMES, Calibration, Fitted, Signals
from agent.promise import Case, Promise
from evals import figures
from evals.answers import Observed
from evals.figures import Bools, Floats
from evals.isotonic import between, isotonic
from evals.logistic import fit, held_out

LEAST_ROWS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How a calibration does on answers it was not fitted to."""

    answers: int
    answerable: int
    sent: int
    wrong: int
    handed_over: int
    """Answerable questions that got neither an answer nor a question back."""
    ece: float
    auroc: float | None
    aurc: float
    scores: Floats
    right: Bools

    @property
    def risk(self) -> float:
        """Share of the answers sent that were wrong, 0..1."""
        return self.wrong / self.sent if self.sent else 0.0


class TooFew(Exception):
    """Too few labelled answers to fit a curve; `remedy` says what to do."""

    def __init__(self, found: int) -> None:
        super().__init__(f"{found} answers were judged, {LEAST_ROWS} are needed.")
        self.remedy = "Add labelled questions to the pack, both kinds: with and without an answer."


def fitted(observed: Sequence[Observed], *, tools: float, sha256: str, source: str, on: date) -> Calibration:
    """Return the calibration of observed answers. Raises `TooFew`."""
    judged = [one for one in observed if one.judged]
    right = np.array([one.right for one in judged])
    if len(judged) < LEAST_ROWS or right.all() or not right.any():
        raise TooFew(len(judged))
    names = _telling(judged, right)
    rows = np.array([[one.signals[name] for name in names] for one in judged])
    share = np.ones(len(judged))
    guessed = held_out(rows, right, share=share, groups=[one.asked.text for one in judged], folds=10)
    knots = isotonic(guessed, right)
    curve = fit(rows, right, share=share)
    calibration = Calibration(
        weights={name: round(float(w), 5) for name, w in zip(names, curve.weights, strict=True)},
        intercept=round(float(curve.intercept), 5),
        knots=knots,
        usual={
            name: round(float(np.quantile(rows[right, n], 0.25)), 4)
            for n, name in enumerate(names)
        },
        tools=tools,
        fitted=Fitted(on=on.isoformat(), source=source, rows=len(observed), sha256=sha256),
    )  # fmt: skip
    cases = zip(between(knots, guessed), right, strict=True)
    return _with(calibration, [Case(confidence=round(float(p), 4), right=bool(ok)) for p, ok in cases])


def judged(calibration: Calibration, observed: Sequence[Observed], *, promise: Promise) -> Judged:
    """Hold a calibration against answers it was not fitted to."""
    answers = [one for one in observed if one.judged]
    scores = np.array([calibration.judge(_signals(one)).value for one in answers])
    right = np.array([one.right for one in answers])
    sent = scores >= calibration.accept(promise)
    told = {one.asked.id for one, ok in zip(answers, sent, strict=True) if ok}
    told |= {
        one.asked.id
        for one in observed
        if one.ended == "asked" or (one.ended == "answered" and not one.judged)
    }
    answerable = [one for one in observed if one.asked.answerable]
    return Judged(
        answers=len(answers),
        answerable=len(answerable),
        sent=int(sent.sum()),
        wrong=int((sent & ~right).sum()),
        handed_over=sum(one.asked.id not in told for one in answerable),
        ece=figures.ece(scores, right),
        auroc=figures.auroc(scores, right),
        aurc=figures.aurc(scores, ~right),
        scores=scores,
        right=right,
    )


def as_toml(calibration: Calibration) -> str:
    """Return the calibration as `agent.confidence.calibration` reads it."""
    made = calibration.fitted
    lines = [
        "# How sure the house is of an answer; made by `mayak eval calibrate --answers`, not to be edited by hand.",
        "# cases: [confidence by a curve that had not seen the answer, 1 if it was right]; the threshold that keeps the",
        "# promise of policy.toml is computed from them.",
        f"cases = [{', '.join(f'[{one.confidence}, {int(one.right)}]' for one in calibration.cases)}]",
        "",
        "[curve]",
        f"intercept = {calibration.intercept}",
        f"knots = [{', '.join(f'[{x}, {y}]' for x, y in calibration.knots)}]",
        f"tools = {calibration.tools}",
        *_table("curve.weights", calibration.weights),
        *_table("curve.usual", calibration.usual),
        "",
        "[fitted]",
        f'on = "{made.on}"',
        f'source = "{made.source}"',
        f"rows = {made.rows}",
        f'sha256 = "{made.sha256}"',
    ]
    return "\n".join(lines) + "\n"


def _table(name: str, values: Mapping[str, float]) -> list[str]:
    return ["", f"[{name}]", *(f"{key} = {value}" for key, value in values.items())]


def _telling(answers: Sequence[Observed], right: Bools) -> list[str]:
    """Return the signals that vary here and speak for an answer; one that speaks against it is left out, worst first.

    What some answers do not tell, such as a model's own doubt, is left out, too.
    """
    shared = [name for name in NAMES if all(name in one.signals for one in answers)]
    names = [name for name in shared if np.std([one.signals[name] for one in answers]) > 1e-6]
    while names:
        rows = np.array([[one.signals[name] for name in names] for one in answers])
        weights = fit(rows, right, share=np.ones(len(rows))).weights * rows.std(axis=0)
        if weights.min() >= 0:
            break
        names.pop(int(weights.argmin()))
    return names


def _signals(one: Observed) -> Signals:
    known: dict[str, Any] = dict(one.signals)
    return Signals(**known)


def _with(calibration: Calibration, cases: Sequence[Case]) -> Calibration:
    return replace(calibration, cases=tuple(cases))


def reliability(scores: Floats, right: Bools, *, bins: int = curves.BINS) -> list[tuple[float, float]]:
    """Return (mean confidence, share right) of equally full bins."""
    return [(one.confidence, one.right) for one in curves.reliability(_cases(scores, right), bins=bins)]


def risk_coverage(scores: Floats, right: Bools) -> list[tuple[float, float]]:
    """Return (share answered, share of these wrong), surest first."""
    return [(one.coverage, one.risk) for one in curves.risk_coverage(_cases(scores, right))]


def _cases(scores: Floats, right: Bools) -> list[Case]:
    return [Case(confidence=float(score), right=bool(ok)) for score, ok in zip(scores, right, strict=True)]
