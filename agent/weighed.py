"""One sentence beside one piece of evidence: what must never differ first, then the fitted judge.

```
numbers ─► names ─► states of an order ─► judge ─┬─ from a threshold ─► supported
                                                 └─ below ─► number | negation | unsupported
```
What comes before the judge needs no encoder, and no probability outweighs it.
"""

from dataclasses import dataclass
from typing import Literal

from agent import lexicon
from agent.contradiction import Ground, numbers_occur, script
from agent.domain import Evidence
from agent.naming import names_occur
from agent.pairing import Signs
from agent.ports import Encoder
from agent.signs import signs_of
from agent.weighing import Judge

Objection = Literal["number", "negation", "unsupported"]
_OF_NUMBER = ("rule_number", "rule_homeless", "rule_rival_number")
_OF_DENIAL = ("rule_rival", "rule_denied", "rule_opposed", "rule_spared", "more_claimed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What a sentence is refused for, None where it may leave; its probability, and the place that has most of it."""

    objection: Objection | None
    probability: float
    place: str


def weigh(said: str, item: Evidence, *, near: bool, encoder: Encoder, judge: Judge) -> Weighed:
    """Hold a sentence against a piece of evidence; `near` is whether the evidence has most of its words.

    A sentence of other matters is unsupported, whatever else is wrong with it: other evidence may have it.
    """
    never = _never(said, item)
    if never is not None:
        return Weighed(objection=never if near else "unsupported", probability=0.0, place="")
    signed = signs_of(said, item.text, item.title, encoder=encoder)
    probability = judge.probability(signed)
    if probability >= judge.thresholds.of(signed.signs):
        return Weighed(objection=None, probability=probability, place=signed.place)
    objection = _objection(signed.signs) if near else "unsupported"
    return Weighed(objection=objection, probability=probability, place=signed.place)


def _never(said: str, item: Evidence) -> Objection | None:
    """Return what no likeness makes good: a number, a name or a state of an order that the evidence does not have."""
    ground = Ground(place=item.text, whole=item.text, title=item.title)
    if not numbers_occur(said, ground):
        return "number"
    if script(said) != script(item.text):
        return None
    if not names_occur(said, item.text, ground):
        return "unsupported"
    more = lexicon.claims(said) - lexicon.claims(f"{item.text} {item.title}")
    return "negation" if more and item.kind == "tool" else None


def _objection(signs: Signs) -> Objection:
    if any(signs[name] for name in _OF_NUMBER):
        return "number"
    return "negation" if any(signs[name] for name in _OF_DENIAL) else "unsupported"
