"""The orders and products that finished tool results tell of, read with care: a result may be of another system.

What cannot be read is no thing: an answer without a card is whole, a card with a wrong figure is not.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.domain import ToolUse

Short = Annotated[str, Field(max_length=300)]
_QUOTED = re.compile(r"«([^»]+)»|“([^”]+)”")


class Told(BaseModel):
    """A part of a result's facts; what else stands there is nobody's business here."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Item(Told):
    """One line of an order."""

    title: Short
    quantity: int = Field(ge=1)
    price: Decimal
    options: dict[Short, Short] = Field(default_factory=dict)


class Paid(Told):
    """How an order is paid, and when it was."""

    method: Short
    state: Short
    masked: Short = ""
    at: datetime | None = None


class Back(Told):
    """Money that returns."""

    amount: Decimal
    state: Short


class Parcel(Told):
    """One of several parcels."""

    tracking: tuple[Short, ...] = ()


class OrderTold(Told):
    """One order as `tools.orders.facts` tells it: whole, or as a line of a list."""

    order: Short
    status: Short
    total: Decimal
    currency: Annotated[str, Field(max_length=8)] = ""
    """ISO 4217; empty where it is the house's own."""
    placed: datetime | None = None
    eta: date | None = None
    payment: Paid | None = None
    delivery: Short = ""
    delivery_price: Decimal | None = None
    carrier: Short = ""
    tracking: Short | None = None
    parcels: tuple[Parcel, ...] = ()
    shipped: datetime | None = None
    delivered: datetime | None = None
    address: Short = ""
    city: Short = ""
    items: tuple[Item, ...] = ()
    kinds: int = 0
    """How many lines the order has, where they are more than are told."""
    refunds: tuple[Back, ...] = ()

    @property
    def subject(self) -> str:
        return self.order

    @property
    def numbers(self) -> tuple[str, ...]:
        """Tracking numbers, of all parcels."""
        several = tuple(number for parcel in self.parcels for number in parcel.tracking)
        return several or tuple(filter(None, (self.tracking,)))

    def named_in(self, text: str) -> bool:
        """Whether the text names the order by its number."""
        return stands_in(self.order, text)


class Variant(Told):
    """What can be bought of a product."""

    title: Short
    price: Decimal
    stock: int
    options: dict[Short, Short] = Field(default_factory=dict)


class ProductTold(Told):
    """One product of the catalogue."""

    code: Short
    title: Short
    price: Decimal
    stock: int
    rating: float | None = Field(default=None, ge=0, le=5)
    reviews: int = 0
    variants: tuple[Variant, ...] = ()

    @property
    def subject(self) -> str:
        return self.code

    def named_in(self, text: str) -> bool:
        """Whether the text names the product, by its code or its title, or by what stands in quotes in it."""
        return stands_in(self.code, text) or any(stands_in(name, text) for name in names_of(self.title))


Thing = OrderTold | ProductTold
T = TypeVar("T", OrderTold, ProductTold)


def folded(text: str) -> str:
    """Return the text as it is compared: without case, kinds of space and «ё»."""
    return " ".join(text.casefold().replace("ё", "е").split())


def stands_in(name: str, text: str) -> bool:
    """Whether the text has the name as a whole: order 1045 is not order 1045-А."""
    if not name.strip():
        return False
    return re.search(rf"(?<![\w-]){re.escape(folded(name))}(?!-?\w)", folded(text)) is not None


def names_of(title: str) -> tuple[str, ...]:
    """Return what a thing is called for short: what stands in quotes in its title, else the title."""
    quoted = tuple(one or other for one, other in _QUOTED.findall(title))
    return quoted or (title,)


def things_of(use: ToolUse) -> Sequence[Thing]:
    """Return the things one finished call found, in its order; none of a call that failed."""
    facts = use.result.get("facts")
    if not use.ok or not isinstance(facts, Mapping):
        return ()
    match use.result.get("kind"):
        case "order":
            return tuple(_read(OrderTold, [facts]))
        case "orders":
            return tuple(_read(OrderTold, facts.get("orders")))
        case "products":
            return tuple(_read(ProductTold, facts.get("products")))
    return ()


def _read(kind: type[T], listed: Any) -> Iterator[T]:
    for facts in listed if isinstance(listed, list) else ():
        try:
            yield kind.model_validate(facts)
        except ValidationError:
            continue
