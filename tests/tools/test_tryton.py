"""Tryton's answers read with distrust: states told as they stand, foreign rows dropped, whatever cannot be read unavailable."""

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.tools.faulty import Faulty, answer, cut, faulty, flood, silence
from tests.tools.shop import ANNA, BORIS, Clock
from tools.address import Address
from tools.context import CustomerId, MethodId, OrderId
from tools.crm.tryton import TrytonCRM
from tools.errors import NotFound, Rejected, ToolFault, Unavailable, Unconfirmed, Unsent
from tools.http_client import Limits
from tools.intents import once
from tools.intents.fake import FakeIntents
from tools.orders.tryton import TrytonOrders
from tools.proposal import Proposal
from tools.tryton.client import Tryton, plain
from tools.tryton.customers import Identifier, Party, PartyLink
from tools.tryton.orders_of import changes_of, kept_as, order_of, version_of
from tools.tryton.rows import SaleRow
from tools.tryton.states import is_return, payment_of, status_of

LIMITS = Limits(call=1.5, attempt=0.6, connect=0.6, pause=0.01, size=200_000)
MOMENT = {
    "__class__": "datetime",
    **{"year": 2026, "month": 11, "day": 20, "hour": 9, "minute": 5, "second": 7, "microsecond": 9},
}
DAY = {"__class__": "date", "year": 2026, "month": 11, "day": 20}


