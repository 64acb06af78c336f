"""The contracts of orders and customers kept by a real Tryton; where it does otherwise, what it does is said here."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.contracts import test_crm, test_orders
from tests.contracts.test_orders import ELSEWHERE, PACKED, PAID, SHIPPED, UNPAID
from tests.systems.tryton import Server
from tests.tools.shop import ANNA, BORIS, JOHN, VERA, Clock
from tools.address import Address
from tools.context import CustomerId, OrderId
from tools.crm.tryton import TrytonCRM
from tools.errors import NotFound, Rejected, Unavailable
from tools.intents.fake import FakeIntents
from tools.orders.port import ACTIVE
from tools.orders.tryton import TrytonOrders
from tools.tryton.client import Tryton
from tools.tryton.customers import PartyLink

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]

WAITING, CALLED_OFF = OrderId("1095"), OrderId("1097")
CODE = PartyLink()
MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def tryton(tryton_server: Server, tryton_shop: str) -> AsyncIterator[Tryton]:
    """A connection to a shop nobody writes to."""
    connected = connect(tryton_server, tryton_shop)
    yield connected
    await connected.close()


@pytest.fixture
async def fresh(tryton_server: Server) -> AsyncIterator[Tryton]:
    """A connection to a shop of the test's own."""
    connected = connect(tryton_server, tryton_server.database())
    yield connected
    await connected.close()


def connect(server: Server, database: str, *, user: str = "bot") -> Tryton:
    return Tryton(server.address, database=database, key=server.filled.keys[user])


def ordering(tryton: Tryton, clock: Clock, *, link: PartyLink = CODE) -> TrytonOrders:
    return TrytonOrders(tryton, link=link, intents=FakeIntents(), zone=MOSCOW, done="delivered", now=clock)


class TestReading(test_orders.TestReading):
    @pytest.fixture
    def orders(self, tryton: Tryton, clock: Clock) -> TrytonOrders:
        return ordering(tryton, clock)

    async def test_an_order_comes_whole_to_its_owner(self, orders: TrytonOrders) -> None:  # type: ignore[override]
        order = await orders.get(SHIPPED, owner=ANNA)
        assert (order.status, order.total, order.currency) == ("shipped", Decimal(5860), "RUB")
        assert [(item.code, item.quantity, item.price) for item in order.items] == [
            ("FN-105-BK", 1, Decimal(3990)),
            ("FN-903-BL", 2, Decimal(790)),
        ]
        assert next((item.title.ru, item.title.en) for item in order.items) == (
            "Налобный фонарь «Полюс 1000»",
            "Polyus 1000 headlamp",
        )
        assert order.delivery_price == 290
        assert (order.payment.method, order.payment.state) == ("invoice", "paid")
        parcel = order.fulfilment
        assert (parcel.method, parcel.carrier, parcel.eta) == ("delivery", "Волжский курьер", None)
        assert (parcel.tracking or "").startswith("FNR")
        assert order.placed.tzinfo is not None
        assert str(order.address) == "603073, Нижний Новгород, ул. Лесная, д. 12, кв. 34"

    async def test_refunds_come_with_their_order(self, orders: TrytonOrders) -> None:  # type: ignore[override]
        """Tryton's sales know of no refunds: none is told."""
        assert (await orders.get(OrderId("1062"), owner=BORIS)).refunds == ()

    async def test_what_tryton_does_not_explain_is_left_to_a_person(self, orders: TrytonOrders) -> None:
        order = await orders.get(CALLED_OFF, owner=VERA)
        assert (order.status, order.changes) == ("unclear", frozenset())

    async def test_each_state_is_told_as_it_stands(self, orders: TrytonOrders) -> None:
        wanted = {
            (PAID, ANNA): "unconfirmed",
            (UNPAID, VERA): "processing",
            (WAITING, JOHN): "paid",
            (PACKED, JOHN): "packed",
            (SHIPPED, ANNA): "shipped",
            (OrderId("1019"), ANNA): "delivered",
            (OrderId("1062"), BORIS): "cancelled",
        }
        told = {known: (await orders.get(known[0], owner=known[1])).status for known in wanted}
        assert told == wanted
        assert (await orders.get(OrderId("1019"), owner=ANNA)).fulfilment.delivered is not None

    async def test_an_order_is_found_by_the_end_of_its_number_among_the_owners_alone(
        self, orders: TrytonOrders
    ) -> None:
        assert (await orders.get(OrderId("01051"), owner=ANNA)).id == "1051"
        for several in ("1", "51", "105"):
            with pytest.raises(NotFound):
                await orders.get(OrderId(several), owner=ANNA)

    async def test_an_identifier_may_stand_for_the_party(self, tryton: Tryton, clock: Clock) -> None:
        orders = ordering(tryton, clock, link=PartyLink.read("identifier"))
        anna = CustomerId("site-c-001")
        assert [order.id for order in await orders.list(owner=anna)] == ["1051", "1045-А", "1019", "1008"]
        for nobody in (ANNA, CustomerId("site-c-999"), CustomerId("")):
            assert await orders.list(owner=nobody) == ()
        with pytest.raises(NotFound):
            await orders.get(OrderId("1077"), owner=anna)

    async def test_a_system_that_lets_us_see_nothing_is_unavailable_not_empty(
        self, tryton_server: Server, tryton_shop: str, clock: Clock
    ) -> None:
        for database, key in ((tryton_shop, "clerk"), (tryton_shop, "wrong"), ("nowhere", "bot")):
            server, known = tryton_server, tryton_server.filled.keys.get(key, "0" * 64)
            barred = Tryton(server.address, database=database, key=known)
            with pytest.raises(Unavailable) as wrong:
                await ordering(barred, clock).list(owner=ANNA)
            await barred.close()
            assert wrong.value.remedy
            assert known not in f"{wrong.value} {wrong.value.remedy}"


