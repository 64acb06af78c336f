"""What became of suggested answers: kept as they were, edited, or discarded; frozen values and their port."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Literal, Protocol

from agent.domain import Citation
from agent.edits import distance
from tools.context import ConversationId

State = Literal["offered", "kept", "edited", "discarded"]
"""Shown and nothing decided; sent word for word; sent with changes; another answer was sent, or a newer one suggested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One suggested answer to customer message `seq`; `by` is the login of whom it was made for.

    `distance` is how far the sent words are from it (0..1), None where none of it was taken; `reply` the message sent.
    """

    id: str
    conversation: ConversationId
    seq: int
    text: str
    citations: tuple[Citation, ...]
    sure: bool
    by: str
    at: datetime
    state: State = "offered"
    distance: float | None = None
    reply: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How far people change suggestions: counts of those decided, and the middle distance of those taken (None for none)."""

    suggested: int
    kept: int
    edited: int
    discarded: int
    median_distance: float | None

    @property
    def unchanged(self) -> float | None:
        """Share of the decided ones that were sent word for word; None where nothing was decided."""
        decided = self.kept + self.edited + self.discarded
        return self.kept / decided if decided else None


class Suggestions(Protocol):
    """Keeps them."""

    async def offer(self, suggestion: Suggestion) -> None:
        """Keep a new one; another that is offered in the conversation is discarded."""

    async def offered(self, conversation: ConversationId) -> Suggestion | None:
        """Return the one that waits for a decision."""

    async def settle(
        self, conversation: ConversationId, *, taken: str, reply: int, text: str, at: datetime
    ) -> Suggestion | None:
        """Decide the offered one by the reply that was sent: `taken` is the id the reply was made from, "" for none.

        Returns it as it is now, None where nothing was offered: the same reply twice decides once.
        """

    async def figures(self, *, since: datetime) -> Figures:
        """Return the figures of those suggested since a moment."""


def decided(state: State, *, before: str, after: str) -> tuple[State, float | None]:
    """Return what a reply makes of a suggestion: `state` is "kept" where it was taken into the reply, else "discarded"."""
    if state != "kept":
        return "discarded", None
    far = round(distance(before, after), 4)
    return ("edited" if far else "kept"), far


def figures_of(found: Sequence[tuple[State, float | None]]) -> Figures:
    """Return the figures of states and distances."""
    states = [state for state, _ in found]
    far = [value for _, value in found if value is not None]
    return Figures(
        suggested=len(states),
        kept=states.count("kept"),
        edited=states.count("edited"),
        discarded=states.count("discarded"),
        median_distance=round(median(far), 4) if far else None,
    )
