"""Credit cards: replaced, closed, paid, credited, flagged; their limits asked for and decided."""

from collections.abc import Mapping
from typing import Any

from evals.tau.banking.actions.rules import ACCOUNTS, CARDS, CREDITS
from evals.tau.banking.port import Action, Argument, Holdings, Plan, Put, Record
from evals.tau.banking.reckoning import balance, money, number
from evals.tau.refusals import Turned

Given = Mapping[str, Any]

_TABLE = "credit_card_accounts"
_REQUESTS = "credit_limit_increase_requests"
_ID = "credit_card_account_id"
_OPEN_DISPUTES = ("SUBMITTED", "UNDER_REVIEW", "PENDING")
_OPEN_ORDERS = ("PENDING", "PROCESSING", "SHIPPED")
_BAD_STANDING = ("PAST_DUE", "DELINQUENT", "COLLECTIONS", "CLOSED")


def _card(holdings: Holdings, given: Given) -> Record:
    return holdings.find(_TABLE, given[_ID], _ID)


def replace_card(holdings: Holdings, given: Given) -> Plan:
    """A new card is ordered; the old one is closed at once."""
    card = _card(holdings, given)
    key = number("card_order", user_id=holdings.owner, **given)
    if key in holdings.of("credit_card_orders"):
        raise Turned("exists")
    fast = given.get("expedited_shipping") or False
    order = {
        "order_id": key,
        _ID: given[_ID],
        "user_id": holdings.owner,
        "shipping_address": given["shipping_address"],
        "reason": given["reason"],
        "expedited_shipping": fast,
        "order_date": holdings.day,
        "status": "ORDERED",
        "old_card_cancelled": True,
    }
    puts = (
        Put(table="credit_card_orders", key=key, record=order, new=True),
        Put(table=_TABLE, key=given[_ID], record={**card, "status": "CLOSED", "closed_date": holdings.day}),
    )
    names = ("reason", "shipping_address")
    facts = {"order_id": key, _ID: given[_ID], "fast": fast, **{name: given[name] for name in names}}
    return Plan(facts=facts, puts=puts)


def log_reason(holdings: Holdings, given: Given) -> Plan:
    """Why the customer wants to close a card; the first reason stays."""
    _card(holdings, given)
    key = number("closure_reason", user_id=holdings.owner, **given)
    record = {
        "record_id": key,
        _ID: given[_ID],
        "user_id": holdings.owner,
        "closure_reason": given["closure_reason"],
        "logged_at": holdings.day,
        "status": "LOGGED",
    }
    facts = {_ID: given[_ID], "closure_reason": given["closure_reason"]}
    return Plan(facts=facts, puts=_unless_there(holdings, "credit_card_closure_reasons", key, record))


def _unless_there(holdings: Holdings, table: str, key: str, record: Record) -> tuple[Put, ...]:
    return () if key in holdings.of(table) else (Put(table=table, key=key, record=record, new=True),)


def credit_statement(holdings: Holdings, given: Given) -> Plan:
    amount = given["amount"]
    if amount <= 0:
        raise Turned("not_positive")
    _card(holdings, given)
    key = number("statement_credit", user_id=holdings.owner, reason=given["reason"], amount=amount)
    if key in holdings.of("credit_card_transaction_history"):
        raise Turned("exists", number=key)
    record = {
        "transaction_id": key,
        "user_id": holdings.owner,
        _ID: given[_ID],
        "credit_card_type": "N/A",
        "merchant_name": "Rho-Bank Statement Credit",
        "transaction_amount": f"-${amount:.2f}",
        "transaction_date": holdings.day,
        "category": "Statement Credit",
        "status": "COMPLETED",
        "rewards_earned": "0 points",
        "credit_reason": given["reason"],
    }
    facts = {"transaction_id": key, _ID: given[_ID], "amount": amount, "reason": given["reason"]}
    put = Put(table="credit_card_transaction_history", key=key, record=record, new=True)
    return Plan(facts=facts, puts=(put,))


