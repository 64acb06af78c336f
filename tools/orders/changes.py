"""What a confirmed proposal makes of an order, of gift cards and of the stock: pure, the same for every adapter."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tools.address import from_arguments
from tools.context import MethodId
from tools.errors import Rejected
from tools.orders import money, rules
from tools.orders.goods import exchanged, swapped
from tools.orders.port import (
    ALLOWED,
    Exchange,
    Order,
    OrderStatus,
    Payment,
    Refund,
    Return,
)
from tools.orders.rules import Setting
from tools.proposal import Proposal

OPEN: Mapping[str, frozenset[OrderStatus]] = {
    rules.CANCEL: ALLOWED["cancel"],
    rules.ADDRESS: ALLOWED["address"],
    rules.PAYMENT: ALLOWED["payment"],
    rules.ITEMS: ALLOWED["items"],
    rules.RETURN: ALLOWED["return"],
    rules.EXCHANGE: ALLOWED["exchange"],
}
"""The states in which each kind of proposal may still be carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The order as it becomes, what is added to balances of saved gift cards, and the pieces put back on the shelf.

    Either figure is negative where something is taken. The version is the adapter's to raise.
    """

    order: Order
    balances: Mapping[MethodId, Decimal] = field(default_factory=dict)
    stock: Mapping[str, int] = field(default_factory=dict)


def carried_out(order: Order, proposal: Proposal, *, setting: Setting) -> Change:
    """Return what comes of an admitted proposal; `Rejected("changed")` when the order's state forbids it now."""
    if order.version != proposal.version or order.status not in OPEN[proposal.tool]:
        raise Rejected("changed")
    match proposal.tool:
        case rules.CANCEL:
            return _cancelled(order, proposal, setting)
        case rules.ADDRESS:
            return Change(order=replace(order, address=from_arguments(proposal.arguments)))
        case rules.PAYMENT:
            return _repaid(order, proposal, setting)
        case rules.ITEMS:
            return _substituted(order, proposal, setting)
        case rules.RETURN:
            asked = Return(codes=rules.codes_of(proposal), refund_to=rules.method_of(proposal))
            return Change(order=replace(order, status="return_requested", returning=asked))
        case _:
            return _to_exchange(order, proposal, setting)


def _cancelled(order: Order, proposal: Proposal, setting: Setting) -> Change:
    stock: Counter[str] = Counter()
    for item in order.items:
        stock[item.code] += item.quantity
    gone = replace(order, status="cancelled", cancel_reason=proposal.arguments.get("reason", ""))
    refund = money.refund_of(order, terms=setting.terms, now=setting.now)
    if refund is None:
        return Change(order=gone, stock=stock)
    paid = replace(order.payment, state="refunded")
    return Change(order=_refunded(replace(gone, payment=paid), refund), balances=_onto(refund), stock=stock)


def _repaid(order: Order, proposal: Proposal, setting: Setting) -> Change:
    way = money.saved(MethodId(proposal.arguments["method"]), setting.methods)
    amount = order.payment.amount
    money.covered(way, amount)
    refund = money.refund_of(order, terms=setting.terms, now=setting.now)
    paid = Payment(
        method=way.method, state="paid", amount=amount, masked=way.masked, at=setting.now, saved=way.saved
    )
    new = replace(
        order,
        status="paid" if order.status == "pending" else order.status,
        payment=paid,
        history=(*order.history, money.paid(way, amount, now=setting.now)),
    )
    if refund is None:
        return Change(order=new, balances=_taken(way, amount))
    # Two different methods: the new one is never the one that was paid with.
    return Change(order=_refunded(new, refund), balances={**_taken(way, amount), **_onto(refund)})


def _substituted(order: Order, proposal: Proposal, setting: Setting) -> Change:
    codes, new_codes = rules.codes_of(proposal), rules.codes_of(proposal, "new_codes")
    swap = swapped(order, codes=codes, new_codes=new_codes, catalogue=setting.products(), to_itself=False)
    rules.priced_as_before(proposal, swap)
    way = money.chosen(rules.method_of(proposal), order=order, methods=setting.methods)
    more = swap.difference
    money.covered(way, more)
    own = way.saved == order.payment.saved and way.method == order.payment.method
    new = replace(order, items=exchanged(order.items, swap), total=order.total + more)
    stock = Counter(codes)
    stock.subtract(new_codes)
    if order.payment.state != "paid":
        # Nothing was paid, so nothing is settled: the customer pays the new total, and may choose again.
        due = replace(order.payment, amount=order.payment.amount + more)
        return Change(order=replace(new, payment=due), stock=stock)
    payment = replace(order.payment, amount=order.payment.amount + more) if own else order.payment
    new = replace(new, status="modified", payment=payment)
    if more > 0:
        new = replace(new, history=(*new.history, money.paid(way, more, now=setting.now)))
        return Change(order=new, balances=_taken(way, more), stock=stock)
    if more < 0:
        refund = money.refund(way, -more, terms=setting.terms, now=setting.now)
        return Change(order=_refunded(new, refund), balances=_onto(refund), stock=stock)
    return Change(order=new, stock=stock)


def _to_exchange(order: Order, proposal: Proposal, setting: Setting) -> Change:
    codes, new_codes = rules.codes_of(proposal), rules.codes_of(proposal, "new_codes")
    swap = swapped(order, codes=codes, new_codes=new_codes, catalogue=setting.products(), to_itself=True)
    rules.priced_as_before(proposal, swap)
    method = rules.method_of(proposal)
    money.covered(money.chosen(method, order=order, methods=setting.methods), swap.difference)
    asked = Exchange(codes=codes, new_codes=new_codes, difference=swap.difference, paid_with=method)
    return Change(order=replace(order, status="exchange_requested", exchanging=asked))


def _refunded(order: Order, refund: Refund) -> Order:
    return replace(order, refunds=(*order.refunds, refund), history=(*order.history, money.returned(refund)))


def _onto(refund: Refund) -> dict[MethodId, Decimal]:
    """Return what a refund adds to a saved gift card."""
    if refund.method != "gift_card" or refund.saved is None:
        return {}
    return {refund.saved: refund.amount}


def _taken(way: money.Way, amount: Decimal) -> dict[MethodId, Decimal]:
    """Return what a payment takes from a saved gift card."""
    return {way.saved: -amount} if way.balance is not None and way.saved is not None else {}
