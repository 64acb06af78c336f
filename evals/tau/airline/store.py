"""The airline's own system over SQL: reads with the owner in the WHERE, writes in one transaction a key.

The first statement of a write takes the key, the second counts the traveller's version up: whoever changed anything
of theirs since the proposal leaves nothing to match, and the write is refused.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from evals.tau.airline import rows
from evals.tau.airline import tables as t
from evals.tau.airline.port import Booking, BookingId, Departure, FlightNumber, Traveller, Wish
from evals.tau.airline.rules import TOOLS, Change, Series, State, booking_of, hops_of, planned
from evals.tau.refusals import Turned
from tools.context import CustomerId
from tools.errors import NotFound, Unconfirmed
from tools.proposal import Effect, Fact, Proposal

_READ: Mapping[str, TypeAdapter[Wish]] = {tool: TypeAdapter(kind) for kind, tool in TOOLS.items()}


class SqlAirline:
    """`Airline` over the tables of `evals.tau.airline.tables`; `now` returns the airline's own aware moments."""

    def __init__(self, engine: AsyncEngine, *, series: Series, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._series = series
        self._now = now

    async def traveller(self, *, owner: CustomerId) -> Traveller:
        async with self._engine.connect() as connection:
            return await _traveller(connection, owner=owner)

    async def booking(self, booking: BookingId, *, owner: CustomerId) -> Booking:
        async with self._engine.connect() as connection:
            return await _booking(connection, booking, owner=owner)

    async def departure(self, flight: FlightNumber, *, day: str) -> Departure:
        async with self._engine.connect() as connection:
            return (await rows.timetable(connection, [(flight, day)])).on(flight, day)

    async def departures(
        self, *, day: str, origin: str, destination: str | None = None, after: str = ""
    ) -> tuple[Departure, ...]:
        query = rows.flying().where(
            t.days.c.day == day, t.days.c.status == "available", t.flights.c.origin == origin
        )
        if destination is not None:
            query = query.where(t.flights.c.destination == destination)
        async with self._engine.connect() as connection:
            return await rows.departures(connection, query.where(t.flights.c.departs >= after))

    async def propose(self, wish: Wish, *, owner: CustomerId) -> Proposal:
        async with self._engine.connect() as connection:
            state = await self._state(connection, wish, owner=owner)
        change = planned(wish, state, series=self._series)
        return Proposal.made(
            TOOLS[type(wish)],
            owner=owner,
            arguments={"wish": json.dumps(asdict(wish), ensure_ascii=False, sort_keys=True)},
            facts=change.facts,
            version=str(state.traveller.version),
            now=self._now(),
        )

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        if proposal.owner != owner:
            raise NotFound()
        if proposal.tool not in _READ or not proposal.intact():
            raise Unconfirmed()
        wish = _READ[proposal.tool].validate_json(proposal.arguments["wish"])
        try:
            async with self._engine.begin() as connection:
                await _claim(connection, proposal, key=key)
                await _count_up(connection, proposal)
                change = planned(wish, await self._state(connection, wish, owner=owner), series=self._series)
                if change.facts != proposal.facts:
                    raise Turned("changed")
                facts = {**change.facts, **change.given}
                await _write(connection, change, owner=owner)
                await connection.execute(update(t.effects).where(t.effects.c.key == key).values(facts=facts))
        except _Claimed:
            return await self._earlier(proposal, key=key)
        return Effect(proposal=proposal, state="done", facts=facts)

    async def _state(self, connection: AsyncConnection, wish: Wish, *, owner: CustomerId) -> State:
        number = booking_of(wish)
        hops = [(hop.flight, hop.day) for hop in hops_of(wish)]
        given = select(t.bookings.c.id).where(t.bookings.c.id.in_(self._series.bookings))
        return State(
            booking=None if number is None else await _booking(connection, number, owner=owner),
            traveller=await _traveller(connection, owner=owner),
            timetable=await rows.timetable(connection, hops),
            taken=frozenset(row.id for row in await connection.execute(given)),
            now=self._now().strftime("%Y-%m-%dT%H:%M:%S"),
        )

    async def _earlier(self, proposal: Proposal, *, key: str) -> Effect:
        mine = select(t.effects).where(t.effects.c.key == key, t.effects.c.owner == proposal.owner)
        async with self._engine.connect() as connection:
            row = (await connection.execute(mine)).one_or_none()
        if row is None or row.digest != proposal.digest:
            raise Turned("key_reused")
        facts: dict[str, Fact] = row.facts
        return Effect(proposal=proposal, state="already_done", facts=facts)


class _Claimed(Exception):
    """The key is in the table already."""


async def _claim(connection: AsyncConnection, proposal: Proposal, *, key: str) -> None:
    row = {"key": key, "owner": proposal.owner, "tool": proposal.tool, "digest": proposal.digest}
    try:
        await connection.execute(insert(t.effects).values(**row, facts=dict(proposal.facts)))
    except IntegrityError as taken:
        raise _Claimed() from taken


async def _count_up(connection: AsyncConnection, proposal: Proposal) -> None:
    me = t.travellers.c
    done = await connection.execute(
        update(t.travellers)
        .where(me.id == proposal.owner, me.version == int(proposal.version))
        .values(version=me.version + 1)
    )
    if done.rowcount != 1:
        raise Turned("changed")


async def _traveller(connection: AsyncConnection, *, owner: CustomerId) -> Traveller:
    found = await rows.travellers(connection, owner=owner)
    if not found:
        raise NotFound()
    return found[0]


async def _booking(connection: AsyncConnection, booking: BookingId, *, owner: CustomerId) -> Booking:
    found = await rows.bookings(connection, owner=owner, only=booking)
    if not found:
        raise NotFound()
    return found[0]


async def _write(connection: AsyncConnection, change: Change, *, owner: CustomerId) -> None:
    for flight, day, cabin, count in change.sold:
        at = t.seats.c
        where = (at.flight == flight) & (at.day == day) & (at.cabin == cabin) & (at.left >= count)
        done = await connection.execute(update(t.seats).where(where).values(left=at.left - count))
        if done.rowcount != 1:
            raise Turned("no_seats", flight=flight)
    await connection.execute(delete(t.means).where(t.means.c.owner == owner))
    await _insert(connection, t.means, [asdict(one) | {"owner": owner} for one in change.means])
    if change.booking is not None:
        await _put(connection, change.booking)


async def _put(connection: AsyncConnection, booking: Booking) -> None:
    """Write the booking whole; its place among the traveller's own stays, a new one comes last."""
    mine = t.bookings.c.owner == booking.owner
    head = {
        name: value for name, value in asdict(booking).items() if name not in ("legs", "people", "payments")
    }
    changed = await connection.execute(
        update(t.bookings).where(mine, t.bookings.c.id == booking.id).values(**head)
    )
    if changed.rowcount == 0:
        last = await connection.scalar(select(func.max(t.bookings.c.n)).where(mine))
        await connection.execute(insert(t.bookings).values(**head, n=(-1 if last is None else last) + 1))
    for table, parts in ((t.legs, booking.legs), (t.people, booking.people), (t.payments, booking.payments)):
        await connection.execute(delete(table).where(table.c.booking == booking.id))
        await _insert(connection, table, [asdict(part) | {"booking": booking.id} for part in parts])


async def _insert(connection: AsyncConnection, table: Any, values: list[dict[str, Any]]) -> None:
    if values:
        await connection.execute(insert(table), [row | {"n": n} for n, row in enumerate(values)])