class TestCatalogue(test_orders.TestCatalogue):
    @pytest.fixture
    def orders(self, tryton: Tryton, clock: Clock) -> TrytonOrders:
        return ordering(tryton, clock)


class TestProposals(test_orders.TestProposals):
    @pytest.fixture
    def orders(self, tryton: Tryton, clock: Clock) -> TrytonOrders:
        return ordering(tryton, clock)

    async def test_a_cancellation_says_how_much_returns_where_and_when(self, orders: TrytonOrders) -> None:  # type: ignore[override]
        """Only what was not paid can be cancelled: no refund is promised."""
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason=" передумала\n")
        assert proposal.arguments == {"order_id": "1051", "reason": "передумала"}
        placed = (await orders.get(PAID, owner=ANNA)).placed.date().isoformat()
        assert proposal.facts == {
            "order": "1051",
            "total": 4290,
            "currency": "RUB",
            "worth": 4290,
            "placed": placed,
        }

    async def test_an_unpaid_order_promises_no_refund(self, orders: TrytonOrders) -> None:  # type: ignore[override]
        assert "refund" not in (await orders.propose_cancel(PAID, owner=ANNA, reason="")).facts

    async def test_an_order_that_left_or_ended_cannot_be_changed(self, orders: TrytonOrders) -> None:  # type: ignore[override]
        for number, owner in ((SHIPPED, ANNA), (OrderId("1019"), ANNA), (OrderId("1062"), BORIS)):
            with pytest.raises(Rejected) as wrong:
                await orders.propose_cancel(number, owner=owner, reason="")
            assert wrong.value.reason == "not_cancellable"
            with pytest.raises(Rejected) as wrong:
                await orders.propose_address(number, owner=owner, new_address=Address(line=ELSEWHERE))
            assert wrong.value.reason == "address_locked"

    async def test_what_only_people_can_do_in_tryton_is_not_offered(self, orders: TrytonOrders) -> None:
        for number, owner in ((UNPAID, VERA), (WAITING, JOHN), (PACKED, JOHN)):
            with pytest.raises(Rejected) as wrong:
                await orders.propose_cancel(number, owner=owner, reason="")
            assert wrong.value.reason == "not_offered"
        with pytest.raises(Rejected) as wrong:
            await orders.propose_address(PACKED, owner=JOHN, new_address=Address(line=ELSEWHERE))
        assert wrong.value.reason == "not_offered"
        delivered = await orders.get(OrderId("1019"), owner=ANNA)
        assert delivered.changes == {"return"}
        codes = [item.code for item in delivered.items]
        with pytest.raises(Rejected) as wrong:
            await orders.propose_exchange(delivered.id, owner=ANNA, codes=codes, new_codes=codes)
        assert wrong.value.reason == "not_offered"

    async def test_where_a_shipment_ends_at_the_warehouses_door_returns_are_for_people(
        self, tryton: Tryton, clock: Clock
    ) -> None:
        orders = TrytonOrders(tryton, link=CODE, intents=FakeIntents(), zone=MOSCOW, done="sent", now=clock)
        with pytest.raises(Rejected) as wrong:
            await orders.propose_return(OrderId("1019"), owner=ANNA, codes=["x"])
        assert wrong.value.reason == "not_offered"


