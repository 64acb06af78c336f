"""How sure the house is of an answer: signals in, probability and reasons out; pure arithmetic.

The probability is a logistic of the signals with coefficients fitted on labelled cases and kept as
data (`confidence.toml`, with its provenance). An answer made of tool results alone does not depend on
retrieval: the system of record answered, and grounding has already bound every word to its reply.
"""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).with_name("confidence.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What is known about a draft before it is sent; every number is 0..1."""

    retrieval: float
    """The retrieval's own calibrated confidence that an answer exists."""
    match: float
    """Closeness of the question to the best verified sentence with its title."""
    support: float
    """Share of the drafted sentences that grounding kept."""
    from_tools: bool
    """Whether tool results alone carry the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """Probability that the answer is right, and the signals that pulled it down, worst first."""

    value: float
    reasons: tuple[str, ...]


@cache
def coefficients(path: Path = DATA) -> dict[str, float]:
    """Return the fitted coefficients: bias, retrieval, match, support, tools."""
    table: dict[str, float] = tomllib.loads(path.read_text("utf-8"))["coefficients"]
    return table


def judge(signals: Signals) -> Confidence:
    """Return the calibrated probability that a grounded answer is right."""
    fitted = coefficients()
    if signals.from_tools:
        value = fitted["tools"] * signals.support
        return Confidence(value=round(value, 4), reasons=_reasons(signals, tools=True))
    logit = (
        fitted["bias"]
        + fitted["retrieval"] * signals.retrieval
        + fitted["match"] * signals.match
        + fitted["support"] * signals.support
    )
    return Confidence(value=round(1 / (1 + math.exp(-logit)), 4), reasons=_reasons(signals, tools=False))


def _reasons(signals: Signals, *, tools: bool) -> tuple[str, ...]:
    weak = [("support", signals.support, 0.99)]
    if not tools:
        weak += [("retrieval", signals.retrieval, 0.5), ("match", signals.match, 0.5)]
    return tuple(f"low_{name}" for name, value, floor in sorted(weak, key=lambda w: w[1]) if value < floor)
