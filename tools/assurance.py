"""The one gate in front of every tool: is there a basis for its purpose, and do we know the customer well enough?

Who a customer is comes from a signed session, or from a claim that `verify` found true. No model makes a claim: the
turn collects what the customer tells and calls it.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from tools.codes.port import Codes
from tools.context import Assurance, Caller
from tools.crm.port import CRM
from tools.errors import NoBasis, NotFound, NotIdentified
from tools.identity import KNOWLEDGE, ByCode, ByEmail, ByName, Claim, Factor, Refused, Verified, factor_of

__all__ = [
    "KNOWLEDGE",
    "ByCode",
    "ByEmail",
    "ByName",
    "Refused",
    "Require",
    "Rule",
    "Verified",
    "Watch",
    "admit",
    "as_told",
    "has_basis",
    "known_enough",
    "raised",
    "unwatched",
    "verify",
]

Require = Callable[[Caller, str], Awaitable[object]]
"""Returns if a purpose has a live basis for the caller at this moment; raises `NoBasis` otherwise."""

Watch = Callable[[Caller, str, object], Awaitable[None]]
"""Told that a tool (its name) is about to use personal data under what `Require` returned; what it raises stops the tool."""

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


def raised(rule: Rule, assurance: Assurance, *, name: str) -> Rule:
    """Return the rule asking for more; `ValueError` when that would be less, or of data that is nobody's own."""
    if rule.scope is None:
        raise ValueError(f"“{name}” uses nobody's own data; it asks for no identity")
    if _LADDER.index(assurance) < _LADDER.index(rule.assurance):
        raise ValueError(f"“{name}” already asks for “{rule.assurance}”; write that or a surer one")
    return replace(rule, assurance=assurance)


def has_basis(caller: Caller, rule: Rule) -> bool:
    return rule.scope is None or rule.scope in caller.purposes


def admit(caller: Caller, rule: Rule) -> None:
    """Return if the caller may use a tool of this rule; `NotIdentified` or `NoBasis` otherwise."""
    if not known_enough(caller, rule):
        raise NotIdentified()
    if rule.scope is not None and not has_basis(caller, rule):
        raise NoBasis(rule.scope)


async def as_told(caller: Caller, purpose: str) -> None:
    """The `Require` of tools alone: what the caller was told holds."""
    if purpose not in caller.purposes:
        raise NoBasis(purpose)


async def unwatched(caller: Caller, tool: str, basis: object) -> None:
    """The `Watch` of tools alone: nobody writes down what they use."""


async def verify(
    claim: Claim, *, crm: CRM, factors: Collection[Factor] = (), codes: Codes | None = None
) -> Verified | Refused:
    """Return whose claim this is; may raise `Unavailable`.

    Only `factors` count; none do by default. A customer who is gone, or who shares what was told with another, is
    nobody's claim: refused like a wrong one.
    """
    if factor_of(claim) not in factors:
        return Refused(reason="off")
    try:
        match claim:
            case ByEmail(email=email):
                found = await crm.find_by_email(email)
            case ByName(name=name, postcode=postcode):
                found = await crm.find_by_name(name, postcode=postcode)
            case ByCode():
                held = await codes.check(claim) if codes is not None else Refused(reason="off")
                if isinstance(held, Refused):
                    return held
                found = await crm.customer(held.customer)
    except NotFound:
        return Refused(reason="wrong")
    return Verified(customer=found.id)
