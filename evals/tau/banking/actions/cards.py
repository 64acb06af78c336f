"""Debit cards: activated, frozen, closed, their codes and limits changed."""

from collections.abc import Mapping
from typing import Any

from evals.tau.banking.actions.rules import CARDS
from evals.tau.banking.port import Action, Argument, Holdings, Plan, Put, Record
from evals.tau.banking.reckoning import age
from evals.tau.refusals import Turned

Given = Mapping[str, Any]

_TABLE = "debit_cards"
_ISSUED = {
    "new": ("new_account", "first_card"),
    "replacement": ("lost", "stolen", "fraud"),
    "reissued": ("expired", "damaged", "upgrade", "bank_reissue"),
}
"""How a card came → for which reasons it was issued."""
_ATM_LIMITS = {
    "blue account": 500,
    "green account": 600,
    "light blue account": 400,
    "green fee-free account": 500,
    "evergreen account": 750,
    "bluest account": 1500,
    "dark green account": 300,
    "gold years account": 600,
    "purple account": 1000,
}
"""Dollars a day where a card has no limit of its own."""
_RISE = 1.5
_RISE_AFTER_DAYS = 60
_RUNS = ("0123456789", "9876543210")


def _card(holdings: Holdings, given: Given) -> Record:
    return holdings.find(_TABLE, given["card_id"], "card_id")


def _changed(given: Given, card: Record, **values: Any) -> tuple[Put, ...]:
    return (Put(table=_TABLE, key=given["card_id"], record={**card, **values}),)


def _only(card: Record, *statuses: str, **about: str) -> None:
    """Refuse a card whose status is none of these."""
    status = str(card.get("status"))
    if status not in statuses:
        raise Turned("wrong_status", status=status, **about)


def _pin(pin: str) -> None:
    """Refuse a code that is easily guessed."""
    if not pin.isdigit() or len(pin) != 4:
        raise Turned("pin_digits")
    if any(pin in run for run in _RUNS):
        raise Turned("pin_run")
    if len(set(pin)) == 1:
        raise Turned("pin_same")


def _digits(given: Given, argument: str, count: int) -> None:
    value = given[argument]
    if not value.isdigit() or len(value) != count:
        raise Turned("digits", argument=argument, count=count)


def _same_digits(card: Record, given: Given) -> None:
    if card.get("last_4_digits") != given["last_4_digits"]:
        raise Turned("not_verified")


def _account_open(holdings: Holdings, card: Record) -> None:
    account = holdings.of("accounts").get(str(card.get("account_id")))
    if account is not None and account.get("status") != "OPEN":
        raise Turned("account_closed", account=str(card["account_id"]), status=str(account.get("status")))


def activate(holdings: Holdings, given: Given) -> Plan:
    """A card that came is switched on; the one before it is switched off, a reissued one after a day of grace."""
    _pin(given["pin"])
    _digits(given, "cvv", 3)
    _digits(given, "last_4_digits", 4)
    card = _card(holdings, given)
    reason = str(card.get("issue_reason", "new_account"))
    if reason not in _ISSUED[given["kind"]]:
        right = next((kind for kind, reasons in _ISSUED.items() if reason in reasons), "unknown")
        raise Turned("wrong_kind", issue_reason=reason, right=right)
    if card.get("status") == "ACTIVE":
        raise Turned("already")
    _only(card, "PENDING")
    _same_digits(card, given)
    _account_open(holdings, card)
    puts = list(_changed(given, card, status="ACTIVE", activated_date=holdings.day))
    before = [
        key
        for key, other in holdings.of(_TABLE).items()
        if key != given["card_id"]
        and other.get("account_id") == card.get("account_id")
        and other.get("status") == "ACTIVE"
    ]
    for key in before:
        left = _left(given["kind"], reason, holdings.day)
        puts.append(Put(table=_TABLE, key=key, record={**holdings.of(_TABLE)[key], **left}))
    facts = {"card_id": given["card_id"], "issue_reason": reason, "previous": ", ".join(before)}
    return Plan(facts=facts, puts=tuple(puts))


