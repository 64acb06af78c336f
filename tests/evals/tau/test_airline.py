"""The airline: every official call with its errors on a small book, and the house's rules underneath."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from evals.tau.airline import AIRLINE, SERIES, TODAY, official, rules, store, tables
from evals.tau.airline.functions import PURPOSES, TEXTS, airline_tools
from evals.tau.airline.port import BookingId, Cancel, Person, Rename
from evals.tau.airline.store import SqlAirline
from evals.tau.domain import Call, Unplayable
from evals.tau.replay import figures
from evals.tau.traces import canonical
from knowledge.errors import BadRecords
from tests.evals.tau.air import ANN, BOB, DATABASE
from tests.evals.tau.kit import identities, open_traces, opened, reasons, said, untold
from tools.context import Caller, ConversationId, CustomerId, TurnId
from tools.errors import Expired, NoBasis, NotFound, NotIdentified, Unconfirmed
from tools.phrases import LANGUAGES, Phrases
from tools.toolbox import Toolbox

BOOK: dict[str, Any] = {
    "user_id": ANN,
    "origin": "SFO",
    "destination": "JFK",
    "flight_type": "one_way",
    "cabin": "economy",
    "flights": [{"flight_number": "HAT001", "date": "2024-05-21"}],
    "passengers": [{"first_name": "Ann", "last_name": "Lee", "dob": "1990-01-02"}],
    "payment_methods": [
        {"payment_id": f"certificate_{ANN}", "amount": 200},
        {"payment_id": f"gift_card_{ANN}", "amount": 100},
    ],
    "total_baggages": 1,
    "nonfree_baggages": 1,
    "insurance": "yes",
}
HOP = [{"flight_number": "HAT001", "date": "2024-05-21"}]
CARD = f"credit_card_{ANN}"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Any]:
    async with opened(AIRLINE, DATABASE, tmp_path, owner=ANN) as found:
        yield found


# The official face. --------------------------------------------------------------------------------------------


async def test_the_database_comes_out_as_it_went_in(world: Any) -> None:
    assert canonical(await world.database()) == canonical(DATABASE)


async def test_the_customer_sees_their_own_profile_and_booking(world: Any) -> None:
    assert await said(world, "get_user_details", user_id=ANN) == DATABASE["users"][ANN]
    assert (
        await said(world, "get_reservation_details", reservation_id="AAA111")
        == DATABASE["reservations"]["AAA111"]
    )


@pytest.mark.parametrize("number", ["BBB222", "ZZZ999"])
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("get_reservation_details", {}),
        ("cancel_reservation", {}),
        ("update_reservation_baggages", {"total_baggages": 2, "nonfree_baggages": 0, "payment_id": CARD}),
        ("update_reservation_flights", {"cabin": "economy", "flights": HOP, "payment_id": CARD}),
        ("update_reservation_passengers", {"passengers": BOOK["passengers"]}),
    ],
)
async def test_anothers_booking_reads_like_one_that_is_not(
    world: Any, name: str, more: Any, number: str
) -> None:
    """Security requirement 1: another customer's record looks absent."""
    assert (
        await said(world, name, reservation_id=number, **more)
        == f"ValueError: Reservation {number} not found"
    )
    assert canonical(await world.database()) == canonical(DATABASE)


@pytest.mark.parametrize("name", [BOB, "nobody_9"])
async def test_a_user_id_is_compared_and_never_looked_up(world: Any, name: str) -> None:
    wanted = f"ValueError: User {name} not found"
    assert await said(world, "get_user_details", user_id=name) == wanted
    assert await said(world, "send_certificate", user_id=name, amount=50) == wanted
    assert await said(world, "book_reservation", **{**BOOK, "user_id": name}) == wanted


async def test_without_a_customer_nothing_of_anybodys_is_there_but_flights_are(tmp_path: Path) -> None:
    async with opened(AIRLINE, DATABASE, tmp_path) as nobody:
        assert await said(nobody, "get_user_details", user_id=ANN) == f"ValueError: User {ANN} not found"
        told = await said(nobody, "cancel_reservation", reservation_id="AAA111")
        assert told == "ValueError: Reservation AAA111 not found"
        assert await said(nobody, "get_flight_status", flight_number="HAT001", date="2024-05-14") == "landed"


async def test_a_run_is_bound_once(world: Any) -> None:
    with pytest.raises(ValueError, match="bind once"):
        await world.bind(BOB)


