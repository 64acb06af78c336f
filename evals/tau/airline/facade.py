"""The official calls of the airline, each done by Mayak's own tools as the bound customer.

official name ─► _CALLS ─► tool and arguments ─► the desk ─► fault ─► the official error
                                                       └──► done ─► the official form, read as that customer
"""

import tomllib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from evals.tau.airline import official
from evals.tau.airline.functions import connections
from evals.tau.airline.port import Airline, BookingId
from evals.tau.arithmetic import calculate
from evals.tau.desk import Desk, Said
from evals.tau.domain import Call, Json, Refused, Unplayable
from tools.context import CustomerId

Arguments = Mapping[str, Any]

_AIRPORTS = tomllib.loads(Path(__file__).with_name("airports.toml").read_text("utf-8"))
_CHANGING = "update_"

_ARGUMENTS: Mapping[str, frozenset[str]] = {
    name: frozenset(arguments.split())
    for name, arguments in {
        "book_reservation": "user_id origin destination flight_type cabin flights passengers payment_methods"
        " total_baggages nonfree_baggages insurance",
        "calculate": "expression",
        "cancel_reservation": "reservation_id",
        "get_flight_status": "flight_number date",
        "get_reservation_details": "reservation_id",
        "get_user_details": "user_id",
        "list_all_airports": "",
        "search_direct_flight": "origin destination date",
        "search_onestop_flight": "origin destination date",
        "send_certificate": "user_id amount",
        "transfer_to_human_agents": "summary",
        "update_reservation_baggages": "reservation_id total_baggages nonfree_baggages payment_id",
        "update_reservation_flights": "reservation_id cabin flights payment_id",
        "update_reservation_passengers": "reservation_id passengers",
    }.items()
}

_ERRORS: Mapping[str, str] = {
    "rejected.no_flight": "Flight {flight} not found",
    "rejected.no_such_day": "Flight {flight} not found on date {day}",
    "rejected.not_bookable": "Flight {flight} not available on date {day}",
    "rejected.no_seats": "Not enough seats on flight {flight}",
    "rejected.no_means": "Payment method {means} not found",
    "rejected.low_balance": "Not enough balance in payment method {means}",
    "rejected.certificate_not_taken": "Certificate cannot be used to update reservation",
    "rejected.wrong_total": "Payment amount does not add up, total price is {total}, but paid {paid}",
    "rejected.wrong_count": "Number of passengers does not match",
    "rejected.no_more_bookings": "Too many reservations",
    "rejected.no_more_certificates": "Too many certificates",
}
"""Fault of a tool → official error; a change of a booking has two of its own."""
_ERRORS_OF_CHANGES: Mapping[str, str] = {
    **_ERRORS,
    "rejected.no_means": "Payment method not found",
    "rejected.low_balance": "Gift card balance is not enough",
}


