"""Arithmetic of the benches: spreads, slopes, cost curves. Pure."""

import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A cost as `factor · n ** exponent`; `tail` is the exponent between the two largest sizes alone."""

    factor: float
    exponent: float
    tail: float
    last: tuple[float, float]

    def at(self, n: float) -> float:
        """Return the cost at `n`, carried on from the largest size measured by `tail`."""
        size, cost = self.last
        return float(cost * (n / size) ** self.tail)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all values do not exceed; 0 for none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    return float(ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))])


def spread(values: Sequence[float], *, digits: int = 1) -> dict[str, float]:
    """Return p50, p95 and max, rounded to a tenth or to so many digits; nothing for no values."""
    if not values:
        return {}
    return {
        "p50": round(statistics.median(values), digits),
        "p95": round(quantile(values, 0.95), digits),
        "max": round(max(values), digits),
    }


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the rise of y for one step of x, by least squares; 0 when x does not move."""
    if len(points) < 2:
        return 0.0
    x_mean = statistics.fmean(x for x, _ in points)
    y_mean = statistics.fmean(y for _, y in points)
    across = sum((x - x_mean) ** 2 for x, _ in points)
    if across == 0:
        return 0.0
    return float(sum((x - x_mean) * (y - y_mean) for x, y in points) / across)


def curve(costs: Mapping[int, float]) -> Curve | None:
    """Fit a power law through costs by size, by least squares in logarithms.

    Costs of zero or less carry no power law and are left out; fewer than two left give None.
    """
    known = sorted((n, cost) for n, cost in costs.items() if n > 0 and cost > 0)
    if len(known) < 2:
        return None
    logs = [(math.log(n), math.log(cost)) for n, cost in known]
    exponent = slope(logs)
    factor = math.exp(statistics.fmean(y for _, y in logs) - exponent * statistics.fmean(x for x, _ in logs))
    return Curve(factor=factor, exponent=exponent, tail=slope(logs[-2:]), last=known[-1])


def fifths(values: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """Return the first and the last fifth of values in order, at least one each where there is any."""
    size = max(1, len(values) // 5)
    return values[:size], values[-size:] if values else ()


def first_ranks(found: Sequence[Sequence[str]], gold: Sequence[Collection[str]]) -> list[float]:
    """Return for each question the place of the first right id, from 1; infinity where none is right."""
    return [
        next((float(n) for n, name in enumerate(ids, start=1) if name in right), math.inf)
        for ids, right in zip(found, gold, strict=True)
    ]
