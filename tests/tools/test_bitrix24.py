"""Bitrix24's answers read with distrust: states told as they stand, its limits kept, its key told to nobody."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.systems import bitrix24_spec
from tests.systems.bitrix24 import KEY, Portal, served
from tests.systems.bitrix24_seed import ADDRESS, CITY, FILE, FIO, PLACE, SITE_ID, STATES, ZIP, portal
from tests.tools.faulty import Faulty, answer, cut, faulty, flood, silence
from tests.tools.shop import ANNA, BORIS, Clock
from tools.address import Address
from tools.bitrix24.catalogue import Bitrix24Catalogue
from tools.bitrix24.client import Bitrix24, Call, Webhook, read_as
from tools.bitrix24.customers import ContactLink
from tools.bitrix24.examine import examined
from tools.bitrix24.orders_of import changes_of, order_of, version_of
from tools.bitrix24.places import kept_as
from tools.bitrix24.rows import OrderRow, PropertyRow
from tools.bitrix24.states import Meanings, payment_of, status_of
from tools.context import CustomerId, MethodId, OrderId
from tools.crm.bitrix24 import Bitrix24CRM
from tools.errors import NotFound, Rejected, ToolFault, Unavailable, Unconfirmed, Unsent
from tools.http_client import Limits
from tools.intents import once
from tools.intents.fake import FakeIntents
from tools.orders.bitrix24 import Bitrix24Orders
from tools.proposal import Proposal

PAID = OrderId("1051")
THERE = Address(line="Казань, ул. Речная, д. 7")
LIMITS = Limits(call=1.5, attempt=0.6, connect=0.6, pause=0.01, crowd=0.02, size=300_000)
SITE = ContactLink(field=SITE_ID)
PLAIN = Meanings()
_SEEDED = portal()
PROPERTIES = {one.id: one for one in (PropertyRow.model_validate(row) for row in _SEEDED.properties)}


@pytest.fixture
async def company() -> AsyncIterator[Portal]:
    """A portal of the test's own."""
    async with served(portal()) as found:
        yield found


@pytest.fixture
async def bitrix24(company: Portal) -> AsyncIterator[Bitrix24]:
    connected = Bitrix24(Webhook.read(company.webhook), limits=LIMITS)
    yield connected
    await connected.close()


@pytest.fixture
def intents() -> FakeIntents:
    return FakeIntents()


@pytest.fixture
def orders(bitrix24: Bitrix24, intents: FakeIntents) -> Bitrix24Orders:
    meanings = Meanings.read(STATES, done="delivered")
    return Bitrix24Orders(bitrix24, link=SITE, intents=intents, meanings=meanings, now=Clock())


def order(**other: Any) -> OrderRow:
    """An order nobody has paid or begun to send."""
    return OrderRow.model_validate({**_SEEDED.order("1051"), **other})


def shipment(**other: Any) -> dict[str, Any]:
    return {**_SEEDED.order("1051")["shipments"][0], **other}


def payment(**other: Any) -> dict[str, Any]:
    return {**_SEEDED.order("1051")["payments"][0], **other}


def values(**other: Any) -> list[dict[str, Any]]:
    ids = {"place": PLACE, "file": FILE, "address": ADDRESS, "city": CITY, "postcode": ZIP, "name": FIO}
    told = {ids[name]: value for name, value in other.items()}
    return [
        {**one, "value": told.get(one["orderPropsId"], one["value"])}
        for one in _SEEDED.order("1051")["propertyValues"]
    ]


LEFT = {"deducted": "Y", "statusId": "DF"}
STATES_TOLD = [
    ("pending", {}),
    ("pending", {"shipments": [], "payments": []}),
    ("processing", {"payments": [payment(paySystemIsCash="Y")]}),
    ("processing", {"shipments": [shipment(allowDelivery="Y")]}),
    ("paid", {"payed": "Y", "payments": [payment(paid="Y")]}),
    ("paid", {"payed": "Y", "statusId": "P", "payments": [payment(paid="Y")]}),
    ("processing", {"payments": None}),
    ("sent", {"shipments": [shipment(**LEFT)]}),
    ("pending", {"shipments": [shipment(**LEFT), shipment()]}),
    ("sent", {"shipments": [shipment(**LEFT), shipment(canceled="Y"), shipment(system="Y")]}),
    ("packed", {"shipments": [shipment(**LEFT), shipment(statusId="DP")]}),
    ("shipped", {"shipments": [shipment(statusId="DT", deducted="Y")]}),
    ("unclear", {"shipments": [shipment(statusId="DX")]}),
    ("sent", {"statusId": "F"}),
    ("shipped", {"statusId": "OW"}),
    ("cancelled", {"canceled": "Y", "statusId": "F"}),
    ("unclear", {"marked": "Y"}),
    ("unclear", {"shipments": [shipment(marked="Y")]}),
    ("unclear", {"shipments": None}),
    ("unclear", {"statusId": "ZZ"}),
    ("unclear", {"statusId": "D"}),
]


