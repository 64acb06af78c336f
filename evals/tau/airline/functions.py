"""The airline's tools a model may call. Whose bookings they are comes from the caller, never from an argument."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

from langchain.tools import BaseTool, ToolRuntime
from pydantic import Field

from evals.tau.airline.port import (
    Airline,
    Book,
    BookingId,
    Cabin,
    Cancel,
    Compensate,
    Departure,
    FlightNumber,
    Hop,
    MeansId,
    Payment,
    Person,
    Rebag,
    Rename,
    Reroute,
    Trip,
    Wish,
)
from evals.tau.refusals import explaining
from tools.answer import Answer, answering
from tools.assurance import Rule
from tools.confirm import confirmation
from tools.context import Caller
from tools.declared import tool
from tools.phrases import LANGUAGES, Phrases
from tools.toolkit import Toolkit

PUBLIC = Rule(scope=None, effect="read", assurance="anonymous")
PROFILE = Rule(scope="profile:read", effect="read", assurance="verified")
READ = Rule(scope="bookings:read", effect="read", assurance="verified")
WRITE = Rule(scope="bookings:write", effect="write", assurance="verified")
GIVE = Rule(scope="compensation:write", effect="write", assurance="verified")
PURPOSES = frozenset({str(rule.scope) for rule in (PROFILE, READ, WRITE, GIVE)})

TEXTS = Path(__file__).with_name("texts")
_HELP = Phrases(TEXTS, currency="USD")


def _said(argument: str) -> Any:
    told = " · ".join(_HELP.say(f"argument.{argument}", language) for language in LANGUAGES)
    return Field(description=told)


BookingNumber = Annotated[str, _said("booking")]
Flight = Annotated[str, _said("flight")]
Day = Annotated[str, _said("day")]
Airport = Annotated[str, _said("airport")]
Bags = Annotated[int, Field(ge=0), _said("bags")]
PaidBags = Annotated[int, Field(ge=0), _said("paid_bags")]
PayBy = Annotated[str, _said("means")]
Dollars = Annotated[int, Field(gt=0), _said("amount")]
Hops = Annotated[list[Hop], _said("hops")]
People = Annotated[list[Person], _said("people")]
Payments = Annotated[list[Payment], _said("payments")]

Runtime = ToolRuntime[Caller]


def airline_tools(airline: Airline, phrases: Phrases | None = None) -> Toolkit:
    """Return all the airline's tools over one system."""
    told = phrases or Phrases(TEXTS, currency="USD")
    tools = (
        *_timetable(airline, told),
        *_own(airline, told),
        *_changes(airline, told),
        *_sales(airline, told),
    )
    return Toolkit(tools=tools, phrases=told, execute=airline.execute)


def _body(phrases: Phrases, rule: Rule) -> Callable[..., Any]:
    """Gate and faults as for every tool; a refusal also says about what."""

    def wrap(body: Callable[..., Awaitable[Answer]]) -> Any:
        return tool(extras=rule.extras())(answering(phrases, rule)(explaining(phrases)(body)))

    return wrap


def _timetable(airline: Airline, phrases: Phrases) -> Sequence[BaseTool]:
    @_body(phrases, PUBLIC)
    async def find_flights(origin: Airport, destination: Airport, day: Day, runtime: Runtime) -> Answer:
        """Find direct flights with seats to sell between two airports on a day."""
        found = await airline.departures(day=day, origin=origin, destination=destination)
        return _offers([(one,) for one in found], runtime.context, phrases)

    @_body(phrases, PUBLIC)
    async def find_connections(origin: Airport, destination: Airport, day: Day, runtime: Runtime) -> Answer:
        """Find flights with one stop between two airports; the first of them leaves on the day."""
        found = await connections(airline, origin=origin, destination=destination, day=day)
        return _offers(found, runtime.context, phrases)

    @_body(phrases, PUBLIC)
    async def flight_status(flight: Flight, day: Day, runtime: Runtime) -> Answer:
        """Tell whether a flight of a day is on time, delayed, flying, landed, cancelled or still on sale."""
        found = await airline.departure(FlightNumber(flight), day=day)
        facts = {"flight": flight, "day": day, "status": found.status, "times": dict(found.times)}
        said = phrases.say(
            f"flight.{found.status.replace(' ', '_')}", runtime.context.language, flight=flight, day=day
        )
        return Answer(kind="record", sentences=(said,), facts=facts)

    return (find_flights, find_connections, flight_status)


async def connections(
    airline: Airline, *, origin: str, destination: str, day: str
) -> list[tuple[Departure, ...]]:
    """Return pairs of departures, the second leaving after the first arrived, on the next day if it arrives then."""
    pairs: list[tuple[Departure, ...]] = []
    for first in await airline.departures(day=day, origin=origin):
        arrives = first.flight.arrives
        late = arrives.endswith("+1")
        on = (date.fromisoformat(day) + timedelta(days=1)).isoformat() if late else day
        pairs += [
            (first, second)
            for second in await airline.departures(
                day=on, origin=first.flight.destination, destination=destination, after=arrives
            )
        ]
    return pairs


