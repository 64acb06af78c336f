"""What customers claim and apply for: disputes, rewards put right, referrals, a card, another e-mail."""

from collections.abc import Mapping
from typing import Any

from evals.tau.banking.actions.rules import APPLY, CLAIMS, PROFILE
from evals.tau.banking.port import Action, Argument, Holdings, Plan, Put
from evals.tau.banking.reckoning import number
from evals.tau.refusals import Turned

Given = Mapping[str, Any]

_CARD_LINES = "credit_card_transaction_history"
_FRAUD = ("unauthorized_transaction", "card_present_fraud", "card_not_present_fraud")
_POLICE_ABOVE = 500
_CARDS = (
    "Bronze Rewards Card",
    "Business Bronze Rewards Card",
    "Business Gold Rewards Card",
    "Business Platinum Rewards Card",
    "Business Silver Rewards Card",
    "Crypto-Cash Back",
    "Diamond Elite Card",
    "EcoCard",
    "Gold Rewards Card",
    "Green Rewards Card",
    "Platinum Rewards Card",
    "Silver Rewards Card",
    "Silver Zoom Card",
)
_RATES: Mapping[str, Mapping[str, float]] = {
    "Bronze Rewards Card": {"": 1.0},
    "Silver Rewards Card": {"Travel": 4.0, "Software": 4.0, "": 1.0},
    "Gold Rewards Card": {"": 2.5},
    "Platinum Rewards Card": {"": 10.0},
    "Business Bronze Rewards Card": {"": 1.0},
    "Business Silver Rewards Card": {"Travel": 10.0, "Software": 10.0, "": 1.0},
    "Green Rewards Card": {"Sustainable": 3.0, "": 1.0},
    "Business Gold Rewards Card": {"Operations": 2.5, "": 1.0},
    "Business Platinum Rewards Card": {"Travel": 4.0, "Software": 4.0, "Media": 4.0, "": 1.5},
    "Silver Zoom Card": {"Transportation": 3.0, "": 1.0},
    "Diamond Elite Card": {"": 5.0},
    "EcoCard": {"Green": 5.0, "": 1.0},
    "Crypto-Cash Back": {"": 2.0},
}
"""Card → category → rewards in percent; "" is every other category."""


def dispute_credit(holdings: Holdings, given: Given) -> Plan:
    """A charge on a credit card is disputed; who the customer is and how to reach them is the bank's own record."""
    part = given.get("partial_refund_amount")
    if given["resolution_requested"] == "partial_refund" and part is None:
        raise Turned("amount_needed")
    holdings.find(_CARD_LINES, given["transaction_id"], "transaction_id")
    key = number("dispute", user_id=holdings.owner, **given)
    if key in holdings.of("transaction_disputes"):
        raise Turned("exists")
    who = holdings.profile
    record = {
        "dispute_id": key,
        "transaction_id": given["transaction_id"],
        "user_id": holdings.owner,
        "card_action": given["card_action"],
        "card_last_4_digits": given["card_last_4_digits"],
        "full_name": who.get("name"),
        "phone": who.get("phone_number"),
        "email": who.get("email"),
        "address": who.get("address"),
        **{name: given[name] for name in ("contacted_merchant", "purchase_date", "issue_noticed_date")},
        **{name: given[name] for name in ("dispute_reason", "resolution_requested")},
        "partial_refund_amount": part,
        "eligible_for_provisional_credit": given["eligible_for_provisional_credit"],
        "provisional_credit_given": given["eligible_for_provisional_credit"],
        "submitted_at": holdings.day,
        "status": "SUBMITTED",
    }
    facts = {
        "dispute_id": key,
        "transaction_id": given["transaction_id"],
        "reason": given["dispute_reason"],
        "resolution": given["resolution_requested"],
        "part": part or 0.0,
        "provisional": given["eligible_for_provisional_credit"],
    }
    return Plan(facts=facts, puts=(Put(table="transaction_disputes", key=key, record=record, new=True),))


