"""Bank accounts: opened, closed, money moved between them, credited, deposited; a wrong interest reported."""

from collections.abc import Iterable, Mapping
from typing import Any

from evals.tau.banking.actions.rules import ACCOUNTS, CLAIMS, CREDITS
from evals.tau.banking.port import Action, Argument, Holdings, Plan, Put, Record
from evals.tau.banking.reckoning import age, balance, number
from evals.tau.refusals import Turned

Given = Mapping[str, Any]

_TABLE = "accounts"
_LEDGER = "bank_account_transaction_history"
_LIVE = ("OPEN", "ACTIVE")
_CHECKING = ("checking", "personal_checking")
_SAVINGS_AFTER_DAYS = 14
_BUSINESS_SAVINGS_AFTER_DAYS = 30
_EARLY = {
    ("checking", level): rule
    for levels, rule in (
        (("Light Blue Account", "Light Green Account", "Green Fee-Free Account"), (15, 30)),
        (("Blue Account", "Green Account"), (25, 60)),
        (("Evergreen Account",), (50, 90)),
        (("Bluest Account",), (100, 180)),
    )
    for level in levels
} | {
    ("savings", level): rule
    for levels, rule in (
        (("Bronze Account",), (20, 60)),
        (("Silver Account", "Silver Plus Account"), (35, 90)),
        (("Gold Account", "Gold Plus Account", "Gold Years Account"), (75, 180)),
        (("Platinum Account", "Platinum Plus Account", "Diamond Elite Account"), (150, 270)),
    )
    for level in levels
}
"""Class and level of an account → the fee for closing it early, dollars, and for how many days that is early."""
_CREDITS = {
    "rebate_credit": "REBATE CREDIT",
    "fee_refund": "FEE REFUND",
    "interest_correction": "INTEREST CORRECTION",
    "goodwill_credit": "GOODWILL CREDIT",
}
_CREDITS_OF = {
    "checking": ("rebate_credit", "fee_refund"),
    "savings": ("interest_correction", "fee_refund", "goodwill_credit"),
}
"""Kind of an account → what it may be credited for."""


def open_account(holdings: Holdings, given: Given) -> Plan:
    kind = given["account_type"]
    if not _may_open(holdings, kind):
        raise Turned("ineligible")
    key = number("account", user_id=holdings.owner, account_type=kind, account_class=given["account_class"])
    if key in holdings.of(_TABLE):
        raise Turned("exists", number=key)
    record = {
        "account_id": key,
        "user_id": holdings.owner,
        "account_type": kind,
        "account_class": given["account_class"],
        "current_holdings": "0.00",
        "status": "OPEN",
        "date_opened": holdings.day,
    }
    facts = {"account_id": key, "account_type": kind, "account_class": given["account_class"]}
    return Plan(facts=facts, puts=(Put(table=_TABLE, key=key, record=record, new=True),))


def _may_open(holdings: Holdings, kind: str) -> bool:
    """Whether what the customer has already allows an account of this type."""
    mine = holdings.of(_TABLE).values()
    if kind == "savings":
        return _has(holdings, mine, _CHECKING, days=_SAVINGS_AFTER_DAYS)
    if kind == "business_checking":
        closed = any(one.get("status") == "CLOSED" for one in mine)
        return not closed and _has(holdings, mine, _CHECKING)
    if kind == "business_savings":
        short = any(balance(one) < 0 for one in mine)
        return not short and _has(holdings, mine, ("business_checking",), days=_BUSINESS_SAVINGS_AFTER_DAYS)
    return True


def _has(
    holdings: Holdings, mine: Iterable[Record], kinds: tuple[str, ...], *, days: int | None = None
) -> bool:
    return any(
        one.get("account_type", one.get("class", "")) in kinds
        and one.get("status", "") in _LIVE
        and (days is None or (age(one, holdings.today) or 0) >= days)
        for one in mine
    )


def close_account(holdings: Holdings, given: Given) -> Plan:
    """An empty account is closed; what an early closing costs may be left on it."""
    account = holdings.find(_TABLE, given["account_id"], "account_id")
    if account.get("status") == "CLOSED":
        raise Turned("already")
    held = balance(account)
    waived = given.get("waive_early_closure_fee") or False
    fee = 0 if waived else _early_fee(holdings, account)
    if held < fee:
        raise Turned("not_closable")
    if held - fee != 0:
        raise Turned("not_empty", held=held)
    reason = given.get("reason") or ""
    after = {
        **account,
        "status": "CLOSED",
        "date_closed": holdings.day,
        "closure_reason": reason,
        "early_closure_fee_waived": waived,
    }
    facts = {
        "account_id": given["account_id"],
        "account_type": str(account.get("account_type", "N/A")),
        "account_class": str(account.get("account_class", "N/A")),
        "reason": reason,
        "waived": waived,
    }
    return Plan(facts=facts, puts=(Put(table=_TABLE, key=given["account_id"], record=after),))


def _early_fee(holdings: Holdings, account: Record) -> int:
    fee, window = _EARLY.get((str(account.get("class")), str(account.get("level"))), (0, 0))
    days = age(account, holdings.today)
    return fee if days is not None and days < window else 0