class TestStates:
    @pytest.mark.parametrize(("status", "other"), STATES_TOLD)
    def test_an_order_is_no_further_than_bitrix24_says(self, status: str, other: Any) -> None:
        told = Meanings.read(("DP=packed", "DT = shipped", "DX=unclear", "OW=shipped"), done="sent")
        assert status_of(order(**other), meanings=told) == status

    def test_what_f_means_is_the_companys_to_say(self) -> None:
        told = order_of(
            order(statusId="F"),
            owner=ANNA,
            meanings=Meanings.read((), done="delivered"),
            properties=PROPERTIES,
        )
        assert (told.status, told.fulfilment.delivered) == ("delivered", order().date_status)

    def test_what_explains_no_status_is_refused(self) -> None:
        for wrong in ("PK", "PK=", "=packed", "PK=lost", "PK=returned"):
            with pytest.raises(ValueError, match=wrong):
                Meanings.read((wrong,), done="sent")
        with pytest.raises(ValueError, match="gone"):
            Meanings.read((), done="gone")

    def test_money_is_due_paid_given_back_or_not_known(self) -> None:
        states = {
            "due": {},
            "paid": {"payed": "Y", "payments": [payment(paid="Y")]},
            "refunded": {"payments": [payment(isReturn="Y")]},
            "unknown": {"payed": "Y", "payments": [payment(paid="Y"), payment(isReturn="Y")]},
        }
        assert {name: payment_of(order(**other)) for name, other in states.items()} == {
            name: name for name in states
        }
        assert payment_of(order(payments=[payment(paid="Y"), payment()])) == "due"
        assert payment_of(order(payments=None)) == "unknown"

    def test_only_what_nobody_has_touched_may_be_changed(self) -> None:
        def free(**other: Any) -> set[str]:
            return set(changes_of(order(**other), properties=PROPERTIES))

        assert free() == {"cancel", "address"}
        assert free(payed="Y", payments=[payment(paid="Y")]) == {"address"}
        assert free(payments=[payment(paid="Y"), payment()]) == {"address"}
        assert free(payments=[payment(isReturn="Y")]) == {"address"}
        assert free(payments=None) == {"address"}
        assert free(propertyValues=None) == {"cancel"}
        for touched in (
            {"canceled": "Y"},
            {"marked": "Y"},
            {"shipments": None},
            {"shipments": [shipment(allowDelivery="Y")]},
            {"shipments": [shipment(deducted="Y")]},
            {"shipments": [shipment(trackingNumber="FNR1")]},
            {"shipments": [shipment(), shipment(marked="Y")]},
        ):
            assert free(**touched) == set(), touched

    def test_an_address_is_left_to_people_where_writing_it_would_lose_or_contradict_anything(self) -> None:
        def free(**other: Any) -> bool:
            return "address" in changes_of(order(propertyValues=values(**other)), properties=PROPERTIES)

        assert free()
        assert free(city="", postcode=None)
        assert not free(place="0000073738")
        assert not free(file={"id": "948", "fileName": "fit.jpeg"})
        assert not free(name={"first": "Anna"})
        assert not free(address="")
        assert not free(address=None)
        unknown = {id: one for id, one in PROPERTIES.items() if id != FIO}
        assert "address" not in changes_of(order(), properties=unknown)
        twice = {**PROPERTIES, CITY: PROPERTIES[ADDRESS].model_copy(update={"id": CITY})}
        assert "address" not in changes_of(order(), properties=twice)


