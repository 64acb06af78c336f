"""What the agent may ask of an order system, and the frozen things it gets back.

Amounts are `Decimal` in major units of `currency`; moments are aware; days are `date`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol

from tools.address import Address
from tools.bilingual import Bilingual
from tools.context import CustomerId, Language, MethodId, OrderId
from tools.orders.number import order_number
from tools.proposal import Effect, EffectState, Fact, Proposal

__all__ = [
    "Address",
    "Bilingual",
    "Change",
    "Effect",
    "EffectState",
    "Exchange",
    "Fact",
    "Fulfilment",
    "Order",
    "OrderItem",
    "OrderStatus",
    "Orders",
    "Parcel",
    "Part",
    "Payment",
    "PaymentMethod",
    "Product",
    "Proposal",
    "Refund",
    "Return",
    "Review",
    "SavedMethod",
    "Transaction",
    "Variant",
    "order_number",
]

OrderStatus = Literal[
    "unconfirmed",
    "pending",
    "processing",
    "paid",
    "packed",
    "modified",
    "processed",
    "shipped",
    "sent",
    "delivered",
    "cancelled",
    "returned",
    "return_requested",
    "exchange_requested",
    "unclear",
]
"""`processing` is under way whatever was paid; `modified`: paid, its items changed once by the customer; `processed`:
handed to the carrier, not on its way yet; `sent` left the warehouse and the system follows it no further; `unclear` is
a state the system itself does not explain: a person must look, nothing is guessed."""
PaymentMethod = Literal["card", "sbp", "gift_card", "cash", "invoice", "wallet"]
PaymentState = Literal["due", "paid", "refunded", "unknown"]
DeliveryMethod = Literal["courier", "pickup", "post", "delivery"]
"""`delivery` is to an address, how is not known."""
RefundState = Literal["pending", "done"]
Change = Literal["cancel", "address", "payment", "items", "return", "exchange"]
Part = Literal["delivery"]
"""What of an order another source than the order's own may hold."""

