"""What people of the company write to each other beside a conversation. Frozen values and the port that keeps them.

A note is no message: it has no number in the transcript, makes no event and no delivery, and no turn reads it. That is
why nothing that speaks to a customer or to a model has to leave it out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tools.context import ConversationId

LONGEST = 2000
"""Letters of one note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffNote:
    """A note as it was written; `n` counts from 1 in its conversation, `after` is the last message its author could
    see. `author` is a login, `name` what colleagues read."""

    n: int
    after: int
    author: str
    name: str
    text: str
    at: datetime


class StaffNotebook(Protocol):
    """Keeps the notes of conversations."""

    async def note_down(
        self, conversation: ConversationId, text: str, *, operator: str, name: str, key: str = ""
    ) -> StaffNote:
        """Write a note, once per `key` where there is one. Raises `UnknownConversation`.

        Whoever answers customers may write one, at any stage: it changes nothing about who speaks.
        """

    async def staff_notes(self, conversation: ConversationId) -> tuple[StaffNote, ...]:
        """Return the conversation's notes, oldest first."""
