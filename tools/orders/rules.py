"""When an order may be changed, and what is promised then: pure, shared by every adapter that holds its own data.

What a confirmed proposal makes of the order is in `tools.orders.changes`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from tools.address import Address, deliverable
from tools.context import MethodId
from tools.errors import Rejected, Unavailable
from tools.orders import money
from tools.orders.goods import Piece, Swap, pieces, swapped
from tools.orders.money import RefundDays as RefundDays
from tools.orders.money import RefundTerms as RefundTerms
from tools.orders.money import number as number
from tools.orders.money import refund_of as refund_of
from tools.orders.port import CANCELLABLE, CHANGEABLE, MOVABLE, RETURNABLE, Fact, Order, Product, SavedMethod
from tools.proposal import EXPIRES_AFTER, Proposal

CANCEL = "cancel_order"
ADDRESS = "change_address"
PAYMENT = "change_payment"
ITEMS = "change_items"
RETURN = "return_items"
EXCHANGE = "exchange_items"
KINDS = frozenset({CANCEL, ADDRESS, PAYMENT, ITEMS, RETURN, EXCHANGE})

REASON_CHARS = 300
_DIVIDER = ","


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What an adapter knows when it makes or does a proposal; `now` is in the zone whose days count.

    `methods` are those the order's owner has saved, `catalogue` products by their code, `return_days` how long a
    delivered order may be sent back, None without a limit.
    """

    now: datetime
    terms: RefundTerms
    methods: tuple[SavedMethod, ...] = ()
    catalogue: Mapping[str, Product] | None = None
    return_days: int | None = None

    def products(self) -> Mapping[str, Product]:
        return self.catalogue or {}


def cancellation(order: Order, *, reason: str, terms: RefundTerms, now: datetime) -> Proposal:
    """Return the proposal to cancel `order`; `Rejected("not_cancellable")` once it has left."""
    if whole(order).status not in CANCELLABLE:
        raise Rejected("not_cancellable")
    facts: dict[str, Fact] = {"order": order.id, "total": number(order.total)}
    refund = refund_of(order, terms=terms, now=now)
    if refund is not None:
        facts |= money.refund_facts(refund)
    said = " ".join(reason.split())[:REASON_CHARS]
    return _proposed(CANCEL, order, arguments={"reason": said}, facts=facts, now=now)


def relocation(order: Order, *, new_address: Address, now: datetime) -> Proposal:
    """Return the proposal to send `order` elsewhere; `Rejected` once it has left or for a useless address."""
    if whole(order).status not in MOVABLE:
        raise Rejected("address_locked")
    address = deliverable(new_address)
    if address.same(order.address):
        raise Rejected("same_address")
    facts: dict[str, Fact] = {
        "order": order.id,
        "old_address": str(order.address),
        "new_address": str(address),
    }
    return _proposed(ADDRESS, order, arguments=address.as_arguments(), facts=facts, now=now)


def repayment(order: Order, *, new_method: MethodId, setting: Setting) -> Proposal:
    """Return the proposal to pay `order` with another saved method."""
    if whole(order).status not in MOVABLE:
        raise Rejected("payment_locked")
    way = money.saved(new_method, setting.methods)
    paid = order.payment.state == "paid"
    if [entry.kind for entry in order.history] != (["payment"] if paid else []):
        raise Rejected("several_payments")
    if paid and order.payment.saved == new_method:
        raise Rejected("same_method")
    amount = order.payment.amount
    money.covered(way, amount)
    facts: dict[str, Fact] = {"order": order.id, "total": number(order.total)}
    facts |= money.charge_facts(way, amount)
    refund = refund_of(order, terms=setting.terms, now=setting.now)
    if refund is not None:
        facts |= money.refund_facts(refund)
    return _proposed(PAYMENT, order, arguments={"method": new_method}, facts=facts, now=setting.now)


def substitution(
    order: Order,
    *,
    codes: Sequence[str],
    new_codes: Sequence[str],
    method: MethodId | None,
    setting: Setting,
) -> Proposal:
    """Return the proposal to change pieces of an order that is not packed for other variants."""
    if whole(order).status not in CHANGEABLE:
        raise Rejected("items_locked")
    swap = swapped(order, codes=codes, new_codes=new_codes, catalogue=setting.products(), to_itself=False)
    way = money.chosen(method, order=order, methods=setting.methods)
    money.covered(way, swap.difference)
    facts = _items_facts(order, swap.said)
    if swap.difference > 0:
        facts |= money.charge_facts(way, swap.difference)
    elif swap.difference < 0 and order.payment.state == "paid":
        back = money.refund(way, -swap.difference, terms=setting.terms, now=setting.now)
        facts |= money.refund_facts(back)
    arguments = _listed(codes=codes, method=method) | _swap_arguments(new_codes, swap)
    return _proposed(ITEMS, order, arguments=arguments, facts=facts, now=setting.now)


