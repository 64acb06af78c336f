"""What the airline knows and how it is asked: travellers, their bookings, flights day by day.

Amounts are whole dollars, days are ISO dates, hours are "06:00:00" as the timetable prints them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NewType, Protocol

from tools.context import CustomerId
from tools.proposal import Effect, Proposal

BookingId = NewType("BookingId", str)
FlightNumber = NewType("FlightNumber", str)
MeansId = NewType("MeansId", str)
Cabin = Literal["basic_economy", "economy", "business"]
Trip = Literal["one_way", "round_trip"]
MeansKind = Literal["credit_card", "gift_card", "certificate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A line of the timetable; an arrival of the next day ends in "+1"."""

    number: FlightNumber
    origin: str
    destination: str
    departs: str
    arrives: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """What a cabin of a departure has left and costs."""

    left: int
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A flight on one day. `times` are real and expected moments by name; only what can be booked has cabins."""

    flight: Flight
    day: str
    status: str
    times: Mapping[str, str]
    cabins: Mapping[Cabin, Seats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who flies; `born` is an ISO date."""

    first: str
    last: str
    born: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One flight of a booking at the price it was bought for, a person."""

    flight: FlightNumber
    day: str
    origin: str
    destination: str
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that moved by one means; negative where it came back."""

    means: MeansId
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """A way to pay a traveller keeps; `amount` is what is left on it, None for a card of a bank."""

    id: MeansId
    kind: MeansKind
    amount: int | None = None
    brand: str | None = None
    last_four: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One reservation of one traveller."""

    id: BookingId
    owner: CustomerId
    origin: str
    destination: str
    trip: Trip
    cabin: Cabin
    legs: tuple[Leg, ...]
    people: tuple[Person, ...]
    payments: tuple[Payment, ...]
    created: str
    bags: int
    paid_bags: int
    insured: bool
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Traveller:
    """A customer; `version` counts what was ever changed for them."""

    id: CustomerId
    first: str
    last: str
    address: Mapping[str, str | None]
    email: str
    born: str
    membership: str
    means: tuple[Means, ...]
    companions: tuple[Person, ...]
    bookings: tuple[BookingId, ...]
    version: int

    def pays_by(self, means: MeansId) -> Means | None:
        return next((one for one in self.means if one.id == means), None)


# What a traveller may wish for. ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A flight of a day that is asked for."""

    flight: FlightNumber
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A new booking, paid by these payments to the dollar."""

    origin: str
    destination: str
    trip: Trip
    cabin: Cabin
    hops: tuple[Hop, ...]
    people: tuple[Person, ...]
    payments: tuple[Payment, ...]
    bags: int
    paid_bags: int
    insured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The whole booking cancelled, the money sent back."""

    booking: BookingId


@dataclass(frozen=True, slots=True, kw_only=True)
class Reroute:
    """Other flights or another cabin: `hops` is the whole new way."""

    booking: BookingId
    cabin: Cabin
    hops: tuple[Hop, ...]
    means: MeansId


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebag:
    """Another number of bags, of which `paid_bags` cost money."""

    booking: BookingId
    bags: int
    paid_bags: int
    means: MeansId


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Other people, as many as before."""

    booking: BookingId
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensate:
    """A certificate given for a trouble, in whole dollars."""

    amount: int


Wish = Book | Cancel | Reroute | Rebag | Rename | Compensate


class Airline(Protocol):
    """The airline's own system. Another traveller's booking is absent: `NotFound`."""

    async def traveller(self, *, owner: CustomerId) -> Traveller: ...

    async def booking(self, booking: BookingId, *, owner: CustomerId) -> Booking: ...

    async def departure(self, flight: FlightNumber, *, day: str) -> Departure:
        """Return the flight on that day; `Turned` with `no_flight` or `no_such_day`."""

    async def departures(
        self, *, day: str, origin: str, destination: str | None = None, after: str = ""
    ) -> tuple[Departure, ...]:
        """Return what can be booked that day, by flight number; `after` is the earliest hour of departure."""

    async def propose(self, wish: Wish, *, owner: CustomerId) -> Proposal:
        """Return the write for the traveller to confirm; `NotFound`, or `Turned` when it cannot be done."""

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        """Do it once for the key, if it is still what was proposed; `Turned("changed")` otherwise."""
