"""What the state of an order, of its shipments and of its payments means to a customer. Pure.

```
canceled ───────────────────────────────────────────► cancelled
marked as a problem, the order or a shipment ───────► unclear
a status the company explained ─────────────────────► as it explained it
F ──────────────────────────────────────────────────► sent, or delivered where the company's F means that
N, P ──► by the shipment that is least far
             its goods left the warehouse ──────────► sent
             a status the company explained ────────► as it explained it
             otherwise, or none yet                 ► paid · pending (nothing lets it go yet) · processing
any other status, shipments hidden from us ─────────► unclear
```
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, cast, get_args

from tools.bitrix24.rows import OrderRow, ShipmentRow
from tools.orders.port import OrderStatus, PaymentMethod, PaymentState

Done = Literal["sent", "delivered"]
"""What the last status, F, means: the goods left, or the customer has them."""

Named = Literal[
    "unconfirmed",
    "pending",
    "processing",
    "paid",
    "packed",
    "processed",
    "shipped",
    "sent",
    "delivered",
    "cancelled",
    "unclear",
]
"""What a company may say that one of its own statuses means."""

_ACCEPTED = frozenset({"N", "P"})
_STEPS: tuple[OrderStatus, ...] = (
    *("unconfirmed", "pending", "processing", "paid", "packed", "processed", "shipped", "sent", "delivered"),
)
_AT_WAREHOUSE = frozenset(_STEPS[:4])


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanings:
    """What statuses of a company's own mean, of orders and shipments alike, and what F means."""

    named: Mapping[str, Named] = field(default_factory=dict)
    done: Done = "sent"

    @classmethod
    def read(cls, states: Sequence[str], *, done: str) -> "Meanings":
        """Return what "PK=packed" and the like tell; `ValueError` with the part that tells nothing."""
        if done not in get_args(Done):
            raise ValueError(done)
        named: dict[str, Named] = {}
        for told in states:
            code, _, word = (part.strip() for part in told.partition("="))
            if not code or word not in get_args(Named):
                raise ValueError(told)
            named[code] = cast(Named, word)
        return cls(named=named, done=cast(Done, done))


def status_of(order: OrderRow, *, meanings: Meanings) -> OrderStatus:
    """Return what may be said of the order; never more than Bitrix24 says."""
    if order.canceled == "Y":
        return "cancelled"
    if order.marked == "Y" or any(one.marked == "Y" for one in live(order)):
        return "unclear"
    if order.status_id in meanings.named:
        return meanings.named[order.status_id]
    if order.status_id == "F":
        return meanings.done
    if order.status_id not in _ACCEPTED or order.shipments is None:
        return "unclear"
    steps = {_step(one, meanings=meanings) for one in live(order)}
    if not steps <= set(_STEPS):
        return "unclear"
    slowest: OrderStatus = min(steps, key=_STEPS.index, default="processing")
    return _at_warehouse(order) if slowest in _AT_WAREHOUSE else slowest


def live(order: OrderRow) -> tuple[ShipmentRow, ...]:
    """Return the shipments that were not called off, without the one Bitrix24 keeps for what is in none yet."""
    return tuple(one for one in order.shipments or () if one.canceled != "Y" and one.system != "Y")


def payment_of(order: OrderRow) -> PaymentState:
    """Return what is known of the money: some of it given back is `unknown`, all of it `refunded`."""
    if order.payments is None:
        return "paid" if order.payed == "Y" else "unknown"
    moved = [one for one in order.payments if one.paid == "Y" or _returned(one.is_return)]
    back = [one for one in moved if _returned(one.is_return)]
    if back:
        return "refunded" if len(back) == len(moved) else "unknown"
    return "paid" if order.payed == "Y" else "due"


def method_of(order: OrderRow) -> PaymentMethod:
    """Return how it is paid, as far as Bitrix24 tells it: in cash, or by what it sends the customer to."""
    cash = [one.pay_system_is_cash == "Y" for one in order.payments or ()]
    return "cash" if cash and all(cash) else "invoice"


def untouched(order: OrderRow) -> bool:
    """Say whether nobody has begun to send it, as far as all of it can be seen."""
    if order.shipments is None or order.marked == "Y":
        return False
    return all(
        one.deducted != "Y" and one.allow_delivery != "Y" and one.marked != "Y" and not one.tracking_number
        for one in live(order)
    )


def nothing_paid(order: OrderRow) -> bool:
    """Say whether no money has moved for it, as far as all payments can be seen."""
    if order.payments is None or order.payed == "Y":
        return False
    return not any(
        (one.paid == "Y" and one.sum > Decimal(0)) or _returned(one.is_return) for one in order.payments
    )


def _step(shipment: ShipmentRow, *, meanings: Meanings) -> OrderStatus:
    named = meanings.named.get(shipment.status_id or "")
    if named is not None:
        return named
    return "sent" if shipment.deducted == "Y" else "processing"


def _at_warehouse(order: OrderRow) -> OrderStatus:
    if payment_of(order) == "paid":
        return "paid"
    # What is paid on delivery, or was let go already, does not wait for its money.
    goes = method_of(order) == "cash" or any(one.allow_delivery == "Y" for one in live(order))
    return "processing" if goes or payment_of(order) != "due" else "pending"


def _returned(flag: str | None) -> bool:
    return flag not in (None, "", "N")
