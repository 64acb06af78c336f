"""What every ending of a turn takes along: choices, what goes on, why it was judged so. Pure."""

from collections.abc import Sequence
from typing import Any

from agent.answering import Judged
from agent.domain import Action, Button, Draft
from agent.ports import Situation

LONGEST_CHOICE = 80
"""Characters of a question shown on a button."""


def still_proving(situation: Situation) -> dict[str, Any]:
    """Return what goes on: a code that was sent may still come, whatever was said; a button says nothing new."""
    pressed = situation.batch[-1].action is not None
    if situation.proving == "code" or (situation.proving == "proved" and pressed):
        return {"proving": situation.proving, "parked": situation.parked}
    return {}


def choices(texts: Sequence[str]) -> tuple[Button, ...]:
    return tuple(
        Button(label=text[:LONGEST_CHOICE], action=Action(kind="say", target=text[:LONGEST_CHOICE]))
        for text in texts
    )


def reasons_of(judged: Judged | None, draft: Draft | None) -> tuple[str, ...]:
    """Return why the confidence is what it is, which limits were met, and what kept a model from being asked."""
    own = (*judged.confidence.reasons, *judged.limits) if judged else ()
    return (*own, *(draft.withheld if draft else ()))