class TestExecuting(test_orders.TestExecuting):
    @pytest.fixture
    def orders(self, fresh: Tryton, clock: Clock) -> TrytonOrders:
        return ordering(fresh, clock)

    async def test_a_cancelled_order_is_refunded_once_and_restocked(self, orders: TrytonOrders) -> None:  # type: ignore[override]
        """A quotation holds no stock and no money."""
        before = await orders.product("FN-204")
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        effect = await orders.execute(proposal, owner=ANNA, key=proposal.id)
        assert (effect.state, effect.facts) == ("done", proposal.facts)
        order = await orders.get(PAID, owner=ANNA)
        assert (order.status, order.refunds, order.changes) == ("cancelled", (), frozenset())
        assert (await orders.product("FN-204")).stock == before.stock

    async def test_a_new_address_is_where_the_order_goes(self, orders: TrytonOrders) -> None:  # type: ignore[override]
        for number, owner, status in ((PAID, ANNA, "unconfirmed"), (WAITING, JOHN, "paid")):
            before = await orders.get(number, owner=owner)
            proposal = await orders.propose_address(number, owner=owner, new_address=Address(line=ELSEWHERE))
            effect = await orders.execute(proposal, owner=owner, key=proposal.id)
            order = await orders.get(number, owner=owner)
            assert (effect.state, str(order.address), order.status) == ("done", ELSEWHERE, status)
            assert (order.total, order.items) == (before.total, before.items)

    async def test_a_new_address_given_part_by_part_keeps_its_city_and_postcode(
        self, orders: TrytonOrders
    ) -> None:
        wanted = Address(line="Садовая ул., 5", extra="кв. 17", city="Бор", postcode="606440")
        for number, owner in ((PAID, ANNA), (WAITING, JOHN)):
            proposal = await orders.propose_address(number, owner=owner, new_address=wanted)
            effect = await orders.execute(proposal, owner=owner, key=proposal.id)
            order = await orders.get(number, owner=owner)
            kept = Address(line="Садовая ул., 5, кв. 17", city="Бор", postcode="606440")
            assert (effect.state, order.address) == ("done", kept)

    async def test_ten_at_once_have_one_effect(self, orders: TrytonOrders) -> None:  # type: ignore[override]
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        effects = await asyncio.gather(*(orders.execute(proposal, owner=ANNA, key="k") for _ in range(10)))
        assert sorted(effect.state for effect in effects) == ["already_done"] * 9 + ["done"]
        assert (await orders.get(PAID, owner=ANNA)).status == "cancelled"

    async def test_a_key_serves_one_proposal_only(self, orders: TrytonOrders) -> None:  # type: ignore[override]
        first = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        await orders.execute(first, owner=ANNA, key="k")
        other = await orders.propose_address(WAITING, owner=JOHN, new_address=Address(line=ELSEWHERE))
        with pytest.raises(Rejected) as wrong:
            await orders.execute(other, owner=JOHN, key="k")
        assert wrong.value.reason == "key_reused"
        assert str((await orders.get(WAITING, owner=JOHN)).address) != ELSEWHERE

    async def test_an_address_used_before_is_not_made_again(
        self, tryton_server: Server, clock: Clock
    ) -> None:
        database = tryton_server.database()
        tryton = connect(tryton_server, database)
        orders = ordering(tryton, clock)
        back = "Нижний Новгород, ул. Лесная, д. 40"
        for place in (ELSEWHERE, back, ELSEWHERE):
            proposal = await orders.propose_address(PAID, owner=ANNA, new_address=Address(line=place))
            assert (await orders.execute(proposal, owner=ANNA, key=proposal.id)).state == "done"
            clock.now += timedelta(minutes=1)
        known = tryton_server.staff(database, "state", "1051")
        await tryton.close()
        # The first is the party's own, two are those of her demo orders.
        assert known == "quotation 5"

    async def test_a_return_is_a_draft_of_the_sale_for_people_to_go_on_with(
        self, tryton_server: Server, clock: Clock
    ) -> None:
        database = tryton_server.database()
        tryton = connect(tryton_server, database)
        orders = ordering(tryton, clock)
        order = await orders.get(OrderId("1019"), owner=ANNA)
        codes = [item.code for item in order.items][:1]
        proposal = await orders.propose_return(order.id, owner=ANNA, codes=codes)
        assert (await orders.execute(proposal, owner=ANNA, key=proposal.id)).state == "done"
        assert (await orders.execute(proposal, owner=ANNA, key=proposal.id)).state == "already_done"
        asked = await orders.get(order.id, owner=ANNA)
        assert (asked.status, asked.changes) == ("return_requested", frozenset())
        assert asked.returning is not None
        assert asked.returning.codes == tuple(codes)
        assert (asked.items, asked.total) == (order.items, order.total)
        assert [one.id for one in await orders.list(owner=ANNA)] == ["1051", "1045-А", "1019", "1008"]
        # What people do with it is told: they call it off, and it may be asked for again.
        assert tryton_server.staff(database, "returns", "1019", "cancel") == f"draft {codes[0]} -1.0"
        again = await orders.get(order.id, owner=ANNA)
        assert (again.status, again.changes) == ("delivered", {"return"})
        clock.now += timedelta(minutes=1)
        second = await orders.propose_return(order.id, owner=ANNA, codes=codes)
        assert (await orders.execute(second, owner=ANNA, key=second.id)).state == "done"
        # A return goes the way of any sale: nothing is lacking that people would have to fill in first.
        tryton_server.staff(database, "returns", "1019", "quote", "confirm")
        assert (await orders.get(order.id, owner=ANNA)).status == "return_requested"
        await tryton.close()

    async def test_what_people_changed_meanwhile_is_left_alone(
        self, tryton_server: Server, clock: Clock
    ) -> None:
        database = tryton_server.database()
        tryton = connect(tryton_server, database)
        orders = ordering(tryton, clock)
        move = await orders.propose_address(WAITING, owner=JOHN, new_address=Address(line=ELSEWHERE))
        tryton_server.staff(database, "ship", "1095", "assign_force")
        with pytest.raises(Rejected) as wrong:
            await orders.execute(move, owner=JOHN, key=move.id)
        order = await orders.get(WAITING, owner=JOHN)
        await tryton.close()
        assert wrong.value.reason == "changed"
        assert str(order.address) != ELSEWHERE

    async def test_a_party_that_was_archived_is_nobody(self, tryton_server: Server, clock: Clock) -> None:
        database = tryton_server.database()
        tryton_server.staff(database, "archive", "c-002")
        tryton = connect(tryton_server, database)
        orders, crm = ordering(tryton, clock), TrytonCRM(tryton, link=CODE)
        assert await orders.list(owner=BORIS) == ()
        with pytest.raises(NotFound):
            await orders.get(OrderId("1077"), owner=BORIS)
        with pytest.raises(NotFound):
            await crm.customer(BORIS)
        await tryton.close()


