"""Who somebody claims to be, by what, and what came of it. A claim is collected by the turn, never by a model.

```
Claim ─► tools.assurance.verify ─┬─► Verified   of exactly this customer
                                 └─► Refused    a reason that tells nothing about whose contact it was
```
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from tools.context import ConversationId, CustomerId, TurnId

Factor = Literal["token", "code", "email", "name_postcode"]
"""What may tell who a customer is: a signed token of the company's site (checked at the door), a one-time code sent to
the contact on file, and what others may know, too: an e-mail, or a full name with a postcode."""
FACTORS: tuple[Factor, ...] = get_args(Factor)
KNOWLEDGE: frozenset[Factor] = frozenset({"email", "name_postcode"})
"""Factors that prove little: on only where a company says so."""

RefusedFor = Literal["wrong", "expired", "locked", "too_many", "off", "unavailable"]
"""`wrong`: not this code, or nobody's claim; `expired`: no code is open, or it was used; `locked`: too many failures;
`too_many`: too many codes were asked for; `off`: the company does not count this factor; `unavailable`: the register
does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByEmail:
    """A claim to be the customer with this e-mail."""

    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ByName:
    """A claim to be the customer of this full name who lives at this postcode."""

    name: str
    postcode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ByCode:
    """A claim to hold the code that was sent for this conversation; `turn` makes its repetition harmless."""

    code: str
    conversation: ConversationId
    turn: TurnId


Claim = ByEmail | ByName | ByCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The claim is true of exactly this customer."""

    customer: CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The claim counts for nothing; `until` says when to try again, where that helps.

    Whether the contact is known is told nowhere: a claim of nobody and a wrong one are refused alike.
    """

    reason: RefusedFor
    until: datetime | None = None


def factor_of(claim: Claim) -> Factor:
    """Return the factor a claim rests on."""
    match claim:
        case ByCode():
            return "code"
        case ByEmail():
            return "email"
        case ByName():
            return "name_postcode"