def giving_back(
    order: Order, *, codes: Sequence[str], refund_to: MethodId | None, setting: Setting
) -> Proposal:
    """Return the proposal to ask for the return of pieces of a delivered order."""
    if whole(order).status not in RETURNABLE:
        raise Rejected("not_returnable")
    _in_window(order, setting)
    way = money.chosen(refund_to, order=order, methods=setting.methods)
    if way.method != "gift_card" and refund_to not in (None, order.payment.saved):
        raise Rejected("wrong_refund_method")
    found = pieces(order, codes)
    worth = sum((piece.price for piece in found), Decimal(0))
    facts = _items_facts(order, _titles(found)) | money.later_facts(way, worth)
    arguments = _listed(codes=codes, method=refund_to)
    return _proposed(RETURN, order, arguments=arguments, facts=facts, now=setting.now)


def handing_back(order: Order, *, codes: Sequence[str], now: datetime) -> Proposal:
    """Return the proposal of `giving_back` for a system that settles the money by itself: no sum is promised."""
    if whole(order).status not in RETURNABLE:
        raise Rejected("not_returnable")
    facts = _items_facts(order, _titles(pieces(order, codes)))
    return _proposed(RETURN, order, arguments=_listed(codes=codes, method=None), facts=facts, now=now)


def exchange(
    order: Order,
    *,
    codes: Sequence[str],
    new_codes: Sequence[str],
    method: MethodId | None,
    setting: Setting,
) -> Proposal:
    """Return the proposal to ask for the exchange of pieces of a delivered order for other variants."""
    if whole(order).status not in RETURNABLE:
        raise Rejected("not_exchangeable")
    _in_window(order, setting)
    # A piece may be exchanged for one like it: it may be broken.
    swap = swapped(order, codes=codes, new_codes=new_codes, catalogue=setting.products(), to_itself=True)
    way = money.chosen(method, order=order, methods=setting.methods)
    money.covered(way, swap.difference)
    facts = _items_facts(order, swap.said)
    facts |= {"difference": number(swap.difference)}
    if swap.difference > 0:
        facts |= money.charge_facts(way, swap.difference)
    elif swap.difference < 0:
        facts |= money.later_facts(way, -swap.difference)
    arguments = _listed(codes=codes, method=method) | _swap_arguments(new_codes, swap)
    return _proposed(EXCHANGE, order, arguments=arguments, facts=facts, now=setting.now)


def whole(order: Order) -> Order:
    """Return the order; `Unavailable` where a part of it is not known now: no rule may judge half an order."""
    if order.unreached:
        raise Unavailable(f"of the order, {', '.join(sorted(order.unreached))} did not answer")
    return order


def codes_of(proposal: Proposal, name: str = "codes") -> tuple[str, ...]:
    """Return the codes a proposal binds."""
    return tuple(filter(None, proposal.arguments.get(name, "").split(_DIVIDER)))


def priced_as_before(proposal: Proposal, swap: Swap) -> None:
    """Raise `Rejected("changed")` when the goods cost another sum than the customer said yes to."""
    if proposal.arguments["difference"] != str(swap.difference):
        raise Rejected("changed")


def method_of(proposal: Proposal) -> MethodId | None:
    """Return the saved method a proposal binds, None as the order was paid."""
    named = proposal.arguments.get("method", "")
    return MethodId(named) if named else None


def _in_window(order: Order, setting: Setting) -> None:
    delivered = order.fulfilment.delivered
    if setting.return_days is None or delivered is None:
        return
    # The day it was received does not count.
    if setting.now.date() > _day(delivered, like=setting.now) + timedelta(days=setting.return_days):
        raise Rejected("return_too_late")


def _day(moment: datetime, *, like: datetime) -> date:
    """Return the day of a moment where the shop's own clock is: an evening in UTC is the next morning elsewhere."""
    return moment.astimezone(like.tzinfo).date()


def _items_facts(order: Order, said: Callable[[str], str]) -> dict[str, Fact]:
    """The order and what of it is meant, in both languages: the customer may go on in the other one."""
    return {
        "order": order.id,
        "items_ru": said("ru"),
        "items_en": said("en"),
    }


def _titles(found: Sequence[Piece]) -> Callable[[str], str]:
    """Name each kind of piece once, with how many there are of it."""

    def said(language: str) -> str:
        counted = Counter(str(getattr(piece.title, language)) for piece in found)
        return "; ".join(f"{title} × {n}" if n > 1 else title for title, n in counted.items())

    return said


def _listed(*, codes: Sequence[str], method: MethodId | None) -> dict[str, str]:
    return {"codes": _DIVIDER.join(codes), "method": method or ""}


def _swap_arguments(new_codes: Sequence[str], swap: Swap) -> dict[str, str]:
    """What the pieces become, and for how much: a price that changes after the question needs a new yes."""
    return {"new_codes": _DIVIDER.join(new_codes), "difference": str(swap.difference)}


def _proposed(
    tool: str, order: Order, *, arguments: Mapping[str, str], facts: Mapping[str, Fact], now: datetime
) -> Proposal:
    return Proposal.made(
        tool,
        owner=order.owner,
        arguments={"order_id": order.id, **arguments},
        # What the company's limits are about, whatever the change itself tells.
        facts={
            **facts,
            "worth": number(order.total),
            "currency": order.currency,
            "placed": _day(order.placed, like=now).isoformat(),
        },
        version=order.version,
        now=now,
        expires_after=EXPIRES_AFTER,
    )