def dispute_debit(holdings: Holdings, given: Given) -> Plan:
    """A movement on an account is disputed; the money is given back for the time being where that is due."""
    amount = given["disputed_amount"]
    if amount <= 0:
        raise Turned("not_positive")
    holdings.find("accounts", given["account_id"], "account_id")
    holdings.find("debit_cards", given["card_id"], "card_id")
    holdings.find("bank_account_transaction_history", given["transaction_id"], "transaction_id")
    key = number("dispute", user_id=holdings.owner, **given)
    if key in holdings.of("debit_card_disputes"):
        raise Turned("exists")
    fraud, due = given["dispute_category"] in _FRAUD, given["provisional_credit_eligible"]
    shared = given["pin_compromised"] == "yes_shared"
    record = {
        "dispute_id": key,
        **{name: given[name] for name in ("transaction_id", "account_id", "card_id")},
        "user_id": holdings.owner,
        **{name: given[name] for name in ("dispute_category", "transaction_date", "discovery_date")},
        **{name: given[name] for name in ("disputed_amount", "transaction_type", "card_in_possession")},
        **{name: given[name] for name in ("pin_compromised", "contacted_merchant", "police_report_filed")},
        **{name: given[name] for name in ("written_statement_provided", "provisional_credit_eligible")},
        "provisional_credit_issued": due,
        "provisional_credit_amount": amount if due else None,
        **{name: given[name] for name in ("customer_max_liability_amount", "card_action")},
        "is_fraud_category": fraud,
        "pin_shared_voluntarily": shared,
        "submitted_at": holdings.day,
        "status": "OPEN",
    }
    facts = {
        "dispute_id": key,
        "amount": amount,
        **{name: given[name] for name in ("transaction_id", "account_id", "card_action")},
        "category": given["dispute_category"],
        "due": due,
        "shared": shared,
        "police": fraud and not given["police_report_filed"] and amount > _POLICE_ABOVE,
    }
    return Plan(facts=facts, puts=(Put(table="debit_card_disputes", key=key, record=record, new=True),))


def dispute_rewards(holdings: Holdings, given: Given) -> Plan:
    """Wrong rewards of a purchase are disputed; where the bank is set so, it decides at once."""
    holdings.find(_CARD_LINES, given["transaction_id"], "transaction_id")
    key = number("dispute", user_id=holdings.owner, **given)
    if key in holdings.of("cash_back_disputes"):
        raise Turned("exists")
    decided = bool(holdings.settings.get("dispute_settings", {}).get("auto_resolve_disputes", False))
    record = {
        "dispute_id": key,
        "user_id": holdings.owner,
        "transaction_id": given["transaction_id"],
        "submitted_at": holdings.day,
        **({"status": "RESOLVED", "resolution": "APPROVED"} if decided else {"status": "SUBMITTED"}),
    }
    facts = {"dispute_id": key, "transaction_id": given["transaction_id"], "decided": decided}
    return Plan(facts=facts, puts=(Put(table="cash_back_disputes", key=key, record=record, new=True),))


def correct_rewards(holdings: Holdings, given: Given) -> Plan:
    line = holdings.find(_CARD_LINES, given["transaction_id"], "transaction_id")
    after = {**line, "rewards_earned": given["new_rewards_earned"]}
    put = Put(table=_CARD_LINES, key=given["transaction_id"], record=after)
    return Plan(facts={name: given[name] for name in ("transaction_id", "new_rewards_earned")}, puts=(put,))


def refer(holdings: Holdings, given: Given) -> Plan:
    """Somebody is to be invited: to an account, or to a card by a link."""
    what = given["invites_to"]
    key = (
        number("referral_link", user_id=holdings.owner, card_name=what)
        if given["by_link"]
        else number("referral", user_id=holdings.owner, account_type=what)
    )
    if key in holdings.of("referrals"):
        raise Turned("exists", number=key)
    record = {
        "referral_id": key,
        "referrer_id": holdings.owner,
        "referred_account_type": what,
        "referral_status": "NO_PROGRESS",
        "date": holdings.day,
    }
    facts = {"referral_id": key, "what": what}
    return Plan(facts=facts, puts=(Put(table="referrals", key=key, record=record, new=True),))


def apply(holdings: Holdings, given: Given) -> Plan:
    key = number("application", **given)
    if key in holdings.of("credit_card_applications"):
        raise Turned("exists", number=key)
    names = ("card_type", "customer_name", "annual_income", "rho_bank_subscription")
    record = {
        "application_id": key,
        **{name: given[name] for name in names},
        "status": "PENDING",
        "date": holdings.day,
    }
    put = Put(table="credit_card_applications", key=key, record=record, new=True)
    return Plan(facts={"application_id": key, "card_type": given["card_type"]}, puts=(put,))


def buy(holdings: Holdings, given: Given) -> Plan:
    """A purchase with a card, with the rewards it earns."""
    rates, amount = _RATES[given["credit_card_type"]], given["amount"]
    rate = rates.get(given["category"], rates[""])
    key = number("purchase", user_id=holdings.owner, **given)
    if key in holdings.of(_CARD_LINES):
        raise Turned("exists", number=key)
    points = int(amount * rate)
    record = {
        "transaction_id": key,
        "user_id": holdings.owner,
        "credit_card_type": given["credit_card_type"],
        "merchant_name": given["merchant_name"],
        "transaction_amount": f"${amount:.2f}",
        "transaction_date": holdings.day,
        "category": given["category"],
        "status": "COMPLETED",
        "rewards_earned": f"{points} points",
    }
    facts = {"transaction_id": key, "amount": amount, "merchant": given["merchant_name"]}
    put = Put(table=_CARD_LINES, key=key, record=record, new=True)
    return Plan(facts={**facts, "points": points, "rate": rate}, puts=(put,))