async def test_flights_are_found_by_day_and_say_their_date_only_in_a_connection(world: Any) -> None:
    where = {"origin": "SFO", "date": "2024-05-20"}
    direct = await said(world, "search_direct_flight", destination="JFK", **where)
    assert [(one["flight_number"], one["date"]) for one in direct] == [("HAT001", None), ("HAT004", None)]
    ways = await said(world, "search_onestop_flight", destination="MIA", **where)
    named = [[(one["flight_number"], one["date"]) for one in way] for way in ways]
    assert named == [
        [("HAT001", "2024-05-20"), ("HAT003", "2024-05-20")],
        [("HAT004", "2024-05-20"), ("HAT002", "2024-05-21")],
        [("HAT004", "2024-05-20"), ("HAT003", "2024-05-21")],
    ]


async def test_a_flight_has_a_status_on_a_day(world: Any) -> None:
    assert await said(world, "get_flight_status", flight_number="HAT001", date="2024-05-20") == "available"
    absent = await said(world, "get_flight_status", flight_number="HAT9", date="2024-05-20")
    assert absent == "ValueError: Flight HAT9 not found"
    never = await said(world, "get_flight_status", flight_number="HAT001", date="2024-06-20")
    assert never == "ValueError: Flight HAT001 not found on date 2024-06-20"


async def test_a_booking_takes_seats_and_money_and_gets_the_next_number(world: Any) -> None:
    made = await said(world, "book_reservation", **{**BOOK, "nonfree_baggages": 1})
    assert made["reservation_id"] == "HATHAT"
    assert made["flights"][0]["price"] == 220
    after: Any = await world.database()
    assert after["flights"]["HAT001"]["dates"]["2024-05-21"]["available_seats"]["economy"] == 1
    assert f"certificate_{ANN}" not in after["users"][ANN]["payment_methods"]
    assert after["users"][ANN]["payment_methods"][f"gift_card_{ANN}"]["amount"] == 50.0
    assert after["users"][ANN]["reservations"] == ["AAA111", "HATHAT"]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"flights": [{"flight_number": "HAT9", "date": "2024-05-20"}]}, "Flight HAT9 not found"),
        (
            {"flights": [{"flight_number": "HAT001", "date": "2024-07-01"}]},
            "Flight HAT001 not found on date 2024-07-01",
        ),
        (
            {"flights": [{"flight_number": "HAT001", "date": "2024-05-15"}]},
            "Flight HAT001 not available on date 2024-05-15",
        ),
        ({"passengers": BOOK["passengers"] * 3}, "Not enough seats on flight HAT001"),
        ({"payment_methods": [{"payment_id": "x", "amount": 300}]}, "Payment method x not found"),
        (
            {"payment_methods": [{"payment_id": f"gift_card_{ANN}", "amount": 300}]},
            f"Not enough balance in payment method gift_card_{ANN}",
        ),
        (
            {"payment_methods": [{"payment_id": CARD, "amount": 299}]},
            "Payment amount does not add up, total price is 300, but paid 299",
        ),
    ],
)
async def test_a_booking_is_refused_in_the_official_words_and_nothing_changes(
    world: Any, change: dict[str, Any], wanted: str
) -> None:
    assert await said(world, "book_reservation", **{**BOOK, **change}) == f"ValueError: {wanted}"
    assert canonical(await world.database()) == canonical(DATABASE)


async def test_numbers_of_bookings_and_certificates_come_to_an_end(world: Any) -> None:
    paid = {"payment_methods": [{"payment_id": CARD, "amount": 110}], "cabin": "basic_economy"}
    plain = {**BOOK, **paid, "insurance": "no", "nonfree_baggages": 0}
    day = {"flights": [{"flight_number": "HAT002", "date": "2024-05-21"}]}
    numbers = [
        (await said(world, "book_reservation", **{**plain, **more}))["reservation_id"]
        for more in ({}, {}, day)
    ]
    assert numbers == ["HATHAT", "HATHAU", "HATHAV"]
    assert await said(world, "book_reservation", **plain) == "ValueError: Too many reservations"
    for n in (3221322, 3221323, 3221324):
        told = await said(world, "send_certificate", user_id=ANN, amount=100)
        assert told == f"Certificate certificate_{n} added to user {ANN} with amount 100."
    assert (
        await said(world, "send_certificate", user_id=ANN, amount=100) == "ValueError: Too many certificates"
    )


async def test_a_cancelled_booking_is_paid_back_and_its_seats_stay_sold(world: Any) -> None:
    after = await said(world, "cancel_reservation", reservation_id="AAA111")
    assert after["status"] == "cancelled"
    assert [one["amount"] for one in after["payment_history"]] == [100, -100]
    database: Any = await world.database()
    assert database["flights"] == DATABASE["flights"]


