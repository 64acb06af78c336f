"""What is remembered of a customer: frozen values without I/O. What may become one is decided in `agent.memory`.

```
message ─► Stated ─► Keeping (source, expiry) ─► Note, one row, while the consent to `memory` lives
                                                  └─► forgotten: deleted, not marked
```
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType

from tools.context import ConversationId, Language

NoteId = NewType("NoteId", str)
NoteKind = Literal["language", "contact_time", "delivery", "owned", "socket", "room"]
"""What is useful next time and tells little: the language to write in, when to call, how to deliver, what is at home
already, which socket it has, how large the room is. A closed set."""

PERSONALISATION = "personalisation"
"""The purpose under which what is remembered may be said unasked."""
PURPOSE = "memory"
"""The purpose all notes are kept under."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A typed fact as the customer put it, cut out of their message."""

    kind: NoteKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """A fact to be kept: from which message (`seq` in its conversation), until when (aware)."""

    kind: NoteKind
    text: str
    language: Language
    seq: int
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A fact that is kept, with where it was said; `consent` is the ledger's row it rests on."""

    id: NoteId
    kind: NoteKind
    text: str
    language: Language
    conversation: ConversationId
    channel: str
    seq: int
    consent: int
    at: datetime
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteChanges:
    """What one turn does to the notes: forgets first, then keeps."""

    keep: tuple[Keeping, ...] = ()
    forget: tuple[NoteId, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.keep or self.forget)
