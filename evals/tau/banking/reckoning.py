"""How the bank writes sums, days and numbers of its own."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

_NUMBERS: Mapping[str, tuple[str, int, str]] = {
    "account": ("", 16, "account:{user_id}:{account_type}:{account_class}"),
    "account_flag": ("ccflag_", 12, "account_flag:{credit_card_account_id}:{flag_type}:{expiration_date}"),
    "application": (
        "",
        16,
        "credit_card:{card_type}:{customer_name}:{annual_income}:{rho_bank_subscription}",
    ),
    "card_order": ("ccord_", 12, "credit_card_order:{credit_card_account_id}:{user_id}:{reason}"),
    "closure_reason": ("clsr_", 12, "closure_reason:{credit_card_account_id}:{user_id}"),
    "checking_credit": ("txn_", 16, "checking_credit:{account_id}:{credit_type}:{amount}:{day}"),
    "savings_credit": ("txn_", 16, "savings_credit:{account_id}:{credit_type}:{amount}:{day}"),
    "debit_card": ("dbc_", 12, "debit_card:{account_id}:{user_id}:{day}"),
    "debit_card_order": ("dcord_", 12, "debit_card_order:{account_id}:{user_id}:{delivery_option}"),
    "dispute": ("dsp_", 12, "dispute:{user_id}:{transaction_id}"),
    "interest_report": (
        "IDR_",
        16,
        "interest_report:{account_id}:{user_id}:{expected_apy}:{actual_apy}:{day}",
    ),
    "limit_request": ("cli_", 12, "cli_request:{credit_card_account_id}:{user_id}:{amount:.2f}"),
    "referral": ("", 16, "referral:{user_id}:{account_type}"),
    "referral_link": ("", 16, "referral_link:{user_id}:{card_name}"),
    "statement_credit": (
        "txn_",
        12,
        "transaction:{user_id}:STATEMENT_CREDIT:{reason}:{amount:.2f}:Statement Credit",
    ),
    "purchase": (
        "txn_",
        12,
        "transaction:{user_id}:{credit_card_type}:{merchant_name}:{amount:.2f}:{category}",
    ),
    "given_tool": ("", 16, "user_discoverable_tool:{tool_name}"),
    "called_tool": ("", 16, "agent_discoverable_tool:{tool_name}"),
    "user_call": ("", 16, "user_discoverable_tool_call:{tool_name}:{arguments}"),
}
"""What a number is for → its prefix, its length in hex digits, and what it is made of: the same thing, the same number."""


def number(what: str, **of: Any) -> str:
    """Return the bank's number for a thing."""
    prefix, length, seed = _NUMBERS[what]
    return prefix + hexed(seed.format(**of), length)


def hexed(seed: str, length: int) -> str:
    return hashlib.sha256(seed.encode()).hexdigest()[:length]


def money(value: Any) -> float:
    """Return the amount of 12, "12.50" or "$2,850.00"; 0 for nothing."""
    if isinstance(value, str):
        return float(value.replace("$", "").replace(",", ""))
    return float(value) if isinstance(value, int | float) else 0.0


def balance(account: Mapping[str, Any]) -> float:
    return money(account.get("current_holdings", account.get("balance", 0)))


def age(record: Mapping[str, Any], today: date) -> int | None:
    """Return how many days ago the account was opened, None when that cannot be read."""
    try:
        return (today - datetime.strptime(str(record.get("date_opened")), "%m/%d/%Y").date()).days
    except ValueError:
        return None


def titled(code: str) -> str:
    """Return "Full Refund" for "full_refund"."""
    return code.replace("_", " ").title()
