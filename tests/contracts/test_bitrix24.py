"""The contracts of orders and customers against Bitrix24: what it can do holds, what it cannot is refused as such."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.contracts import test_crm, test_orders
from tests.contracts.test_orders import ELSEWHERE, PACKED, PAID, SHIPPED, UNPAID
from tests.systems.bitrix24 import Portal, served
from tests.systems.bitrix24_seed import CITY, SITE_ID, STATES, ZIP, contact, portal
from tests.tools.shop import ANNA, BORIS, JOHN, SHOP, VERA, Clock
from tools.address import Address
from tools.bitrix24.client import Bitrix24, Webhook
from tools.bitrix24.customers import ContactLink
from tools.bitrix24.states import Meanings
from tools.context import CustomerId, OrderId
from tools.crm.bitrix24 import Bitrix24CRM
from tools.errors import NotFound, Rejected
from tools.intents.fake import FakeIntents
from tools.orders.bitrix24 import Bitrix24Orders
from tools.orders.port import ACTIVE

SITE = ContactLink(field=SITE_ID)
MEANINGS = Meanings.read(STATES, done="delivered")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def company() -> AsyncIterator[Portal]:
    """A portal of the test's own."""
    async with served(portal()) as found:
        yield found


@pytest.fixture
async def bitrix24(company: Portal) -> AsyncIterator[Bitrix24]:
    connected = Bitrix24(Webhook.read(company.webhook))
    yield connected
    await connected.close()


@pytest.fixture
def orders(bitrix24: Bitrix24, clock: Clock) -> Bitrix24Orders:
    return ordering(bitrix24, clock)


@pytest.fixture
def crm(bitrix24: Bitrix24) -> Bitrix24CRM:
    return Bitrix24CRM(bitrix24, link=SITE)


def ordering(bitrix24: Bitrix24, clock: Clock, *, link: ContactLink = SITE) -> Bitrix24Orders:
    return Bitrix24Orders(bitrix24, link=link, intents=FakeIntents(), meanings=MEANINGS, now=clock)


