"""The one gate in front of everything that touches personal data: it asks the ledger at the moment of the call.

```
tool called ───────────────┐
model outside asked ───────┤                    ┌─ a live basis ─► Basis: the row, the contract, the law
encoder outside asked ─────┼─► require(purpose) ┤
note about a customer ─────┤                    └─ none ─────────► NoBasis, and nothing has happened
message sent unasked ──────┘
```
What a turn was told at its beginning decides what is offered; only this decides what is done.
"""

from collections.abc import Mapping

from agent.basis import Basis
from agent.policy import consent as consents
from agent.ports import Bases, Ledger, Whose
from agent.terms import Purpose
from tools.context import ConversationId, CustomerId
from tools.errors import NoBasis


class Gate(Bases):
    """Answers whether a purpose has a live basis now. Keeps nothing between two questions."""

    def __init__(self, ledger: Ledger, purposes: Mapping[str, Purpose]) -> None:
        self._ledger = ledger
        self._purposes = purposes

    async def live(self, whose: Whose) -> Mapping[str, Basis]:
        """Return the live basis of every purpose that has one."""
        return await self.live_for(whose.conversation, whose.customer_id)

    async def live_for(
        self, conversation: ConversationId, customer: CustomerId | None
    ) -> Mapping[str, Basis]:
        """Return the same for a customer in a conversation."""
        return consents.bases(self._purposes, await self._ledger.ledger(conversation, customer))

    async def allows(self, whose: Whose, purpose: str) -> bool:
        """Return whether the purpose may be acted under now."""
        return purpose in await self.live(whose)

    async def require(self, whose: Whose, purpose: str) -> Basis:
        """Return the basis to act under. Raises `NoBasis` where there is none, and for a purpose nobody knows."""
        basis = (await self.live(whose)).get(purpose)
        if basis is None:
            raise NoBasis(purpose)
        return basis
