"""What the page of a conversation shows of the work on it: notes of colleagues, each beside the message it was written at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.domain import Conversation, Message
from agent.staff_notes import LONGEST, StaffNote
from api.console.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Deskwork:
    """`notes` by the message they stand after, 0 for those before the first one shown."""

    notes: Mapping[int, tuple[StaffNote, ...]]
    longest_note: int = LONGEST


async def deskwork(visit: Visit, conversation: Conversation, shown: Sequence[Message]) -> Deskwork:
    """Gather the work on a conversation of which these messages are shown."""
    notes = await visit.house.building.records.staff_notes(conversation.id)
    return Deskwork(notes=beside(notes, shown))


def beside(notes: Sequence[StaffNote], shown: Sequence[Message]) -> Mapping[int, tuple[StaffNote, ...]]:
    """Return the notes by the message they stand after; those of messages that are not shown are not either.

    Not every number has a message: a pressed button may leave none. Then the note stands after the one before.
    """
    numbers = [message.seq for message in shown]
    # Where the conversation is shown from its beginning, what was written before it is too.
    placed: dict[int, list[StaffNote]] = {}
    whole = not numbers or numbers[0] == 1
    for note in notes:
        at = max((seq for seq in numbers if seq <= note.after), default=0)
        if at or whole:
            placed.setdefault(at, []).append(note)
    return {at: tuple(some) for at, some in placed.items()}
