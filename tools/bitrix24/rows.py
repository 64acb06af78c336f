"""Records of Bitrix24 as they come: only what the adapters read. Flags are "Y" or "N"; sums are numbers or strings."""

from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

CONTACT, DEAL = 3, 2
"""Kinds of elements of the CRM (`entityTypeId`)."""


class _Record(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, coerce_numbers_to_str=True, frozen=True)


class ContactField(_Record):
    """A phone or an e-mail of a contact; `type_id` is PHONE, EMAIL, WEB or IM."""

    type_id: str
    value: str | None = None


class ContactRow(_Record):
    """A contact of the CRM."""

    id: int
    name: str | None = None
    last_name: str | None = None
    fm: tuple[ContactField, ...] = ()


class ClientRow(_Record):
    """One of the clients of an order: a contact or a company; one of each kind is the main one."""

    entity_id: int
    entity_type_id: int
    is_primary: str = "N"


class BasketRow(_Record):
    """A line of an order; `price` is for one piece, after discounts. A part of a set names the set as its parent."""

    id: int
    product_id: int | None = None
    product_xml_id: str | None = None
    name: str = ""
    price: Decimal
    quantity: Decimal
    measure_name: str | None = None
    set_parent_id: str | None = None


class PaymentRow(_Record):
    """A payment of an order: due, paid, or given back (`is_return`)."""

    id: int
    paid: str
    sum: Decimal
    date_paid: AwareDatetime | None = None
    is_return: str | None = None
    pay_system_is_cash: str | None = None


class ShipmentRow(_Record):
    """A shipment; `deducted` means that its goods left the warehouse, `allow_delivery` that they may."""

    id: int
    status_id: str | None = None
    canceled: str
    deducted: str
    allow_delivery: str
    marked: str = "N"
    system: str = "N"
    price_delivery: Decimal = Decimal(0)
    delivery_name: str | None = None
    tracking_number: str | None = None
    date_deducted: AwareDatetime | None = None


class PropertyValueRow(_Record):
    """What an order says under one of its properties; files and places on a map are no text."""

    order_props_id: int
    code: str | None = None
    value: Any = None


class OrderRow(_Record):
    """An order. `payments`, `shipments` and `property_values` are None where the portal does not show them."""

    id: int
    account_number: str
    status_id: str
    canceled: str
    payed: str
    marked: str = "N"
    price: Decimal
    currency: str
    date_insert: AwareDatetime
    date_update: AwareDatetime | None = None
    date_status: AwareDatetime | None = None
    version: int | None = None
    reason_canceled: str | None = None
    clients: tuple[ClientRow, ...]
    basket_items: tuple[BasketRow, ...]
    payments: tuple[PaymentRow, ...] | None = None
    shipments: tuple[ShipmentRow, ...] | None = None
    property_values: tuple[PropertyValueRow, ...] | None = None


class ListedOrder(_Record):
    """As much of an order as chooses which ones to read whole."""

    id: int
    account_number: str
    status_id: str
    canceled: str


class Binding(_Record):
    """Which order belongs to which deal."""

    order_id: int
    owner_id: int


class PropertyRow(_Record):
    """What a property of orders is: its type, and whether it is the street, the postcode or a place of a list."""

    id: int
    code: str | None = None
    type: str
    multiple: str = "N"
    is_address: str = "N"
    is_zip: str = "N"
    is_location: str = "N"


class DealRow(_Record):
    """A deal."""

    id: int


class CatalogRow(_Record):
    """A catalogue; one of offers names the catalogue of their products."""

    iblock_id: int
    product_iblock_id: int | None = None


class SectionRow(_Record):
    """A section of the catalogue."""

    id: int
    name: str
    code: str | None = None


class PropertyText(BaseModel):
    """The value of a property of goods: an offer names its product so."""

    value: str | int | None = None


class GoodsRow(_Record):
    """A product or, with `parent_id`, an offer: what can be bought of one."""

    id: int
    name: str
    xml_id: str | None = None
    iblock_section_id: int | None = None
    active: str = "Y"
    available: str | None = None
    quantity: Decimal | None = None
    quantity_trace: str | None = None
    type: int | None = None
    parent_id: PropertyText | None = None


class PriceRow(_Record):
    """A price of goods in one of the kinds of prices."""

    product_id: int
    price: Decimal
    currency: str


class PriceTypeRow(_Record):
    """A kind of prices."""

    id: int
    base: str = "N"
