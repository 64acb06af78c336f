"""What model calls cost: one row a call, summed by conversation and by day; frozen values and their port."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from tools.context import ConversationId, TurnId


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One call of a remote model: tokens and US dollars; `estimated` where the provider did not tell the tokens.

    A call that lost a race or was cut off is charged as well: the provider has worked for it.
    """

    model: str
    prompt: int
    completion: int
    usd: float = 0.0
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A sum of charges."""

    tokens: int = 0
    usd: float = 0.0

    def plus(self, *, tokens: int, usd: float) -> "Spent":
        """Return the sum with so much more."""
        return Spent(tokens=self.tokens + tokens, usd=self.usd + usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What has been spent before the next call, by the three spans a company sets limits for."""

    turn: Spent = Spent()
    conversation: Spent = Spent()
    day: Spent = Spent()


class Purse(Protocol):
    """Remembers charges over restarts; one for the whole installation."""

    async def spent(self, conversation: ConversationId, *, day: date) -> tuple[Spent, Spent]:
        """Return the sums of the conversation and of the company's calendar day."""

    async def note(self, *charges: Charge, conversation: ConversationId, turn: TurnId, day: date) -> None:
        """Write the charges down. Called once for each call that was really made."""