def change_email(holdings: Holdings, given: Given) -> Plan:
    me = holdings.find("users", holdings.owner, "user_id")
    put = Put(table="users", key=holdings.owner, record={**me, "email": given["new_email"]})
    return Plan(facts={"new_email": given["new_email"]}, puts=(put,))


def _texts(*names: str) -> tuple[Argument, ...]:
    return tuple(Argument(name=name) for name in names)


def _flags(*names: str) -> tuple[Argument, ...]:
    return tuple(Argument(name=name, kind="flag") for name in names)


_DISPUTED = (
    "unauthorized_transaction",
    "atm_cash_discrepancy",
    "atm_deposit_not_credited",
    "duplicate_charge",
    "incorrect_amount",
    "goods_services_not_received",
    "recurring_charge_after_cancellation",
    "card_present_fraud",
    "card_not_present_fraud",
)
_MOVED = (
    "pin_purchase",
    "signature_purchase",
    "online_purchase",
    "atm_withdrawal",
    "atm_deposit",
    "recurring_payment",
    "person_to_person",
)
_REASONS = (
    "unauthorized_fraudulent_charge",
    "duplicate_charge",
    "incorrect_amount",
    "goods_services_not_received",
    "goods_services_not_as_described",
    "canceled_subscription_still_charging",
    "refund_never_processed",
)

ACTIONS = (
    Action(
        name="dispute_card_charge",
        does="Prepare a dispute of a charge on a credit card of the customer's own.",
        rule=CLAIMS,
        arguments=(
            *_texts("transaction_id"),
            Argument(name="card_action", choices=("keep_active", "cancel_and_reissue")),
            *_texts("card_last_4_digits"),
            *_flags("contacted_merchant"),
            *_texts("purchase_date", "issue_noticed_date"),
            Argument(name="dispute_reason", choices=_REASONS),
            Argument(name="resolution_requested", choices=("full_refund", "partial_refund")),
            *_flags("eligible_for_provisional_credit"),
            Argument(name="partial_refund_amount", kind="number", optional=True),
        ),
        plan=dispute_credit,
    ),
    Action(
        name="dispute_account_movement",
        does="Prepare a dispute of a movement made with a debit card of the customer's own.",
        rule=CLAIMS,
        arguments=(
            *_texts("transaction_id", "account_id", "card_id"),
            Argument(name="dispute_category", choices=_DISPUTED),
            *_texts("transaction_date", "discovery_date"),
            Argument(name="disputed_amount", kind="number"),
            Argument(name="transaction_type", choices=_MOVED),
            *_flags("card_in_possession"),
            Argument(name="pin_compromised", choices=("yes_shared", "yes_observed", "no", "unknown")),
            *_flags("contacted_merchant", "police_report_filed", "written_statement_provided"),
            *_flags("provisional_credit_eligible"),
            Argument(name="customer_max_liability_amount", kind="number"),
            Argument(
                name="card_action",
                choices=("keep_active", "freeze_pending_investigation", "close_and_reissue"),
            ),
        ),
        plan=dispute_debit,
    ),
    Action(
        name="dispute_rewards",
        does="Prepare a dispute of the rewards of a purchase of the customer's own.",
        rule=CLAIMS,
        arguments=_texts("transaction_id"),
        plan=dispute_rewards,
    ),
    Action(
        name="correct_rewards",
        does="Prepare other rewards for a purchase of the customer's own.",
        rule=CLAIMS,
        arguments=_texts("transaction_id", "new_rewards_earned"),
        plan=correct_rewards,
    ),
    Action(
        name="refer_somebody",
        does="Prepare an invitation from the customer to an account or, by a link, to a card.",
        rule=CLAIMS,
        arguments=(*_texts("invites_to"), *_flags("by_link")),
        plan=refer,
    ),
    Action(
        name="apply_for_card",
        does="Prepare an application for a credit card.",
        rule=APPLY,
        arguments=(
            Argument(name="card_type", choices=_CARDS),
            *_texts("customer_name"),
            Argument(name="annual_income", kind="number"),
            *_flags("rho_bank_subscription"),
        ),
        plan=apply,
    ),
    Action(
        name="pay_by_card",
        does="Prepare a purchase with a credit card of the customer's own.",
        rule=CLAIMS,
        arguments=(
            Argument(name="credit_card_type", choices=tuple(_RATES)),
            *_texts("merchant_name"),
            Argument(name="amount", kind="number"),
            *_texts("category"),
        ),
        plan=buy,
    ),
    Action(
        name="change_email",
        does="Prepare another e-mail address for the customer.",
        rule=PROFILE,
        arguments=_texts("new_email"),
        plan=change_email,
    ),
)