def _left(kind: str, reason: str, day: str) -> dict[str, str]:
    """Return what becomes of the card before."""
    if kind == "reissued":
        why = f"Reissued card activated ({reason})"
        return {"status": "GRACE_PERIOD", "grace_period_ends": day, "deactivation_reason": why}
    why = "New card activated" if kind == "new" else f"Replacement card activated ({reason})"
    return {"status": "DEACTIVATED", "deactivated_date": day, "deactivation_reason": why}


def close(holdings: Holdings, given: Given) -> Plan:
    card = _card(holdings, given)
    _only(card, "ACTIVE", "PENDING")
    values = {"status": "CLOSED", "closed_date": holdings.day, "closure_reason": given["reason"]}
    facts = {"card_id": given["card_id"], "reason": given["reason"], "previous": str(card["status"])}
    return Plan(facts=facts, puts=_changed(given, card, **values))


def freeze(holdings: Holdings, given: Given) -> Plan:
    card = _card(holdings, given)
    if card.get("status") == "FROZEN":
        raise Turned("already")
    _only(card, "ACTIVE")
    values = {"status": "FROZEN", "frozen_date": holdings.day}
    return Plan(facts={"card_id": given["card_id"]}, puts=_changed(given, card, **values))


def unfreeze(holdings: Holdings, given: Given) -> Plan:
    card = _card(holdings, given)
    if card.get("status") == "ACTIVE":
        raise Turned("already")
    _only(card, "FROZEN")
    _account_open(holdings, card)
    values = {"status": "ACTIVE", "unfrozen_date": holdings.day}
    return Plan(facts={"card_id": given["card_id"]}, puts=_changed(given, card, **values))


def clear_alert(holdings: Holdings, given: Given) -> Plan:
    """An alert of the customer's own doing is taken off; what the bank's watch raised is for its security team."""
    card = _card(holdings, given)
    if given["reason"] == "velocity_clear":
        if not card.get("velocity_blocked", False):
            raise Turned("no_block")
        values: dict[str, Any] = {"velocity_blocked": False, "velocity_cleared_date": holdings.day}
    else:
        if not card.get("fraud_alert_active", False):
            raise Turned("no_alert")
        if card.get("alert_source") == "bank_initiated":
            raise Turned("banks_own_alert")
        values = {"fraud_alert_active": False, "alert_source": None, "fraud_alert_cleared_date": holdings.day}
    facts = {"card_id": given["card_id"], "reason": given["reason"]}
    return Plan(facts=facts, puts=_changed(given, card, **values))


def reset_pin(holdings: Holdings, given: Given) -> Plan:
    _digits(given, "last_4_digits", 4)
    _pin(given["new_pin"])
    card = _card(holdings, given)
    _same_digits(card, given)
    _only(card, "ACTIVE")
    values = {"pin_last_changed": holdings.day, "pin_locked": False, "pin_attempts_remaining": 3}
    return Plan(facts={"card_id": given["card_id"]}, puts=_changed(given, card, **values))


def change_pin(holdings: Holdings, given: Given) -> Plan:
    _digits(given, "current_pin", 4)
    _pin(given["new_pin"])
    if given["current_pin"] == given["new_pin"]:
        raise Turned("pin_old")
    card = _card(holdings, given)
    _only(card, "ACTIVE")
    values = {"pin_last_changed": holdings.day}
    return Plan(facts={"card_id": given["card_id"]}, puts=_changed(given, card, **values))


def block_recurring(holdings: Holdings, given: Given) -> Plan:
    card = _card(holdings, given)
    status = str(card.get("status", "")).upper()
    if status != "ACTIVE":
        raise Turned("wrong_status", status=status)
    facts = {"card_id": given["card_id"], "block_recurring": given["block_recurring"]}
    return Plan(facts=facts, puts=_changed(given, card, recurring_blocked=given["block_recurring"]))


