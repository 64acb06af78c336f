"""Logistic regression with a ridge, by Newton's method in numpy. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """`weights` belong to the columns as measured, not standardised."""

    weights: Floats
    intercept: float

    def probability(self, rows: Floats) -> Floats:
        """Return the probability of each row."""
        return np.asarray(1 / (1 + np.exp(-np.clip(rows @ self.weights + self.intercept, -30, 30))))


def fit(
    rows: Floats, right: NDArray[np.bool_], *, share: Floats, ridge: float = 2.0, rounds: int = 50
) -> Curve:
    """Fit `[n, d]` signals to outcomes; `share` weighs the rows, and the ridge counts as so many rows of doubt."""
    middle = np.average(rows, axis=0, weights=share)
    spread = np.sqrt(np.average((rows - middle) ** 2, axis=0, weights=share))
    spread[spread < 1e-9] = 1.0
    design = np.column_stack([(rows - middle) / spread, np.ones(len(rows))])
    doubt = np.append(np.full(rows.shape[1], ridge), 0.0)
    beta = np.zeros(design.shape[1])
    for _ in range(rounds):
        guess = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (share * (right - guess)) - doubt * beta
        bend = (design * (share * guess * (1 - guess))[:, None]).T @ design + np.diag(doubt + 1e-9)
        step = np.linalg.solve(bend, slope)
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            break
    weights = beta[:-1] / spread
    return Curve(weights=weights, intercept=float(beta[-1] - weights @ middle))


def held_out(
    rows: Floats,
    right: NDArray[np.bool_],
    *,
    share: Floats,
    groups: Sequence[str] | None = None,
    folds: int = 5,
) -> Floats:
    """Return each row's probability by a curve fitted without it, and without any row of its group."""
    place = _places(groups or [str(n) for n in range(len(rows))], folds)
    return without(rows, right, share=share, parts=place)


def without(rows: Floats, right: NDArray[np.bool_], *, share: Floats, parts: NDArray[np.intp]) -> Floats:
    """Return each row's probability by a curve fitted to the rows of the other parts."""
    out = np.zeros(len(rows))
    for part in np.unique(parts):
        rest = parts != part
        out[~rest] = fit(rows[rest], right[rest], share=share[rest]).probability(rows[~rest])
    return out


def _places(groups: Sequence[str], folds: int) -> NDArray[np.intp]:
    names = list(dict.fromkeys(groups))
    drawn = np.random.default_rng(0).permutation(len(names)) % folds
    fold_of = dict(zip(names, drawn, strict=True))
    return np.array([fold_of[name] for name in groups], dtype=np.intp)
