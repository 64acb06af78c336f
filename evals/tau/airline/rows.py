"""Rows of the airline's tables read as what they stand for, with the owner in the WHERE of all that is somebody's."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import RowMapping, Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from evals.tau.airline import tables as t
from evals.tau.airline.port import (
    Booking,
    BookingId,
    Cabin,
    Departure,
    Flight,
    FlightNumber,
    Leg,
    Means,
    MeansId,
    MeansKind,
    Payment,
    Person,
    Seats,
    Traveller,
    Trip,
)
from evals.tau.airline.rules import Timetable
from tools.context import CustomerId


async def travellers(connection: AsyncConnection, *, owner: CustomerId | None) -> tuple[Traveller, ...]:
    """Return the traveller, or all of them for an `owner` of None."""
    heads = await _rows(connection, _own(t.travellers, t.travellers.c.id, owner))
    means = _by("owner", await _rows(connection, _own(t.means, t.means.c.owner, owner, t.means.c.n)))
    companions = _by(
        "owner", await _rows(connection, _own(t.companions, t.companions.c.owner, owner, t.companions.c.n))
    )
    booked = _by(
        "owner", await _rows(connection, _own(t.bookings, t.bookings.c.owner, owner, t.bookings.c.n))
    )
    return tuple(
        Traveller(
            id=CustomerId(row["id"]),
            **{name: row[name] for name in ("first", "last", "address", "email", "born", "membership")},
            means=tuple(_means(one) for one in means[row["id"]]),
            companions=tuple(_person(one) for one in companions[row["id"]]),
            bookings=tuple(BookingId(one["id"]) for one in booked[row["id"]]),
            version=row["version"],
        )
        for row in heads
    )


async def bookings(
    connection: AsyncConnection, *, owner: CustomerId | None, only: BookingId | None = None
) -> tuple[Booking, ...]:
    """Return the owner's booking `only`, or all of them; everybody's for an `owner` of None."""
    query = _own(t.bookings, t.bookings.c.owner, owner, t.bookings.c.n)
    heads = await _rows(connection, query if only is None else query.where(t.bookings.c.id == only))
    parts = {}
    for table in (t.legs, t.people, t.payments):
        query = select(table).join(t.bookings).order_by(table.c.booking, table.c.n)
        if owner is not None:
            query = query.where(t.bookings.c.owner == owner)
        if only is not None:
            query = query.where(table.c.booking == only)
        parts[table.name] = _by("booking", await _rows(connection, query))
    return tuple(
        _booking(
            row,
            legs=parts[t.legs.name][row["id"]],
            people=parts[t.people.name][row["id"]],
            payments=parts[t.payments.name][row["id"]],
        )
        for row in heads
    )


async def departures(connection: AsyncConnection, query: Select[Any]) -> tuple[Departure, ...]:
    """Return the departures that a query over flights and days finds, by the timetable's order."""
    heads = await _rows(connection, query.order_by(t.flights.c.n, t.days.c.day))
    within = query.with_only_columns(t.days.c.flight, t.days.c.day).subquery()
    here = (t.seats.c.flight == within.c.flight) & (t.seats.c.day == within.c.day)
    cabins: defaultdict[tuple[str, str], dict[Cabin, Seats]] = defaultdict(dict)
    for row in await _rows(connection, select(t.seats).join(within, here)):
        found = Seats(left=row["left"], price=row["price"])
        cabins[row["flight"], row["day"]][cast(Cabin, row["cabin"])] = found
    return tuple(
        Departure(
            flight=Flight(
                number=FlightNumber(row["number"]),
                **{name: row[name] for name in ("origin", "destination", "departs", "arrives")},
            ),
            day=row["day"],
            status=row["status"],
            times=row["times"],
            cabins=cabins[row["number"], row["day"]],
        )
        for row in heads
    )


def flying() -> Select[Any]:
    """The query over flights and days, to be narrowed."""
    return select(t.flights, t.days.c.day, t.days.c.status, t.days.c.times).join(t.days)


async def timetable(connection: AsyncConnection, hops: Iterable[tuple[str, str]]) -> Timetable:
    """Return what is known of these flights on these days."""
    asked = frozenset(hops)
    numbers = sorted({flight for flight, _ in asked})
    days = sorted({day for _, day in asked})
    known = await connection.execute(select(t.flights.c.number).where(t.flights.c.number.in_(numbers)))
    query = flying().where(t.days.c.flight.in_(numbers), t.days.c.day.in_(days))
    found = {(one.flight.number, one.day): one for one in await departures(connection, query)}
    return Timetable(
        flights=frozenset(row.number for row in known),
        departures={key: one for key, one in found.items() if key in asked},
    )


async def _rows(connection: AsyncConnection, query: Select[Any]) -> Sequence[RowMapping]:
    found: Sequence[RowMapping] = (await connection.execute(query)).mappings().all()
    return found


def _own(table: Table, column: Any, owner: CustomerId | None, *order: Any) -> Select[Any]:
    query = select(table).order_by(*(order or (column,)))
    return query if owner is None else query.where(column == owner)


def _by(name: str, rows: Sequence[RowMapping]) -> Mapping[str, list[RowMapping]]:
    found: defaultdict[str, list[RowMapping]] = defaultdict(list)
    for row in rows:
        found[row[name]].append(row)
    return found


def _person(row: RowMapping) -> Person:
    return Person(first=row["first"], last=row["last"], born=row["born"])


def _means(row: RowMapping) -> Means:
    return Means(
        id=MeansId(row["id"]),
        kind=cast(MeansKind, row["kind"]),
        amount=row["amount"],
        brand=row["brand"],
        last_four=row["last_four"],
    )


def _booking(
    row: RowMapping,
    *,
    legs: Sequence[RowMapping],
    people: Sequence[RowMapping],
    payments: Sequence[RowMapping],
) -> Booking:
    return Booking(
        id=BookingId(row["id"]),
        owner=CustomerId(row["owner"]),
        trip=cast(Trip, row["trip"]),
        cabin=cast(Cabin, row["cabin"]),
        **{name: row[name] for name in ("origin", "destination", "created", "bags", "paid_bags")},
        legs=tuple(
            Leg(
                flight=FlightNumber(leg["flight"]),
                **{name: leg[name] for name in ("day", "origin", "destination", "price")},
            )
            for leg in legs
        ),
        people=tuple(_person(one) for one in people),
        payments=tuple(Payment(means=MeansId(one["means"]), amount=one["amount"]) for one in payments),
        insured=row["insured"],
        cancelled=row["cancelled"],
    )
