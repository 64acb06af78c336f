"""Which party of Tryton a customer is: by the party's code, or by one of its identifiers."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from tools.context import CustomerId
from tools.tryton.client import Domain


class Identifier(BaseModel):
    """An identifier of a party; `type` is None for one of no standard."""

    code: str
    type: str | None = None


class Party(BaseModel):
    """As much of a party as tells whose it is."""

    id: int
    active: bool
    code: str | None = None
    identifiers: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyLink:
    """How customers' ids stand in Tryton: `by` is "code" or "identifier", `type` narrows to one kind of identifier.

    A party that was archived or merged into another is nobody: who its customer is now, only the company can say.
    """

    by: str = "code"
    type: str | None = None

    @classmethod
    def read(cls, text: str) -> "PartyLink":
        """Return the link "code", "identifier" or "identifier:TYPE" names; `ValueError` otherwise."""
        by, colon, type = text.strip().partition(":")
        if by not in ("code", "identifier") or (by == "code" and colon) or (colon and not type):
            raise ValueError(text)
        return cls(by=by, type=type or None)

    def fields(self, prefix: str = "") -> tuple[str, ...]:
        """Return what must be read of a party to recognise it."""
        own = ("code",) if self.by == "code" else ("identifiers.code", "identifiers.type")
        return tuple(f"{prefix}{name}" for name in ("active", *own))

    def domain(self, customer: CustomerId, prefix: str = "") -> Domain:
        """Return the clauses that only this customer's party meets."""
        active = [f"{prefix}active", "=", True]
        if self.by == "code":
            return [[f"{prefix}code", "=", customer], active]
        told: list[Any] = [["code", "=", customer]]
        if self.type:
            told.append(["type", "=", self.type])
        return [[f"{prefix}identifiers", "where", told], active]

    def is_of(self, customer: CustomerId, party: Party) -> bool:
        """Say whether the party is the customer's; asked again of whatever the server found."""
        if not customer or not party.active:
            return False
        if self.by == "code":
            return party.code == customer
        return any(
            known.code == customer and (self.type is None or known.type == self.type)
            for known in party.identifiers
        )