async def test_a_leg_that_stays_keeps_its_price_and_another_cabin_is_bought_anew(world: Any) -> None:
    both = [
        {"flight_number": "HAT001", "date": "2024-05-20"},
        {"flight_number": "HAT003", "date": "2024-05-20"},
    ]
    way = {"reservation_id": "AAA111", "flights": both, "payment_id": CARD}
    after = await said(world, "update_reservation_flights", cabin="basic_economy", **way)
    assert [leg["price"] for leg in after["flights"]] == [100, 100]
    assert after["payment_history"][-1] == {"payment_id": CARD, "amount": 100}
    again = await said(world, "update_reservation_flights", cabin="business", **way)
    assert [leg["price"] for leg in again["flights"]] == [300, 300]
    assert again["payment_history"][-1]["amount"] == 400


@pytest.mark.parametrize(
    ("means", "wanted"),
    [
        ("x", "Payment method not found"),
        (f"certificate_{ANN}", "Certificate cannot be used to update reservation"),
        (f"gift_card_{ANN}", "Gift card balance is not enough"),
    ],
)
async def test_a_change_is_paid_by_a_card_that_has_enough(world: Any, means: str, wanted: str) -> None:
    bags = {"total_baggages": 4, "nonfree_baggages": 4, "payment_id": means}
    told = await said(world, "update_reservation_baggages", reservation_id="AAA111", **bags)
    assert told == f"ValueError: {wanted}"


async def test_bags_cost_only_what_is_more_and_a_gift_card_pays(world: Any) -> None:
    bags = {"total_baggages": 3, "nonfree_baggages": 2, "payment_id": f"gift_card_{ANN}"}
    after = await said(world, "update_reservation_baggages", reservation_id="AAA111", **bags)
    assert (after["total_baggages"], after["nonfree_baggages"]) == (3, 2)
    assert after["payment_history"][-1] == {"payment_id": f"gift_card_{ANN}", "amount": 100}
    fewer = {**bags, "total_baggages": 1, "nonfree_baggages": 0}
    again = await said(world, "update_reservation_baggages", reservation_id="AAA111", **fewer)
    assert len(again["payment_history"]) == 2


async def test_people_are_renamed_only_as_many_as_they_were(world: Any) -> None:
    other = {"first_name": "Dee", "last_name": "Lee", "dob": "1999-01-01"}
    after = await said(world, "update_reservation_passengers", reservation_id="AAA111", passengers=[other])
    assert after["passengers"] == [other]
    told = await said(world, "update_reservation_passengers", reservation_id="AAA111", passengers=[other] * 2)
    assert told == "ValueError: Number of passengers does not match"


async def test_airports_sums_and_a_transfer_need_no_customer(world: Any) -> None:
    airports = await said(world, "list_all_airports")
    assert (len(airports), airports[0]) == (20, {"iata": "SFO", "city": "San Francisco"})
    assert await said(world, "calculate", expression="(2 + 3) * 1.5") == "7.5"
    assert (
        await said(world, "calculate", expression="2 + x") == "ValueError: Invalid characters in expression"
    )
    assert await said(world, "calculate", expression="1/0") == "ZeroDivisionError: division by zero"
    assert await said(world, "transfer_to_human_agents", summary="s") == "Transfer successful"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fly", {}),
        ("cancel_reservation", {}),
        ("cancel_reservation", {"reservation_id": "AAA111", "user_id": ANN}),
        (
            "update_reservation_flights",
            {"reservation_id": "A", "cabin": "first", "flights": [], "payment_id": "x"},
        ),
        ("update_reservation_passengers", {"reservation_id": "AAA111", "passengers": ["Ann"]}),
        ("send_certificate", {"user_id": ANN, "amount": "much"}),
        ("book_reservation", {**BOOK, "insurance": ["yes"]}),
        ("book_reservation", {**BOOK, "flights": {"flight_number": "HAT001"}}),
    ],
)
async def test_a_call_that_cannot_be_read_is_said_to_be_so(world: Any, name: str, arguments: Any) -> None:
    with pytest.raises(Unplayable):
        await world.call(Call(name=name, arguments=arguments))


async def test_a_call_names_its_customer_by_official_ids_alone(world: Any) -> None:
    assert world.owner_of(Call(name="get_user_details", arguments={"user_id": BOB})) == BOB
    assert world.owner_of(Call(name="cancel_reservation", arguments={"reservation_id": "AAA111"})) == ANN
    assert world.owner_of(Call(name="cancel_reservation", arguments={"reservation_id": "ZZZ999"})) is None
    assert world.owner_of(Call(name="calculate", arguments={"expression": ANN})) is None


