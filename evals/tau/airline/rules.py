"""What the airline allows and what it costs: a wish and the state of things in, the change out. Pure.

wish ─► planned(traveller, booking, timetable) ─► Change: booking, ways to pay, seats ─► one transaction
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from evals.tau.airline.port import (
    Book,
    Booking,
    BookingId,
    Cabin,
    Cancel,
    Compensate,
    Departure,
    FlightNumber,
    Hop,
    Leg,
    Means,
    MeansId,
    Payment,
    Rebag,
    Rename,
    Reroute,
    Traveller,
    Wish,
)
from evals.tau.refusals import Turned
from tools.proposal import Fact

INSURANCE = 30
BAG = 50
"""Dollars: insurance for each person, each bag that is not free."""

TOOLS: Mapping[type[Wish], str] = {
    Book: "book_trip",
    Cancel: "cancel_booking",
    Reroute: "change_flights",
    Rebag: "change_bags",
    Rename: "change_people",
    Compensate: "give_certificate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Numbers the airline gives out, in order; when all are taken it refuses."""

    bookings: tuple[str, ...]
    certificates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """The departures a wish names; `flights` are the numbers among its own that exist at all."""

    flights: frozenset[str]
    departures: Mapping[tuple[str, str], Departure]

    def on(self, flight: FlightNumber, day: str) -> Departure:
        """Return the departure; `Turned` with `no_flight` or `no_such_day`."""
        if flight not in self.flights:
            raise Turned("no_flight", flight=flight)
        if (flight, day) not in self.departures:
            raise Turned("no_such_day", flight=flight, day=day)
        return self.departures[flight, day]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that a wish is judged by; `taken` are numbers of bookings given out already."""

    traveller: Traveller
    booking: Booking | None
    timetable: Timetable
    taken: frozenset[str]
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be written: the booking and the ways to pay as they will be, and seats sold.

    `facts` are what the traveller confirms; `given` are numbers that are given out only when it is done.
    """

    facts: Mapping[str, Fact]
    given: Mapping[str, Fact] = field(default_factory=dict)
    booking: Booking | None = None
    means: tuple[Means, ...]
    sold: tuple[tuple[FlightNumber, str, Cabin, int], ...] = ()


def planned(wish: Wish, state: State, *, series: Series) -> Change:
    """Return the change the wish makes; `Turned` when it cannot be."""
    match wish:
        case Book():
            return _book(wish, state, series)
        case Compensate():
            return _compensate(wish, state, series)
        case Cancel():
            return _cancel(_mine(state), state)
        case Reroute():
            return _reroute(wish, _mine(state), state)
        case Rebag():
            return _rebag(wish, _mine(state), state)
        case Rename():
            return _rename(wish, _mine(state), state)


def hops_of(wish: Wish) -> tuple[Hop, ...]:
    return wish.hops if isinstance(wish, Book | Reroute) else ()


def booking_of(wish: Wish) -> BookingId | None:
    return None if isinstance(wish, Book | Compensate) else wish.booking


def _mine(state: State) -> Booking:
    if state.booking is None:
        raise ValueError("Read the booking a wish names before planning it.")
    return state.booking


def _book(wish: Book, state: State, series: Series) -> Change:
    number = next((one for one in series.bookings if one not in state.taken), None)
    if number is None:
        raise Turned("no_more_bookings")
    heads = len(wish.people)
    legs = tuple(_leg(hop, wish.cabin, heads=heads, timetable=state.timetable) for hop in wish.hops)
    total = (
        heads * (sum(leg.price for leg in legs) + (INSURANCE if wish.insured else 0)) + BAG * wish.paid_bags
    )
    means = _paid(wish.payments, state.traveller, total=total)
    booking = Booking(
        id=BookingId(number),
        owner=state.traveller.id,
        origin=wish.origin,
        destination=wish.destination,
        trip=wish.trip,
        cabin=wish.cabin,
        legs=legs,
        people=wish.people,
        payments=wish.payments,
        created=state.now,
        bags=wish.bags,
        paid_bags=wish.paid_bags,
        insured=wish.insured,
    )
    facts: dict[str, Fact] = {"origin": wish.origin, "destination": wish.destination, "count": heads}
    return Change(
        facts={**facts, "flights": _named(legs), "total": total},
        given={"booking": number},
        booking=booking,
        means=means,
        sold=tuple((leg.flight, leg.day, wish.cabin, heads) for leg in legs),
    )


def _leg(hop: Hop, cabin: Cabin, *, heads: int, timetable: Timetable) -> Leg:
    found = timetable.on(hop.flight, hop.day)
    if not found.cabins:
        raise Turned("not_bookable", flight=hop.flight, day=hop.day)
    seats = found.cabins[cabin]
    if seats.left < heads:
        raise Turned("no_seats", flight=hop.flight)
    way = found.flight
    return Leg(
        flight=hop.flight, day=hop.day, origin=way.origin, destination=way.destination, price=seats.price
    )


