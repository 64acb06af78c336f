"""A fitted judge: signs of a sentence beside its evidence in, the probability that the evidence carries it out. Pure.

```
directions ─► line ─► difference ┐
signs ───────────────────────────┴─► line ─► probability, 0..1
```
The numbers are data (`grounding_fit.json`, written by `mayak eval grounding --fit`), of one encoder: the closeness of
two words is another number with every other one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.signs import Signed, Vector

DATA = Path(__file__).with_name("grounding_fit.json")
DIFFERENCE = "difference"
"""The sign that is itself fitted: where two directions differ."""
WHOLE, ONE_CLAUSE = 0.97, 0.9
"""Shares from which a sentence stands in one sentence of the evidence, and its rarest word in one clause of it."""
SCALE = (20.0, 200.0, 5.0)
"""What brings the parts of `apart` to a spread of about one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A logistic curve over columns as measured."""

    weights: NDArray[np.float64]
    intercept: float

    def value(self, row: NDArray[np.float64]) -> float:
        """Return the logit."""
        return float(row @ self.weights + self.intercept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The probability from which a sentence may leave: any, one said in the words of one clause, one so with its numbers."""

    other: float
    plain: float
    numbers: float

    def of(self, signs: Mapping[str, float]) -> float:
        """Return the one that holds for a sentence."""
        if not is_plain(signs):
            return self.other
        return self.numbers if signs["numbers"] else self.plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """`names` are the columns in order."""

    encoder: str
    names: tuple[str, ...]
    difference: Line
    line: Line
    thresholds: Thresholds

    def probability(self, signed: Signed) -> float:
        """Return how likely the evidence carries the sentence, 0..1."""
        known: Mapping[str, float] = {
            **signed.signs,
            DIFFERENCE: self.difference.value(apart(signed.said, signed.nearest)),
        }
        return logistic(self.line.value(np.array([known[name] for name in self.names])))


def is_plain(signs: Mapping[str, float]) -> bool:
    """Whether all words and numbers of a sentence stand in one clause of the evidence, and no rule objects."""
    return (
        signs["sentence_exact"] == 1.0
        and signs["sentence_share"] >= WHOLE
        and signs["sentence_numbers"] == 1.0
        and signs["clause_word"] >= ONE_CLAUSE
        and signs["clause_numbers"] == 1.0
        and not (signs["foreign"] or signs["denials_differ"] or signs["more_claimed"])
        and not any(value for name, value in signs.items() if name.startswith("rule_"))
    )


def apart(one: Vector, other: Vector) -> NDArray[np.float64]:
    """Return where two directions differ and agree: `[2 * dim + 1]`."""
    product = one.astype(np.float64) * other
    parts = (np.abs(one.astype(np.float64) - other), product, product.sum(keepdims=True))
    return np.concatenate([scale * part for scale, part in zip(SCALE, parts, strict=True)])


def logistic(value: float) -> float:
    """Return the probability of a logit."""
    return 1 / (1 + exp(-min(30.0, max(-30.0, value))))


@cache
def judge_of(encoder: str) -> Judge | None:
    """Return the judge fitted for an encoder, by its name; None where there is none."""
    if not DATA.is_file():
        return None
    known = json.loads(DATA.read_text("utf-8"))
    return read_judge(known) if known["encoder"] == encoder else None


def read_judge(known: Mapping[str, Any]) -> Judge:
    """Return the judge a fit wrote."""
    return Judge(
        encoder=known["encoder"],
        names=tuple(known["names"]),
        difference=_line(known["difference"]),
        line=_line(known["line"]),
        thresholds=Thresholds(**known["thresholds"]),
    )


def _line(known: Mapping[str, Any]) -> Line:
    return Line(weights=np.array(known["weights"], dtype=np.float64), intercept=known["intercept"])
