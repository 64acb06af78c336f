"""What verification and the turn ask of one-time codes, and the rules they are kept by."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from tools.contacts import By, Contact
from tools.context import Caller
from tools.identity import ByCode, ByName, Refused, Verified

DIGITS = 6
WINDOW = timedelta(hours=1)
"""The time in which codes that were sent are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRules:
    """How codes are kept; counts of codes are for an hour.

    `by`: which contact on file they go to. `failures`: wrong codes, in one conversation or for one contact, after which
    none is taken for `lock_minutes`.
    """

    by: By = "email"
    expires_minutes: int = 10
    failures: int = 5
    lock_minutes: int = 30
    per_conversation: int = 3
    per_contact: int = 3
    per_hour: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A code is on its way, if the contact is known: which of the two is told nobody."""

    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeRules:
    """How claims by what others may know are rationed.

    `failures`: wrong claims, in one conversation or of one name, after which none is heard for `lock_minutes`;
    `per_hour`: wrong ones of the whole installation.
    """

    failures: int = 5
    lock_minutes: int = 30
    per_hour: int = 60


class Knowing(Protocol):
    """Identity by what the customer knows, and others may: as the turn sees it."""

    async def claim(self, claim: ByName, caller: Caller) -> Verified | Refused:
        """Return whose claim this is. An unknown name costs and says the same as a known one; may raise `Unavailable`."""


class Codes(Protocol):
    """Codes that were sent, as verification sees them."""

    async def check(self, claim: ByCode) -> Verified | Refused:
        """Take the code if it is the open one of its conversation: once. May raise `Unavailable`."""


class Proofs(Protocol):
    """Identity by one-time code, as the turn sees it."""

    async def send(self, contact: Contact | None, caller: Caller) -> Sent | Refused:
        """Send a code to the contact on file of the customer who has `contact`, of the caller's own where they are known.

        An unknown contact costs the same and is answered the same. May raise `Unavailable`.
        """

    async def check(self, code: str, caller: Caller) -> Verified | Refused:
        """Return whose code this is; may raise `Unavailable`."""
