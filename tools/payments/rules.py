"""Which orders are to be paid, and how much; shared by every adapter over an order system. Pure."""

from decimal import Decimal

from tools.errors import Rejected
from tools.orders.port import Order, OrderStatus
from tools.orders.rules import whole

OVER: frozenset[OrderStatus] = frozenset({"cancelled", "returned", "return_requested", "exchange_requested"})


def due(order: Order) -> Decimal:
    """Return what is to be paid for the order, in major units; raises `Rejected`, `Unavailable` for half an order."""
    if whole(order).status in OVER or order.payment.state == "refunded":
        raise Rejected("not_payable")
    if order.payment.state != "due" or order.payment.amount <= 0:
        raise Rejected("already_paid")
    return order.payment.amount
