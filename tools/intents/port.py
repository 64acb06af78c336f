"""What we meant to do in a system that takes no idempotency key, written before it is tried and crossed off after.

```
begin ──► ours ──► the write ──► done
   │                  └────────► nobody knows: it stays begun, and a retry reads the system before anything else
   └────► another's: done (repeat its facts) · begun (wait for it, or `take` it when whoever began it is gone)
```
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tools.context import CustomerId, ProposalId
from tools.proposal import Fact, Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One confirmed write. `thing` names what it changes, with its version: "tryton sale 1051@f3a1"."""

    key: str
    system: str
    thing: str
    proposal: ProposalId
    tool: str
    owner: CustomerId
    digest: str
    facts: Mapping[str, Fact]
    begun: datetime
    done: datetime | None = None

    @classmethod
    def of(cls, proposal: Proposal, *, key: str, system: str, thing: str, now: datetime) -> "Intent":
        """Return the intent to carry out `proposal`."""
        return cls(
            key=key,
            system=system,
            thing=thing,
            proposal=proposal.id,
            tool=proposal.tool,
            owner=proposal.owner,
            digest=proposal.digest,
            facts=dict(proposal.facts),
            begun=now,
        )


class Intents(Protocol):
    """The book of intents. Any call may raise `Unavailable`."""

    async def find(self, key: str) -> Intent | None:
        """Return what stands under the key."""

    async def begin(self, intent: Intent) -> Intent | None:
        """Write it and return None: it is ours to carry out. Else return what stands under its key already.

        `Rejected("changed")` when another key has its `thing`: of two writes on one version one is too late.
        """

    async def take(self, key: str, *, begun: datetime, now: datetime) -> bool:
        """Make an unfinished intent, begun at `begun` and not since, ours from `now` on; False if it is not so."""

    async def done(self, key: str, *, now: datetime, facts: Mapping[str, Fact] | None = None) -> None:
        """Cross it off: it has happened. `facts`, if there are any, stand in place of those it was begun with."""

    async def forget(self, key: str) -> None:
        """Strike out an unfinished intent that certainly changed nothing; its key is free again."""
