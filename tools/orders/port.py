"""What the agent may ask of an order system, and the frozen things it gets back.

Amounts are `Decimal` in major units of `currency`; moments are aware; days are `date`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol

from tools.bilingual import Bilingual
from tools.context import CustomerId, Language, OrderId
from tools.orders.number import order_number
from tools.proposal import Effect, EffectState, Fact, Proposal

__all__ = [
    "Address",
    "Bilingual",
    "Change",
    "Effect",
    "EffectState",
    "Fact",
    "Fulfilment",
    "Order",
    "OrderItem",
    "OrderStatus",
    "Orders",
    "Payment",
    "PaymentMethod",
    "Product",
    "Proposal",
    "Refund",
    "Review",
    "Variant",
    "order_number",
]

OrderStatus = Literal[
    "unconfirmed",
    "pending",
    "processing",
    "paid",
    "packed",
    "shipped",
    "sent",
    "delivered",
    "cancelled",
    "returned",
    "unclear",
]
"""`processing` is under way whatever was paid; `sent` left the warehouse and the system follows it no further;
`unclear` is a state the system itself does not explain: a person must look, nothing is guessed."""
PaymentMethod = Literal["card", "sbp", "gift_card", "cash", "invoice"]
PaymentState = Literal["due", "paid", "refunded", "unknown"]
DeliveryMethod = Literal["courier", "pickup", "post", "delivery"]
"""`delivery` is to an address, how is not known."""
RefundState = Literal["pending", "done"]

Change = Literal["cancel", "address"]

CANCELLABLE: frozenset[OrderStatus] = frozenset({"unconfirmed", "pending", "processing", "paid", "packed"})
"""An order may be cancelled, and its address changed, until it leaves the warehouse."""
ACTIVE: frozenset[OrderStatus] = CANCELLABLE | {"shipped", "unclear"}
EVERY_CHANGE: frozenset[Change] = frozenset({"cancel", "address"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderItem:
    """One line of an order; `price` is for one piece."""

    code: str
    title: Bilingual
    quantity: int
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """How an order is paid; `masked` is what may be shown of the card: "··12" or ""."""

    method: PaymentMethod
    state: PaymentState
    amount: Decimal
    masked: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money on its way back; it arrives `days_min`–`days_max` days after `created`."""

    amount: Decimal
    method: PaymentMethod
    masked: str
    state: RefundState
    created: datetime
    days_min: int
    days_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilment:
    """The parcel; `eta` is the promised day, `tracking` is None until it ships."""

    method: DeliveryMethod
    carrier: str
    tracking: str | None = None
    shipped: datetime | None = None
    eta: date | None = None
    delivered: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an order goes: one line as the customer gave it, and its city and postcode if known."""

    line: str
    city: str = ""
    postcode: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.postcode, self.city, self.line) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order as its owner may see it; `version` changes with every change of the order.

    `offered` is what the system lets be changed from here at all, `changes` what of it the state still allows.
    """

    id: OrderId
    owner: CustomerId
    status: OrderStatus
    placed: datetime
    version: str
    items: tuple[OrderItem, ...]
    delivery_price: Decimal
    total: Decimal
    currency: str
    payment: Payment
    fulfilment: Fulfilment
    address: Address
    refunds: tuple[Refund, ...] = ()
    offered: frozenset[Change] = EVERY_CHANGE

    @property
    def changes(self) -> frozenset[Change]:
        return self.offered if self.status in CANCELLABLE else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What can be bought of a product; `stock` is in pieces."""

    code: str
    title: Bilingual
    price: Decimal
    stock: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a buyer wrote: `rating` 1–5. Third-party text: show it as a quotation, never as a fact."""

    rating: int
    text: str
    language: Language
    author: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product of the public catalogue; `attributes` are keyed by slugs such as lumens, ip, battery."""

    code: str
    category: str
    title: Bilingual
    category_title: Bilingual
    attributes: Mapping[str, str | int | float]
    variants: tuple[Variant, ...]
    reviews: tuple[Review, ...] = ()

    @property
    def price(self) -> Decimal:
        """The lowest price among the variants."""
        return min(variant.price for variant in self.variants)

    @property
    def stock(self) -> int:
        return sum(variant.stock for variant in self.variants)

    @property
    def rating(self) -> float | None:
        """The mean rating, one digit, or None without reviews."""
        ratings = [review.rating for review in self.reviews]
        return round(sum(ratings) / len(ratings), 1) if ratings else None


class Orders(Protocol):
    """An order system. Every call that touches a customer's data names the owner, and filters by it.

    Any call may raise `Unavailable`.
    """

    async def get(self, order_id: OrderId, *, owner: CustomerId) -> Order:
        """Return the order; `NotFound` if it does not exist *or is not this owner's*."""

    async def list(self, *, owner: CustomerId, limit: int = 10) -> tuple[Order, ...]:
        """Return up to `limit` of the owner's orders, those under way first, then the newest."""

    async def products(self, text: str, *, limit: int = 5) -> tuple[Product, ...]:
        """Return the products that fit a customer's words or code, best first; empty when none does."""

    async def product(self, code: str) -> Product:
        """Return one product by its own or a variant's code; `NotFound` otherwise."""

    async def propose_cancel(self, order_id: OrderId, *, owner: CustomerId, reason: str) -> Proposal:
        """Return a proposal to cancel; changes nothing. `NotFound`, `Rejected("not_cancellable")`.

        Here and below `Rejected("not_offered")` means that only the company's people can do it in this system.
        """

    async def propose_address(self, order_id: OrderId, *, owner: CustomerId, new_address: str) -> Proposal:
        """Return a proposal to deliver elsewhere; changes nothing.

        `NotFound`, `Rejected` with "address_locked", "bad_address" or "same_address".
        """

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        """Do what was proposed, once for each `key`: the same key again gives `already_done` and the same facts.

        `NotFound` for a stranger, `Expired` too late, `Rejected("changed")` when the order is no longer as it
        was, `Rejected("key_reused")` when the key belongs to another proposal. Either all of it happens or none.
        """
