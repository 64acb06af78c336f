"""A small bank in the official form: two customers, their accounts, cards and movements."""

from typing import Any

ANN, BOB = "ann1", "bob2"
CHECKING, SAVINGS, CREDIT, DEBIT = "chk_ann", "sav_ann", "cc_ann", "dbc_ann"
ADDRESS = "1 Elm Street, Linz"


def _table(data: dict[str, Any], notes: str = "") -> dict[str, Any]:
    return {"data": data, "notes": notes}


def _person(user: str, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "user_id": user,
        "address": ADDRESS,
        "email": f"{user}@example.com",
        "phone_number": "555-0100",
        "date_of_birth": "01/02/1990",
    }


def _account(key: str, owner: str, kind: str, held: str, **more: Any) -> dict[str, Any]:
    head = {"account_id": key, "user_id": owner, "class": kind, "level": "Blue Account"}
    return {**head, "date_opened": "01/02/2024", "status": "OPEN", "current_holdings": held, **more}


def _debit(key: str, account: str, owner: str, status: str, **more: Any) -> dict[str, Any]:
    head = {
        "card_id": key,
        "account_id": account,
        "user_id": owner,
        "last_4_digits": "4821",
        "status": status,
    }
    return {**head, "issue_date": "01/03/2024", "issue_reason": "new_account", **more}


def _credit(key: str, owner: str) -> dict[str, Any]:
    head = {"account_id": key, "user_id": owner, "card_type": "EcoCard", "current_balance": "$200.00"}
    return {**head, "credit_limit": "$1,000.00", "account_status": "ACTIVE"}


def _movement(key: str, account: str, day: str, kind: str, what: str = "SHOP") -> dict[str, Any]:
    head = {"transaction_id": key, "account_id": account, "date": day, "description": what}
    return {**head, "amount": -10.5, "type": kind, "status": "posted"}


def _purchase(key: str, owner: str) -> dict[str, Any]:
    return {
        "transaction_id": key,
        "user_id": owner,
        "transaction_amount": "$5.00",
        "rewards_earned": "5 points",
    }


_EMPTY = [
    "referrals",
    "credit_card_applications",
    "user_discoverable_tools",
    "user_discoverable_tool_calls",
    "verification_history",
    "cash_back_disputes",
    "agent_discoverable_tools",
    "task_config",
    "human_transfer_requests",
    "transaction_disputes",
    "credit_card_orders",
    "debit_card_orders",
    "credit_card_closure_reasons",
    "credit_card_account_flags",
    "credit_limit_increase_requests",
    "debit_card_disputes",
]

DATABASE: dict[str, Any] = {
    **{name: _table({}) for name in _EMPTY},
    "users": _table({ANN: _person(ANN, "Ann Lee"), BOB: _person(BOB, "Bob Ray")}, "one a customer"),
    "accounts": _table(
        {
            CHECKING: _account(CHECKING, ANN, "checking", "300.00"),
            SAVINGS: _account(SAVINGS, ANN, "savings", "0", date_opened="11/10/2025", level="Gold Account"),
            "chk_empty": _account("chk_empty", ANN, "checking", "0"),
            "chk_bob": _account("chk_bob", BOB, "checking", "900.00"),
        }
    ),
    "debit_cards": _table(
        {
            DEBIT: _debit(DEBIT, CHECKING, ANN, "ACTIVE", daily_purchase_limit=1000, fraud_alert_active=True),
            "dbc_new": _debit("dbc_new", CHECKING, ANN, "PENDING"),
            "dbc_lost": _debit("dbc_lost", CHECKING, ANN, "PENDING", issue_reason="lost"),
            "dbc_worn": _debit("dbc_worn", CHECKING, ANN, "PENDING", issue_reason="damaged"),
            "dbc_ice": _debit("dbc_ice", CHECKING, ANN, "FROZEN"),
            "dbc_bob": _debit("dbc_bob", "chk_bob", BOB, "ACTIVE"),
        }
    ),
    "credit_card_accounts": _table({CREDIT: _credit(CREDIT, ANN), "cc_bob": _credit("cc_bob", BOB)}),
    "credit_card_transaction_history": _table(
        {"txn_ann": _purchase("txn_ann", ANN), "txn_bob": _purchase("txn_bob", BOB)}
    ),
    "bank_account_transaction_history": _table(
        {
            "btxn_1": _movement("btxn_1", CHECKING, "10/01/2025", "debit_card_purchase"),
            "btxn_2": _movement("btxn_2", CHECKING, "11/01/2025", "atm_deposit", "RHO-BANK ATM"),
            "btxn_3": _movement("btxn_3", CHECKING, "11/01/2025", "atm_deposit", "OTHER ATM"),
            "btxn_bob": _movement("btxn_bob", "chk_bob", "11/01/2025", "atm_deposit"),
        }
    ),
    "payment_history": _table(
        {
            f"pay_{n}": {
                "payment_id": f"pay_{n}",
                "credit_card_account_id": CREDIT,
                "user_id": ANN,
                "payment_date": day,
                "amount": "$50.00",
                "status": status,
            }
            for n, (day, status) in enumerate(
                [("08/15/2025", "LATE"), ("10/15/2025", "ON_TIME"), ("09/15/2025", "ON_TIME")]
            )
        }
    ),
}
CLAIM = {
    "name": "Ann Lee",
    "user_id": ANN,
    "address": ADDRESS,
    "email": f"{ANN}@example.com",
    "phone_number": "555-0100",
    "date_of_birth": "01/02/1990",
    "time_verified": "2025-11-14 03:40:00 EST",
}
