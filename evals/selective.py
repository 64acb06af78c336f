"""Figures of answering only when sure, each with the 95 % interval of a bootstrap over the rows. Pure."""

from collections.abc import Callable
from typing import Any

import numpy as np

from evals import figures
from evals.figures import Bools, Floats

RISKS = (0.05, 0.10, 0.20)
_ROUNDS = 500


def selective(scores: Floats, *, wrong: Bools, positive: Bools | None = None) -> dict[str, Any]:
    """Return `aurc` and `coverage@…%risk`, and `auroc` of `positive` rows against the others when they are given.

    `wrong` says of each row whether answering it would have been wrong. `intervals` holds `[low, high]` under the same
    names; a figure that cannot be computed is None and has no interval.
    """
    measures: dict[str, Callable[[Floats, Bools, Bools], float | None]] = {}
    if positive is not None:
        measures["auroc"] = lambda scores, _, positive: figures.auroc(scores, positive)
    measures["aurc"] = lambda scores, wrong, _: figures.aurc(scores, wrong)
    for risk in RISKS:
        measures[f"coverage@{risk:.0%}risk"] = _coverage(risk)
    marks = np.zeros(len(scores), dtype=np.bool_) if positive is None else positive
    found = {name: measure(scores, wrong, marks) for name, measure in measures.items()}
    drawn = _drawn(scores, wrong, marks, measures)
    return {
        **{name: None if value is None else round(value, 4) for name, value in found.items()},
        "intervals": {name: values for name, values in drawn.items() if found[name] is not None},
    }


def share_interval(hits: Bools) -> list[float]:
    """Return the 95 % interval of a share, by Wilson's score."""
    n, z = len(hits), 1.96
    if not n:
        return [0.0, 1.0]
    share = float(hits.mean())
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return [round(float(middle - half), 4), round(float(middle + half), 4)]


def _coverage(risk: float) -> Callable[[Floats, Bools, Bools], float]:
    return lambda scores, wrong, _: figures.coverage_at_risk(scores, wrong, risk=risk)


def _drawn(
    scores: Floats,
    wrong: Bools,
    marks: Bools,
    measures: dict[str, Callable[[Floats, Bools, Bools], float | None]],
) -> dict[str, list[float]]:
    rng = np.random.default_rng(0)
    seen: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(_ROUNDS):
        rows = rng.integers(0, len(scores), len(scores))
        for name, measure in measures.items():
            value = measure(scores[rows], wrong[rows], marks[rows])
            if value is not None:
                seen[name].append(value)
    return {
        name: [round(float(edge), 4) for edge in np.percentile(values, (2.5, 97.5))]
        for name, values in seen.items()
        if values
    }
