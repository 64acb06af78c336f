"""How sure a search is that its first hit answers: honest signals in, a calibrated probability out. Pure.

The coefficients are data (confidence.toml), fitted by `mayak eval calibrate`. Cosines mean different things in different
models, so coefficients belong to a set of embedders; a set nobody measured uses the signals that need no cosine.
"""

import math
import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from knowledge.errors import BadRecords

SIGNALS = (
    "top",  # fused score of the first hit, in deviations
    "spread",  # how far the parts of the search disagree about the first hit, in deviations
    "agreement",  # share of the parts that have it among their three best
    "first_body",  # best cosine of the first embedder between query and passage
    "second_body_best",  # the same of the second embedder, in deviations
)
PLAIN = (
    "top",
    "length",  # log of the number of words asked
    "coverage",  # weight of the query's words that the first hit has
)
_FILE = Path(__file__).with_name("confidence.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A logistic curve, then the line through `knots`: `weights` by signal, `accept` the confidence from which an answer
    keeps the promise."""

    weights: Mapping[str, float]
    intercept: float
    accept: float = 0.5
    knots: tuple[tuple[float, float], ...] = ()
    """Points (x, y) of the isotonic step, x rising; none leaves the logistic curve as it is."""

    def confidence(self, signals: Mapping[str, float]) -> float:
        """Return the probability 0..1; a signal without a weight does not count."""
        total = self.intercept + sum(weight * signals.get(name, 0.0) for name, weight in self.weights.items())
        return on_line(self.knots, 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total)))))


def on_line(knots: Sequence[tuple[float, float]], x: float) -> float:
    """Return y at x on the line through the knots, flat beyond its ends; x itself where there are none."""
    if not knots:
        return x
    after = bisect_right(knots, (x, math.inf))
    if after == 0:
        return knots[0][1]
    if after == len(knots):
        return knots[-1][1]
    (x0, y0), (x1, y1) = knots[after - 1], knots[after]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def fingerprint(embedders: Sequence[str]) -> str:
    """Return the name calibrations are kept under."""
    return " + ".join(embedders) if embedders else "none"


@lru_cache(maxsize=8)
def calibration(embedders: tuple[str, ...], path: Path = _FILE) -> Calibration:
    """Read the curve fitted for these embedders, or the one for any. Raises `BadRecords`."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["calibration"]
        found = data.get(fingerprint(embedders)) or data["any"]
        unknown = set(found["weights"]) - {*SIGNALS, *PLAIN}
        if unknown:
            raise ValueError(f"no such signals: {', '.join(sorted(unknown))}")
        return Calibration(
            weights={str(name): float(weight) for name, weight in found["weights"].items()},
            intercept=float(found["intercept"]),
            accept=float(found["accept"]),
            knots=tuple((float(x), float(y)) for x, y in found.get("knots", ())),
        )
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as fault:
        raise BadRecords(
            f"{path.name} is not a calibration: {fault!r}.", remedy="Make one with `mayak eval calibrate`."
        ) from fault