class TestOrder:
    def test_whatever_is_written_makes_another_version(self) -> None:
        versions = [
            version_of(order(**other))
            for other in (
                {},
                {"version": 2},
                {"dateUpdate": "2026-11-22T10:00:00+03:00"},
                {"statusId": "P"},
                {"canceled": "Y"},
                {"price": 1},
                {"shipments": [shipment(allowDelivery="Y")]},
                {"shipments": []},
                {"payments": [payment(paid="Y")]},
                {"propertyValues": values(city="Бор")},
            )
        ]
        assert len(set(versions)) == len(versions)
        assert version_of(order()) == version_of(order())

    def test_sums_are_exact_however_they_are_written(self) -> None:
        line = {**_SEEDED.order("1051")["basketItems"][0], "price": "12.30", "quantity": Decimal("2.50")}
        line |= {"measureName": "м", "productXmlId": ""}
        told = self.told(order(basketItems=[line], price="30.75", shipments=[shipment(priceDelivery="0")]))
        (item,) = told.items
        assert (item.quantity, item.price, item.title.ru) == (1, Decimal("30.75"), f"{line['name']} × 2.5 м")
        assert (item.code, told.total) == (str(line["productId"]), Decimal("30.75"))

    def test_parts_of_a_set_are_not_counted_beside_it(self) -> None:
        whole = {**_SEEDED.order("1051")["basketItems"][0], "id": "7", "setParentId": "7"}
        part = {**whole, "id": "8", "price": 1}
        assert [item.price for item in self.told(order(basketItems=[whole, part])).items] == [
            Decimal(str(whole["price"]))
        ]

    def test_moments_keep_their_offset_and_one_without_is_refused(self) -> None:
        told = self.told(order(dateInsert="2026-11-21T09:15:00+05:00"))
        assert told.placed.isoformat() == "2026-11-21T09:15:00+05:00"
        row = {**_SEEDED.order("1051"), "dateInsert": "2026-11-21T09:15:00"}
        with pytest.raises(Unavailable, match="dateInsert"):
            read_as(OrderRow, row, what="order")

    def test_an_address_is_kept_in_the_fields_an_order_has(self) -> None:
        said = Address(line=" Садовая ул.,  5", extra="кв. 17", city="Бор", region="НО", postcode="606440")
        assert kept_as(order(), said, properties=PROPERTIES) == Address(
            line="НО, Садовая ул., 5, кв. 17", city="Бор", postcode="606440"
        )
        bare = {id: one for id, one in PROPERTIES.items() if id not in (CITY, ZIP)}
        assert kept_as(order(), said, properties=bare) == Address(
            line="606440, НО, Бор, Садовая ул., 5, кв. 17"
        )
        assert kept_as(order(), Address(line=" ", city="Бор"), properties=bare).line == ""

    def told(self, row: OrderRow) -> Any:
        return order_of(row, owner=ANNA, meanings=PLAIN, properties=PROPERTIES)


class TestWebhook:
    def test_an_address_is_split_into_what_may_be_told_and_what_may_not(self) -> None:
        told = Webhook.read(" https://lamp.bitrix24.ru/rest/1/abc123/ ")
        assert (told.address, told.key) == ("https://lamp.bitrix24.ru", "/rest/1/abc123")
        assert Webhook.read("https://crm.example.com:8443/shop/rest/12/abc123").key == "/shop/rest/12/abc123"
        assert "abc123" not in repr(told)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "lamp.bitrix24.ru/rest/1/abc123/",
            "https://lamp.bitrix24.ru/rest/abc123/",
            "https://lamp.bitrix24.ru/rest/1/abc123/profile.json",
            "https://u:p@lamp.bitrix24.ru/rest/1/abc123/",
            "https://lamp.bitrix24.ru/rest/1/abc123/?x=1",
            "ftp://lamp.bitrix24.ru/rest/1/abc123/",
        ],
    )
    def test_what_is_no_webhook_is_refused_and_not_repeated(self, text: str) -> None:
        with pytest.raises(ValueError, match="no webhook") as wrong:
            Webhook.read(text)
        assert "abc123" not in repr(wrong.value)

    def test_a_link_is_read_from_its_setting(self) -> None:
        assert ContactLink.read("contact") == ContactLink()
        assert ContactLink.read("field:UF_CRM_1720019876534").field == "UF_CRM_1720019876534"
        for wrong in ("", "field", "field:", "field:NAME", "field:UF_CRM_", "contact:1", "field:UF_CRM_A=1"):
            with pytest.raises(ValueError, match=wrong or "$"):
                ContactLink.read(wrong)


def told(result: Any, *, status: int = 200, **more: Any) -> Any:
    return answer(json.dumps({"result": result, **more}).encode(), status=status)


