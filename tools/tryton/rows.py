"""Records of Tryton as they come: only what the adapters read. Selections are `str`: modules add values of their own."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel

from tools.tryton.customers import Party


class Coded(BaseModel):
    """Anything with a code and, perhaps, a name."""

    id: int
    code: str | None = None
    name: str | None = None


class AddressRow(BaseModel):
    """A postal address; `street` may have several lines."""

    id: int
    street_single_line: str | None = None
    city: str | None = None
    postal_code: str | None = None


class Unit(BaseModel):
    """A unit of measure: “u”, “m”."""

    symbol: str | None = None


class LineRow(BaseModel):
    """A line of a sale; `type` is "line" for goods and services. `shipment_cost` is set on the delivery line."""

    id: int = 0
    type: str
    quantity: Decimal | None = None
    unit: Unit | None = None
    unit_price: Decimal | None = None
    amount: Decimal | None = None
    description: str | None = None
    product: Coded | None = None
    shipment_cost: Decimal | None = None


class Carrier(BaseModel):
    """Who carries a shipment; its name is its party's."""

    party: Coded | None = None


class PackageRow(BaseModel):
    """A parcel and the carrier's number of it."""

    shipping_reference: str | None = None


class ShipmentRow(BaseModel):
    """A customer shipment; `effective_date` is the day it was done."""

    id: int
    state: str
    effective_date: date | None = None
    write_date: datetime | None = None
    delivery_address: AddressRow | None = None
    carrier: Carrier | None = None
    root_packages: tuple[PackageRow, ...] = ()


class SaleRow(BaseModel):
    """A sale. `shipments` is None where the bot's user may not see them. Moments are in UTC."""

    id: int
    number: str | None = None
    state: str
    sale_date: date | None = None
    create_date: datetime
    write_date: datetime | None = None
    party: Party
    currency: Coded
    total_amount: Decimal
    invoice_state: str
    shipment_state: str
    shipment_method: str
    shipment_party: int | None = None
    shipment_address: AddressRow | None = None
    carrier: Carrier | None = None
    lines: tuple[LineRow, ...]
    shipments: tuple[ShipmentRow, ...] | None = None


_ADDRESS = ("street_single_line", "city", "postal_code")
SALE_ALONE: Sequence[str] = (
    *("number", "state", "sale_date", "create_date", "write_date", "currency.code", "total_amount"),
    *("invoice_state", "shipment_state", "shipment_method", "shipment_party"),
    *(f"shipment_address.{name}" for name in _ADDRESS),
    *(f"lines.{name}" for name in ("type", "quantity", "unit.symbol", "unit_price", "amount", "description")),
    *("lines.product.code", "lines.product.name"),
)
"""A sale without what hangs on the warehouse's records."""
SALE_FIELDS: Sequence[str] = (
    *SALE_ALONE,
    *(f"shipments.{name}" for name in ("state", "effective_date", "write_date")),
    *(f"shipments.delivery_address.{name}" for name in _ADDRESS),
)
EXTRAS: Sequence[tuple[str, str, str]] = (
    ("sale.line", "shipment_cost", "lines.shipment_cost"),
    ("sale.sale", "carrier", "carrier.party.name"),
    ("stock.shipment.out", "carrier", "shipments.carrier.party.name"),
    ("stock.package", "shipping_reference", "shipments.root_packages.shipping_reference"),
)
"""Fields of optional modules: (model, field, how it is asked for)."""


class VariantRow(BaseModel):
    """A variant of a product; `list_price` is None where its template's holds."""

    id: int
    code: str | None = None
    name: str
    list_price: Decimal | None = None
    forecast_quantity: Decimal | None = None


class Category(BaseModel):
    """A category of products."""

    id: int
    code: str | None = None
    name: str


class TemplateRow(BaseModel):
    """A product of the catalogue, without its stock: that hangs on a warehouse and a day."""

    id: int
    code: str | None = None
    name: str
    list_price: Decimal | None = None
    categories: tuple[Category, ...] = ()
    products: tuple[VariantRow, ...]
