"""Figures of merit for retrieval and abstention, in numpy. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def first_ranks(rankings: Sequence[Sequence[str]], gold: Sequence[frozenset[str]]) -> Floats:
    """Return the rank from 1 of the first gold passage of each ranking, infinity when it is not there."""
    out = np.full(len(rankings), np.inf)
    for i, (ids, right) in enumerate(zip(rankings, gold, strict=True)):
        out[i] = next((n for n, name in enumerate(ids, start=1) if name in right), np.inf)
    return out


def recall(rankings: Sequence[Sequence[str]], gold: Sequence[frozenset[str]], *, k: int) -> float:
    """Return the mean share of gold passages among the first `k`."""
    shares = [
        len(set(ids[:k]) & right) / len(right) for ids, right in zip(rankings, gold, strict=True) if right
    ]
    return float(np.mean(shares)) if shares else 0.0


def auroc(scores: Floats, positive: Bools) -> float | None:
    """Return the chance that a positive scores above a negative, ties half; None when one kind is missing."""
    n = int(positive.sum())
    m = len(positive) - n
    if not n or not m:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return float((middle[inverse][positive].sum() - n * (n + 1) / 2) / (n * m))


def risk_curve(scores: Floats, wrong: Bools) -> Floats:
    """Return the share of wrong answers among the n most confident, for n = 1…; equal scores enter together."""
    order = np.argsort(-scores, kind="stable")
    risks = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    return np.asarray(risks[ends[np.searchsorted(ends, np.arange(len(order)))]], dtype=np.float64)


def aurc(scores: Floats, wrong: Bools) -> float:
    """Return the area under risk and coverage; lower is better."""
    return float(risk_curve(scores, wrong).mean())


def coverage_at_risk(scores: Floats, wrong: Bools, *, risk: float) -> float:
    """Return the largest share that can be answered with at most `risk` wrong."""
    fine = np.flatnonzero(risk_curve(scores, wrong) <= risk)
    return float((fine[-1] + 1) / len(scores)) if len(fine) else 0.0


def ece(confidence: Floats, right: Bools, *, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal width."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    total = 0.0
    for one in range(bins):
        here = place == one
        if here.any():
            total += here.mean() * abs(float(confidence[here].mean()) - float(right[here].mean()))
    return total