class TestReading(test_orders.TestReading):
    async def test_an_order_comes_whole_to_its_owner(self, orders: Bitrix24Orders) -> None:  # type: ignore[override]
        order = await orders.get(SHIPPED, owner=ANNA)
        assert (order.status, order.total, order.currency) == ("shipped", Decimal(5860), "RUB")
        assert [(item.code, item.quantity, item.price) for item in order.items] == [
            ("FN-105-BK", 1, Decimal(3990)),
            ("FN-903-BL", 2, Decimal(790)),
        ]
        assert order.items[0].title.ru == "Налобный фонарь «Полюс 1000»"
        assert order.delivery_price == 290
        assert (order.payment.method, order.payment.state) == ("invoice", "paid")
        parcel = order.fulfilment
        assert (parcel.method, parcel.carrier, parcel.eta) == ("delivery", "Волжский курьер", None)
        assert (parcel.tracking or "").startswith("FNR")
        assert parcel.shipped is not None
        assert order.placed.utcoffset() is not None
        assert str(order.address) == "603073, Нижний Новгород, ул. Лесная, д. 12, кв. 34"

    async def test_refunds_come_with_their_order(self, orders: Bitrix24Orders) -> None:  # type: ignore[override]
        """Bitrix24 tells that money went back, not when it arrives: no refund is told."""
        order = await orders.get(OrderId("1033"), owner=VERA)
        assert (order.refunds, order.payment.state) == ((), "refunded")

    async def test_each_state_is_told_as_it_stands(self, orders: Bitrix24Orders) -> None:
        wanted = {
            (PAID, ANNA): "pending",
            (UNPAID, VERA): "pending",
            (PACKED, JOHN): "packed",
            (SHIPPED, ANNA): "shipped",
            (OrderId("1019"), ANNA): "delivered",
            (OrderId("1062"), BORIS): "cancelled",
            (OrderId("1033"), VERA): "unclear",
        }
        told = {known: (await orders.get(known[0], owner=known[1])).status for known in wanted}
        assert told == wanted

    async def test_an_order_is_found_by_the_end_of_its_number_among_the_owners_alone(
        self, orders: Bitrix24Orders, company: Portal
    ) -> None:
        company.order("1051")["accountNumber"] = "B-01051"
        company.order("1077")["accountNumber"] = "B-01077"
        assert (await orders.get(PAID, owner=ANNA)).id == "B-01051"
        for foreign in ("1077", "51", "B-01077"):
            with pytest.raises(NotFound):
                await orders.get(OrderId(foreign), owner=ANNA)

    async def test_a_contact_of_the_crm_may_be_the_customer_itself(
        self, bitrix24: Bitrix24, clock: Clock, company: Portal
    ) -> None:
        orders = ordering(bitrix24, clock, link=ContactLink())
        anna = CustomerId("101")
        assert [order.id for order in await orders.list(owner=anna)] == ["1051", "1045-А", "1019", "1008"]
        asked = len(company.requests)
        for nobody in (ANNA, CustomerId(""), CustomerId("0101"), CustomerId("1e2")):
            assert await orders.list(owner=nobody) == ()
        assert len(company.requests) == asked
        assert await orders.list(owner=CustomerId("999")) == ()
        with pytest.raises(NotFound):
            await orders.get(OrderId("1077"), owner=anna)

    async def test_a_further_contact_of_an_order_is_not_its_owner(
        self, orders: Bitrix24Orders, company: Portal
    ) -> None:
        foreign = company.order("1077")
        foreign["clients"].append({**foreign["clients"][0], "entityId": 101, "isPrimary": "N"})
        company.bindings.append(
            {"orderId": foreign["id"], "ownerId": company.deals[-1]["id"], "ownerTypeId": 2}
        )
        company.deals[-1]["contactId"] = 101
        with pytest.raises(NotFound):
            await orders.get(OrderId("1077"), owner=ANNA)
        assert "1077" not in [order.id for order in await orders.list(owner=ANNA)]

    async def test_a_contact_that_was_deleted_or_has_a_double_is_nobody(
        self, orders: Bitrix24Orders, crm: Bitrix24CRM, company: Portal
    ) -> None:
        company.contacts.append({**company.contacts[0], "id": 999})
        company.contacts[:] = [one for one in company.contacts if one[SITE_ID] != BORIS]
        for owner, number in ((ANNA, PAID), (BORIS, OrderId("1077"))):
            assert await orders.list(owner=owner) == ()
            with pytest.raises(NotFound):
                await orders.get(number, owner=owner)
            with pytest.raises(NotFound):
                await crm.customer(owner)

    async def test_a_list_asks_a_handful_of_requests_however_many_orders_there_are(
        self, orders: Bitrix24Orders, company: Portal
    ) -> None:
        await orders.list(owner=ANNA)
        begun = len(company.requests)
        found = await orders.list(owner=ANNA)
        assert (len(found), len(company.requests) - begun) == (4, 5)


class TestCatalogue(test_orders.TestCatalogue):
    async def test_words_in_any_form_find_the_right_kind_first(self, orders: Bitrix24Orders) -> None:  # type: ignore[override]
        """Goods have a name in one language there."""
        wanted = {
            "есть ли у вас налобные фонари": "headlamps",
            "хочу купить детскую настольную лампу": "desk",
            "люстру с рожками": "chandeliers",
            "уличную гирлянду": "garlands",
            "умных лампочек": "smart",
            "фонарик на лоб налобный": "headlamps",
            "аккумулятор 18650": "power",
        }
        found = {words: await orders.products(words) for words in wanted}
        assert {words: products[0].category for words, products in found.items() if products} == wanted
        assert all(len(products) <= 5 for products in found.values())

    async def test_goods_without_offers_are_bought_as_they_are(
        self, orders: Bitrix24Orders, company: Portal
    ) -> None:
        lamp = {**company.skus[0], "id": 9, "type": 1, "xmlId": "KT-77", "name": "Катушка", "quantity": 0}
        company.goods.append({**lamp, "quantityTrace": "N", "available": "Y"})
        company.prices.append(
            {"id": 9, "productId": 9, "currency": "RUB", "catalogGroupId": 1, "price": 12.5}
        )
        (found,) = await orders.products("катушки")
        assert (found.code, found.price) == ("KT-77", Decimal("12.50"))
        assert [(one.code, one.stock, one.tracked) for one in found.variants] == [("KT-77", 1, False)]