def refused(code: str | int, *, status: int) -> Any:
    return answer(json.dumps({"error": code, "error_description": "Анна, c-001"}).encode(), status=status)


class TestDistrust:
    @pytest.fixture
    async def server(self) -> AsyncIterator[Faulty]:
        async with faulty() as found:
            yield found

    @pytest.fixture
    async def strange(self, server: Faulty) -> AsyncIterator[Bitrix24]:
        connected = Bitrix24(Webhook.read(f"{server.address}/rest/1/{KEY}/"), limits=LIMITS)
        yield connected
        await connected.close()

    @pytest.mark.parametrize(
        "manner",
        [
            told({"items": {}}),
            told({"rows": []}),
            told(None),
            told("Sorry"),
            told({"items": [1]}),
            told({"items": [{"id": "x", SITE_ID: "c-001"}]}),
            told({"items": [{"id": 1}]}),
            answer(b"[]"),
            answer(b"{}"),
            answer(b'{"result": {"items"'),
            answer(b"<html></html>"),
            cut(b'{"result": {"items": []}}'),
            silence(),
            flood(5_000_000),
            refused("NO_AUTH_FOUND", status=401),
            refused("insufficient_scope", status=403),
            refused("ACCESS_DENIED", status=403),
            refused("ERROR_METHOD_NOT_FOUND", status=404),
            refused("OPERATION_TIME_LIMIT", status=429),
            refused(0, status=400),
            refused("INTERNAL_SERVER_ERROR", status=500),
            refused("OVERLOAD_LIMIT", status=503),
        ],
    )
    async def test_what_cannot_be_read_is_unavailable_and_never_an_empty_list(
        self, server: Faulty, strange: Bitrix24, caplog: pytest.LogCaptureFixture, manner: Any
    ) -> None:
        caplog.set_level(logging.DEBUG)
        server.will(manner)
        orders = Bitrix24Orders(strange, link=SITE, intents=FakeIntents(), now=Clock())
        crm = Bitrix24CRM(strange, link=SITE)
        for call in (
            lambda: orders.list(owner=ANNA),
            lambda: orders.get(PAID, owner=ANNA),
            lambda: crm.customer(ANNA),
        ):
            strange.system.breaker.passed()
            with pytest.raises(Unavailable) as wrong:
                await call()
            words = f"{wrong.value!r} {wrong.value.remedy} {wrong.value.__cause__!r}"
            assert not any(secret in words for secret in (KEY, "c-001", "Анна"))
        assert KEY not in caplog.text
        assert KEY in server.asked[0]

    @pytest.mark.parametrize(
        ("batch", "fault"),
        [
            ({"result": [], "result_error": []}, Unavailable),
            ({"result": {"q0": {"item": {}}}, "result_error": "no"}, Unavailable),
            ({"result": [], "result_error": {"q0": {"error": "insufficient_scope"}}}, Unavailable),
            ({"result": [], "result_error": {"q0": {"error": "OPERATION_TIME_LIMIT"}}}, Unsent),
            ({"result": {"q0": []}, "result_error": {"q1": {"error": "NOT_FOUND"}}}, Unavailable),
        ],
    )
    async def test_a_batch_that_leaves_anything_open_is_unavailable(
        self, server: Faulty, strange: Bitrix24, batch: Any, fault: type[ToolFault]
    ) -> None:
        server.will(told(batch))
        orders = Bitrix24Orders(strange, link=ContactLink(), intents=FakeIntents(), now=Clock())
        with pytest.raises(fault):
            await orders.list(owner=CustomerId("101"))

    async def test_a_page_that_leads_nowhere_is_not_followed_for_ever(
        self, server: Faulty, strange: Bitrix24
    ) -> None:
        server.will(told({"orders": [{"id": 1}]}, next=0))
        call = Call(method="sale.order.list", params={}, within="orders")
        assert await strange.pages(call, most=100) == [{"id": 1}]

    async def test_a_portal_that_does_not_know_the_field_shows_nobody(
        self, server: Faulty, strange: Bitrix24
    ) -> None:
        """A filter it does not know a portal passes over: whoever comes back must bear the id itself."""
        server.will(told({"items": [{"id": 1, SITE_ID: "c-002"}]}))
        with pytest.raises(NotFound):
            await Bitrix24CRM(strange, link=SITE).customer(ANNA)