CANCELLABLE: frozenset[OrderStatus] = frozenset({"unconfirmed", "pending", "processing", "paid", "packed"})
"""An order may be cancelled until it leaves the warehouse."""
MOVABLE: frozenset[OrderStatus] = CANCELLABLE | {"modified"}
"""Its address, and how it is paid, may be changed as long."""
CHANGEABLE: frozenset[OrderStatus] = frozenset({"pending", "paid"})
"""Its items may be changed once, until they are packed."""
RETURNABLE: frozenset[OrderStatus] = frozenset({"delivered"})
"""Its items may be sent back, for money or for others."""
ACTIVE: frozenset[OrderStatus] = MOVABLE | {"processed", "shipped", "unclear"}
ALLOWED: Mapping[Change, frozenset[OrderStatus]] = {
    "cancel": CANCELLABLE,
    "address": MOVABLE,
    "payment": MOVABLE,
    "items": CHANGEABLE,
    "return": RETURNABLE,
    "exchange": RETURNABLE,
}
"""The states in which each change may still be made."""
EVERY_CHANGE: frozenset[Change] = frozenset(ALLOWED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderItem:
    """One line of an order; `price` is for one piece, `code` a variant of `product`, `options` what it was chosen by."""

    code: str
    title: Bilingual
    quantity: int
    price: Decimal
    product: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMethod:
    """A way to pay that the customer keeps with the shop.

    `brand` is such as "visa" or "PayPal", `masked` what may be shown of a card: "··12". Only a gift card has a
    `balance`, and it never goes below zero.
    """

    id: MethodId
    method: PaymentMethod
    brand: str = ""
    masked: str = ""
    balance: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """How an order is paid now; `masked` is what may be shown of the card: "··12" or ""."""

    method: PaymentMethod
    state: PaymentState
    amount: Decimal
    masked: str = ""
    at: datetime | None = None
    saved: MethodId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One movement of money for an order; `amount` is never negative."""

    kind: Literal["payment", "refund"]
    amount: Decimal
    method: PaymentMethod
    masked: str = ""
    saved: MethodId | None = None
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
    saved: MethodId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilment:
    """How an order is delivered; `eta` is the promised day, `tracking` is None until it ships."""

    method: DeliveryMethod
    carrier: str
    tracking: str | None = None
    shipped: datetime | None = None
    eta: date | None = None
    delivered: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One of the parcels of an order, where the shop knows them: its tracking numbers and the codes of what is inside."""

    tracking: tuple[str, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What the customer asked to send back: a code for each piece. The money goes to `refund_to`, None as it was paid."""

    codes: tuple[str, ...]
    refund_to: MethodId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What the customer asked to exchange, piece by piece; `difference` is what is still to pay, negative to get back."""

    codes: tuple[str, ...]
    new_codes: tuple[str, ...]
    difference: Decimal
    paid_with: MethodId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order as its owner may see it; `version` changes with every change of the order.

    `history` is what moved on its account, oldest first; `parcels` is empty where the shop knows only `fulfilment`.
    `offered` is what the system lets be changed from here at all, `changes` what of it the state still allows.
    `unreached` are parts whose source did not answer now: their fields say nothing, `status` is `unclear` where it hangs
    on them, and nothing of such an order is changed or paid.
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
    history: tuple[Transaction, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    cancel_reason: str = ""
    returning: Return | None = None
    exchanging: Exchange | None = None
    offered: frozenset[Change] = EVERY_CHANGE
    unreached: frozenset[Part] = frozenset()

    @property
    def changes(self) -> frozenset[Change]:
        return frozenset(change for change in self.offered if self.status in ALLOWED[change])


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What can be bought of a product; `stock` is in pieces.

    `tracked` is false where the supplier only says whether there is any: `stock` is then 1 or 0 and no order moves it.
    """

    code: str
    title: Bilingual
    price: Decimal
    stock: int
    options: Mapping[str, str] = field(default_factory=dict)
    tracked: bool = True


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
        """Return the order; `NotFound` if it does not exist *or is not this owner's*.

        A part whose own source is silent is named in `unreached`; without the order itself: `Unavailable`.
        """

    async def list(self, *, owner: CustomerId, limit: int = 10) -> tuple[Order, ...]:
        """Return up to `limit` of the owner's orders, those under way first, then the newest."""

    async def products(self, text: str, *, limit: int = 5) -> tuple[Product, ...]:
        """Return the products that fit a customer's words or code, best first; empty when none does."""

    async def product(self, code: str) -> Product:
        """Return one product by its own or a variant's code; `NotFound` otherwise."""

    async def methods(self, *, owner: CustomerId) -> tuple[SavedMethod, ...]:
        """Return the ways to pay that the owner has saved, by id; empty when there are none."""

    # Writes. Each is proposed, then executed once. A proposal changes nothing and raises `NotFound` for an order
    # that is absent or not this owner's, `Rejected` with a reason otherwise. `Rejected("not_offered")` means that
    # only the company's people can do it in this system (`tools.orders.unoffered.Unoffered` says it of all of them).
    #
    # `codes` has a variant's code for each piece, so two pieces of a line are the same code twice, and `new_codes`
    # what each becomes, in the same order. `method` is one of the owner's saved ones; None is as the order was paid.

    async def propose_cancel(self, order_id: OrderId, *, owner: CustomerId, reason: str) -> Proposal:
        """Propose to cancel an order of `CANCELLABLE`: paid money returns as it came. `not_cancellable`."""

    async def propose_address(
        self, order_id: OrderId, *, owner: CustomerId, new_address: Address
    ) -> Proposal:
        """Propose to deliver an order of `MOVABLE` elsewhere. `address_locked`, `bad_address`, `same_address`."""

    async def propose_payment(
        self, order_id: OrderId, *, owner: CustomerId, new_method: MethodId
    ) -> Proposal:
        """Propose to pay an order of `MOVABLE` with another saved method; what was paid returns as it came.

        `payment_locked`, `no_such_method`, `several_payments` unless it has been paid once, or not yet,
        `same_method`, `gift_card_short` when the card's balance does not cover it.
        """

    async def propose_items(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        new_codes: Sequence[str],
        method: MethodId | None = None,
    ) -> Proposal:
        """Propose to change pieces of an order of `CHANGEABLE` for other variants of the same products, once.

        The difference in price is charged or returned at once. `items_locked`; and as `propose_exchange`, with
        `same_variant` for a change to itself.
        """

    async def propose_return(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        refund_to: MethodId | None = None,
    ) -> Proposal:
        """Propose to ask for the return of pieces of a delivered order; nothing is paid back yet.

        `not_returnable`, `return_too_late`, `no_such_method`, `wrong_refund_method` unless it is a gift card or how
        the order was paid, `not_in_order`, `nothing_chosen`.
        """

    async def propose_exchange(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        new_codes: Sequence[str],
        method: MethodId | None = None,
    ) -> Proposal:
        """Propose to ask for the exchange of pieces of a delivered order for variants of the same products.

        Nothing is charged yet. `not_exchangeable`, `return_too_late`, `not_in_order`, `nothing_chosen`, `uneven` when
        the two lists differ in length, `no_such_variant` when it is absent or of another product, `out_of_stock`,
        `no_such_method`, `gift_card_short`.
        """

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        """Do what was proposed, once for each `key`: the same key again gives `already_done` and the same facts.

        `NotFound` for a stranger, `Expired` too late, `Rejected("changed")` when the order is no longer as it
        was, `Rejected("key_reused")` when the key belongs to another proposal, `Rejected("gift_card_short")` and
        `Rejected("out_of_stock")` when money or goods are gone since. Either all of it happens or none.
        """