class TestCustomers(test_crm.TestCustomers):
    @pytest.fixture
    def crm(self, tryton: Tryton) -> TrytonCRM:
        return TrytonCRM(tryton, link=CODE)

    async def test_a_customer_is_found_by_id(self, crm: TrytonCRM) -> None:  # type: ignore[override]
        anna = await crm.customer(ANNA)
        assert (anna.name, anna.language, anna.city) == ("Анна Соколова", "ru", "Нижний Новгород")
        assert (anna.email, anna.phone) == ("anna@example.com", "+7 900 000-00-01")
        assert (anna.level, anna.points, anna.login) == (None, None, None)
        assert (await crm.customer(JOHN)).language == "en"

    async def test_the_sign_in_page_finds_a_customer_by_login(self, crm: TrytonCRM) -> None:  # type: ignore[override]
        """The users of Tryton's web shop sign in with their e-mail addresses."""
        assert (await crm.find_by_login("john@example.com")).id == JOHN

    async def test_an_identifier_may_stand_for_the_party(self, tryton: Tryton) -> None:
        crm = TrytonCRM(tryton, link=PartyLink.read("identifier"))
        assert (await crm.customer(CustomerId("site-c-004"))).name == "John Harper"
        assert (await crm.find_by_login("john@example.com")).id == "site-c-004"
        with pytest.raises(NotFound):
            await crm.customer(JOHN)


async def test_under_way_means_the_same_to_the_list_and_to_the_order(tryton: Tryton, clock: Clock) -> None:
    for owner in (ANNA, BORIS, VERA, JOHN):
        flags = [order.status in ACTIVE for order in await ordering(tryton, clock).list(owner=owner)]
        assert flags == sorted(flags, reverse=True)