class TestAsking:
    async def test_lists_are_read_page_by_page(
        self, bitrix24: Bitrix24, orders: Bitrix24Orders, company: Portal
    ) -> None:
        one = company.orders[-1]
        for n in range(120):
            company.properties.append({**company.properties[0], "id": 500 + n})
            company.orders.append({**one, "id": 7000 + n, "accountNumber": f"9{n:03}"})
        whole = Call(method="sale.property.list", params={}, within="properties")
        assert len(await bitrix24.pages(whole, most=500)) == 128
        assert len(await bitrix24.pages(whole, most=60)) == 60
        begun = len(company.requests)
        calls = [Call(method="sale.order.get", params={"id": 7000 + n}, within="order") for n in range(120)]
        found = await bitrix24.ask_all(calls)
        assert [one.value["accountNumber"] for one in found] == [f"9{n:03}" for n in range(120)]
        assert company.requests[begun:] == ["batch"] * 3

    async def test_what_is_asked_in_a_batch_comes_whole(self, bitrix24: Bitrix24, company: Portal) -> None:
        company.order("1051")["accountNumber"] = "№ 1&2=3%+ж?#/[x]"
        params = {
            "filter": {"@accountNumber": ["№ 1&2=3%+ж?#/[x]"]},
            "select": ["id"],
            "order": {"id": "desc"},
        }
        call = Call(method="sale.order.list", params=params, within="orders")
        (found,) = await bitrix24.ask_all([call])
        assert found.value == [{"id": company.order("№ 1&2=3%+ж?#/[x]")["id"]}]

    async def test_nobody_is_asked_about_nobody(
        self, orders: Bitrix24Orders, bitrix24: Bitrix24, company: Portal
    ) -> None:
        assert await orders.list(owner=CustomerId("")) == ()
        for number, owner in (("", ANNA), ("1" * 200, ANNA), ("1051", CustomerId(""))):
            with pytest.raises(NotFound):
                await orders.get(OrderId(number), owner=owner)
        with pytest.raises(NotFound):
            await Bitrix24CRM(bitrix24, link=SITE).find_by_login("anna")
        assert company.asked == []

    async def test_a_busy_portal_is_asked_again_and_costs_the_customer_nothing(
        self, orders: Bitrix24Orders, company: Portal
    ) -> None:
        company.busy = 2
        assert (await orders.get(PAID, owner=ANNA)).id == PAID


