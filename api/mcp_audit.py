"""The audit of what other agents look up: one chained line for each call, told or refused, before its answer leaves.

| act | target | detail |
|---|---|---|
| `mcp.search_knowledge` | | `passages` |
| `mcp.order_status` | the customer | `order` |
| `mcp.identity` | | a good key that came with a customer's identity that is none |
| `mcp.other` | | a tool that is not offered here |

`detail` has `outcome` as well: `told`, `nothing` (such an order is not theirs), or why it was refused. What was searched for is not kept: it may name people.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from agent.records.chain import NOBODY, Subject
from agent.records.chain import customer as about_customer
from tools.context import CustomerId

TOLD = "told"
TARGET_CHARS = 200
ORDER_CHARS = 64
KEY_CHARS = 12
"""Of the key's hash: enough to tell keys apart, and no key."""


class Ledger(Protocol):
    """The part of the records that the audit is (see `agent/records/staffing.py`)."""

    async def audit(
        self,
        act: str,
        *,
        actor: str,
        target: str,
        detail: Mapping[str, Any] | None = None,
        about: Subject = NOBODY,
    ) -> None: ...


class Audited:
    """What one key does, written down. `key` is the hash of the key."""

    def __init__(self, ledger: Ledger, *, key: str) -> None:
        self._ledger = ledger
        self._actor = f"mcp:{key[:KEY_CHARS]}"

    async def search(self, *, outcome: str, passages: int = 0) -> None:
        """Somebody searched the documents."""
        await self._ledger.audit(
            "mcp.search_knowledge",
            actor=self._actor,
            target="",
            detail={"outcome": outcome, "passages": passages},
        )

    async def order(self, order: object, *, customer: CustomerId | None, outcome: str) -> None:
        """Somebody looked for an order of the customer; `order` is as it was asked for."""
        await self._ledger.audit(
            "mcp.order_status",
            actor=self._actor,
            target=(customer or "")[:TARGET_CHARS],
            detail={"outcome": outcome, "order": str(order)[:ORDER_CHARS]},
            about=about_customer(customer[:TARGET_CHARS]) if customer else NOBODY,
        )

    async def other(self, *, outcome: str) -> None:
        """Somebody called what is not there."""
        await self._ledger.audit("mcp.other", actor=self._actor, target="", detail={"outcome": outcome})

    async def identity(self, *, outcome: str) -> None:
        """Somebody with a good key spoke for a customer who is none."""
        await self._ledger.audit("mcp.identity", actor=self._actor, target="", detail={"outcome": outcome})
