"""Writes an order system does not have: a base for adapters that only read, or can do some of them."""

from collections.abc import Sequence

from tools.address import Address
from tools.context import CustomerId, MethodId, OrderId
from tools.errors import Rejected
from tools.orders.port import Proposal, SavedMethod


class Unoffered:
    """Every proposal is refused with "not_offered", and nobody has saved a way to pay."""

    async def methods(self, *, owner: CustomerId) -> tuple[SavedMethod, ...]:
        return ()

    async def propose_cancel(self, order_id: OrderId, *, owner: CustomerId, reason: str) -> Proposal:
        raise Rejected("not_offered")

    async def propose_address(
        self, order_id: OrderId, *, owner: CustomerId, new_address: Address
    ) -> Proposal:
        raise Rejected("not_offered")

    async def propose_payment(
        self, order_id: OrderId, *, owner: CustomerId, new_method: MethodId
    ) -> Proposal:
        raise Rejected("not_offered")

    async def propose_items(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        new_codes: Sequence[str],
        method: MethodId | None = None,
    ) -> Proposal:
        raise Rejected("not_offered")

    async def propose_return(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        refund_to: MethodId | None = None,
    ) -> Proposal:
        raise Rejected("not_offered")

    async def propose_exchange(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        new_codes: Sequence[str],
        method: MethodId | None = None,
    ) -> Proposal:
        raise Rejected("not_offered")
