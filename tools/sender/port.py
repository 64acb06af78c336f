"""What carries a short letter to a contact on file. Nothing it is given may reach a log."""

from dataclasses import dataclass, field
from typing import Protocol

from tools.contacts import By
from tools.errors import ToolFault


class Undelivered(ToolFault):
    """The letter did not leave; the message holds neither the address nor the text."""

    code = "undelivered"
    retryable = True
    remedy = "Look at the sender's settings and at the mail server; the customer may ask for another code."


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter; `to` is an e-mail or a phone number as it is on file. What it says is kept out of every `repr`."""

    by: By
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)


class Sender(Protocol):
    """Sends letters by some of the ways there are."""

    @property
    def ways(self) -> frozenset[By]:
        """Return by what it can send."""

    async def send(self, letter: Letter) -> None:
        """Send one letter. Raises `Undelivered`."""