class TestProposals(test_orders.TestProposals):
    async def test_a_cancellation_says_how_much_returns_where_and_when(self, orders: Bitrix24Orders) -> None:  # type: ignore[override]
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

    async def test_what_only_people_can_do_in_bitrix24_is_not_offered(
        self, orders: Bitrix24Orders, company: Portal
    ) -> None:
        company.order("1051").update(payed="Y", statusId="P")
        for number, owner in ((PAID, ANNA), (PACKED, JOHN)):
            with pytest.raises(Rejected) as wrong:
                await orders.propose_cancel(number, owner=owner, reason="")
            assert wrong.value.reason == "not_offered"
        with pytest.raises(Rejected) as wrong:
            await orders.propose_address(PACKED, owner=JOHN, new_address=Address(line=ELSEWHERE))
        assert wrong.value.reason == "not_offered"
        delivered = await orders.get(OrderId("1019"), owner=ANNA)
        with pytest.raises(Rejected) as wrong:
            await orders.propose_return(delivered.id, owner=ANNA, codes=[delivered.items[0].code])
        assert (wrong.value.reason, delivered.changes) == ("not_offered", frozenset())


class TestExecuting(test_orders.TestExecuting):
    async def test_a_cancelled_order_is_refunded_once_and_restocked(
        self, orders: Bitrix24Orders, company: Portal
    ) -> None:  # type: ignore[override]
        """What was not paid needs no refund, and what Bitrix24 had reserved it lets go by itself."""
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="передумала")
        effect = await orders.execute(proposal, owner=ANNA, key=proposal.id)
        assert (effect.state, effect.facts) == ("done", proposal.facts)
        order = await orders.get(PAID, owner=ANNA)
        assert (order.status, order.refunds, order.changes) == ("cancelled", (), frozenset())
        assert company.order("1051")["reasonCanceled"] == order.cancel_reason == "передумала"

    async def test_a_new_address_is_where_the_order_goes(
        self, orders: Bitrix24Orders, company: Portal
    ) -> None:  # type: ignore[override]
        before = await orders.get(PAID, owner=ANNA)
        kept = {one["orderPropsId"]: one["value"] for one in company.order("1051")["propertyValues"]}
        proposal = await orders.propose_address(PAID, owner=ANNA, new_address=Address(line=ELSEWHERE))
        effect = await orders.execute(proposal, owner=ANNA, key=proposal.id)
        order = await orders.get(PAID, owner=ANNA)
        assert (effect.state, str(order.address), order.status) == ("done", ELSEWHERE, before.status)
        assert (order.total, order.items) == (before.total, before.items)
        now = {one["orderPropsId"]: one["value"] for one in company.order("1051")["propertyValues"]}
        lost = {id for id, value in kept.items() if value and not now[id]}
        # A town and a postcode of the old address would lead the new street astray.
        assert lost == {CITY, ZIP}

    async def test_a_new_address_given_part_by_part_keeps_its_city_and_postcode(
        self, orders: Bitrix24Orders
    ) -> None:
        wanted = Address(line="Садовая ул., 5", extra="кв. 17", city="Бор", postcode="606440")
        proposal = await orders.propose_address(PAID, owner=ANNA, new_address=wanted)
        effect = await orders.execute(proposal, owner=ANNA, key=proposal.id)
        kept = Address(line="Садовая ул., 5, кв. 17", city="Бор", postcode="606440")
        assert (effect.state, (await orders.get(PAID, owner=ANNA)).address) == ("done", kept)

    async def test_ten_at_once_have_one_effect(self, orders: Bitrix24Orders, company: Portal) -> None:  # type: ignore[override]
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        effects = await asyncio.gather(*(orders.execute(proposal, owner=ANNA, key="k") for _ in range(10)))
        assert sorted(effect.state for effect in effects) == ["already_done"] * 9 + ["done"]
        assert company.changes() == ["sale.order.update"]

    async def test_a_key_serves_one_proposal_only(self, orders: Bitrix24Orders) -> None:  # type: ignore[override]
        first = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        await orders.execute(first, owner=ANNA, key="k")
        other = await orders.propose_cancel(UNPAID, owner=VERA, reason="")
        with pytest.raises(Rejected) as wrong:
            await orders.execute(other, owner=VERA, key="k")
        assert wrong.value.reason == "key_reused"
        assert (await orders.get(UNPAID, owner=VERA)).status == "pending"

    async def test_what_people_changed_meanwhile_is_left_alone(
        self, orders: Bitrix24Orders, company: Portal
    ) -> None:
        move = await orders.propose_address(PAID, owner=ANNA, new_address=Address(line=ELSEWHERE))
        company.order("1051")["shipments"][0]["allowDelivery"] = "Y"
        with pytest.raises(Rejected) as wrong:
            await orders.execute(move, owner=ANNA, key=move.id)
        assert (wrong.value.reason, company.changes()) == ("changed", [])