def transfer(holdings: Holdings, given: Given) -> Plan:
    amount, source_id, target_id = (
        given["amount"],
        given["source_account_id"],
        given["destination_account_id"],
    )
    if amount <= 0:
        raise Turned("not_positive")
    if source_id == target_id:
        raise Turned("same_account")
    source = holdings.find(_TABLE, source_id, "source_account_id")
    target = holdings.find(_TABLE, target_id, "destination_account_id")
    for account, argument, key in (
        (source, "source_account_id", source_id),
        (target, "destination_account_id", target_id),
    ):
        if account.get("status") not in _LIVE:
            raise Turned("not_live", argument=argument, account=key)
    held, there = balance(source), balance(target)
    if held < amount:
        raise Turned("funds", held=held, amount=amount)
    puts = (
        Put(table=_TABLE, key=source_id, record={**source, "current_holdings": f"${held - amount:.2f}"}),
        Put(table=_TABLE, key=target_id, record={**target, "current_holdings": f"${there + amount:.2f}"}),
    )
    facts = {
        "amount": amount,
        "source": source_id,
        "target": target_id,
        "left": held - amount,
        "there": there + amount,
    }
    return Plan(facts=facts, puts=puts)


def credit(holdings: Holdings, given: Given) -> Plan:
    """Money of the bank's own put on a checking or a savings account, with a line in the ledger."""
    amount, key, kind = given["amount"], given["account_id"], given["credit_type"]
    checking = given["account_kind"] == "checking"
    if amount <= 0:
        raise Turned("not_positive")
    Argument(name="credit_type", choices=_CREDITS_OF[given["account_kind"]]).check(kind)
    account = holdings.find(_TABLE, key, "account_id")
    if account.get("class", "").lower() not in (("checking",) if checking else ("saving", "savings")):
        raise Turned("wrong_kind")
    if account.get("status") not in _LIVE:
        raise Turned("not_live", argument="account_id", account=key)
    held = balance(account)
    what = "checking_credit" if checking else "savings_credit"
    line_id = number(what, account_id=key, credit_type=kind, amount=amount, day=holdings.day)
    sign = "$" if checking else ""
    line = {
        "transaction_id": line_id,
        "account_id": key,
        "date": holdings.day,
        "description": f"{_CREDITS[kind]} - CUSTOMER SERVICE",
        "amount": amount,
        "type": kind,
        "status": "posted",
    }
    puts = (
        Put(table=_TABLE, key=key, record={**account, "current_holdings": f"{sign}{held + amount:.2f}"}),
        Put(table=_LEDGER, key=line_id, record=line, new=line_id not in holdings.of(_LEDGER)),
    )
    facts = {"transaction_id": line_id, "account_id": key, "credit_type": kind, "amount": amount}
    return Plan(facts={**facts, "held": held, "now": held + amount}, puts=puts)


def deposit(holdings: Holdings, given: Given) -> Plan:
    amount, key = given["check_amount"], given["account_id"]
    if amount <= 0:
        raise Turned("not_positive")
    account = holdings.find(_TABLE, key, "account_id")
    if account.get("status") not in _LIVE:
        raise Turned("not_live", argument="account_id", account=key)
    held = balance(account)
    after = {**account, "current_holdings": f"${held + amount:.2f}"}
    facts = {"account_id": key, "amount": amount, "held": held, "now": held + amount}
    return Plan(facts=facts, puts=(Put(table=_TABLE, key=key, record=after),))


def report_interest(holdings: Holdings, given: Given) -> Plan:
    account = holdings.find(_TABLE, given["account_id"], "account_id")
    facts = {
        "report_id": number("interest_report", user_id=holdings.owner, day=holdings.day, **given),
        "account_id": given["account_id"],
        "level": str(account.get("level", "Unknown")),
        "name": str(holdings.profile.get("name", "Unknown")),
        "expected_apy": given["expected_apy"],
        "actual_apy": given["actual_apy"],
        "apy_difference": round(given["expected_apy"] - given["actual_apy"], 4),
        "amount": given["amount_difference"],
    }
    # The bank's records have no table of such reports: its backend takes them, and the ledger stays as it is.
    return Plan(facts=facts, puts=())


ACTIONS = (
    Action(
        name="open_account",
        does="Prepare a new account for the customer.",
        rule=ACCOUNTS,
        arguments=(
            Argument(
                name="account_type",
                choices=("checking", "savings", "business_checking", "business_savings"),
            ),
            Argument(name="account_class"),
        ),
        plan=open_account,
    ),
    Action(
        name="close_account",
        does="Prepare to close an empty account of the customer's own.",
        rule=ACCOUNTS,
        arguments=(
            Argument(name="account_id"),
            Argument(name="reason", optional=True),
            Argument(name="waive_early_closure_fee", kind="flag", optional=True),
        ),
        plan=close_account,
    ),
    Action(
        name="transfer_money",
        does="Prepare a transfer between two accounts of the customer's own.",
        rule=ACCOUNTS,
        arguments=(
            Argument(name="source_account_id"),
            Argument(name="destination_account_id"),
            Argument(name="amount", kind="number"),
        ),
        plan=transfer,
    ),
    Action(
        name="credit_account",
        does="Prepare money of the bank's own for an account of the customer's: a refund, a correction, goodwill.",
        rule=CREDITS,
        arguments=(
            Argument(name="account_id"),
            Argument(name="account_kind", choices=tuple(_CREDITS_OF)),
            Argument(name="amount", kind="number"),
            Argument(name="credit_type"),
        ),
        plan=credit,
    ),
    Action(
        name="deposit_check",
        does="Prepare the deposit of a cheque into an account of the customer's own.",
        rule=ACCOUNTS,
        arguments=(Argument(name="account_id"), Argument(name="check_amount", kind="number")),
        plan=deposit,
    ),
    Action(
        name="report_interest",
        does="Prepare a report that an account of the customer's own bears the wrong interest.",
        rule=CLAIMS,
        arguments=(
            Argument(name="account_id"),
            Argument(name="expected_apy", kind="number"),
            Argument(name="actual_apy", kind="number"),
            Argument(name="amount_difference", kind="number"),
        ),
        plan=report_interest,
    ),
)