class AirlineWorld:
    """One run over one airline; `owners` says whose each booking was before it, for the harness alone."""

    def __init__(
        self, *, airline: Airline, desk: Desk, engine: AsyncEngine, owners: Mapping[str, str]
    ) -> None:
        self._airline = airline
        self._desk = desk
        self._engine = engine
        self._owners = owners
        self._calls: Mapping[str, Callable[[Arguments], Awaitable[Json]]] = {
            "book_reservation": self._book,
            "calculate": self._calculate,
            "cancel_reservation": self._cancel,
            "get_flight_status": self._status,
            "get_reservation_details": self._details,
            "get_user_details": self._user,
            "list_all_airports": self._airports,
            "search_direct_flight": self._direct,
            "search_onestop_flight": self._onestop,
            "send_certificate": self._certificate,
            "transfer_to_human_agents": self._transfer,
            "update_reservation_baggages": self._bags,
            "update_reservation_flights": self._flights,
            "update_reservation_passengers": self._passengers,
        }

    def owner_of(self, call: Call) -> str | None:
        named = call.arguments.get("user_id") or call.arguments.get("reservation_id")
        return self._owners.get(str(named))

    async def bind(self, owner: str) -> None:
        await self._desk.bind(owner)

    async def call(self, call: Call) -> Json:
        if call.name not in self._calls or call.by != "assistant":
            raise Unplayable(f"the airline has no tool {call.name!r} for the {call.by}")
        named = frozenset(call.arguments)
        if named != _ARGUMENTS[call.name]:
            odd = sorted(named ^ _ARGUMENTS[call.name])
            raise Unplayable(f"arguments are absent or unknown: {', '.join(odd)}")
        return await self._calls[call.name](call.arguments)

    async def database(self) -> Mapping[str, Json]:
        async with self._engine.connect() as connection:
            return await official.database(connection)

    async def close(self) -> None:
        await self._engine.dispose()

    # What is the customer's own. ----------------------------------------------------------------------------

    async def _user(self, arguments: Arguments) -> Json:
        owner = self._me(arguments)
        self._done(await self._desk.ask("traveller_profile", {}), absent=f"User {owner} not found")
        return official.user(await self._airline.traveller(owner=owner))

    async def _details(self, arguments: Arguments) -> Json:
        return await self._on_booking("booking_details", arguments, {})

    async def _cancel(self, arguments: Arguments) -> Json:
        return await self._on_booking("cancel_booking", arguments, {})

    async def _flights(self, arguments: Arguments) -> Json:
        wanted = {
            "cabin": arguments["cabin"],
            "hops": _hops(arguments["flights"]),
            "means": arguments["payment_id"],
        }
        return await self._on_booking("change_flights", arguments, wanted)

    async def _bags(self, arguments: Arguments) -> Json:
        wanted = {
            "bags": arguments["total_baggages"],
            "paid_bags": arguments["nonfree_baggages"],
            "means": arguments["payment_id"],
        }
        return await self._on_booking("change_bags", arguments, wanted)

    async def _passengers(self, arguments: Arguments) -> Json:
        return await self._on_booking(
            "change_people", arguments, {"people": _people(arguments["passengers"])}
        )

    async def _book(self, arguments: Arguments) -> Json:
        owner = self._me(arguments)
        wanted = {
            **{name: arguments[name] for name in ("origin", "destination", "cabin")},
            "trip": arguments["flight_type"],
            "hops": _hops(arguments["flights"]),
            "people": _people(arguments["passengers"]),
            "payments": [
                {"means": one["payment_id"], "amount": one["amount"]}
                for one in _objects(arguments["payment_methods"], "payment_id", "amount")
            ],
            "bags": arguments["total_baggages"],
            "paid_bags": arguments["nonfree_baggages"],
            "insured": {"yes": True, "no": False}.get(str(arguments["insurance"])),
        }
        said = self._done(await self._desk.ask("book_trip", wanted), absent=f"User {owner} not found")
        booked = await self._airline.booking(BookingId(said.facts["booking"]), owner=owner)
        return official.reservation(booked)

    async def _certificate(self, arguments: Arguments) -> Json:
        owner, amount = self._me(arguments), arguments["amount"]
        said = self._done(
            await self._desk.ask("give_certificate", {"amount": amount}), absent=f"User {owner} not found"
        )
        return f"Certificate {said.facts['certificate']} added to user {owner} with amount {amount}."

    async def _on_booking(self, tool: str, arguments: Arguments, wanted: Arguments) -> Json:
        number = str(arguments["reservation_id"])
        said = await self._desk.ask(tool, {"booking": number, **wanted})
        self._done(said, absent=f"Reservation {number} not found", errors=_ERRORS_OF_CHANGES)
        owner = self._desk.owner
        if owner is None:
            raise Refused(f"ValueError: Reservation {number} not found")
        return official.reservation(await self._airline.booking(BookingId(number), owner=owner))

    # What is everybody's. -----------------------------------------------------------------------------------

    async def _status(self, arguments: Arguments) -> Json:
        wanted = {"flight": arguments["flight_number"], "day": arguments["date"]}
        said = self._done(await self._desk.ask("flight_status", wanted))
        return str(said.facts["status"])

    async def _direct(self, arguments: Arguments) -> Json:
        origin, destination, day = (str(arguments[name]) for name in ("origin", "destination", "date"))
        wanted = {"origin": origin, "destination": destination, "day": day}
        self._done(await self._desk.ask("find_flights", wanted))
        found = await self._airline.departures(day=day, origin=origin, destination=destination)
        return [official.direct(one) for one in found]

    async def _onestop(self, arguments: Arguments) -> Json:
        origin, destination, day = (str(arguments[name]) for name in ("origin", "destination", "date"))
        wanted = {"origin": origin, "destination": destination, "day": day}
        self._done(await self._desk.ask("find_connections", wanted))
        found = await connections(self._airline, origin=origin, destination=destination, day=day)
        return [[official.direct(one, dated=True) for one in way] for way in found]

    async def _airports(self, _: Arguments) -> Json:
        return [{"iata": code, "city": city} for code, city in _AIRPORTS.items()]

    async def _calculate(self, arguments: Arguments) -> Json:
        try:
            return calculate(str(arguments["expression"]))
        except (ValueError, SyntaxError, ZeroDivisionError) as wrong:
            raise Refused(f"{type(wrong).__name__}: {wrong}") from wrong

    async def _transfer(self, _: Arguments) -> Json:
        # Handing over is the turn's own step in this house, not a tool: nothing of the airline's changes by it.
        return "Transfer successful"

    # Between the two. ---------------------------------------------------------------------------------------

    def _me(self, arguments: Arguments) -> CustomerId:
        """Return the bound customer if the call names exactly them; anybody else is not found."""
        owner = self._desk.owner
        if owner is None or arguments["user_id"] != owner:
            raise Refused(f"ValueError: User {arguments['user_id']} not found")
        return owner

    def _done(self, said: Said, *, absent: str = "", errors: Mapping[str, str] = _ERRORS) -> Said:
        """Return what was said if it was done; `Refused` with the official error, `absent` where nothing is theirs."""
        if said.fault is None:
            return said
        about = {name: value for name, value in said.facts.items() if isinstance(value, str | int | float)}
        raise Refused(f"ValueError: {errors.get(said.fault, absent or said.fault).format(**about)}")


def _objects(given: object, *names: str) -> list[dict[str, Any]]:
    """Return a list of objects that have exactly these names; `Unplayable` otherwise."""
    if not isinstance(given, list) or any(
        not isinstance(one, dict) or not set(names) <= set(one) for one in given
    ):
        raise Unplayable(f"not a list of objects with {', '.join(names)}")
    return given


def _hops(given: object) -> list[dict[str, Any]]:
    rows = _objects(given, "flight_number", "date")
    return [{"flight": one["flight_number"], "day": one["date"]} for one in rows]


def _people(given: object) -> list[dict[str, Any]]:
    rows = _objects(given, "first_name", "last_name", "dob")
    return [{"first": one["first_name"], "last": one["last_name"], "born": one["dob"]} for one in rows]
