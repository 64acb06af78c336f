"""What one search shows about its own first hit: the signals a confidence is computed from. Pure.

Few on purpose: a distance to the second hit looks telling, but documents that say nearly the same sit close together, and
a curve that used it was worse on every set it had not seen.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from knowledge.lexical import Lexical, Scores
from knowledge.text.words import stems
from knowledge.types import Hit, title_of

_AMONG = 3


class Part(Protocol):
    """One signal of a search over all rows: as measured, and in deviations."""

    @property
    def raw(self) -> Scores: ...

    @property
    def z(self) -> Scores: ...


def signals(query: str, *, first: Hit, parts: Mapping[str, Part], lexical: Lexical) -> dict[str, float]:
    """Return the signals by name, as listed in `knowledge.rank.confidence`; embedders that did not run have none."""
    row = lexical.row_of(first.passage.id)
    out = {
        "top": first.score,
        "length": math.log1p(len(stems(query))),
        "coverage": lexical.coverage(query, f"{title_of(first.passage)} {first.passage.text}"),
        "spread": 0.0 if row is None else float(np.std([part.z[row] for part in parts.values()])),
        "agreement": 0.0 if row is None else _mean(_among_best(part.raw, row) for part in parts.values()),
    }
    if "first_body" in parts:
        out["first_body"] = float(parts["first_body"].raw.max())
    if "second_body" in parts:
        out["second_body_best"] = float(parts["second_body"].z.max())
    return out


def mean_of(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each signal: of several questions in one message, each counts alike."""
    names = dict.fromkeys(name for one in several for name in one)
    return {name: float(np.mean([one[name] for one in several if name in one])) for name in names}


def _among_best(scores: Scores, row: int) -> bool:
    return bool(scores[row] > 0 and int((scores > scores[row]).sum()) < _AMONG)


def _mean(values: Iterable[bool]) -> float:
    seen = list(values)
    return sum(seen) / len(seen) if seen else 0.0