def raise_limit(holdings: Holdings, given: Given) -> Plan:
    """A limit is raised for a day, to half as much again at most."""
    kind, limit = given["limit_type"], given["new_limit"]
    if limit <= 0:
        raise Turned("not_positive")
    card = _card(holdings, given)
    _only(card, "ACTIVE")
    account = holdings.of("accounts").get(str(card.get("account_id")))
    if account is None:
        raise Turned("no_account")
    _account_open(holdings, card)
    days = age(account, holdings.today)
    if days is not None and days < _RISE_AFTER_DAYS:
        raise Turned("too_young", days=days)
    now = _limit_now(card, account, kind)
    most = int(now * _RISE)
    if limit > most:
        raise Turned("limit_too_high", most=most, now=now)
    if limit <= now:
        raise Turned("limit_not_higher", now=now)
    values = {
        f"daily_{kind}_limit": limit,
        f"temporary_{kind}_limit_increase": True,
        f"original_{kind}_limit": now,
        f"temporary_{kind}_limit_expires": holdings.day,
    }
    facts = {"card_id": given["card_id"], "kind": kind, "now": now, "limit": limit, "more": limit - now}
    return Plan(facts=facts, puts=_changed(given, card, **values))


def _limit_now(card: Record, account: Record, kind: str) -> int:
    now = card.get(f"daily_{kind}_limit")
    if now is None and kind == "atm":
        level = str(account.get("level", "")).lower()
        if "light green" in level:
            raise Turned("limit_fixed")
        now = _ATM_LIMITS.get(level)
        if now is None:
            raise Turned("limit_unknown", level=str(account.get("level")))
    if now is None:
        raise Turned("limit_absent")
    return int(now)


_CARD = Argument(name="card_id")
_LAST4 = Argument(name="last_4_digits")

ACTIONS = (
    Action(
        name="activate_card",
        does="Prepare to switch on a debit card that came by post, of the customer's own.",
        rule=CARDS,
        arguments=(
            _CARD,
            Argument(name="kind", choices=tuple(_ISSUED)),
            _LAST4,
            Argument(name="expiration_date"),
            Argument(name="cvv"),
            Argument(name="pin"),
        ),
        plan=activate,
    ),
    Action(
        name="close_card",
        does="Prepare to close a debit card of the customer's own for good.",
        rule=CARDS,
        arguments=(
            _CARD,
            Argument(
                name="reason",
                choices=(
                    "lost",
                    "stolen",
                    "fraud_suspected",
                    "damaged",
                    "no_longer_needed",
                    "account_closing",
                ),
            ),
        ),
        plan=close,
    ),
    Action(
        name="freeze_card",
        does="Prepare to freeze a debit card of the customer's own.",
        rule=CARDS,
        arguments=(_CARD,),
        plan=freeze,
    ),
    Action(
        name="unfreeze_card",
        does="Prepare to unfreeze a debit card of the customer's own.",
        rule=CARDS,
        arguments=(_CARD,),
        plan=unfreeze,
    ),
    Action(
        name="clear_card_alert",
        does="Prepare to take an alert or a block off a debit card of the customer's own.",
        rule=CARDS,
        arguments=(_CARD, Argument(name="reason", choices=("customer_verified", "velocity_clear"))),
        plan=clear_alert,
    ),
    Action(
        name="reset_pin",
        does="Prepare a new code for a debit card whose code is forgotten.",
        rule=CARDS,
        arguments=(_CARD, _LAST4, Argument(name="new_pin")),
        plan=reset_pin,
    ),
    Action(
        name="change_pin",
        does="Prepare a new code for a debit card whose code is known.",
        rule=CARDS,
        arguments=(_CARD, Argument(name="current_pin"), Argument(name="new_pin")),
        plan=change_pin,
    ),
    Action(
        name="block_recurring",
        does="Prepare to decline or allow subscriptions on a debit card of the customer's own.",
        rule=CARDS,
        arguments=(_CARD, Argument(name="block_recurring", kind="flag")),
        plan=block_recurring,
    ),
    Action(
        name="raise_card_limit",
        does="Prepare a higher limit for a day on a debit card of the customer's own.",
        rule=CARDS,
        arguments=(
            _CARD,
            Argument(name="limit_type", choices=("atm", "purchase")),
            Argument(name="new_limit", kind="whole"),
        ),
        plan=raise_limit,
    ),
)
