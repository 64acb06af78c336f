"""By which way money comes and goes, and what is said of it: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tools.context import MethodId
from tools.errors import Rejected
from tools.orders.port import Fact, Order, PaymentMethod, Refund, SavedMethod, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDays:
    """How long money takes to come back by one method, in days."""

    min: int
    max: int


RefundTerms = Mapping[PaymentMethod, RefundDays]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way for money: a saved method, or how an order is paid; `balance` is a gift card's."""

    method: PaymentMethod
    masked: str = ""
    saved: MethodId | None = None
    balance: Decimal | None = None


def number(amount: Decimal) -> int | float:
    """Return the amount as a JSON number: whole amounts as whole numbers."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def saved(method: MethodId, methods: Sequence[SavedMethod]) -> Way:
    """Return the way of a saved method; `Rejected("no_such_method")` when its owner has none of that id."""
    for one in methods:
        if one.id == method:
            return Way(method=one.method, masked=shown(one), saved=one.id, balance=one.balance)
    raise Rejected("no_such_method")


def shown(method: SavedMethod) -> str:
    """Return what tells a saved method from its likes: "··12" of a card, "PayPal" of a wallet."""
    return method.masked or (method.brand if method.method == "wallet" else "")


def chosen(method: MethodId | None, *, order: Order, methods: Sequence[SavedMethod]) -> Way:
    """Return the way a customer chose, or how the order is paid when nothing was chosen."""
    if method is not None:
        return saved(method, methods)
    paid = order.payment
    if paid.saved in [one.id for one in methods] and paid.saved is not None:
        return saved(paid.saved, methods)
    return Way(method=paid.method, masked=paid.masked)


def covered(way: Way, amount: Decimal) -> None:
    """Raise `Rejected("gift_card_short")` when the way is a gift card with less than `amount` on it."""
    if way.balance is not None and way.balance < amount:
        raise Rejected("gift_card_short")


def refund_of(order: Order, *, terms: RefundTerms, now: datetime) -> Refund | None:
    """Return the refund of all that was paid, or None when nothing was."""
    paid = order.payment
    if paid.state != "paid" or paid.amount <= 0:
        return None
    return refund(
        Way(method=paid.method, masked=paid.masked, saved=paid.saved), paid.amount, terms=terms, now=now
    )


def refund(way: Way, amount: Decimal, *, terms: RefundTerms, now: datetime) -> Refund:
    """Return the refund of `amount`; on a saved gift card it is at once."""
    at_once = way.method == "gift_card" and way.saved is not None
    days = RefundDays(min=0, max=0) if at_once else terms[way.method]
    return Refund(
        amount=amount,
        method=way.method,
        masked=way.masked,
        state="done" if at_once else "pending",
        created=now,
        days_min=days.min,
        days_max=days.max,
        saved=way.saved,
    )


def paid(way: Way, amount: Decimal, *, now: datetime) -> Transaction:
    return Transaction(
        kind="payment", amount=amount, method=way.method, masked=way.masked, saved=way.saved, at=now
    )


def returned(back: Refund) -> Transaction:
    """Return the entry of a refund in the order's history."""
    return Transaction(
        kind="refund",
        amount=back.amount,
        method=back.method,
        masked=back.masked,
        saved=back.saved,
        at=back.created,
    )


def refund_facts(back: Refund) -> dict[str, Fact]:
    """Facts of money that returns at once or in some days."""
    facts = {"refund": number(back.amount), **_way_facts(back.method, back.masked, back.saved)}
    return {**facts, "days_min": back.days_min, "days_max": back.days_max}


def later_facts(way: Way, amount: Decimal) -> dict[str, Fact]:
    """Facts of money that returns when the goods have come back."""
    return {"later": number(amount), **_way_facts(way.method, way.masked, way.saved)}


def charge_facts(way: Way, amount: Decimal) -> dict[str, Fact]:
    """Facts of money that is taken."""
    told = _way_facts(way.method, way.masked, way.saved)
    return {"charge": number(amount), **{f"charge_{name}": fact for name, fact in told.items()}}


def _way_facts(method: PaymentMethod, masked: str, kept: MethodId | None) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"method": method, "masked": masked}
    # A refund comes back to a gift card that was kept, and as a new one where it was not.
    return {**facts, "kept": 1} if method == "gift_card" and kept is not None else facts