def flag_card(holdings: Holdings, given: Given) -> Plan:
    _card(holdings, given)
    key = number("account_flag", **given)
    if key in holdings.of("credit_card_account_flags"):
        raise Turned("exists", number=key)
    record = {
        "flag_id": key,
        _ID: given[_ID],
        "user_id": holdings.owner,
        "flag_type": given["flag_type"],
        "effective_date": holdings.day,
        "expiration_date": given["expiration_date"],
        "reason": given["reason"],
        "applied_at": holdings.day,
        "status": "ACTIVE",
    }
    facts = {
        "flag_id": key,
        **{name: given[name] for name in (_ID, "flag_type", "expiration_date", "reason")},
    }
    put = Put(table="credit_card_account_flags", key=key, record=record, new=True)
    return Plan(facts=facts, puts=(put,))


def close_credit(holdings: Holdings, given: Given) -> Plan:
    card = _card(holdings, given)
    after = {**card, "status": "CLOSED", "closed_date": holdings.day, "closed_by": holdings.owner}
    return Plan(facts={_ID: given[_ID]}, puts=(Put(table=_TABLE, key=given[_ID], record=after),))


def pay_card(holdings: Holdings, given: Given) -> Plan:
    """A credit card is paid from a checking account, up to what is owed."""
    amount, source_id = given["amount"], given["checking_account_id"]
    if amount <= 0:
        raise Turned("not_positive")
    account = holdings.find("accounts", source_id, "checking_account_id")
    if account.get("class") != "checking":
        raise Turned("not_checking", kind=str(account.get("class")))
    held = balance(account)
    if amount > held:
        raise Turned("funds", held=held, amount=amount)
    card = _card(holdings, given)
    owed = money(card.get("current_balance", "$0.00"))
    if amount > owed:
        raise Turned("more_than_owed", owed=owed, amount=amount)
    puts = (
        Put(table="accounts", key=source_id, record={**account, "current_holdings": f"{held - amount:.2f}"}),
        Put(table=_TABLE, key=given[_ID], record={**card, "current_balance": f"${owed - amount:.2f}"}),
    )
    facts = {
        "amount": amount,
        "source": source_id,
        _ID: given[_ID],
        "left": held - amount,
        "owed": owed - amount,
    }
    return Plan(facts=facts, puts=puts)


def ask_limit(holdings: Holdings, given: Given) -> Plan:
    amount = given["requested_increase_amount"]
    if amount <= 0:
        raise Turned("not_positive")
    _card(holdings, given)
    key = number("limit_request", user_id=holdings.owner, amount=amount, **given)
    if key in holdings.of(_REQUESTS):
        raise Turned("exists")
    record = {
        "request_id": key,
        _ID: given[_ID],
        "user_id": holdings.owner,
        "requested_increase_amount": amount,
        "submitted_at": holdings.day,
        "status": "PENDING",
    }
    facts = {"request_id": key, _ID: given[_ID], "amount": amount}
    return Plan(facts=facts, puts=(Put(table=_REQUESTS, key=key, record=record, new=True),))


def approve_limit(holdings: Holdings, given: Given) -> Plan:
    """A higher limit, unless something is under dispute, on its way, or overdue."""
    card = _card(holdings, given)
    disputed = any(
        one.get("status") in _OPEN_DISPUTES for one in holdings.of("transaction_disputes").values()
    )
    ordered = any(
        one.get(_ID) == given[_ID] and one.get("status") in _OPEN_ORDERS
        for one in holdings.of("credit_card_orders").values()
    )
    if disputed or ordered or str(card.get("account_status", "")).upper() in _BAD_STANDING:
        raise Turned("ineligible")
    before, after = money(card.get("credit_limit", "$0.00")), float(given["new_credit_limit"])
    key = number("limit_request", user_id=holdings.owner, amount=after - before, **given)
    record = {
        "request_id": key,
        _ID: given[_ID],
        "user_id": holdings.owner,
        "previous_limit": f"${before:.2f}",
        "new_limit": f"${after:.2f}",
        "increase_amount": f"${after - before:.2f}",
        "decision_date": holdings.day,
        "status": "APPROVED",
    }
    raised = Put(table=_TABLE, key=given[_ID], record={**card, "credit_limit": f"${after:.2f}"})
    facts = {_ID: given[_ID], "before": before, "after": after, "more": after - before}
    return Plan(facts=facts, puts=(raised, *_unless_there(holdings, _REQUESTS, key, record)))