def money(amount: str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": amount}


def sale(**other: Any) -> dict[str, Any]:
    """A sale as Tryton writes it."""
    line = {
        "type": "line",
        "quantity": 2.0,
        "unit": {"id": 1, "symbol": "u"},
        "unit_price": money("790"),
        "amount": money("1580"),
        "description": None,
        "product": {"id": 7, "code": "FN-903-BL", "name": "Аккумулятор"},
    }
    address = {"id": 3, "street_single_line": "ул. Лесная, д. 12", "city": "Москва", "postal_code": None}
    return {
        "id": 4,
        "number": "1051",
        "state": "processing",
        "sale_date": DAY,
        "create_date": MOMENT,
        "write_date": MOMENT,
        "party": {"id": 2, "active": 1, "code": "c-001"},
        "currency": {"id": 1, "code": "RUB"},
        "total_amount": money("1580"),
        "invoice_state": "pending",
        "shipment_state": "waiting",
        "shipment_method": "order",
        "shipment_party": None,
        "shipment_address": address,
        "lines": [line],
        "shipments": [shipment("waiting")],
        **other,
    }


def shipment(state: str, **other: Any) -> dict[str, Any]:
    return {"id": 9, "state": state, "effective_date": None, "write_date": MOMENT} | other


def row(**other: Any) -> SaleRow:
    return SaleRow.model_validate(plain(json.loads(json.dumps(sale(**other)), parse_float=Decimal)))


STATES = [
    ("unconfirmed", {"state": "draft", "shipments": []}),
    ("unconfirmed", {"state": "quotation", "shipments": []}),
    ("cancelled", {"state": "cancelled"}),
    ("processing", {"state": "confirmed", "shipments": [], "shipment_state": "none"}),
    ("processing", {}),
    ("processing", {"shipments": [shipment("draft")]}),
    ("processing", {"shipments": [shipment("picked")], "invoice_state": "awaiting payment"}),
    (
        "pending",
        {
            "shipments": [],
            "shipment_state": "none",
            "shipment_method": "invoice",
            "invoice_state": "awaiting payment",
        },
    ),
    ("paid", {"invoice_state": "paid"}),
    ("packed", {"shipments": [shipment("packed")]}),
    ("shipped", {"shipments": [shipment("shipped")]}),
    ("sent", {"shipments": [shipment("done")], "shipment_state": "sent"}),
    ("processing", {"shipments": [shipment("done")], "shipment_state": "partially shipped"}),
    ("processing", {"shipments": [shipment("done"), shipment("waiting")]}),
    ("shipped", {"shipments": [shipment("done"), shipment("shipped")]}),
    ("packed", {"shipments": [shipment("cancelled"), shipment("packed")]}),
    ("unclear", {"shipment_state": "exception"}),
    ("unclear", {"shipments": [shipment("in a balloon")]}),
    ("unclear", {"state": "on hold"}),
    ("unclear", {"shipments": None}),
    ("sent", {"shipments": None, "shipment_state": "sent"}),
    ("unclear", {"state": "done", "shipments": [], "shipment_state": "none"}),
]


class TestStates:
    @pytest.mark.parametrize(("status", "other"), STATES)
    def test_an_order_is_no_further_than_its_slowest_shipment(self, status: str, other: Any) -> None:
        assert status_of(row(**other), done="sent") == status

    def test_what_done_means_is_the_companys_to_say(self) -> None:
        assert status_of(row(shipments=[shipment("done")]), done="delivered") == "delivered"

    def test_money_is_paid_due_or_not_known(self) -> None:
        states = {
            "paid": "paid",
            "none": "due",
            "pending": "due",
            "awaiting payment": "due",
            "partially paid": "due",
            "exception": "unknown",
            "in dispute": "unknown",
        }
        assert {name: payment_of(row(invoice_state=name)) for name in states} == states

    def test_only_what_tryton_lets_go_is_offered(self) -> None:
        offered = {
            "quotation": {"cancel", "address"},
            "draft": {"cancel"},
            "confirmed": {"cancel"},
            "done": set(),
        }
        assert {name: set(changes_of(row(state=name))) for name in offered} == offered
        assert changes_of(row()) == {"address"}
        for barred in (
            {"shipments": [shipment("waiting"), shipment("assigned")]},
            {"shipments": []},
            {"shipment_party": 5},
            {"state": "quotation", "invoice_state": "paid", "shipment_party": 5},
        ):
            assert changes_of(row(**barred)) == set(), barred

    def test_a_delivery_that_tryton_reckons_itself_is_not_reckoned_anew_behind_the_customers_back(
        self,
    ) -> None:
        lines = [*sale()["lines"], {"type": "line", "amount": money("290"), "shipment_cost": money("290")}]
        assert changes_of(row(state="quotation", lines=lines)) == {"cancel"}

    def test_a_sale_that_only_takes_back_is_no_order(self) -> None:
        assert is_return(row(lines=[{**sale()["lines"][0], "quantity": -1.0}]))
        assert not is_return(row())
        assert not is_return(row(lines=[]))


class TestOrder:
    def test_whatever_is_written_makes_another_version(self) -> None:
        later = MOMENT | {"second": 8}
        versions = [
            version_of(row(**other))
            for other in (
                {},
                {"write_date": later},
                {"state": "done"},
                {"total_amount": money("1")},
                {"shipments": [shipment("assigned")]},
                {"shipments": [shipment("waiting", write_date=later)]},
                {"shipments": []},
            )
        ]
        assert len(set(versions)) == len(versions)
        assert version_of(row()) == version_of(row())

    def test_a_piece_of_a_unit_is_one_measured_piece(self) -> None:
        line = {**sale()["lines"][0], "quantity": 2.5, "unit": {"symbol": "м"}, "amount": money("1975")}
        order = order_of(row(lines=[line]), owner=ANNA, zone=UTC, done="sent", english={7: "Cell"})
        (item,) = order.items
        assert (item.quantity, item.price) == (1, Decimal(1975))
        assert (item.title.ru, item.title.en) == ("Аккумулятор × 2.5 м", "Cell × 2.5 м")

    def test_text_lines_are_no_goods_and_a_line_without_a_product_is(self) -> None:
        lines = [
            {"type": "comment", "description": "x"},
            {**sale()["lines"][0], "product": None, "description": "Y"},
        ]
        order = order_of(row(lines=lines), owner=ANNA, zone=UTC, done="sent", english={})
        assert [(item.code, item.title.ru) for item in order.items] == [("", "Y")]

    def test_trytons_json_is_read_at_any_depth(self) -> None:
        assert plain([{"a": [money("1.50"), DAY, MOMENT, None, 1, "x"]}]) == [
            {
                "a": [
                    Decimal("1.50"),
                    date(2026, 11, 20),
                    datetime(2026, 11, 20, 9, 5, 7, 9, tzinfo=UTC),
                    None,
                    1,
                    "x",
                ]
            }
        ]

    def test_parts_of_an_address_that_tryton_has_no_field_for_stand_in_the_street(self) -> None:
        said = Address(
            line=" Садовая ул.,  5",
            extra="кв. 17",
            city="Бор",
            region="Нижегородская обл.",
            postcode="606440",
        )
        kept = Address(line="Садовая ул., 5, кв. 17, Нижегородская обл.", city="Бор", postcode="606440")
        assert kept_as(said) == kept
        assert kept_as(Address(line="Казань, ул. Речная, д. 7")) == Address(line="Казань, ул. Речная, д. 7")
        assert kept_as(Address(line=" ", extra="кв. 17", city="Бор")).line == ""


class TestLink:
    def test_a_link_is_read_from_its_setting(self) -> None:
        assert PartyLink.read("code") == PartyLink()
        assert PartyLink.read("identifier") == PartyLink(by="identifier")
        assert PartyLink.read("identifier:ru_site") == PartyLink(by="identifier", type="ru_site")
        for wrong in ("", "name", "code:x", "identifier:"):
            with pytest.raises(ValueError, match=wrong or "$"):
                PartyLink.read(wrong)

    def test_a_party_is_recognised_exactly(self) -> None:
        party = Party(id=1, active=True, code="c-001", identifiers=(Identifier(code="7", type="site"),))
        assert PartyLink().is_of(ANNA, party)
        assert PartyLink.read("identifier:site").is_of(CustomerId("7"), party)
        assert not PartyLink.read("identifier:other").is_of(CustomerId("7"), party)
        for nobody in ("", "C-001", "c-001 ", "7"):
            assert not PartyLink().is_of(CustomerId(nobody), party)
        assert not PartyLink().is_of(ANNA, party.model_copy(update={"active": False}))


@pytest.fixture
async def server() -> AsyncIterator[Faulty]:
    """A server that answers as Tryton does what is asked beside the sales."""
    async with faulty() as found:
        found.routes = {
            "get_preferences": told({"company": 1}),
            "ir.model.field": told([]),
            "product.product": told([{"id": 7, "name": "Cell"}]),
        }
        yield found


@pytest.fixture
async def tryton(server: Faulty) -> AsyncIterator[Tryton]:
    connected = Tryton(server.address, database="shop", key="k3y", limits=LIMITS)
    yield connected
    await connected.close()


@pytest.fixture
def intents() -> FakeIntents:
    return FakeIntents()


@pytest.fixture
def orders(tryton: Tryton, intents: FakeIntents) -> TrytonOrders:
    return TrytonOrders(tryton, link=PartyLink(), intents=intents, zone=UTC, now=Clock())


def told(value: Any, *, status: int = 200) -> Any:
    return answer(json.dumps(value).encode(), status=status)


class TestDistrust:
    async def test_a_row_of_another_party_is_dropped_whatever_the_server_says(
        self, server: Faulty, orders: TrytonOrders, tryton: Tryton
    ) -> None:
        foreign = {"id": 3, "active": 1, "code": "c-002"}
        for party in (foreign, {**foreign, "code": None}, {**foreign, "code": "c-001", "active": 0}):
            server.will(told([sale(party=party)]))
            assert await orders.list(owner=ANNA) == ()
            with pytest.raises(NotFound):
                await orders.get(OrderId("1051"), owner=ANNA)
        server.will(told([{**foreign, "name": "Boris"}]))
        with pytest.raises(NotFound):
            await TrytonCRM(tryton, link=PartyLink()).customer(ANNA)

    async def test_every_question_names_the_party(self, server: Faulty, orders: TrytonOrders) -> None:
        server.will(told([sale()]))
        await orders.get(OrderId("1051"), owner=ANNA)
        await orders.list(owner=ANNA)
        asked = [line for line in server.asked if "sale.sale" in line]
        domains = [json.loads(urlsafe_b64decode(parse_qs(urlsplit(line).query)["d"][0])) for line in asked]
        assert len(domains) == 3
        for domain in domains:
            assert ["party.code", "=", "c-001"] in domain
            assert ["party.active", "=", True] in domain

    @pytest.mark.parametrize(
        "manner",
        [
            told({"number": "1051"}),
            told([1, 2]),
            told(["x"]),
            told([{}]),
            told([sale(total_amount=money("much"))]),
            told([sale(state=None)]),
            told([sale(lines=None)]),
            told([sale(sale_date={"__class__": "date", "year": 2026, "month": 13, "day": 1})]),
            told([sale(create_date={"__class__": "datetime", "year": 2026})]),
            told([{name: value for name, value in sale().items() if name != "invoice_state"}]),
            told([sale(number={"x": 1})]),
            told("Sorry"),
            answer(b'[{"id": 4'),
            answer(b"<html></html>"),
            cut(b'[{"id": 4}]'),
            silence(),
            flood(5_000_000),
            told({"message": "You are not allowed"}, status=400),
            told({}, status=401),
            told({}, status=403),
            told({}, status=404),
            told({}, status=500),
        ],
    )
    async def test_what_cannot_be_read_is_unavailable_and_never_an_empty_list(
        self, server: Faulty, orders: TrytonOrders, manner: Any
    ) -> None:
        server.will(manner)
        for call in (orders.list, lambda owner: orders.get(OrderId("1051"), owner=owner)):
            with pytest.raises(Unavailable) as wrong:
                await call(owner=ANNA)
            words = f"{wrong.value} {wrong.value.remedy}"
            assert not any(secret in words for secret in ("k3y", "c-001", "Лесная", "not allowed"))

    async def test_a_number_is_the_same_in_letters_that_look_the_same_and_behind_a_prefix(
        self, server: Faulty, orders: TrytonOrders
    ) -> None:
        for number, asked in (("1045-A", "1045-А"), ("SO-00012", "12"), ("SO-01045-A", "1045-А")):
            server.will(told([sale(number=number)]))
            assert (await orders.get(OrderId(asked), owner=ANNA)).id == number
        server.will(told([sale(number="A-12"), sale(number="B-12")]))
        with pytest.raises(NotFound):
            await orders.get(OrderId("12"), owner=ANNA)
        server.will(told([sale(number="1045-A"), sale(number="1045-А")]))
        assert (await orders.get(OrderId("1045-А"), owner=ANNA)).id == "1045-А"

    async def test_nobody_is_asked_about_nobody(self, server: Faulty, orders: TrytonOrders) -> None:
        assert await orders.list(owner=CustomerId("")) == ()
        for number, owner in (("", ANNA), ("1" * 200, ANNA)):
            with pytest.raises(NotFound):
                await orders.get(OrderId(number), owner=owner)
        assert server.asked == []


class TestHalfASale:
    @pytest.mark.parametrize(
        "lost", [told({}, status=500), cut(b"[{}]"), told([sale(shipments=[{"id": 9}])])]
    )
    async def test_a_sale_whose_shipments_do_not_answer_is_told_without_them(
        self, server: Faulty, orders: TrytonOrders, lost: Any
    ) -> None:
        server.routes["shipments.state"] = lost
        server.will(told([sale(shipments=None, invoice_state="paid")]))
        order = await orders.get(OrderId("1051"), owner=ANNA)
        assert order.unreached == {"delivery"}
        assert (order.status, order.payment.state) == ("unclear", "paid")
        assert order.fulfilment.tracking is None
        assert order.changes == set()
        with pytest.raises(Unavailable):
            await orders.propose_cancel(OrderId("1051"), owner=ANNA, reason="")

    async def test_what_the_sale_alone_tells_is_no_half_of_it(
        self, server: Faulty, orders: TrytonOrders
    ) -> None:
        server.routes["shipments.state"] = told({}, status=500)
        server.will(told([sale(state="cancelled", shipments=None)]))
        order = await orders.get(OrderId("1051"), owner=ANNA)
        assert (order.status, order.unreached) == ("cancelled", frozenset())

    async def test_where_nothing_was_sent_nothing_else_is_asked_for(
        self, server: Faulty, orders: TrytonOrders, tryton: Tryton
    ) -> None:
        tryton.system.breaker.failed(wait=60)
        server.will(told([sale()]))
        with pytest.raises(Unsent):
            await orders.get(OrderId("1051"), owner=ANNA)
        assert server.asked == []


ARRIVED = sale(
    state="done",
    shipments=[shipment("done")],
    shipment_state="sent",
    lines=[{**sale()["lines"][0], "id": 31}, {**sale()["lines"][0], "id": 32, "quantity": 1.0}],
)


HEAD = {
    **{"company": 1, "currency": 1, "party": 2, "invoice_address": 3, "shipment_address": 3, "warehouse": 5},
    **{"invoice_method": "order", "shipment_method": "order"},
}


def taken_back(state: str, quantity: float, **other: Any) -> dict[str, Any]:
    line = {"id": 41, "type": "line", "quantity": quantity, "product": {"id": 7, "code": "FN-903-BL"}}
    party = {"id": 2, "active": 1, "code": "c-001"}
    return {"id": 8, "state": state, "origin": "sale.sale,4", "party": party, "lines": [line]} | other


class TestReturns:
    @pytest.fixture
    def orders(self, tryton: Tryton, intents: FakeIntents) -> TrytonOrders:
        return TrytonOrders(
            tryton, link=PartyLink(), intents=intents, zone=UTC, done="delivered", now=Clock()
        )

    async def test_a_return_is_one_draft_of_the_very_lines_and_is_sent_once(
        self, server: Faulty, orders: TrytonOrders
    ) -> None:
        codes = ["FN-903-BL"] * 3
        server.will(told([ARRIVED]), told([]))
        proposal = await orders.propose_return(OrderId("1051"), owner=ANNA, codes=codes)
        assert "later" not in proposal.facts, "what is paid back, Tryton's people say"
        server.routes["POST /shop/rest/model/sale.sale?"] = told({"id": 8})
        server.will(
            told([ARRIVED]), told([]), told([HEAD]), told([ARRIVED]), told([taken_back("draft", -3.0)])
        )
        assert (await orders.execute(proposal, owner=ANNA, key="k")).state == "done"
        bodies = server.bodies[-len(server.asked) :]
        (sent,) = [body for line, body in zip(server.asked, bodies, strict=True) if line.startswith("POST")]
        assert json.loads(sent) == {
            **HEAD,
            "origin": "sale.sale,4",
            "lines": [["copy", [31], {"quantity": -2}], ["copy", [32], {"quantity": -1}]],
        }

    @pytest.mark.parametrize(
        ("returns", "state"),
        [
            ([], "delivered"),
            ([taken_back("cancelled", -1.0)], "delivered"),
            ([taken_back("draft", -1.0)], "return_requested"),
            ([taken_back("processing", -3.0)], "return_requested"),
            ([taken_back("done", -1.0)], "delivered"),
            ([taken_back("done", -3.0)], "returned"),
            ([taken_back("done", -2.0), taken_back("done", -1.0, id=9)], "returned"),
            ([taken_back("draft", -1.0, origin="sale.sale,5")], "delivered"),
            ([taken_back("draft", -1.0, party={"id": 3, "active": 1, "code": "c-002"})], "delivered"),
        ],
    )
    async def test_an_order_stands_by_what_takes_it_back(
        self, server: Faulty, orders: TrytonOrders, returns: list[Any], state: str
    ) -> None:
        server.will(told([ARRIVED]), told(returns))
        order = await orders.get(OrderId("1051"), owner=ANNA)
        own = [one for one in returns if one["origin"] == "sale.sale,4" and one["party"]["code"] == "c-001"]
        called = [one for one in own if one["state"] != "cancelled"]
        assert order.status == state
        assert ("return" in order.changes) is (not called)
        assert (order.returning is not None) is bool(called)

    async def test_a_lost_answer_is_looked_up_and_a_second_return_is_refused(
        self, server: Faulty, orders: TrytonOrders
    ) -> None:
        server.will(told([ARRIVED]), told([]))
        proposal = await orders.propose_return(OrderId("1051"), owner=ANNA, codes=["FN-903-BL"])
        server.routes["POST /shop/rest/model/sale.sale?"] = cut(b'{"id": 8}')
        server.will(
            told([ARRIVED]), told([]), told([HEAD]), told([ARRIVED]), told([taken_back("draft", -1.0)])
        )
        assert (await orders.execute(proposal, owner=ANNA, key="k")).state == "done"
        assert len([line for line in server.asked if line.startswith("POST")]) == 1
        server.will(told([ARRIVED]), told([taken_back("draft", -1.0)]))
        with pytest.raises(Rejected) as wrong:
            await orders.propose_return(OrderId("1051"), owner=ANNA, codes=["FN-903-BL"])
        assert wrong.value.reason == "not_returnable"

    async def test_what_cannot_be_counted_or_is_on_its_way_goes_to_people(
        self, server: Faulty, orders: TrytonOrders
    ) -> None:
        cable = {**sale()["lines"][0], "id": 33, "quantity": 2.5}
        for found, reason in (
            ({**ARRIVED, "lines": [cable]}, "not_offered"),
            (sale(shipments=[shipment("shipped")]), "not_returnable"),
        ):
            server.will(told([found]), told([]))
            with pytest.raises(Rejected) as wrong:
                await orders.propose_return(OrderId("1051"), owner=ANNA, codes=["FN-903-BL"])
            assert wrong.value.reason == reason
        server.will(told([ARRIVED]), told([]))
        with pytest.raises(Rejected) as wrong:
            await orders.propose_return(
                OrderId("1051"), owner=ANNA, codes=["FN-903-BL"], refund_to=MethodId("m-1")
            )
        assert wrong.value.reason == "wrong_refund_method"


QUOTATION = sale(state="quotation", shipments=[], shipment_state="none")
CANCELLED = {**QUOTATION, "state": "cancelled"}


class TestWriting:
    async def test_a_lost_answer_to_a_cancellation_is_looked_up_and_not_sent_again(
        self, server: Faulty, orders: TrytonOrders, tryton: Tryton, intents: FakeIntents
    ) -> None:
        server.will(told([QUOTATION]))
        proposal = await orders.propose_cancel(OrderId("1051"), owner=ANNA, reason="")
        for lost in (cut(b'{"id": 4}'), told({}, status=500), silence()):
            server.routes["POST /shop/rest/model/sale.sale/4/cancel"] = lost
            server.will(told([QUOTATION]), told([CANCELLED]))
            effect = await orders.execute(proposal, owner=ANNA, key="k")
            assert effect.state == "done"
            assert len([line for line in server.asked if "cancel" in line]) == 1
            intents.kept.clear()
            tryton.system.breaker.passed()

    async def test_when_nobody_can_tell_a_person_looks_and_nothing_is_sent_again(
        self, server: Faulty, orders: TrytonOrders, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(once, "_GLANCES", 3)
        server.will(told([QUOTATION]))
        proposal = await orders.propose_cancel(OrderId("1051"), owner=ANNA, reason="")
        server.routes["sale.sale/4/cancel"] = told({}, status=500)
        for _ in range(2):
            assert (await orders.execute(proposal, owner=ANNA, key="k")).state == "unknown"
        assert len([line for line in server.asked if "cancel" in line]) == 1

    async def test_a_system_that_is_down_before_the_write_changed_nothing(
        self, server: Faulty, orders: TrytonOrders, tryton: Tryton
    ) -> None:
        server.will(told([QUOTATION]))
        proposal = await orders.propose_cancel(OrderId("1051"), owner=ANNA, reason="")
        server.will(told({}, status=503))
        with pytest.raises(Unsent):
            await orders.execute(proposal, owner=ANNA, key="k")
        assert not [line for line in server.asked if "cancel" in line]
        server.will(told([QUOTATION]), told([CANCELLED]))
        server.routes["sale.sale/4/cancel"] = told({"id": 4})
        tryton.system.breaker.passed()
        assert (await orders.execute(proposal, owner=ANNA, key="k")).state == "done"

    @pytest.mark.parametrize(("status", "reason"), [(400, "changed"), (423, "changed"), (409, "not_offered")])
    async def test_a_refusal_is_told_by_what_it_means(
        self, server: Faulty, orders: TrytonOrders, status: int, reason: str
    ) -> None:
        server.will(told([QUOTATION]))
        proposal = await orders.propose_cancel(OrderId("1051"), owner=ANNA, reason="")
        server.routes["sale.sale/4/cancel"] = told({"message": "no"}, status=status)
        with pytest.raises(Rejected) as wrong:
            await orders.execute(proposal, owner=ANNA, key="k")
        assert wrong.value.reason == reason

    async def test_a_change_that_stops_halfway_is_not_called_refused(
        self, server: Faulty, orders: TrytonOrders
    ) -> None:
        server.will(told([QUOTATION]))
        proposal = await orders.propose_address(
            OrderId("1051"), owner=ANNA, new_address=Address(line="Казань, ул. Речная, д. 7")
        )
        server.routes |= {
            "party.address": told([{"id": 5, "street_single_line": "Казань, ул. Речная, д. 7"}]),
            "sale.sale/4/draft": told({"id": 4}),
            "PUT /shop/rest/model/sale.sale/4": told({"message": "no"}, status=400),
        }
        effect = await orders.execute(proposal, owner=ANNA, key="k")
        assert effect.state == "unknown"
        assert not [line for line in server.asked if "quote" in line]

    async def test_another_price_is_not_what_was_agreed_to(
        self, server: Faulty, orders: TrytonOrders
    ) -> None:
        server.will(told([QUOTATION]))
        place = "Казань, ул. Речная, д. 7"
        proposal = await orders.propose_address(OrderId("1051"), owner=ANNA, new_address=Address(line=place))
        server.routes |= {
            "party.address": told([{"id": 5, "street_single_line": place}]),
            "POST /shop/rest/model/sale.sale/4": told({"id": 4}),
            "PUT /shop/rest/model/sale.sale/4": told({"id": 4}),
        }
        moved = {**QUOTATION, "shipment_address": {"id": 5, "street_single_line": place}}
        server.will(told([QUOTATION]), told([{**moved, "total_amount": money("9999")}]))
        assert (await orders.execute(proposal, owner=ANNA, key="k")).state == "unknown"

    async def test_an_address_is_written_part_by_part(
        self, server: Faulty, orders: TrytonOrders, intents: FakeIntents
    ) -> None:
        server.will(told([QUOTATION]))
        address = Address(line="Садовая ул., 5", extra="кв. 17", city="Бор", postcode="606440")
        proposal = await orders.propose_address(OrderId("1051"), owner=ANNA, new_address=address)
        assert proposal.facts["new_address"] == "606440, Бор, Садовая ул., 5, кв. 17"
        server.routes |= {
            "GET /shop/rest/model/party.address": told([]),
            "POST /shop/rest/model/party.address": told({"id": 6}),
            "POST /shop/rest/model/sale.sale/4": told({"id": 4}),
            "PUT /shop/rest/model/sale.sale/4": told({"id": 4}),
        }
        place = {"id": 6, "street_single_line": "Садовая ул., 5, кв. 17"}
        for other, state in (
            ({"city": "Бор", "postal_code": "606440"}, "done"),
            ({"city": "Бор"}, "unknown"),
        ):
            server.will(told([QUOTATION]), told([{**QUOTATION, "shipment_address": {**place, **other}}]))
            assert (await orders.execute(proposal, owner=ANNA, key=state)).state == state
            intents.kept.clear()

    async def test_what_people_do_in_tryton_is_not_done_from_here(
        self, orders: TrytonOrders, tryton: Tryton, server: Faulty
    ) -> None:
        order, codes, way = OrderId("1051"), ["FN-903-BL"], MethodId("m")
        crm = TrytonCRM(tryton, link=PartyLink())
        for write in (
            orders.propose_payment(order, owner=ANNA, new_method=way),
            orders.propose_items(order, owner=ANNA, codes=codes, new_codes=codes),
            orders.propose_return(order, owner=ANNA, codes=codes),
            orders.propose_exchange(order, owner=ANNA, codes=codes, new_codes=codes),
            crm.propose_address(owner=ANNA, new_address=Address(line="Бор, Новая ул., 1")),
        ):
            with pytest.raises(Rejected, match="not_offered"):
                await write
        assert await orders.methods(owner=ANNA) == ()
        made = Proposal.made(
            "return_items", owner=ANNA, arguments={"order_id": order}, facts={}, version="", now=Clock()()
        )
        with pytest.raises(Unconfirmed):
            await orders.execute(made, owner=ANNA, key="k")
        assert server.asked == []

    async def test_a_stranger_changes_nothing(self, server: Faulty, orders: TrytonOrders) -> None:
        server.will(told([QUOTATION]))
        proposal = await orders.propose_cancel(OrderId("1051"), owner=ANNA, reason="")
        asked = len(server.asked)
        with pytest.raises(ToolFault):
            await orders.execute(proposal, owner=BORIS, key="k")
        assert len(server.asked) == asked
