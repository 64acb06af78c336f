"""How sure the house is of an answer: signals in, probability and reasons out; pure arithmetic.

```
Signals ─ logistic ─ isotonic knots ─► probability ─┬─ ≥ threshold of the promise ─► may be sent
                                                    └─ below it ───────────────────► a person
```
The curve is fitted on a company's labelled questions by `mayak eval calibrate --answers` and kept as data, with the
judged cases it was fitted on: the threshold is computed from them and from the promise in `policy.toml`, so that
another promise needs no new fit. An answer made of tool results alone does not depend on retrieval: the system of
record answered, and grounding has already bound every word to its reply.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from agent.promise import Case, Promise, threshold
from knowledge.rank.confidence import on_line

DATA = Path(__file__).with_name("confidence.toml")
FILE = "confidence.toml"
"""Name of a pack's own calibration; without one the packaged one is used."""
NEVER = 2.0
"""A threshold no probability reaches."""
MOSTLY = 0.5
"""An answer from tools stands when at least this share of what was drafted was found in their replies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What is known about a draft before it is sent; every number is 0..1, and more of it never speaks against."""

    retrieval: float = 0.0
    """The retrieval's own calibrated confidence that an answer exists."""
    match: float = 0.0
    """Closeness of the question to the best verified sentence with its title."""
    support: float = 0.0
    """Share of the drafted sentences that grounding kept."""
    coverage: float = 0.0
    """Share of the question's meaningful words that the verified sentences and their titles speak of."""
    lead: float = 0.0
    """One divided by the rank of the best passage cited."""
    agreement: float = 0.0
    """Share of the passages found that belong to the cited documents."""
    margin: float = 0.0
    """How far the cited document is ahead of any other in the search, squashed: 0.5 is level."""
    language: float = 1.0
    """Whether the cited passages are in the customer's language."""
    certainty: float | None = None
    """The model's own mean probability of the words of its least sure sentence; None where it does not tell."""
    weakest: float | None = None
    """The model's own probability of its least probable word; None where it does not tell."""
    fresh: float = 1.0
    """0 where the customer asks what they asked before, 1 where they do not."""
    from_tools: bool = False
    """Whether tool results alone carry the answer."""

    def known(self) -> dict[str, float]:
        """Return the signals a curve may weigh, by name; what is not known is not there."""
        found = {name: getattr(self, name) for name in NAMES}
        return {name: float(value) for name, value in found.items() if value is not None}


NAMES: tuple[str, ...] = tuple(one.name for one in fields(Signals) if one.name != "from_tools")


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """Probability that the answer is right, and the signals that pulled it down, worst first."""

    value: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Where a calibration comes from: the day, the labelled rows and their SHA-256."""

    on: str = ""
    source: str = ""
    rows: int = 0
    sha256: str = ""


class BadCalibration(Exception):
    """A calibration file that cannot be used; `remedy` says what to do."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A fitted curve: `weights` by signal, `knots` (x, y) of the isotonic step, `usual` what right answers show.

    `cases` are the answers it was fitted on, each judged by a curve that had not seen it; `tools` is the measured
    probability that an answer from tool results alone is right.
    """

    weights: Mapping[str, float]
    intercept: float
    knots: tuple[tuple[float, float], ...] = ()
    usual: Mapping[str, float] = field(default_factory=dict)
    tools: float = 0.97
    cases: tuple[Case, ...] = ()
    fitted: Fitted = Fitted()
    by_hand: float | None = None
    """A threshold set by hand, in place of the promise's."""

    def judge(self, signals: Signals) -> Confidence:
        """Return the calibrated probability that a grounded answer is right.

        A signal the curve weighs and this draft does not have counts as right answers usually show it: silence
        speaks neither for an answer nor against it.
        """
        if signals.from_tools:
            share = 1.0 if signals.support >= MOSTLY else signals.support
            reasons = () if signals.support >= 1 else ("low_support",)
            return Confidence(value=round(self.tools * share, 4), reasons=reasons)
        known = {name: self.usual.get(name, 1.0) for name in self.weights} | signals.known()
        total = self.intercept + sum(weight * known[name] for name, weight in self.weights.items())
        value = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
        return Confidence(value=round(on_line(self.knots, value), 4), reasons=self._reasons(known))

    def accept(self, promise: Promise, *, from_tools: bool = False) -> float:
        """Return the confidence from which an answer may be sent under the promise; `NEVER` where none may."""
        if self.by_hand is not None:
            return self.by_hand
        if from_tools:
            return 1 - promise.at_most_wrong
        found = _threshold(self.cases, promise)
        return NEVER if found is None else found

    def _reasons(self, known: Mapping[str, float]) -> tuple[str, ...]:
        """Name the signals below what right answers show, the costliest first."""
        cost = {
            name: weight * (self.usual.get(name, 0.0) - known[name]) for name, weight in self.weights.items()
        }
        cost["support"] = max(cost.get("support", 0.0), 1 - known["support"])
        low = sorted((name for name in cost if cost[name] > 0), key=lambda name: -cost[name])
        return tuple(f"low_{name}" for name in low)


@cache
def calibration(path: Path = DATA) -> Calibration:
    """Read a calibration file. Raises `BadCalibration`."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        curve = data["curve"]
        unknown = set(curve["weights"]) - set(NAMES)
        if unknown:
            raise ValueError(f"no such signals: {', '.join(sorted(unknown))}")
        if any(weight < 0 for weight in curve["weights"].values()):
            raise ValueError("a signal cannot speak against an answer: a weight is below 0")
        return Calibration(
            weights={str(name): float(weight) for name, weight in curve["weights"].items()},
            intercept=float(curve["intercept"]),
            knots=tuple((float(x), float(y)) for x, y in curve["knots"]),
            usual={str(name): float(value) for name, value in curve["usual"].items()},
            tools=float(curve["tools"]),
            cases=tuple(Case(confidence=float(p), right=bool(right)) for p, right in data["cases"]),
            fitted=Fitted(**data["fitted"]),
        )
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as fault:
        raise BadCalibration(
            f"{path} is no calibration of answers: {fault!r}.",
            remedy="Make one with `mayak eval calibrate --answers`, or delete the file.",
        ) from fault


def calibration_of(pack: Path, *, by_hand: float | None = None) -> Calibration:
    """Return a pack's own calibration, or the packaged one, with a threshold set by hand. Raises `BadCalibration`."""
    own = pack / FILE
    return replace(calibration(own) if own.exists() else calibration(), by_hand=by_hand)


@lru_cache(maxsize=32)
def _threshold(cases: tuple[Case, ...], promise: Promise) -> float | None:
    return threshold(cases, promise)
