"""What the agent may ask of whoever takes payments. Amount and link come from there; nobody else may name either."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from tools.context import CustomerId, OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class PayLink:
    """Where one order is paid: `amount` in major units of `currency`, good until `expires` (aware)."""

    order: OrderId
    amount: Decimal
    currency: str
    url: str
    expires: datetime


class Payments(Protocol):
    """Links by which orders are paid. Any call may raise `Unavailable`."""

    async def link(self, order_id: OrderId, *, owner: CustomerId) -> PayLink:
        """Return the link for the owner's own unpaid order.

        `NotFound` if there is no such order or it is not this owner's; `Rejected` with "already_paid", or "not_payable"
        for one that was cancelled or sent back.
        """