class TestCustomers(test_crm.TestCustomers):
    async def test_a_customer_is_found_by_id(self, crm: Bitrix24CRM) -> None:  # type: ignore[override]
        anna = await crm.customer(ANNA)
        assert (anna.id, anna.name, anna.language) == (ANNA, "Анна Соколова", "ru")
        assert (anna.email, anna.phone) == ("anna@example.com", "+7 900 000-00-01")
        assert (anna.level, anna.points, anna.login, anna.city) == (None, None, None, "")

    async def test_the_sign_in_page_finds_a_customer_by_login(self, crm: Bitrix24CRM) -> None:  # type: ignore[override]
        """Nobody signs in as a contact of the CRM."""
        with pytest.raises(NotFound):
            await crm.find_by_login("john")

    async def test_a_contact_of_the_crm_may_be_the_customer_itself(self, bitrix24: Bitrix24) -> None:
        crm = Bitrix24CRM(bitrix24, link=ContactLink())
        assert (await crm.customer(CustomerId("104"))).name == "John Harper"
        assert (await crm.find_by_email("john@example.com")).id == "104"
        with pytest.raises(NotFound):
            await crm.customer(JOHN)


class TestVerifying:
    async def test_a_customer_is_found_by_what_they_know_however_it_is_written(
        self, crm: Bitrix24CRM
    ) -> None:
        assert (await crm.find_by_email(" ANNA@example.com")).id == ANNA
        for phone in ("+7 900 000-00-01", "8 (900) 000 00 01", "79000000001"):
            assert (await crm.find_by_phone(phone)).id == ANNA

    async def test_what_fits_nobody_is_not_found(self, crm: Bitrix24CRM, company: Portal) -> None:
        for email in ("", " ", "nobody@example.com", "anna@example.co", "%"):
            with pytest.raises(NotFound):
                await crm.find_by_email(email)
        for phone in ("", "+7", "0001", "+7 900 000-00-99"):
            with pytest.raises(NotFound):
                await crm.find_by_phone(phone)
        with pytest.raises(NotFound):
            await crm.find_by_name("Анна Соколова", postcode="603073")

    async def test_two_who_share_it_are_as_good_as_none(self, crm: Bitrix24CRM, company: Portal) -> None:
        sister = replace(SHOP.customers[0], id=CustomerId("c-777"), name="Ольга Соколова")
        company.contacts.append(contact(777, sister))
        for search in (crm.find_by_email("anna@example.com"), crm.find_by_phone("+7 900 000-00-01")):
            with pytest.raises(NotFound):
                await search
        company.contacts[-1]["fm"][1]["value"] = "olga@example.com"
        assert (await crm.find_by_email("anna@example.com")).id == ANNA

    async def test_what_a_contact_bears_is_compared_again(self, crm: Bitrix24CRM, company: Portal) -> None:
        company.contacts[0]["fm"][1]["value"] = "anna2@example.com"
        company.contacts[0][SITE_ID] = ""
        with pytest.raises(NotFound):
            await crm.find_by_email("anna2@example.com")


async def test_under_way_means_the_same_to_the_list_and_to_the_order(orders: Bitrix24Orders) -> None:
    for owner in (ANNA, BORIS, VERA, JOHN):
        flags = [order.status in ACTIVE for order in await orders.list(owner=owner)]
        assert flags == sorted(flags, reverse=True)