def _own(airline: Airline, phrases: Phrases) -> Sequence[BaseTool]:
    @_body(phrases, PROFILE)
    async def traveller_profile(runtime: Runtime) -> Answer:
        """Read the traveller's own profile: name, membership, numbers of bookings, ways to pay."""
        found = await airline.traveller(owner=runtime.context.customer())
        facts: dict[str, object] = {
            "name": f"{found.first} {found.last}",
            "membership": found.membership,
            "bookings": list(found.bookings),
            "means": [asdict(one) for one in found.means],
        }
        count = len(found.bookings)
        said = phrases.say("profile.head", runtime.context.language, **{**facts, "count": count})
        return Answer(kind="profile", sentences=(said,), facts=facts)

    @_body(phrases, READ)
    async def booking_details(booking: BookingNumber, runtime: Runtime) -> Answer:
        """Look up one of the traveller's own bookings: flights, cabin, people, bags, insurance, payments."""
        found = await airline.booking(BookingId(booking), owner=runtime.context.customer())
        language = runtime.context.language
        legs = [
            phrases.say("booking.leg", language, **(asdict(leg) | {"day": leg.day})) for leg in found.legs
        ]
        state = "cancelled" if found.cancelled else "valid"
        people = [person.name for person in found.people]
        facts = asdict(found) | {"booking": found.id, "people": people}
        said = phrases.say(f"booking.{state}", language, **facts)
        return Answer(kind="record", sentences=(said, *legs), facts=facts)

    return (traveller_profile, booking_details)


def _changes(airline: Airline, phrases: Phrases) -> Sequence[BaseTool]:
    @_body(phrases, WRITE)
    async def cancel_booking(booking: BookingNumber, runtime: Runtime) -> Answer:
        """Prepare to cancel a whole booking of the traveller. They must confirm it."""
        return await _proposed(Cancel(booking=BookingId(booking)), airline, runtime.context, phrases)

    @_body(phrases, WRITE)
    async def change_flights(
        booking: BookingNumber, cabin: Cabin, hops: Hops, means: PayBy, runtime: Runtime
    ) -> Answer:
        """Prepare other flights or another cabin for a booking; `hops` is the whole new way. They must confirm it."""
        wish = Reroute(booking=BookingId(booking), cabin=cabin, hops=tuple(hops), means=MeansId(means))
        return await _proposed(wish, airline, runtime.context, phrases)

    @_body(phrases, WRITE)
    async def change_bags(
        booking: BookingNumber, bags: Bags, paid_bags: PaidBags, means: PayBy, runtime: Runtime
    ) -> Answer:
        """Prepare another number of bags for a booking. They must confirm it."""
        wish = Rebag(booking=BookingId(booking), bags=bags, paid_bags=paid_bags, means=MeansId(means))
        return await _proposed(wish, airline, runtime.context, phrases)

    @_body(phrases, WRITE)
    async def change_people(booking: BookingNumber, people: People, runtime: Runtime) -> Answer:
        """Prepare other names for a booking, as many people as before. They must confirm it."""
        wish = Rename(booking=BookingId(booking), people=tuple(people))
        return await _proposed(wish, airline, runtime.context, phrases)

    return (cancel_booking, change_flights, change_bags, change_people)


def _sales(airline: Airline, phrases: Phrases) -> Sequence[BaseTool]:
    @_body(phrases, WRITE)
    async def book_trip(
        origin: Airport,
        destination: Airport,
        trip: Trip,
        cabin: Cabin,
        hops: Hops,
        people: People,
        payments: Payments,
        bags: Bags,
        paid_bags: PaidBags,
        insured: bool,
        runtime: Runtime,
    ) -> Answer:
        """Prepare a new booking of the traveller, paid by their own means to the dollar. They must confirm it."""
        wish = Book(
            origin=origin,
            destination=destination,
            trip=trip,
            cabin=cabin,
            hops=tuple(hops),
            people=tuple(people),
            payments=tuple(payments),
            bags=bags,
            paid_bags=paid_bags,
            insured=insured,
        )
        return await _proposed(wish, airline, runtime.context, phrases)

    @_body(phrases, GIVE)
    async def give_certificate(amount: Dollars, runtime: Runtime) -> Answer:
        """Prepare a certificate that makes up for a trouble the traveller had. They must accept it."""
        return await _proposed(Compensate(amount=amount), airline, runtime.context, phrases)

    return (book_trip, give_certificate)


async def _proposed(wish: Wish, airline: Airline, caller: Caller, phrases: Phrases) -> Answer:
    proposal = await airline.propose(wish, owner=caller.customer())
    question = confirmation(proposal, phrases=phrases, language=caller.language)
    return Answer(kind="proposal", sentences=(question,), facts=proposal.facts, proposal=proposal)


def _offers(found: Sequence[tuple[Departure, ...]], caller: Caller, phrases: Phrases) -> Answer:
    head = phrases.say("flights.some" if found else "flights.none", caller.language, count=len(found))
    lines = tuple(
        phrases.say(
            "flights.line",
            caller.language,
            flights=[one.flight.number for one in way],
            departs=way[0].flight.departs[:5],
            arrives=way[-1].flight.arrives[:5],
            day=way[0].day,
        )
        for way in found
    )
    return Answer(
        kind="records",
        sentences=(head, *lines),
        facts={"flights": [[asdict(one) for one in way] for way in found]},
    )
