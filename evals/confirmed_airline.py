"""Recorded changes of an airline as their customer may have heard of them: which arguments decide, and their names.

A recorded call holds ids of the system (`credit_card_9074831`); a customer hears «the card ending in 7334». What the
system had shown before the call (profile, booking) tells one from the other, and what stays as it is from what changes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from agent.policy.confirmed import Change, Detail
from agent.policy.days import spoken_day

_CARD = re.compile(r"(?:ending (?:in|with) |card )\*{0,2}(\d{4})\b")
WORDS = Path(__file__).with_name("airline_words.yaml")


@dataclass(slots=True, kw_only=True)  # mutable: a run is read message by message
class Seen:
    """What the system had shown before a call: the customer's profile, and bookings by id."""

    profile: Mapping[str, Any] = field(default_factory=dict)
    bookings: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    cards: set[str] = field(default_factory=set)
    """Last digits of every card that was spoken of."""

    def hear(self, text: str) -> None:
        """Keep which cards a message speaks of."""
        self.cards.update(_CARD.findall(text.lower()))

    def learn(self, result: Mapping[str, Any]) -> None:
        """Keep what a tool returned, if it is a profile or a booking."""
        if "payment_methods" in result and "email" in result:
            self.profile = result
        elif "reservation_id" in result:
            self.bookings[str(result["reservation_id"])] = result


@cache
def wording() -> Mapping[str, Any]:
    """Return the airline's words."""
    import yaml

    found: Mapping[str, Any] = yaml.safe_load(WORDS.read_text("utf-8"))
    return found


def change(name: str, arguments: Mapping[str, Any], seen: Seen) -> Change:
    """Return a recorded call as a change; raises `KeyError` for a call that is none."""
    build = {
        "book_reservation": _booking,
        "cancel_reservation": _cancelled,
        "update_reservation_flights": _flights,
        "update_reservation_baggages": _bags,
        "update_reservation_passengers": _passengers,
        "send_certificate": _certificate,
    }[name]
    return Change(
        name=name,
        action=tuple(wording()["actions"][name]),
        details=tuple(build(arguments, seen)),
    )


def is_change(name: str) -> bool:
    """Tell whether a call changes anything."""
    return name in wording()["actions"]


def _cancelled(arguments: Mapping[str, Any], seen: Seen) -> Iterator[Detail]:
    yield _reservation(arguments, seen)


def _flights(arguments: Mapping[str, Any], seen: Seen) -> Iterator[Detail]:
    yield _reservation(arguments, seen)
    before = seen.bookings.get(str(arguments["reservation_id"]), {})
    yield _cabin(arguments, settled=before.get("cabin") == arguments["cabin"])
    had = [(one["flight_number"], one["date"]) for one in before.get("flights", ())]
    yield from _legs(arguments["flights"], had=had)
    yield _means(arguments["payment_id"], seen, before, settled=_cheaper(before, arguments["cabin"]))


def _booking(arguments: Mapping[str, Any], seen: Seen) -> Iterator[Detail]:
    yield _cabin(arguments, settled=False)
    yield from _legs(arguments["flights"], had=())
    known = {_full(seen.profile.get("name", {})).lower()}
    known |= {_full(one).lower() for booking in seen.bookings.values() for one in booking["passengers"]}
    yield from _people(arguments["passengers"], known=known)
    together = [one["payment_id"] for one in arguments["payment_methods"]]
    for paid in arguments["payment_methods"]:
        if paid["amount"]:
            yield _means(paid["payment_id"], seen, {}, settled=False, beside=together)
            yield _amount(paid["amount"])
    if int(arguments.get("nonfree_baggages", 0)):
        yield Detail(name="paid bags", ways=tuple(wording()["bag"]))
    if arguments.get("insurance") == "yes":
        yield Detail(name="insurance", ways=tuple(wording()["insurance"]))


def _bags(arguments: Mapping[str, Any], seen: Seen) -> Iterator[Detail]:
    yield _reservation(arguments, seen)
    before = seen.bookings.get(str(arguments["reservation_id"]), {})
    total = int(arguments["total_baggages"])
    counts = {total, total - int(before.get("total_baggages", 0))}
    spoken = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
    numbers = [
        word for n in sorted(counts) for word in (str(n), spoken.get(n, ""), "a" if n == 1 else "") if word
    ]
    kinds = (
        "",
        "checked ",
        "additional ",
        "extra ",
        "more ",
        "free ",
        "additional checked ",
        "extra checked ",
    )
    bags = wording()["bag"]
    yield Detail(
        name="bags", ways=tuple(f"{n} {kind}{bag}" for n in numbers for kind in kinds for bag in bags)
    )
    free = int(arguments["nonfree_baggages"]) <= int(before.get("nonfree_baggages", 0))
    yield _means(arguments["payment_id"], seen, before, settled=free)


