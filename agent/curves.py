"""The curves of a calibration: how often it is right where it says so, and how risk grows with what is sent. Pure.

Plots are numbers here; `plot.svg` beside this file draws them, on the pages of whoever asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.promise import Case

FOLDER = Path(__file__).parent
"""Where the template `plot.svg` is."""
BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a plot: points (x, y), both 0..1."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Lines over one pair of axes, 0..1 each; `diagonal` draws y = x to compare with."""

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    diagonal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Answers of like confidence: their mean confidence, the share of them that was right, and how many they are."""

    confidence: float
    right: float
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What sending the surest answers comes to: the share sent, the share of these that is wrong, the least confidence."""

    coverage: float
    risk: float
    confidence: float


def reliability(cases: Sequence[Case], *, bins: int = BINS) -> tuple[Bin, ...]:
    """Return equally full bins, the least confident first; fewer cases than bins make fewer bins."""
    ordered = sorted(cases, key=lambda case: case.confidence)
    size, over = divmod(len(ordered), bins)
    out: list[Bin] = []
    start = 0
    for n in range(bins):
        own = ordered[start : start + size + (n < over)]
        start += len(own)
        if own:
            mean = sum(case.confidence for case in own) / len(own)
            right = sum(case.right for case in own) / len(own)
            out.append(Bin(confidence=round(mean, 4), right=round(right, 4), answers=len(own)))
    return tuple(out)


def risk_coverage(cases: Sequence[Case]) -> tuple[Sent, ...]:
    """Return one row for each confidence that could be a threshold, the strictest first; equal ones go together."""
    ordered = sorted(cases, key=lambda case: -case.confidence)
    out: list[Sent] = []
    wrong = 0
    for n, case in enumerate(ordered, start=1):
        wrong += not case.right
        if n == len(ordered) or ordered[n].confidence != case.confidence:
            out.append(
                Sent(
                    coverage=round(n / len(ordered), 4),
                    risk=round(wrong / n, 4),
                    confidence=case.confidence,
                )
            )
    return tuple(out)


def at_coverages(rows: Sequence[Sent], *, steps: int = BINS) -> tuple[Sent, ...]:
    """Return the rows that first reach each tenth of coverage, for a table people read."""
    wanted = [(n + 1) / steps for n in range(steps)]
    found = (next((row for row in rows if row.coverage >= share - 1e-9), None) for share in wanted)
    return tuple(dict.fromkeys(row for row in found if row is not None))
