"""What the bank knows and how it is asked: records by table, each with an owner, and actions on the owner's own.

The bank's core is a ledger of loose records (an account, a card, a dispute), so what an action reads is one customer's
`Holdings` and what it does is a `Plan`: whole records as they will be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol

from evals.tau.refusals import Turned
from tools.assurance import Rule
from tools.context import CustomerId
from tools.proposal import Effect, Fact, Proposal

Record = Mapping[str, Any]
"""Fields by name, in the order in which the bank shows them."""

VISITOR = CustomerId("visitor")
"""Whoever talks to the bank before being verified: known by the conversation alone, owner of what they apply for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """One customer's own records by table and id, the bank's settings, and the bank's day."""

    owner: CustomerId
    tables: Mapping[str, Mapping[str, Record]]
    settings: Mapping[str, Record]
    today: date

    @property
    def day(self) -> str:
        """The bank's day as it writes it, MM/DD/YYYY."""
        return self.today.strftime("%m/%d/%Y")

    @property
    def profile(self) -> Record:
        """The customer's own record; empty for a visitor."""
        return self.of("users").get(self.owner, {})

    def of(self, table: str) -> Mapping[str, Record]:
        return self.tables.get(table, {})

    def find(self, table: str, key: str, argument: str) -> Record:
        """Return the record; `Turned("absent")` for one that is not there or another's, naming the argument."""
        found = self.of(table).get(key)
        if found is None:
            raise Turned("absent", argument=argument, value=key)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """A record as it will be; `new` where there must be none of that id yet."""

    table: str
    key: str
    record: Record
    new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an action will write, and the facts it is confirmed and told by."""

    facts: Mapping[str, Fact]
    puts: tuple[Put, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """What an action is given. `choices` close the set of texts; a `flag` left out is false."""

    name: str
    kind: Literal["text", "number", "whole", "flag"] = "text"
    choices: tuple[str, ...] = ()
    optional: bool = False

    def check(self, value: object) -> None:
        """Raise `Turned("choice")` for a value that is not one of the choices."""
        if self.choices and value not in self.choices:
            raise Turned(
                "choice",
                argument=self.name,
                value=str(value),
                choices=repr(list(self.choices)),
                options=", ".join(self.choices),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something the bank does for a customer: a tool by this name, and the pure plan behind it."""

    name: str
    does: str
    rule: Rule
    arguments: tuple[Argument, ...]
    plan: Callable[[Holdings, Mapping[str, Any]], Plan]

    def planned(self, holdings: Holdings, given: Mapping[str, Any]) -> Plan:
        """Return the plan; `Turned` when the bank refuses or a choice is not one of its own."""
        for argument in self.arguments:
            argument.check(given.get(argument.name))
        return self.plan(holdings, given)


class Bank(Protocol):
    """The bank's own system."""

    async def holdings(self, *, owner: CustomerId) -> Holdings:
        """Return all that is the owner's."""

    async def propose(self, action: str, given: Mapping[str, Any], *, owner: CustomerId) -> Proposal:
        """Return the write for the customer to confirm; `Turned` when it cannot be done."""

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        """Do it once for the key, if it is still what was proposed; `Turned("changed")` otherwise."""
