"""Who is asking: the ids and the `Caller` every tool sees, made by the session and never by a model."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType

from tools.errors import NotIdentified

CustomerId = NewType("CustomerId", str)
ConversationId = NewType("ConversationId", str)
TurnId = NewType("TurnId", str)
MessageId = NewType("MessageId", str)
OrderId = NewType("OrderId", str)
ProposalId = NewType("ProposalId", str)
MethodId = NewType("MethodId", str)

Language = Literal["ru", "en"]
Assurance = Literal["anonymous", "channel", "verified", "stepped_up"]
"""How sure we are of the customer, weakest first: nobody, a linked messenger chat, a signed session, a fresh code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The person on whose behalf a tool runs, fixed for one turn.

    `purposes` holds the purposes with a live legal basis at `now`; `now` is aware.
    """

    conversation: ConversationId
    turn: TurnId
    language: Language
    channel: str
    customer_id: CustomerId | None
    assurance: Assurance
    purposes: frozenset[str]
    now: datetime

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError("Caller.now must be an aware datetime: pass datetime.now(UTC)")

    def customer(self) -> CustomerId:
        """Return the customer's id; `NotIdentified` when nobody is signed in."""
        if self.customer_id is None or self.assurance == "anonymous":
            raise NotIdentified()
        return self.customer_id
