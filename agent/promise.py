"""The promise about answers, kept by a threshold: of answers sent without a person, at most so many may be wrong. Pure.

Learn then test (Angelopoulos et al., "Learn then Test", 2021) with fixed sequences: thresholds are tried from strict to
lenient, along a grid that does not look at what was right; each is taken while the chance of seeing so few wrong answers,
were the promise broken there, stays below the doubt that is allowed; the first that fails ends the sequence. Several
sequences start at different places, since one wrong answer among the surest few would end a single one, and share the
allowed doubt, 1 − `confidence`, between them. So the promise holds for the chosen threshold with that confidence, as long
as tomorrow's questions are like these.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

STEPS = 40
"""Thresholds in the grid: so many equal shares of what was judged."""
STARTS = ((0.0, 0.2), (1 / 3, 0.8))
"""Where sequences start: the share of what was judged that the first threshold sends, and its share of the doubt. A later
start can bear a wrong answer or two; the early one keeps the promise where only the surest answers do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """At most `at_most_wrong` of the answers sent are wrong, 0..1, known with `confidence`, 0..1."""

    at_most_wrong: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One judged answer: how sure the house was, by a curve that had not seen it, and whether it was right."""

    confidence: float
    right: bool


def threshold(cases: Sequence[Case], promise: Promise) -> float | None:
    """Return the lowest confidence from which answers may be sent; None where the cases cannot carry the promise."""
    ordered = sorted(cases, key=lambda case: -case.confidence)
    sizes, most = _sizes(ordered, promise), 0
    for start, share in STARTS:
        tried = [size for size in sizes if size >= start * len(ordered)]
        doubt = share * (1 - promise.confidence)
        most = max(most, _lenient(ordered, tried, chance=promise.at_most_wrong, doubt=doubt))
    return ordered[most - 1].confidence if most else None


def _lenient(ordered: Sequence[Case], sizes: Sequence[int], *, chance: float, doubt: float) -> int:
    """Return how many answers the most lenient threshold of a sequence sends, 0 where its first one fails."""
    found = 0
    for sent in sizes:
        wrong = sum(not case.right for case in ordered[:sent])
        if at_most(wrong, of=sent, chance=chance) > doubt:
            break
        found = sent
    return found


def at_most(wrong: int, *, of: int, chance: float) -> float:
    """Return the probability of at most `wrong` events in `of` trials of this `chance`."""
    if wrong >= of or chance <= 0:
        return 1.0
    if chance >= 1:
        return 0.0
    odds = math.log(chance) - math.log1p(-chance)
    start = of * math.log1p(-chance)
    return min(1.0, math.fsum(math.exp(start + _ways(of, k) + k * odds) for k in range(wrong + 1)))


def fewest(promise: Promise) -> int:
    """Return how many answers, all of them right, it takes to show that the promise is kept."""
    doubt = max(share for _, share in STARTS) * (1 - promise.confidence)
    return math.ceil(math.log(doubt) / math.log1p(-promise.at_most_wrong))


def _sizes(ordered: Sequence[Case], promise: Promise) -> list[int]:
    """Return how many answers each threshold of the grid would send, strictest first; equal confidences go together."""
    least = fewest(promise)
    wanted = {max(least, round(len(ordered) * step / STEPS)) for step in range(1, STEPS + 1)}
    return sorted({_whole(ordered, size) for size in wanted if size <= len(ordered)})


def _whole(ordered: Sequence[Case], size: int) -> int:
    last = ordered[size - 1].confidence
    while size < len(ordered) and ordered[size].confidence == last:
        size += 1
    return size


def _ways(of: int, k: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1)
