"""A sale of Tryton as an order: its facts, its version, and what of it may be changed from outside. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from decimal import Decimal

from tools.bilingual import Bilingual
from tools.context import CustomerId, OrderId
from tools.orders.port import Address, Change, Fulfilment, Order, OrderItem, Payment, Return
from tools.tryton.returns import ReturnRow, returnable, standing
from tools.tryton.rows import AddressRow, LineRow, SaleRow
from tools.tryton.states import OPEN, Done, live, payment_of, status_of

Names = Mapping[int, str]
"""English names of products by their ids."""

UNPICKED = frozenset({"draft", "waiting"})
"""Tryton lets a shipment's address be changed in draft only; from waiting it may go back there."""


def order_of(
    sale: SaleRow,
    *,
    owner: CustomerId,
    zone: tzinfo,
    done: Done,
    english: Names,
    returns: Sequence[ReturnRow] = (),
    alone: bool = False,
) -> Order:
    """Return the order; `zone` is where the company's days begin, `english` may lack any name.

    `returns` are the sales that take it back; `alone`: it was read without its shipments, because they did not answer.
    """
    lines = [line for line in sale.lines if line.type == "line"]
    goods = [line for line in lines if line.shipment_cost is None]
    delivery = [line.amount or Decimal(0) for line in lines if line.shipment_cost is not None]
    status = status_of(sale, done=done)
    unknown = alone and status not in ("unconfirmed", "cancelled")
    returning: Return | None = None
    if status == "delivered":
        status, returning = standing(sale, returns)
    placed = _midnight(sale.sale_date, zone) if sale.sale_date else sale.create_date
    return Order(
        id=OrderId(sale.number or ""),
        owner=owner,
        status=status,
        placed=placed,
        version=version_of(sale, returns),
        items=tuple(_item(line, english) for line in goods),
        delivery_price=sum(delivery, Decimal(0)),
        total=sale.total_amount,
        currency=sale.currency.code or "",
        payment=Payment(method="invoice", state=payment_of(sale), amount=sale.total_amount),
        fulfilment=_fulfilment(sale, zone=zone, done=done),
        address=address_of(sale),
        # Half a sale is for telling: what may be done with it, the whole says.
        offered=frozenset() if alone else changes_of(sale) | _back(sale, returning, done=done),
        returning=returning,
        unreached=frozenset({"delivery"}) if unknown else frozenset(),
    )


def _back(sale: SaleRow, returning: Return | None, *, done: Done) -> frozenset[Change]:
    """A return may be asked for once, where the company's warehouse knows what has arrived."""
    free = done == "delivered" and returning is None and returnable(sale)
    return frozenset({"return"}) if free else frozenset()


def version_of(sale: SaleRow, returns: Sequence[ReturnRow] = ()) -> str:
    """Return a digest that changes whenever the sale, a shipment of it or a return of it is written."""
    seen = [sale.id, sale.state, sale.write_date, sale.total_amount, sale.invoice_state, sale.shipment_state]
    for shipment in sale.shipments or ():
        place = shipment.delivery_address.id if shipment.delivery_address else None
        seen += [shipment.id, shipment.state, shipment.write_date, place]
    for back in returns:
        seen += [back.id, back.state]
    return hashlib.sha256(repr([str(part) for part in seen]).encode()).hexdigest()[:16]


def changes_of(sale: SaleRow) -> frozenset[Change]:
    """Return what Tryton's own rules let be done without people: it refuses the rest, whoever asks."""
    if payment_of(sale) != "due":
        free: set[Change] = set()
    else:
        free = {"cancel"} if sale.state in OPEN | {"confirmed"} else set()
    waiting = live(sale)
    movable = sale.state == "processing" and waiting and all(one.state in UNPICKED for one in waiting)
    # A quotation is quoted anew for another address: Tryton would reckon a delivery of its own making at another price.
    reckoned = any(line.shipment_cost is not None for line in sale.lines)
    quoted = sale.state == "quotation" and not reckoned
    # What goes to a third party is not the customer's to send elsewhere.
    if (quoted or movable) and sale.shipment_party in (None, sale.party.id):
        free.add("address")
    return frozenset(free)


def address_of(sale: SaleRow) -> Address:
    """Return where it goes: the first live shipment's address, else the sale's."""
    shipped = [shipment.delivery_address for shipment in live(sale) if shipment.delivery_address]
    row = shipped[0] if shipped else sale.shipment_address
    return Address(line="") if row is None else _address(row)


def kept_as(address: Address) -> Address:
    """Return the address as Tryton is given it: a city, a postcode, and a street that holds all else a customer names."""
    said = address.tidy()
    street = ", ".join(part for part in (said.line, said.extra, said.region, said.country) if part)
    # Without a street and a house the rest leads nowhere.
    return Address(line=street if said.line else "", city=said.city, postcode=said.postcode)


def goes_to(sale: SaleRow, address: Address) -> bool:
    """Say whether all that is still to be sent of the sale goes to this address, and may go."""
    if sale.state == "quotation":
        return sale.shipment_address is not None and _address(sale.shipment_address) == address
    waiting = [one for one in live(sale) if one.state != "done"]
    return bool(waiting) and all(
        one.state != "draft" and one.delivery_address and _address(one.delivery_address) == address
        for one in waiting
    )


def _address(row: AddressRow) -> Address:
    return Address(line=_line(row), city=row.city or "", postcode=row.postal_code or "")


def _line(row: AddressRow) -> str:
    return " ".join((row.street_single_line or "").split())


def _item(line: LineRow, english: Names) -> OrderItem:
    own = (line.product.name if line.product else None) or line.description or ""
    title = Bilingual(ru=own, en=english.get(line.product.id, own) if line.product else own)
    code = (line.product.code if line.product else None) or ""
    quantity, price = line.quantity or Decimal(0), line.unit_price or Decimal(0)
    if quantity == quantity.to_integral_value():
        return OrderItem(code=code, title=title, quantity=int(quantity), price=price)
    # 2.5 m of a cable are one piece of 2.5 m.
    measured = f" × {quantity.normalize():f} {line.unit.symbol if line.unit else ''}".rstrip()
    title = Bilingual(ru=title.ru + measured, en=title.en + measured)
    return OrderItem(code=code, title=title, quantity=1, price=line.amount or Decimal(0))


def _fulfilment(sale: SaleRow, *, zone: tzinfo, done: Done) -> Fulfilment:
    going = live(sale)
    numbers = [package.shipping_reference for one in going for package in one.root_packages]
    named = [*(one.carrier for one in going), sale.carrier]
    carriers = [one.party.name for one in named if one and one.party and one.party.name]
    days = [one.effective_date for one in going if one.state == "done" and one.effective_date]
    moment = _midnight(max(days), zone) if days else None
    arrived = status_of(sale, done=done) == "delivered"
    return Fulfilment(
        method="delivery",
        carrier=carriers[0] if carriers else "",
        tracking=", ".join(number for number in numbers if number) or None,
        # The planned date is the warehouse's, not the customer's: no day of arrival is promised.
        shipped=None if arrived else moment,
        delivered=moment if arrived else None,
    )


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
