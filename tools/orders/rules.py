"""When an order may be changed, and what is promised then: pure, shared by every adapter that holds its own data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tools.context import CustomerId
from tools.errors import Expired, NotFound, Rejected, Unconfirmed
from tools.orders.port import CANCELLABLE, Address, Fact, Order, PaymentMethod, Refund
from tools.proposal import EXPIRES_AFTER, Proposal

CANCEL = "cancel_order"
ADDRESS = "change_address"

REASON_CHARS = 300
_ADDRESS_CHARS = range(8, 301)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDays:
    """How long money takes to come back by one method, in days."""

    min: int
    max: int


RefundTerms = Mapping[PaymentMethod, RefundDays]


def number(amount: Decimal) -> int | float:
    """Return the amount as a JSON number: whole amounts as whole numbers."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def cancellation(order: Order, *, reason: str, terms: RefundTerms, now: datetime) -> Proposal:
    """Return the proposal to cancel `order`; `Rejected("not_cancellable")` once it has left."""
    if order.status not in CANCELLABLE:
        raise Rejected("not_cancellable")
    facts: dict[str, Fact] = {"order": order.id, "total": number(order.total), "currency": order.currency}
    refund = refund_of(order, terms=terms, now=now)
    if refund is not None:
        facts |= {"refund": number(refund.amount), "method": refund.method, "masked": refund.masked}
        facts |= {"days_min": refund.days_min, "days_max": refund.days_max}
    return Proposal.made(
        CANCEL,
        owner=order.owner,
        arguments={"order_id": order.id, "reason": " ".join(reason.split())[:REASON_CHARS]},
        facts=facts,
        version=order.version,
        now=now,
        expires_after=EXPIRES_AFTER,
    )


def relocation(order: Order, *, new_address: str, now: datetime) -> Proposal:
    """Return the proposal to send `order` elsewhere; `Rejected` once it has left or for a useless address."""
    if order.status not in CANCELLABLE:
        raise Rejected("address_locked")
    address = " ".join(new_address.split())
    # A street and a house: fewer characters, or none of the two kinds, cannot be delivered to.
    if (
        len(address) not in _ADDRESS_CHARS
        or not any(c.isalpha() for c in address)
        or not any(c.isdigit() for c in address)
    ):
        raise Rejected("bad_address")
    if address.casefold() in (str(order.address).casefold(), order.address.line.casefold()):
        raise Rejected("same_address")
    return Proposal.made(
        ADDRESS,
        owner=order.owner,
        arguments={"order_id": order.id, "new_address": address},
        facts={"order": order.id, "old_address": str(order.address), "new_address": address},
        version=order.version,
        now=now,
        expires_after=EXPIRES_AFTER,
    )


def refund_of(order: Order, *, terms: RefundTerms, now: datetime) -> Refund | None:
    """Return the refund a cancellation would start, or None when nothing was paid."""
    paid = order.payment
    if paid.state != "paid" or paid.amount <= 0:
        return None
    days = terms[paid.method]
    return Refund(
        amount=paid.amount,
        method=paid.method,
        masked=paid.masked,
        state="pending",
        created=now,
        days_min=days.min,
        days_max=days.max,
    )


def admit(proposal: Proposal, *, owner: CustomerId) -> None:
    """Raise unless `proposal` is this owner's, unaltered and of a kind we know."""
    if proposal.owner != owner:
        raise NotFound()
    if not proposal.intact() or proposal.tool not in (CANCEL, ADDRESS):
        raise Unconfirmed()


def in_time(proposal: Proposal, *, now: datetime) -> None:
    """Raise `Expired` when the confirmation came too late. What is done already stays done: ask the key first."""
    if now >= proposal.expires:
        raise Expired()


def same_as_before(proposal: Proposal, *, digest: str) -> None:
    """Raise `Rejected("key_reused")` when the key was used for something else."""
    if proposal.digest != digest:
        raise Rejected("key_reused")


def moved_to(line: str) -> Address:
    """Return the address a customer wrote in one line; its postcode is part of the line."""
    return Address(line=line)
