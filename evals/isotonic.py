"""Isotonic regression as a line through a few points: probabilities that are true on average and keep their order. Pure."""

from collections.abc import Sequence

import numpy as np

from evals.figures import Bools, Floats

LEAST_BLOCK = 8
"""Rows a step stands on at least."""
PRIOR = 1.0
"""Right and wrong rows added to each step: no step promises certainty."""
ENDS = 0.1
"""Share of the way to 0 and 1 that the line goes on beyond its outer steps, so that order is kept there."""
TILT = 1e-4
"""Slope of a level stretch, for the same reason."""

Knots = tuple[tuple[float, float], ...]


def isotonic(guessed: Floats, right: Bools, *, share: Floats | None = None) -> Knots:
    """Return points (x, y) from 0 to 1, both rising; `share` weighs the rows."""
    from sklearn.isotonic import IsotonicRegression

    weights = np.ones(len(guessed)) if share is None else share * len(share) / share.sum()
    steps = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(guessed, right, sample_weight=weights)
    points: list[tuple[float, float]] = []
    for block in _blocks(guessed, steps):
        size = float(weights[block].sum())
        y = (float((weights * right)[block].sum()) + PRIOR) / (size + 2 * PRIOR)
        points.append((float(np.average(guessed[block], weights=weights[block])), y))
    first, last = points[0][1], points[-1][1]
    line = [(0.0, first * (1 - ENDS)), *points, (1.0, last + ENDS * (1 - last))]
    highest, out = 0.0, []
    for x, y in line:
        highest = max(highest, y)
        out.append((round(x, 6), round(highest + TILT * x, 6)))
    return tuple(out)


def between(knots: Knots, values: Floats) -> Floats:
    """Return y at each value on the line through the knots, flat beyond its ends."""
    xs, ys = (np.array(column) for column in zip(*knots, strict=True))
    return np.asarray(np.interp(values, xs, ys), dtype=np.float64)


def _blocks(guessed: Floats, steps: Floats) -> Sequence[list[int]]:
    """Return the rows of each step in rising order; a step of few rows is joined to the one before."""
    blocks: list[list[int]] = []
    for n in np.argsort(guessed, kind="stable"):
        new = not blocks or (steps[n] != steps[blocks[-1][-1]] and len(blocks[-1]) >= LEAST_BLOCK)
        if new:
            blocks.append([])
        blocks[-1].append(int(n))
    if len(blocks) > 1 and len(blocks[-1]) < LEAST_BLOCK:
        blocks[-2:] = [blocks[-2] + blocks[-1]]
    return blocks