class TestWriting:
    @pytest.fixture
    async def cancelling(self, orders: Bitrix24Orders) -> Proposal:
        return await orders.propose_cancel(PAID, owner=ANNA, reason="")

    async def test_a_lost_answer_to_a_change_is_looked_up_and_not_sent_again(
        self, orders: Bitrix24Orders, company: Portal, cancelling: Proposal
    ) -> None:
        company.losing = {"sale.order.update"}
        for state in ("done", "already_done"):
            assert (await orders.execute(cancelling, owner=ANNA, key="k")).state == state
        assert company.changes() == ["sale.order.update"]

    async def test_when_nobody_can_tell_a_person_looks_and_nothing_is_sent_again(
        self,
        orders: Bitrix24Orders,
        company: Portal,
        cancelling: Proposal,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(once, "_GLANCES", 3)
        company.refusing["sale.order.update"] = (500, {"error": "INTERNAL_SERVER_ERROR"})
        for _ in range(2):
            assert (await orders.execute(cancelling, owner=ANNA, key="k")).state == "unknown"
        assert company.changes() == ["sale.order.update"]

    async def test_a_portal_that_is_busy_throughout_changed_nothing_and_may_be_tried_again(
        self, orders: Bitrix24Orders, bitrix24: Bitrix24, company: Portal, cancelling: Proposal
    ) -> None:
        company.refusing["sale.order.update"] = (503, {"error": "QUERY_LIMIT_EXCEEDED"})
        with pytest.raises(Unsent):
            await orders.execute(cancelling, owner=ANNA, key="k")
        assert company.order("1051")["canceled"] == "N"
        company.refusing.clear()
        bitrix24.system.breaker.passed()
        assert (await orders.execute(cancelling, owner=ANNA, key="k")).state == "done"

    @pytest.mark.parametrize(
        ("told", "fault"),
        [
            ((400, {"error": "200540400001"}), Rejected),
            ((400, {"error": 200040300020}), Unsent),
            ((403, {"error": "insufficient_scope"}), Unsent),
            ((401, {"error": "NO_AUTH_FOUND"}), Unsent),
        ],
    )
    async def test_a_refusal_is_told_by_what_it_means(
        self,
        orders: Bitrix24Orders,
        company: Portal,
        intents: FakeIntents,
        cancelling: Proposal,
        told: Any,
        fault: type[ToolFault],
    ) -> None:
        company.refusing["sale.order.update"] = told
        with pytest.raises(fault):
            await orders.execute(cancelling, owner=ANNA, key="k")
        assert intents.kept == {}

    async def test_an_error_without_a_meaning_may_have_come_after_the_change(
        self, orders: Bitrix24Orders, company: Portal, cancelling: Proposal
    ) -> None:
        company.refusing["sale.order.update"] = (400, {"error": 0, "error_description": "error"})
        assert (await orders.execute(cancelling, owner=ANNA, key="k")).state == "unknown"

    async def test_a_portal_that_is_down_before_the_change_changed_nothing(
        self, orders: Bitrix24Orders, company: Portal, cancelling: Proposal
    ) -> None:
        company.refusing["crm.item.list"] = (500, {"error": "INTERNAL_SERVER_ERROR"})
        with pytest.raises(Unsent):
            await orders.execute(cancelling, owner=ANNA, key="k")
        assert company.changes() == []

    @pytest.mark.parametrize("damage", ["price", "phone"])
    async def test_another_price_or_a_lost_word_is_not_what_was_agreed_to(
        self, orders: Bitrix24Orders, company: Portal, damage: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        move = await orders.propose_address(PAID, owner=ANNA, new_address=THERE)
        real = company.request

        def damaging(method: str, params: Any) -> Any:
            answered = real(method, params)
            if method == "sale.propertyvalue.modify":
                order = company.order("1051")
                if damage == "price":
                    order["price"] = 9999.0
                else:
                    order["propertyValues"][2]["value"] = None
            return answered

        monkeypatch.setattr(Portal, "request", lambda self, method, params: damaging(method, params))
        assert (await orders.execute(move, owner=ANNA, key="k")).state == "unknown"

    async def test_what_people_do_in_bitrix24_is_not_done_from_here(
        self, orders: Bitrix24Orders, bitrix24: Bitrix24, company: Portal
    ) -> None:
        codes, way = ["FN-903-BL"], MethodId("m")
        crm = Bitrix24CRM(bitrix24, link=SITE)
        for write in (
            orders.propose_payment(PAID, owner=ANNA, new_method=way),
            orders.propose_items(PAID, owner=ANNA, codes=codes, new_codes=codes),
            orders.propose_return(PAID, owner=ANNA, codes=codes),
            orders.propose_exchange(PAID, owner=ANNA, codes=codes, new_codes=codes),
            crm.propose_address(owner=ANNA, new_address=Address(line="Бор, Новая ул., 1")),
        ):
            with pytest.raises(Rejected, match="not_offered"):
                await write
        assert await orders.methods(owner=ANNA) == ()
        made = Proposal.made(
            "return_items", owner=ANNA, arguments={"order_id": PAID}, facts={}, version="", now=Clock()()
        )
        with pytest.raises(Unconfirmed):
            await orders.execute(made, owner=ANNA, key="k")
        assert company.asked == []

    async def test_a_stranger_changes_nothing(
        self, orders: Bitrix24Orders, company: Portal, cancelling: Proposal
    ) -> None:
        with pytest.raises(ToolFault):
            await orders.execute(cancelling, owner=BORIS, key="k")
        with pytest.raises(ToolFault):
            await orders.execute(replace(cancelling, owner=BORIS), owner=BORIS, key="k")
        assert company.changes() == []


class TestExamining:
    async def look(self, bitrix24: Bitrix24, *, link: ContactLink = SITE, orders: bool = True) -> str:
        return await examined(bitrix24, link=link, catalogue=Bitrix24Catalogue(bitrix24), orders=orders)

    async def test_a_portal_that_lets_the_work_be_done_is_well(
        self, bitrix24: Bitrix24, company: Portal
    ) -> None:
        assert await self.look(bitrix24) == "scopes crm, sale, catalog"
        company.scopes |= {"task", "user"}
        assert await self.look(bitrix24) == "scopes crm, sale, catalog; not needed: task, user"

    async def test_missing_scopes_are_named(self, bitrix24: Bitrix24, company: Portal) -> None:
        company.scopes = {"crm"}
        with pytest.raises(Unavailable, match="lacks the scopes sale, catalog") as wrong:
            await self.look(bitrix24)
        assert wrong.value.remedy
        assert await self.look(bitrix24, orders=False) == "scopes crm"

    @pytest.mark.parametrize(
        ("harm", "words"),
        [
            (lambda company: setattr(company, "admin", False), "administrator"),
            (lambda company: company.refusing.update({"profile": (401, {"error": "NO_AUTH_FOUND"})}), ""),
            (lambda company: company.catalogs.append({**company.catalogs[0], "iblockId": 30}), "[24, 30]"),
            (lambda company: [one.pop(SITE_ID) for one in company.contacts], SITE_ID),
            (lambda company: company.refusing.update({"crm.orderentity.list": (403, {"error": "x"})}), ""),
        ],
    )
    async def test_what_is_barred_is_told_with_a_remedy(
        self, bitrix24: Bitrix24, company: Portal, harm: Callable[[Portal], object], words: str
    ) -> None:
        harm(company)
        with pytest.raises(Unavailable) as wrong:
            await self.look(bitrix24)
        assert words in str(wrong.value)
        assert wrong.value.remedy
        assert KEY not in f"{wrong.value} {wrong.value.remedy}"


if bitrix24_spec.folder() is not None:

    @pytest.mark.parametrize("method", sorted(bitrix24_spec.FACTS))
    def test_what_is_listed_of_a_method_is_what_its_vendor_published(method: str) -> None:
        found, listed = bitrix24_spec.published(method), bitrix24_spec.FACTS[method]
        assert found is not None
        assert {name: listed[name] for name in ("scope", "params", "fields")} == {
            name: found[name] for name in ("scope", "params", "fields")
        }
        if found["result"] is not None:
            assert listed["result"] == found["result"]


def test_the_published_description_finds_what_is_wrong() -> None:
    call, result = bitrix24_spec.wrong_call, bitrix24_spec.wrong_result
    assert call("sale.order.get", {"id": 7}) == []
    for method, params in (
        ("sale.order.cancel", {}),
        ("sale.order.get", {}),
        ("sale.order.get", {"id": 7, "select": ["id"]}),
        ("crm.item.list", {"entityTypeId": "contact"}),
        ("sale.order.list", {"filter": "accountNumber"}),
        ("sale.order.list", {"filter": {"@acountNumber": ["7"]}}),
        ("sale.order.list", {"select": ["number"]}),
        ("sale.order.list", {"order": {"placed": "desc"}}),
    ):
        assert call(method, params) != [], (method, params)
    assert result("sale.order.get", {"order": {"id": 7, "dateInsert": "2026-11-21T09:15:00+05:00"}}) == []
    for order in (
        {"id": "7"},
        {"number": 7},
        {"dateInsert": "2026-11-21T09:15:00"},
        {"clients": [{"entityId": "101"}]},
        {"basketItems": [{"cost": 1}]},
    ):
        assert result("sale.order.get", {"order": order}) != [], order


async def test_every_method_is_called_as_its_vendor_describes_it(
    orders: Bitrix24Orders, bitrix24: Bitrix24, company: Portal
) -> None:
    """Where the vendor's simulator is at hand, and Node to run it, its own validation is asked too."""
    await examined(bitrix24, link=SITE, catalogue=Bitrix24Catalogue(bitrix24), orders=True)
    await orders.list(owner=ANNA)
    await orders.products("FN-204")
    await orders.products("налобные фонари")
    await Bitrix24CRM(bitrix24, link=SITE).find_by_phone("+7 900 000-00-01")
    await Bitrix24CRM(bitrix24, link=ContactLink()).customer(CustomerId("101"))
    move = await orders.propose_address(PAID, owner=ANNA, new_address=THERE)
    await orders.execute(move, owner=ANNA, key="a")
    cancel = await orders.propose_cancel(PAID, owner=ANNA, reason="передумала")
    await orders.execute(cancel, owner=ANNA, key="b")
    calls = [(method, params) for method, params in company.asked if method in bitrix24_spec.FACTS]
    assert {method for method, _ in calls} == bitrix24_spec.FACTS.keys()
    assert sorted(set(company.faults)) == []
    assert await asyncio.to_thread(bitrix24_spec.refused_by_simulator, calls) == []
