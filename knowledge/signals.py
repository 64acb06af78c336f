"""What one search shows about its own first hit: the signals a confidence is computed from. Pure.

Few on purpose: a distance to the second hit looks telling, but documents that say nearly the same sit close together, and
a curve that used it was worse on every set it had not seen.
"""

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from knowledge.lexical import Lexical, Scores
from knowledge.types import Hit, title_of
from knowledge.words import stems

_BEST = 5
_NEXT = 25


class Part(Protocol):
    """One signal of a search over all rows: as measured, in deviations, and how much it counts."""

    @property
    def raw(self) -> Scores: ...

    @property
    def z(self) -> Scores: ...

    @property
    def weight(self) -> float: ...


def signals(query: str, *, first: Hit, parts: Mapping[str, Part], lexical: Lexical) -> dict[str, float]:
    """Return the signals by name, as listed in `knowledge.confidence`; embedders that did not run have none."""
    row = lexical.row_of(first.passage.id)
    title = title_of(first.passage)
    out = {
        "top": first.score,
        "length": math.log1p(len(stems(query))),
        "coverage": lexical.coverage(query, f"{title} {first.passage.text}"),
        "echo": lexical.coverage(title, query),
        "titled": _titled(parts),
        "spread": float(np.std([part.z[row] for part in parts.values()])) if row is not None else 0.0,
    }
    if "first_body" in parts:
        out["first_body"] = float(parts["first_body"].raw.max())
    if "second_body" in parts:
        out["second_body_best"] = float(parts["second_body"].z.max())
        out["second_body_lead"] = _lead(parts["second_body"].raw)
    return out


def _titled(parts: Mapping[str, Part]) -> float:
    """Return the best score that titles alone would give, in deviations."""
    named = [part for name, part in parts.items() if name.endswith("title") and part.weight > 0]
    total = sum(part.weight for part in named)
    if not total:
        return 0.0
    return float(sum((part.weight / total * part.z for part in named), np.float32(0.0)).max())


def _lead(scores: Scores) -> float:
    """Return how far the best score stands above the rest of the best: the sixth to the twenty-fifth."""
    if len(scores) <= _BEST:
        return 0.0
    shown = min(_NEXT, len(scores))
    best = np.sort(np.partition(scores, -shown)[-shown:])
    return float(best[-1] - best[:-_BEST].mean())
