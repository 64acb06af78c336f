"""The one gate in front of every tool: is there a basis for its purpose, and do we know the customer well enough?

Who a customer is comes from a signed session, or from a claim that `verify` found true. No model makes a claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tools.context import Assurance, Caller, CustomerId
from tools.crm.port import CRM
from tools.errors import NoBasis, NotFound, NotIdentified

_LADDER: tuple[Assurance, ...] = get_args(Assurance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a tool asks of its caller; `scope` is the purpose of the data used, None for public data."""

    scope: str | None
    effect: Literal["read", "write"]
    assurance: Assurance

    @classmethod
    def of(cls, extras: Mapping[str, Any]) -> "Rule":
        """Return the rule a tool's metadata holds; `KeyError` for a tool without one."""
        return cls(scope=extras["scope"], effect=extras["effect"], assurance=extras["assurance"])

    def extras(self) -> dict[str, str | None]:
        """The rule as the metadata of a langchain tool."""
        return {"scope": self.scope, "effect": self.effect, "assurance": self.assurance}


def known_enough(caller: Caller, rule: Rule) -> bool:
    """Whether the caller's identity reaches the rule's assurance; personal data also needs a customer."""
    reached = _LADDER.index(caller.assurance) >= _LADDER.index(rule.assurance)
    return reached and (rule.scope is None or caller.customer_id is not None)


def has_basis(caller: Caller, rule: Rule) -> bool:
    return rule.scope is None or rule.scope in caller.purposes


def admit(caller: Caller, rule: Rule) -> None:
    """Return if the caller may use a tool of this rule; `NotIdentified` or `NoBasis` otherwise."""
    if not known_enough(caller, rule):
        raise NotIdentified()
    if rule.scope is not None and not has_basis(caller, rule):
        raise NoBasis(rule.scope)


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
class Verified:
    """The claim is true of exactly this customer."""

    customer: CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Unverified:
    """The claim is true of nobody, or of several: which of the two is not told."""


async def verify(claim: ByEmail | ByName, *, crm: CRM) -> Verified | Unverified:
    """Return whose claim this is, by what the register knows; may raise `Unavailable`."""
    try:
        if isinstance(claim, ByEmail):
            found = await crm.find_by_email(claim.email)
        else:
            found = await crm.find_by_name(claim.name, postcode=claim.postcode)
    except NotFound:
        return Unverified()
    return Verified(customer=found.id)
