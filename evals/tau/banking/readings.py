"""How the official calls show a customer their own records: each way by its name in `official/*.toml`.

All take the customer's holdings, empty for somebody unknown, and never see anybody else's.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from evals.tau.banking.interface import Entry, form
from evals.tau.banking.port import Holdings, Record

Given = Mapping[str, Any]
Reading = Callable[[Entry, Given, Holdings], str]

_IMAGES = tomllib.loads(Path(__file__).with_name("deposit_images.toml").read_text("utf-8"))
_CARD_NAMES = {"last_4_digits": "card_number_last_4", "issue_date": "date_issued"}
_BANK = ("RHO-BANK", "RHOBANK")


def table(place: str, records: Mapping[str, Record]) -> str:
    """Return the records as the bank lists them, one field a line."""
    if not records:
        return f"No records found in '{place}'."
    lines = [f"Found {len(records)} record(s) in '{place}':\n"]
    for n, (key, record) in enumerate(records.items(), start=1):
        lines += [f"{n}. Record ID: {key}", *(f"   {name}: {value}" for name, value in record.items()), ""]
    return "\n".join(lines)


def whole(entry: Entry, given: Given, holdings: Holdings) -> str:
    return table(entry.reads, holdings.of(entry.reads))


def profile(entry: Entry, given: Given, holdings: Holdings) -> str:
    """Return the customer's own record if the call names them by id, name or e-mail; anybody else is not found."""
    asked = {"user_id": "user_id", "customer_name": "name", "email": "email"}
    mine = {
        key: one
        for key, one in holdings.of(entry.reads).items()
        if all(one.get(field) == given[argument] for argument, field in asked.items() if argument in given)
    }
    return table(entry.reads, mine)


def listed(entry: Entry, given: Given, holdings: Holdings) -> str:
    """Return a head and the records: of the customer, or of the credit card the call names."""
    name = "credit_card_account_id"
    mine = {
        key: one
        for key, one in holdings.of(entry.reads).items()
        if name not in given or one.get(name) == given[name]
    }
    return _under_head(entry, given, table(entry.reads, mine) if mine else entry.words["none"])


def _under_head(entry: Entry, given: Given, text: str) -> str:
    return f"{form(entry.words['head'], given)}\n{text}"


def all_accounts(entry: Entry, given: Given, holdings: Holdings) -> str:
    places = {"accounts": "bank accounts", "credit_card_accounts": "credit card accounts"}
    shown = [
        table(place, holdings.of(place)) if holdings.of(place) else f"  No {what} found."
        for place, what in places.items()
    ]
    head = f"User accounts retrieved successfully.\n\nExecuted: {entry.name}\nAccounts for user {given['user_id']}:"
    return f"{head}\n\nBank Accounts:\n{shown[0]}\n\nCredit Card Accounts:\n{shown[1]}"


def account_lines(entry: Entry, given: Given, holdings: Holdings) -> str:
    """Return the movements of an account, the latest day first; those of a day keep their order."""
    if given["account_id"] not in holdings.of("accounts"):
        return form(entry.words["absent"], given)
    mine = {
        key: one
        for key, one in holdings.of(entry.reads).items()
        if one.get("account_id") == given["account_id"]
    }
    latest = dict(sorted(mine.items(), key=lambda item: _moment(item[1]), reverse=True))
    return _under_head(entry, given, table(entry.reads, latest) if latest else entry.words["none"])


def _moment(record: Record) -> datetime:
    for written in ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y"):
        try:
            return datetime.strptime(str(record.get("date", "")), written)
        except ValueError:
            continue
    return datetime.min


def account_cards(entry: Entry, given: Given, holdings: Holdings) -> str:
    account = holdings.of("accounts").get(given["account_id"])
    if account is None:
        return form(entry.words["absent"], given)
    if str(account.get("class", "")).lower() not in ("checking", "business_checking"):
        return form(entry.words["wrong"], given)
    cards = [
        _shown(key, card)
        for key, card in holdings.of(entry.reads).items()
        if card.get("account_id") == given["account_id"]
    ]
    if not cards:
        return form(entry.words["none"], given)
    return json.dumps(sorted(cards, key=lambda card: card.get("date_issued") or "", reverse=True), indent=2)


def _shown(key: str, card: Record) -> dict[str, Any]:
    """Return the card with two of its fields under the names shown, at the end."""
    shown = {"card_id": key, **card}
    for name, as_ in _CARD_NAMES.items():
        if name in shown and as_ not in shown:
            shown[as_] = shown.pop(name)
    return shown


def payments(entry: Entry, given: Given, holdings: Holdings) -> str:
    try:
        months = int(given["months"])
    except (ValueError, TypeError, OverflowError):
        return "Error: Invalid months value. Must be a positive integer."
    if months <= 0:
        return entry.words["wrong"]
    name = "credit_card_account_id"
    mine = [one for one in holdings.of(entry.reads).values() if one.get(name) == given[name]]
    if not mine:
        return form(entry.words["none"], given)
    latest = sorted(mine, key=lambda one: one.get("payment_date") or "", reverse=True)[:months]
    late = next((n for n, one in enumerate(latest) if one.get("status") != "ON_TIME"), len(latest))
    head = form(entry.words["head"], {**given, "months": months, "on_time": late})
    fields = ("payment_date", "amount", "status")
    lines = (form(entry.words["line"], {field: one.get(field) for field in fields}) for one in latest)
    return "\n".join([head, *lines])


def last_digits(entry: Entry, given: Given, holdings: Holdings) -> str:
    """Return the last four digits of a card, which the bank derives from its number."""
    card = given["credit_card_account_id"]
    if card not in holdings.of(entry.reads):
        return form(entry.words["absent"], given)
    drawn = hashlib.sha256(f"card_last4:{card}".encode()).hexdigest()
    digits = "".join(c for c in drawn if c.isdigit())[:4].ljust(4, "0")
    return form(entry.words["head"], {**given, "digits": digits})


def deposit_images(entry: Entry, given: Given, holdings: Holdings) -> str:
    key = given["transaction_id"]
    line = holdings.of(entry.reads).get(key)
    if line is None:
        return form(entry.words["absent"], given)
    if line.get("type") != "atm_deposit":
        return form(entry.words["wrong"], given)
    description = str(line.get("description", ""))
    if not any(name in description.upper() for name in _BANK):
        return form(entry.words["elsewhere"], given)
    facts = {**given, "description": description, "date": line.get("date", "Unknown")}
    if key in _IMAGES:
        return form(entry.words["head"], {**facts, **_IMAGES[key]})
    return form(entry.words["none"], {**facts, "amount": abs(line.get("amount", 0))})


READINGS: Mapping[str, Reading] = {
    reading.__name__: reading
    for reading in (
        whole,
        profile,
        listed,
        all_accounts,
        account_lines,
        account_cards,
        payments,
        last_digits,
        deposit_images,
    )
}
