"""Payments in memory, for tests and trials."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from tools.context import CustomerId, OrderId
from tools.errors import NotFound
from tools.orders.port import Order
from tools.payments.port import PayLink
from tools.payments.rules import due


class FakePayments:
    """`Payments` for the orders it is given; `fail_with` makes every call raise it."""

    def __init__(
        self, orders: Iterable[Order] = (), *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.fail_with: Exception | None = None
        self._orders = {order.id: order for order in orders}
        self._now = now

    async def link(self, order_id: OrderId, *, owner: CustomerId) -> PayLink:
        if self.fail_with is not None:
            raise self.fail_with
        order = self._orders.get(order_id)
        if order is None or order.owner != owner:
            raise NotFound()
        return PayLink(
            order=order.id,
            amount=due(order),
            currency=order.currency,
            url=f"https://pay.example/{order.id}",
            expires=self._now() + timedelta(hours=1),
        )