def _passengers(arguments: Mapping[str, Any], seen: Seen) -> Iterator[Detail]:
    yield _reservation(arguments, seen)
    before = seen.bookings.get(str(arguments["reservation_id"]), {})
    yield from _people(
        arguments["passengers"], known={_full(one).lower() for one in before.get("passengers", ())}
    )


def _certificate(arguments: Mapping[str, Any], seen: Seen) -> Iterator[Detail]:
    yield _amount(arguments["amount"])


def _reservation(arguments: Mapping[str, Any], seen: Seen) -> Detail:
    id = str(arguments["reservation_id"])
    others = {*seen.profile.get("reservations", ()), *seen.bookings} - {id}
    return Detail(
        name="reservation",
        ways=(id.lower(),),
        meant=tuple(wording()["this"]) if id in seen.bookings else (),
        rivals=tuple(sorted(one.lower() for one in others)),
        sort="thing",
    )


def _cabin(arguments: Mapping[str, Any], *, settled: bool) -> Detail:
    cabin = str(arguments["cabin"]).replace("_", " ")
    others = tuple(one for one in wording()["cabins"] if one != cabin)
    return Detail(name="cabin", ways=(cabin,), rivals=others, settled=settled)


def _legs(flights: Sequence[Mapping[str, Any]], *, had: Sequence[tuple[str, str]]) -> Iterator[Detail]:
    new = [one for one in flights if (one["flight_number"], one["date"]) not in had]
    days = dict.fromkeys([*(str(one["date"]) for one in flights), *(day for _, day in had)])
    for one in new:
        others = [way for day in days if day != one["date"] for way in spoken_day(day)]
        yield Detail(
            name=f"flight {one['flight_number']}",
            ways=(str(one["flight_number"]).lower(),),
            beside=spoken_day(str(one["date"])),
            apart=tuple(others),
        )
    for day in dict.fromkeys(str(one["date"]) for one in new):
        yield Detail(name=f"day {day}", ways=spoken_day(day))


def _people(people: Sequence[Mapping[str, Any]], *, known: set[str]) -> Iterator[Detail]:
    for one in people:
        name = _full(one).lower()
        if name not in known:
            yield Detail(name="passenger", ways=(name,))


def _means(
    id: str, seen: Seen, booking: Mapping[str, Any], *, settled: bool, beside: Sequence[str] = ()
) -> Detail:
    """Name a means of payment; a change that costs nothing more is settled where its money came from.

    `beside` are the means that pay the rest: naming them tells no other one.
    """
    methods: Mapping[str, Mapping[str, Any]] = seen.profile.get("payment_methods", {})
    paid_by = {one["payment_id"] for one in booking.get("payment_history", ())}
    kind, _, digits = id.rpartition("_")
    ways = [_spoken(methods[id]) if id in methods else digits]
    if id in paid_by:
        ways += wording()["original"]
    if kind in wording()["means"]:
        called = wording()["means"][kind]
        ways += [
            called,
            f"{called}s",
            f"{called} {digits}",
            *filter(None, [methods.get(id, {}).get("brand")]),
        ]
    paying = {_spoken(methods[one]) for one in beside if one in methods}
    others = {_spoken(one) for key, one in methods.items() if key != id} | seen.cards
    others -= {*ways, *paying}
    return Detail(
        name="payment", ways=tuple(ways), rivals=tuple(sorted(others)), settled=settled and id in paid_by
    )


def _spoken(means: Mapping[str, Any]) -> str:
    """Return a card by its last digits, anything else by its kind."""
    return str(means.get("last_four") or wording()["means"][means["source"]])


def _amount(amount: float) -> Detail:
    plain = f"{amount:g}"
    return Detail(
        name=f"amount {plain}", ways=(f"${plain}", f"{plain} dollars", f"{plain} usd", f"${plain}.00")
    )


def _cheaper(before: Mapping[str, Any], cabin: str) -> bool:
    """Tell whether a booking goes down to a lower cabin, which brings money back."""
    order = [one.replace(" ", "_") for one in wording()["cabins"]]
    return before.get("cabin") in order and order.index(cabin) < order.index(before["cabin"])


def _full(person: Mapping[str, Any]) -> str:
    return f"{person.get('first_name', '')} {person.get('last_name', '')}"