@pytest.mark.parametrize("broken", [{}, {"flights": {}, "users": {"a": {}}, "reservations": {}}])
async def test_another_database_is_refused_with_its_place(tmp_path: Path, broken: Any) -> None:
    with pytest.raises(BadRecords, match=r"no 'users'|users\.a"):
        await AIRLINE.open(broken, folder=tmp_path)


# The house underneath. -----------------------------------------------------------------------------------------


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'air.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(tables.metadata.create_all)
        await official.fill(connection, DATABASE)
    yield engine
    await engine.dispose()


@pytest.fixture
def airline(engine: AsyncEngine) -> SqlAirline:
    return SqlAirline(engine, series=SERIES, now=lambda: TODAY)


def caller(owner: CustomerId | None = ANN, **more: Any) -> Caller:
    return Caller(
        **{
            "conversation": ConversationId("c"),
            "turn": TurnId("t"),
            "language": "ru",
            "channel": "web",
            "customer_id": owner,
            "assurance": "verified" if owner else "anonymous",
            "purposes": PURPOSES,
            "now": TODAY,
            **more,
        }
    )


async def test_a_write_happens_once_for_its_key_and_not_before_a_yes(airline: SqlAirline) -> None:
    proposal = await airline.propose(Cancel(booking=BookingId("AAA111")), owner=ANN)
    assert not (await airline.booking(BookingId("AAA111"), owner=ANN)).cancelled
    first = await airline.execute(proposal, owner=ANN, key=proposal.id)
    again = await airline.execute(proposal, owner=ANN, key=proposal.id)
    assert (first.state, again.state) == ("done", "already_done")
    assert len((await airline.booking(BookingId("AAA111"), owner=ANN)).payments) == 2


async def test_a_proposal_made_before_another_change_is_refused(airline: SqlAirline) -> None:
    box = Toolbox(airline_tools(airline))
    stale = await airline.propose(Cancel(booking=BookingId("AAA111")), owner=ANN)
    people = (Person(first="D", last="L", born="1999-01-01"),)
    fresh = await airline.propose(Rename(booking=BookingId("AAA111"), people=people), owner=ANN)
    await airline.execute(fresh, owner=ANN, key=fresh.id)
    effect = await box.execute(stale, caller(), key=stale.id)
    assert (effect.state, effect.facts["reason"]) == ("refused", "changed")
    assert "ничего не сделано" in box.effect_text(effect, "ru")


async def test_a_yes_too_late_or_of_another_customer_or_to_something_else_does_nothing(
    airline: SqlAirline,
) -> None:
    box = Toolbox(airline_tools(airline))
    proposal = await airline.propose(Cancel(booking=BookingId("AAA111")), owner=ANN)
    with pytest.raises(Expired):
        await box.execute(proposal, caller(now=TODAY + timedelta(hours=1)), key=proposal.id)
    with pytest.raises(NotFound):
        await box.execute(proposal, caller(BOB), key=proposal.id)
    with pytest.raises(Unconfirmed):
        await box.execute(replace(proposal, version="9"), caller(), key=proposal.id)


async def test_the_gate_asks_for_a_customer_and_a_purpose(airline: SqlAirline) -> None:
    box = Toolbox(airline_tools(airline))
    with pytest.raises(NotIdentified):
        await box.call("booking_details", {"booking": "AAA111"}, caller(None))
    with pytest.raises(NoBasis):
        await box.call("booking_details", {"booking": "AAA111"}, caller(purposes=frozenset()))
    offered = {tool.name for tool in box.offered(caller(None, purposes=frozenset()))}
    assert offered == {"find_flights", "find_connections", "flight_status"}


def test_no_tool_asks_who_the_customer_is_and_every_tool_has_its_texts(airline: SqlAirline) -> None:
    kit = airline_tools(airline)
    assert identities(kit) == set()
    assert untold(kit) == []


def test_texts_agree_in_both_languages_and_hold_every_reason() -> None:
    phrases = Phrases(TEXTS, currency="USD")
    assert phrases.differences() == []
    said_for = {f"fault.rejected.{reason}" for reason in reasons(rules, store)}
    assert [key for key in said_for for language in LANGUAGES if not phrases.has(key, language)] == []


def test_the_airlines_day_is_aware() -> None:
    assert TODAY.astimezone(UTC) == datetime(2024, 5, 15, 20, tzinfo=UTC)


@pytest.mark.heavy
@pytest.mark.evaldata
async def test_the_open_recordings_match_in_every_step_and_final_state(evaldata: Path) -> None:
    done = await open_traces(AIRLINE, evaldata / "tau" / "airline")
    assert figures(done) == {
        "steps": 69,
        "matched": 69,
        "traces": 25,
        "final_state_ok": 25,
        "cross_customer": 0,
    }