def _paid(payments: Sequence[Payment], traveller: Traveller, *, total: int) -> tuple[Means, ...]:
    """Return the ways to pay after the payments; a certificate is spent whole."""
    for payment in payments:
        means = traveller.pays_by(payment.means)
        if means is None:
            raise Turned("no_means", means=payment.means)
        if means.amount is not None and means.amount < payment.amount:
            raise Turned("low_balance", means=payment.means)
    paid = sum(payment.amount for payment in payments)
    if paid != total:
        raise Turned("wrong_total", total=total, paid=paid)
    left = {means.id: means for means in traveller.means}
    for payment in payments:
        means = left.get(payment.means)
        if means is None:
            raise Turned("low_balance", means=payment.means)
        if means.kind == "certificate":
            del left[means.id]
        else:
            left[means.id] = _less(means, payment.amount)
    return tuple(left.values())


def _less(means: Means, amount: int) -> Means:
    """Return the means after the amount left it; what was negative comes back to it."""
    if means.kind != "gift_card" or means.amount is None:
        return means
    if means.amount < amount:
        raise Turned("low_balance", means=means.id)
    return replace(means, amount=means.amount - amount)


def _cancel(booking: Booking, state: State) -> Change:
    back = tuple(Payment(means=one.means, amount=-one.amount) for one in booking.payments)
    after = replace(booking, payments=(*booking.payments, *back), cancelled=True)
    total = sum(one.amount for one in booking.payments)
    facts: dict[str, Fact] = {"booking": booking.id, "total": total}
    return Change(facts=facts, booking=after, means=state.traveller.means)


def _reroute(wish: Reroute, booking: Booking, state: State) -> Change:
    heads = len(booking.people)
    # A leg that stays keeps the price it was bought for; in another cabin every leg is bought anew.
    kept = {(leg.flight, leg.day): leg for leg in booking.legs} if wish.cabin == booking.cabin else {}
    legs = tuple(
        kept.get((hop.flight, hop.day)) or _leg(hop, wish.cabin, heads=heads, timetable=state.timetable)
        for hop in wish.hops
    )
    total = heads * (sum(leg.price for leg in legs) - sum(leg.price for leg in booking.legs))
    paid = _settled(wish.means, state.traveller, booking, total=total)
    after = replace(paid.booking, legs=legs, cabin=wish.cabin)
    facts: dict[str, Fact] = {"booking": booking.id, "flights": _named(legs), "total": total}
    return Change(facts={**facts, "cabin": wish.cabin}, booking=after, means=paid.means)


def _rebag(wish: Rebag, booking: Booking, state: State) -> Change:
    total = BAG * max(0, wish.paid_bags - booking.paid_bags)
    paid = _settled(wish.means, state.traveller, booking, total=total)
    after = replace(paid.booking, bags=wish.bags, paid_bags=wish.paid_bags)
    facts: dict[str, Fact] = {"booking": booking.id, "count": wish.bags, "total": total}
    return Change(facts=facts, booking=after, means=paid.means)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    booking: Booking
    means: tuple[Means, ...]


def _settled(means: MeansId, traveller: Traveller, booking: Booking, *, total: int) -> _Settled:
    """Return booking and ways to pay once the difference is settled by one means, which is no certificate."""
    found = traveller.pays_by(means)
    if found is None:
        raise Turned("no_means", means=means)
    if found.kind == "certificate":
        raise Turned("certificate_not_taken", means=means)
    after = _less(found, total)
    settled = (*booking.payments, Payment(means=means, amount=total)) if total else booking.payments
    return _Settled(
        booking=replace(booking, payments=settled),
        means=tuple(after if one.id == means else one for one in traveller.means),
    )


def _rename(wish: Rename, booking: Booking, state: State) -> Change:
    if len(wish.people) != len(booking.people):
        raise Turned("wrong_count", count=len(booking.people))
    people = ", ".join(person.name for person in wish.people)
    return Change(
        facts={"booking": booking.id, "people": people},
        booking=replace(booking, people=wish.people),
        means=state.traveller.means,
    )


def _compensate(wish: Compensate, state: State, series: Series) -> Change:
    taken = {means.id for means in state.traveller.means}
    number = next((MeansId(one) for one in series.certificates if one not in taken), None)
    if number is None:
        raise Turned("no_more_certificates")
    given = Means(id=number, kind="certificate", amount=wish.amount)
    return Change(
        facts={"amount": wish.amount},
        given={"certificate": number},
        means=(*state.traveller.means, given),
    )


def _named(legs: Sequence[Leg]) -> str:
    return ", ".join(f"{leg.flight} {leg.day}" for leg in legs)
