"""The official form of the airline's data: one JSON object into tables, and what tables hold back into that form.

{"flights": {number: {…, "dates": {day: {…}}}}, "users": {id: {…}}, "reservations": {id: {…}}}
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from evals.tau.airline import rows
from evals.tau.airline import tables as t
from evals.tau.airline.port import Booking, Departure, Means, Person, Traveller
from evals.tau.domain import Json
from knowledge.errors import BadRecords

Row = tuple[str, dict[str, Any]]
_TIMES = (
    "estimated_departure_time_est",
    "estimated_arrival_time_est",
    "actual_departure_time_est",
    "actual_arrival_time_est",
)


async def fill(connection: AsyncConnection, database: Mapping[str, Any]) -> None:
    """Write the official database into empty tables. Raises `BadRecords` with the place that is not understood."""
    values: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    places: Mapping[str, Callable[[int, Any], Iterator[Row]]] = {
        "flights": _flight,
        "users": _user,
        "reservations": _reservation,
    }
    order = {
        number: n
        for one in _table(database, "users").values()
        for n, number in enumerate(one.get("reservations", ()))
    }
    for place, read in places.items():
        for n, (key, record) in enumerate(_table(database, place).items()):
            try:
                for name, row in read(order.get(key, n) if place == "reservations" else n, record):
                    values[name].append(row)
            except (KeyError, TypeError, ValueError, AttributeError) as wrong:
                raise BadRecords(
                    f"{place}.{key} of the database is not understood: {wrong!r}.",
                    remedy="Give the airline's database in its official form.",
                ) from wrong
    for table in t.metadata.sorted_tables:
        if values[table.name]:
            await connection.execute(insert(table), values[table.name])


async def database(connection: AsyncConnection) -> dict[str, Json]:
    """Return the whole database in the official form."""
    flights: dict[str, Json] = {}
    dates: defaultdict[str, dict[str, Json]] = defaultdict(dict)
    for departure in await rows.departures(connection, rows.flying()):
        dates[departure.flight.number][departure.day] = _date(departure)
    for row in (await connection.execute(select(t.flights).order_by(t.flights.c.n))).mappings():
        flights[row["number"]] = {
            "flight_number": row["number"],
            "origin": row["origin"],
            "destination": row["destination"],
            "scheduled_departure_time_est": row["departs"],
            "scheduled_arrival_time_est": row["arrives"],
            "dates": dates[row["number"]],
        }
    return {
        "flights": flights,
        "users": {one.id: user(one) for one in await rows.travellers(connection, owner=None)},
        "reservations": {one.id: reservation(one) for one in await rows.bookings(connection, owner=None)},
    }


# Into the official form. ---------------------------------------------------------------------------------------


def user(traveller: Traveller) -> Json:
    return {
        "user_id": traveller.id,
        "name": {"first_name": traveller.first, "last_name": traveller.last},
        "address": dict(traveller.address),
        "email": traveller.email,
        "dob": traveller.born,
        "membership": traveller.membership,
        "payment_methods": {means.id: _method(means) for means in traveller.means},
        "saved_passengers": [passenger(person) for person in traveller.companions],
        "reservations": list(traveller.bookings),
    }


def reservation(booking: Booking) -> Json:
    return {
        "reservation_id": booking.id,
        "user_id": booking.owner,
        "origin": booking.origin,
        "destination": booking.destination,
        "flight_type": booking.trip,
        "cabin": booking.cabin,
        "flights": [
            {
                "flight_number": leg.flight,
                "date": leg.day,
                "origin": leg.origin,
                "destination": leg.destination,
                "price": leg.price,
            }
            for leg in booking.legs
        ],
        "passengers": [passenger(person) for person in booking.people],
        "payment_history": [{"payment_id": one.means, "amount": one.amount} for one in booking.payments],
        "created_at": booking.created,
        "total_baggages": booking.bags,
        "nonfree_baggages": booking.paid_bags,
        "insurance": "yes" if booking.insured else "no",
        "status": "cancelled" if booking.cancelled else None,
    }


def passenger(person: Person) -> Json:
    return {"first_name": person.first, "last_name": person.last, "dob": person.born}


def direct(departure: Departure, *, dated: bool = False) -> dict[str, Json]:
    """Return a flight that was searched for; only one of a connection says its date."""
    flight = departure.flight
    return {
        "flight_number": flight.number,
        "origin": flight.origin,
        "destination": flight.destination,
        "status": "available",
        "scheduled_departure_time_est": flight.departs,
        "scheduled_arrival_time_est": flight.arrives,
        "date": departure.day if dated else None,
        **_cabins(departure),
    }


def _date(departure: Departure) -> Json:
    return {"status": departure.status, **departure.times, **_cabins(departure)}


def _cabins(departure: Departure) -> dict[str, Json]:
    if not departure.cabins:
        return {}
    return {
        "available_seats": {cabin: seats.left for cabin, seats in departure.cabins.items()},
        "prices": {cabin: seats.price for cabin, seats in departure.cabins.items()},
    }


def _method(means: Means) -> Json:
    head: dict[str, Json] = {"source": means.kind, "id": means.id}
    if means.amount is None:
        return {**head, "brand": means.brand, "last_four": means.last_four}
    return {**head, "amount": float(means.amount)}


# Out of the official form. -------------------------------------------------------------------------------------


def _table(database: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = database.get(name)
    if not isinstance(found, dict):
        raise BadRecords(
            f"The database has no {name!r}.", remedy="Give the airline's database in its official form."
        )
    return found


def _flight(n: int, record: Mapping[str, Any]) -> Iterator[Row]:
    number = record["flight_number"]
    yield (
        t.flights.name,
        {
            "number": number,
            "n": n,
            "origin": record["origin"],
            "destination": record["destination"],
            "departs": record["scheduled_departure_time_est"],
            "arrives": record["scheduled_arrival_time_est"],
        },
    )
    for day, state in record["dates"].items():
        times = {name: state[name] for name in _TIMES if name in state}
        yield t.days.name, {"flight": number, "day": day, "status": state["status"], "times": times}
        for cabin, left in state.get("available_seats", {}).items():
            row = {"flight": number, "day": day, "cabin": cabin, "left": left}
            yield t.seats.name, row | {"price": state["prices"][cabin]}


def _user(n: int, record: Mapping[str, Any]) -> Iterator[Row]:
    owner = record["user_id"]
    yield (
        t.travellers.name,
        {
            "id": owner,
            "first": record["name"]["first_name"],
            "last": record["name"]["last_name"],
            "address": record["address"],
            "email": record["email"],
            "born": record["dob"],
            "membership": record["membership"],
        },
    )
    for place, person in enumerate(record["saved_passengers"]):
        yield t.companions.name, {"owner": owner, "n": place, **_person(person)}
    for place, means in enumerate(record["payment_methods"].values()):
        amount = means.get("amount")
        row = {"owner": owner, "n": place, "id": means["id"], "kind": means["source"]}
        row["amount"] = None if amount is None else _whole(amount)
        yield t.means.name, row | {name: means.get(name) for name in ("brand", "last_four")}


def _reservation(n: int, record: Mapping[str, Any]) -> Iterator[Row]:
    number = record["reservation_id"]
    yield (
        t.bookings.name,
        {
            "id": number,
            "owner": record["user_id"],
            "n": n,
            "origin": record["origin"],
            "destination": record["destination"],
            "trip": record["flight_type"],
            "cabin": record["cabin"],
            "created": record["created_at"],
            "bags": record["total_baggages"],
            "paid_bags": record["nonfree_baggages"],
            "insured": record["insurance"] == "yes",
            "cancelled": record.get("status") == "cancelled",
        },
    )
    for place, leg in enumerate(record["flights"]):
        row = {"booking": number, "n": place, "flight": leg["flight_number"], "day": leg["date"]}
        yield t.legs.name, row | {name: leg[name] for name in ("origin", "destination", "price")}
    for place, person in enumerate(record["passengers"]):
        yield t.people.name, {"booking": number, "n": place, **_person(person)}
    for place, payment in enumerate(record["payment_history"]):
        row = {"booking": number, "n": place, "means": payment["payment_id"]}
        yield t.payments.name, row | {"amount": _whole(payment["amount"])}


def _person(record: Mapping[str, Any]) -> dict[str, str]:
    return {"first": record["first_name"], "last": record["last_name"], "born": record["dob"]}


def _whole(amount: float) -> int:
    if amount != int(amount):
        raise ValueError(f"{amount} is not a whole number of dollars")
    return int(amount)
