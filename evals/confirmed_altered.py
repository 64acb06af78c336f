"""A recorded change with one argument altered: what no yes given to the recorded one may let pass."""

import datetime
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from evals.confirmed_airline import Seen, wording

UNKNOWN = "ZZ9ZZ9"
DAYS_LATER = 3


def altered(arguments: Mapping[str, Any], seen: Seen) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what is altered and the arguments with just that altered; `booking` is another one of the same customer."""
    if "reservation_id" in arguments:
        others = {*seen.profile.get("reservations", ()), *seen.bookings} - {arguments["reservation_id"]}
        for id in sorted(others)[:2]:
            yield "booking", {**arguments, "reservation_id": id}
        yield "unknown booking", {**arguments, "reservation_id": UNKNOWN}
    if "passengers" in arguments:
        yield "passenger", _first(arguments, "passengers", first_name="Zoe")
    yield from _travelled(arguments)
    yield from _paid(arguments, seen)


def _travelled(arguments: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "flights" in arguments:
        yield "flight", _first(arguments, "flights", flight_number="HAT999")
        day = datetime.date.fromisoformat(arguments["flights"][0]["date"])
        later = day + datetime.timedelta(days=DAYS_LATER)
        yield "day", _first(arguments, "flights", date=later.isoformat())
        for cabin in (one.replace(" ", "_") for one in wording()["cabins"]):
            if cabin != arguments["cabin"]:
                yield "cabin", {**arguments, "cabin": cabin}


def _paid(arguments: Mapping[str, Any], seen: Seen) -> Iterator[tuple[str, dict[str, Any]]]:
    if "payment_id" in arguments:
        for means in seen.profile.get("payment_methods", {}):
            if means != arguments["payment_id"]:
                yield "means", {**arguments, "payment_id": means}
    if "payment_methods" in arguments:
        more = arguments["payment_methods"][0]["amount"] + 37
        yield "amount", _first(arguments, "payment_methods", amount=more)
    if "amount" in arguments:
        yield "amount", {**arguments, "amount": arguments["amount"] + 50}


def _first(arguments: Mapping[str, Any], name: str, **changed: Any) -> dict[str, Any]:
    """Return the arguments with the first member of a list changed."""
    copy = deepcopy(dict(arguments))
    copy[name][0].update(changed)
    return copy
