"""An order of Bitrix24 as an order of ours: its facts, its version, and what of it may be changed from outside. Pure."""

import hashlib
from decimal import Decimal

from tools.bilingual import Bilingual
from tools.bitrix24.places import Properties, address_of, movable
from tools.bitrix24.rows import BasketRow, OrderRow
from tools.bitrix24.states import Meanings, live, method_of, nothing_paid, payment_of, status_of, untouched
from tools.context import CustomerId, OrderId
from tools.orders.port import Change, Fulfilment, Order, OrderItem, Payment


def order_of(order: OrderRow, *, owner: CustomerId, meanings: Meanings, properties: Properties) -> Order:
    """Return the order as its owner may see it."""
    paid = [one.date_paid for one in order.payments or () if one.paid == "Y" and one.date_paid]
    status = status_of(order, meanings=meanings)
    return Order(
        id=OrderId(order.account_number),
        owner=owner,
        status=status,
        placed=order.date_insert,
        version=version_of(order),
        items=tuple(_item(line) for line in order.basket_items if not _part_of_set(line)),
        delivery_price=sum((one.price_delivery for one in live(order)), Decimal(0)),
        total=order.price,
        currency=order.currency,
        payment=Payment(
            method=method_of(order),
            state=payment_of(order),
            amount=order.price,
            at=max(paid) if paid and payment_of(order) == "paid" else None,
        ),
        fulfilment=_fulfilment(order, delivered=status == "delivered"),
        address=address_of(order, properties=properties),
        cancel_reason=order.reason_canceled or "",
        offered=changes_of(order, properties=properties),
    )


def version_of(order: OrderRow) -> str:
    """Return a digest that changes whenever what a customer was told of the order does."""
    seen: list[object] = [order.id, order.version, order.date_update, order.status_id, order.canceled]
    seen += [order.payed, order.marked, order.price]
    for shipment in order.shipments or ():
        seen += [shipment.id, shipment.status_id, shipment.canceled, shipment.deducted]
        seen += [shipment.allow_delivery, shipment.tracking_number, shipment.price_delivery]
    for payment in order.payments or ():
        seen += [payment.id, payment.paid, payment.sum, payment.is_return]
    for value in order.property_values or ():
        seen += [value.order_props_id, value.value]
    return hashlib.sha256(repr([str(part) for part in seen]).encode()).hexdigest()[:16]


def changes_of(order: OrderRow, *, properties: Properties) -> frozenset[Change]:
    """Return what may be done without people. Bitrix24 itself would let an administrator's webhook do anything."""
    if order.canceled == "Y" or not untouched(order):
        return frozenset()
    free: set[Change] = set()
    if nothing_paid(order):
        free.add("cancel")
    if movable(order, properties=properties):
        free.add("address")
    return frozenset(free)


def _part_of_set(line: BasketRow) -> bool:
    # A set is a line of its own with the price of the whole; it may name itself as its parent.
    return line.set_parent_id not in (None, "", "0", str(line.id))


def _item(line: BasketRow) -> OrderItem:
    code = line.product_xml_id or (str(line.product_id) if line.product_id else "")
    if line.quantity == line.quantity.to_integral_value():
        title = Bilingual(ru=line.name, en=line.name)
        return OrderItem(code=code, title=title, quantity=int(line.quantity), price=line.price)
    # 2.5 m of a cable are one piece of 2.5 m.
    measured = f"{line.name} × {line.quantity.normalize():f} {line.measure_name or ''}".rstrip()
    amount = (line.price * line.quantity).quantize(Decimal("0.01"))
    return OrderItem(code=code, title=Bilingual(ru=measured, en=measured), quantity=1, price=amount)


def _fulfilment(order: OrderRow, *, delivered: bool) -> Fulfilment:
    going = live(order)
    numbers = dict.fromkeys(one.tracking_number for one in going if one.tracking_number)
    carriers = [one.delivery_name for one in going if one.delivery_name]
    left = [one.date_deducted for one in going if one.date_deducted]
    all_left = bool(going) and all(one.deducted == "Y" for one in going)
    return Fulfilment(
        method="delivery",
        carrier=carriers[0] if carriers else "",
        tracking=", ".join(numbers) or None,
        shipped=max(left) if all_left and left else None,
        delivered=order.date_status if delivered else None,
    )
