"""What a sale's, its shipments' and its invoices' states mean to a customer. Pure.

```
sale  draft, quotation ─────────────────────────────► unconfirmed
      cancelled ────────────────────────────────────► cancelled
      confirmed, processing, done: by the shipment that is least far
          none yet, draft, waiting, assigned, picked ► paid · pending (it ships once paid) · processing
          packed ───────────────────────────────────► packed
          shipped ──────────────────────────────────► shipped
          done ─────────────────────────────────────► sent, or delivered where the company's warehouse means that
          called off, hidden from us, unheard of,
          ended without any ────────────────────────► unclear
```
"""

from typing import Literal

from tools.orders.port import OrderStatus, PaymentState
from tools.tryton.rows import SaleRow, ShipmentRow

Done = Literal["sent", "delivered"]
"""What a shipment in state Done means: it left the warehouse, or it reached the customer."""

OPEN = frozenset({"draft", "quotation"})
_AGREED = frozenset({"confirmed", "processing", "done"})
_STEPS = ("draft", "waiting", "assigned", "picked", "packed", "shipped", "done")


def status_of(sale: SaleRow, *, done: Done) -> OrderStatus:
    """Return what may be said of the order; never more than Tryton says."""
    if sale.state in OPEN:
        return "unconfirmed"
    if sale.state == "cancelled":
        return "cancelled"
    if sale.state not in _AGREED or sale.shipment_state == "exception":
        return "unclear"
    if sale.shipments is None:
        return _unseen(sale, done=done)
    return _by_shipments(sale, done=done)


def payment_of(sale: SaleRow) -> PaymentState:
    """Return what Tryton knows of the money: an invoice called off or a state unheard of is `unknown`."""
    match sale.invoice_state:
        case "paid":
            return "paid"
        case "none" | "pending" | "awaiting payment" | "partially paid":
            return "due"
        case _:
            return "unknown"


def live(sale: SaleRow) -> tuple[ShipmentRow, ...]:
    """Return the shipments that were not cancelled."""
    return tuple(shipment for shipment in sale.shipments or () if shipment.state != "cancelled")


def is_return(sale: SaleRow) -> bool:
    """Say whether the sale only takes goods back: to its customer that is no order."""
    quantities = [line.quantity for line in sale.lines if line.type == "line" and line.quantity]
    return bool(quantities) and all(quantity < 0 for quantity in quantities)


def _by_shipments(sale: SaleRow, *, done: Done) -> OrderStatus:
    states = {shipment.state for shipment in live(sale)}
    if not states <= set(_STEPS):
        return "unclear"
    if not states:
        return _unseen(sale, done=done)
    match min(states, key=_STEPS.index):
        case "packed":
            return "packed"
        case "shipped":
            return "shipped"
        case "done":
            # What has no shipment yet is still at the warehouse.
            return _at_warehouse(sale) if sale.shipment_state == "partially shipped" else done
        case _:
            return _at_warehouse(sale)


def _unseen(sale: SaleRow, *, done: Done) -> OrderStatus:
    match sale.shipment_state:
        case "none" if sale.state != "done":
            return _at_warehouse(sale)
        case "sent":
            return done
        case _:
            return "unclear"


def _at_warehouse(sale: SaleRow) -> OrderStatus:
    if sale.invoice_state == "paid":
        return "paid"
    awaited = sale.invoice_state in ("awaiting payment", "partially paid")
    return "pending" if awaited and sale.shipment_method == "invoice" else "processing"