def deny_limit(holdings: Holdings, given: Given) -> Plan:
    _card(holdings, given)
    key = number("limit_request", user_id=holdings.owner, amount=0.0, **given)
    record = {
        "request_id": key,
        _ID: given[_ID],
        "user_id": holdings.owner,
        "denial_reason": given["denial_reason"],
        "decision_date": holdings.day,
        "status": "DENIED",
    }
    facts = {_ID: given[_ID], "denial_reason": given["denial_reason"]}
    return Plan(facts=facts, puts=_unless_there(holdings, _REQUESTS, key, record))


_CARD = Argument(name=_ID)

ACTIONS = (
    Action(
        name="replace_credit_card",
        does="Prepare a new credit card in place of one of the customer's own.",
        rule=CARDS,
        arguments=(
            _CARD,
            Argument(name="shipping_address"),
            Argument(
                name="reason", choices=("fraud_suspected", "lost", "stolen", "damaged", "expired", "other")
            ),
            Argument(name="expedited_shipping", kind="flag", optional=True),
        ),
        plan=replace_card,
    ),
    Action(
        name="log_closure_reason",
        does="Prepare a note of why the customer wants to close a credit card.",
        rule=CARDS,
        arguments=(
            _CARD,
            Argument(
                name="closure_reason",
                choices=(
                    "annual_fee",
                    "not_using_card",
                    "found_better_card",
                    "unhappy_with_rewards",
                    "simplifying_finances",
                    "negative_experience",
                    "other",
                ),
            ),
        ),
        plan=log_reason,
    ),
    Action(
        name="credit_statement",
        does="Prepare a credit on the statement of a credit card of the customer's own.",
        rule=CREDITS,
        arguments=(
            _CARD,
            Argument(name="amount", kind="number"),
            Argument(
                name="reason",
                choices=(
                    "goodwill_adjustment",
                    "promotional_credit",
                    "annual_fee_reversal",
                    "late_fee_reversal",
                    "interest_charge_reversal",
                    "dispute_resolution",
                    "price_match",
                    "retention_offer",
                    "error_correction",
                    "other",
                ),
            ),
        ),
        plan=credit_statement,
    ),
    Action(
        name="flag_credit_card",
        does="Prepare a benefit on a credit card of the customer's own: a waived fee, a lower rate, a bonus.",
        rule=CREDITS,
        arguments=(
            _CARD,
            Argument(
                name="flag_type", choices=("annual_fee_waived", "promotional_apr", "rewards_bonus", "other")
            ),
            Argument(name="expiration_date"),
            Argument(
                name="reason",
                choices=("retention_offer", "loyalty_benefit", "promotional", "error_correction", "other"),
            ),
        ),
        plan=flag_card,
    ),
    Action(
        name="close_credit_card",
        does="Prepare to close a credit card of the customer's own for good.",
        rule=CARDS,
        arguments=(_CARD,),
        plan=close_credit,
    ),
    Action(
        name="pay_credit_card",
        does="Prepare a payment of a credit card from a checking account, both the customer's own.",
        rule=ACCOUNTS,
        arguments=(Argument(name="checking_account_id"), _CARD, Argument(name="amount", kind="number")),
        plan=pay_card,
    ),
    Action(
        name="ask_higher_limit",
        does="Prepare a request for a higher limit of a credit card of the customer's own.",
        rule=CARDS,
        arguments=(_CARD, Argument(name="requested_increase_amount", kind="whole")),
        plan=ask_limit,
    ),
    Action(
        name="approve_higher_limit",
        does="Prepare a higher limit of a credit card, as the bank's rules allow.",
        rule=CARDS,
        arguments=(_CARD, Argument(name="new_credit_limit", kind="number")),
        plan=approve_limit,
    ),
    Action(
        name="deny_higher_limit",
        does="Prepare the refusal of a higher limit, with its reason.",
        rule=CARDS,
        arguments=(
            _CARD,
            Argument(
                name="denial_reason",
                choices=(
                    "insufficient_account_age",
                    "cooldown_period_active",
                    "pending_disputes",
                    "pending_replacement_card",
                    "past_due_balance",
                    "high_utilization",
                    "insufficient_payment_history",
                    "requested_amount_exceeds_limit",
                    "other",
                ),
            ),
        ),
        plan=deny_limit,
    ),
)
