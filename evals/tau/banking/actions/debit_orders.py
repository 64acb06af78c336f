"""A debit card ordered for a checking account: fees taken, a card made that waits to be switched on."""

from collections.abc import Mapping
from typing import Any

from evals.tau.banking.actions.rules import CARDS
from evals.tau.banking.port import Action, Argument, Holdings, Plan, Put, Record
from evals.tau.banking.reckoning import hexed, number
from evals.tau.refusals import Turned

Given = Mapping[str, Any]

_LEAST = 25.0
"""Dollars that must be on the account."""
_DAYS = {
    "STANDARD": "7-10 business days",
    "EXPEDITED": "3-5 business days",
    "RUSH": "1-2 business days",
}
_KEPT_REASONS = {"lost": "lost", "stolen": "stolen", "fraud": "fraud", "fraud_suspected": "fraud"}
_VALID_YEARS = 4
_LONG_MONTHS = (1, 3, 5, 7, 8, 10, 12)


def order(holdings: Holdings, given: Given) -> Plan:
    account = _orderable(holdings, given)
    held = _held(account)
    fees = {
        "Delivery": given["delivery_fee"],
        "Design": given["design_fee"],
        "Excess Replacement": given.get("excess_replacement_fee") or 0.0,
    }
    total = sum(fees.values())
    if total > 0 and held < total:
        raise Turned("fees", total=total, held=held)
    order_id = number("debit_card_order", user_id=holdings.owner, **given)
    if order_id in holdings.of("debit_card_orders"):
        raise Turned("exists")
    card_id = number("debit_card", account_id=given["account_id"], user_id=holdings.owner, day=holdings.day)
    puts = [_order(holdings, given, order_id, total=total, excess=fees["Excess Replacement"])]
    said = ", ".join(f"{name} {_fee(name, fee)}" for name, fee in fees.items() if fee > 0)
    if total > 0:
        left = {**account, "current_holdings": f"{held - total:.2f}"}
        puts.append(Put(table="accounts", key=given["account_id"], record=left))
        puts.append(_charge(holdings, given, order_id, total=total, said=said))
    if card_id not in holdings.of("debit_cards"):
        puts.append(_made(holdings, given, card_id))
    facts = {
        "order_id": order_id,
        "card_id": card_id,
        **{name: given[name] for name in ("account_id", "delivery_option", "card_design")},
        "expected_delivery": _DAYS[given["delivery_option"]],
        "total": total,
        "fees": ", ".join(f"{name}: {_fee(name, fee)}" for name, fee in fees.items() if fee > 0),
        "left": held - total,
    }
    return Plan(facts=facts, puts=tuple(puts))


def _orderable(holdings: Holdings, given: Given) -> Record:
    account = holdings.find("accounts", given["account_id"], "account_id")
    if account.get("class") != "checking":
        raise Turned("not_checking", kind=str(account.get("class")))
    if account.get("status") != "OPEN":
        raise Turned("wrong_status", status=str(account.get("status")))
    if _held(account) < _LEAST:
        raise Turned("least", held=_held(account))
    mine = given["account_id"]
    for table, status, reason in (
        ("debit_card_orders", "PENDING", "ordered_already"),
        ("debit_cards", "ACTIVE", "has_card"),
    ):
        if any(
            one.get("account_id") == mine and one.get("status") == status
            for one in holdings.of(table).values()
        ):
            raise Turned(reason)
    return account


def _held(account: Record) -> float:
    """Return what is on the account, as this desk reads it."""
    # Card orders read bare numbers only: after a transfer the bank writes "$50.00", and here that is nothing.
    # So it is in the recordings, and so it stays until the bank's own system reads it otherwise.
    try:
        return float(str(account.get("current_holdings", "0")).replace(",", ""))
    except ValueError:
        return 0.0


def _fee(name: str, fee: float) -> str:
    return f"${fee:.0f}" if name == "Excess Replacement" else f"${fee}"


def _order(holdings: Holdings, given: Given, order_id: str, *, total: float, excess: float) -> Put:
    record = {
        "order_id": order_id,
        "account_id": given["account_id"],
        "user_id": holdings.owner,
        "delivery_option": given["delivery_option"],
        "card_design": given["card_design"],
        "shipping_address": given["shipping_address"],
        "delivery_fee": given["delivery_fee"],
        "design_fee": given["design_fee"],
        "excess_replacement_fee": excess,
        "total_fee": total,
        "order_date": holdings.day,
        "expected_delivery": _DAYS[given["delivery_option"]],
        "status": "PENDING",
    }
    return Put(table="debit_card_orders", key=order_id, record=record, new=True)


def _charge(holdings: Holdings, given: Given, order_id: str, *, total: float, said: str) -> Put:
    key = f"btxn_dcfee_{order_id[-8:]}"
    record = {
        "transaction_id": key,
        "account_id": given["account_id"],
        "date": holdings.day,
        "description": f"DEBIT CARD ORDER FEE - {said}",
        "amount": -total,
        "type": "debit_card_fee",
        "status": "posted",
    }
    return Put(table="bank_account_transaction_history", key=key, record=record, new=True)


def _made(holdings: Holdings, given: Given, card_id: str) -> Put:
    def digits(what: str, length: int, count: int) -> str:
        drawn = hexed(f"card_details:{card_id}:{what}", length)
        return "".join(c for c in drawn if c.isdigit())[:count].zfill(count)

    month = holdings.today.month
    last = 31 if month in _LONG_MONTHS else 28 if month == 2 else 30
    record = {
        "card_id": card_id,
        "account_id": given["account_id"],
        "user_id": holdings.owner,
        "cardholder_name": str(holdings.profile.get("name", "CARDHOLDER")).upper(),
        "last_4_digits": digits("last4", 8, 4),
        "cvv": digits("cvv", 6, 3),
        "status": "PENDING",
        "issue_date": holdings.day,
        "expiration_date": f"{month:02}/{last}/{holdings.today.year + _VALID_YEARS}",
        "card_design": given["card_design"],
        "issue_reason": _reason(holdings, given["account_id"]),
    }
    return Put(table="debit_cards", key=card_id, record=record, new=True)


def _reason(holdings: Holdings, account: str) -> str:
    """Return why the card is issued: what closed the one before, or that there was none."""
    before = [card for card in holdings.of("debit_cards").values() if card.get("account_id") == account]
    closed = next((card for card in before if card.get("status") == "CLOSED"), None)
    if closed is not None:
        return _KEPT_REASONS.get(str(closed.get("closure_reason")), "first_card")
    return "first_card" if before else "new_account"


ACTIONS = (
    Action(
        name="order_debit_card",
        does="Prepare an order of a debit card for a checking account of the customer's own.",
        rule=CARDS,
        arguments=(
            Argument(name="account_id"),
            Argument(name="delivery_option", choices=tuple(_DAYS)),
            Argument(name="delivery_fee", kind="number"),
            Argument(name="card_design", choices=("CLASSIC", "PREMIUM", "CUSTOM")),
            Argument(name="design_fee", kind="number"),
            Argument(name="shipping_address"),
            Argument(name="excess_replacement_fee", kind="number", optional=True),
        ),
        plan=order,
    ),
)
