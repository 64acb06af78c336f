"""Paying otherwise, changing, returning and exchanging items: one contract for every order system that offers them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.tools.shop import ANNA, BORIS, VERA, Clock
from tools.address import Address
from tools.context import CustomerId, MethodId, OrderId
from tools.errors import NotFound, Rejected, Unconfirmed
from tools.orders.port import ACTIVE, Effect, Orders, Proposal

PAID, SHIPPED, UNPAID, DELIVERED, OLD = (OrderId(n) for n in ("1051", "1045-А", "1090", "1081", "1008"))
CARD, GIFT = MethodId("m-101"), MethodId("m-102")
HIS_CARD = MethodId("m-103")
HER_CARD, HER_WALLET = MethodId("m-104"), MethodId("m-105")
DEAR = OrderId("1181")
DEAR_OWNER = CustomerId("c-015")
"""Two pieces of FN-702-20M at 5990, paid by card; FN-702-10M costs 3490."""


async def refusal(asked: Awaitable[object]) -> str:
    with pytest.raises(Rejected) as wrong:
        await asked
    return wrong.value.reason


async def do(orders: Orders, proposal: Proposal) -> Effect:
    return await orders.execute(proposal, owner=proposal.owner, key=proposal.id)


async def stock(orders: Orders, code: str) -> int:
    return next(v.stock for v in (await orders.product(code)).variants if v.code == code)


async def balance(orders: Orders) -> Decimal | None:
    return next(one.balance for one in await orders.methods(owner=ANNA) if one.id == GIFT)


def money(orders_history: Sequence[object]) -> list[tuple[object, ...]]:
    return [(e.kind, e.amount, e.saved) for e in orders_history]  # type: ignore[attr-defined]


class TestReading:
    async def test_ways_to_pay_are_their_owners_alone(self, orders: Orders) -> None:
        assert [(m.id, m.method, m.masked, m.balance) for m in await orders.methods(owner=ANNA)] == [
            (CARD, "card", "··12", None),
            (GIFT, "gift_card", "··58", Decimal(5000)),
        ]
        assert [m.id for m in await orders.methods(owner=BORIS)] == [HIS_CARD]
        assert await orders.methods(owner=CustomerId("c-050")) == ()

    async def test_an_order_knows_its_products_and_what_was_paid(self, orders: Orders) -> None:
        order = await orders.get(PAID, owner=ANNA)
        assert [item.product for item in order.items] == ["FN-204", "FN-906"]
        assert money(order.history) == [("payment", Decimal(4290), CARD)]
        assert (await orders.get(UNPAID, owner=VERA)).history == ()

    async def test_a_product_is_found_by_a_code_of_any_shape(self, orders: Orders) -> None:
        assert (await orders.product(" FN-204-GN ")).code == "FN-204"
        with pytest.raises(NotFound):
            await orders.product("1234567890")


class TestPayment:
    async def test_a_gift_card_pays_and_the_card_is_refunded(self, orders: Orders) -> None:
        proposal = await orders.propose_payment(PAID, owner=ANNA, new_method=GIFT)
        assert proposal.facts["charge"] == proposal.facts["refund"] == 4290
        assert (proposal.facts["charge_method"], proposal.facts["masked"]) == ("gift_card", "··12")
        assert (await do(orders, proposal)).state == "done"
        order = await orders.get(PAID, owner=ANNA)
        assert (order.status, order.payment.method, order.payment.saved) == ("paid", "gift_card", GIFT)
        assert money(order.history) == [
            ("payment", Decimal(4290), CARD),
            ("payment", Decimal(4290), GIFT),
            ("refund", Decimal(4290), CARD),
        ]
        assert [(r.amount, r.masked, r.state) for r in order.refunds] == [(Decimal(4290), "··12", "pending")]
        assert await balance(orders) == 710
        again = orders.propose_payment(PAID, owner=ANNA, new_method=CARD)
        assert await refusal(again) == "several_payments"

    async def test_a_cancelled_order_gives_the_gift_card_its_money_at_once(self, orders: Orders) -> None:
        await do(orders, await orders.propose_payment(PAID, owner=ANNA, new_method=GIFT))
        cancel = await orders.propose_cancel(PAID, owner=ANNA, reason="передумала")
        assert (cancel.facts["days_max"], cancel.facts["kept"]) == (0, 1)
        await do(orders, cancel)
        order = await orders.get(PAID, owner=ANNA)
        assert (order.cancel_reason, order.refunds[-1].state) == ("передумала", "done")
        assert await balance(orders) == 5000

    async def test_an_unpaid_order_is_paid_with_a_saved_method(self, orders: Orders) -> None:
        proposal = await orders.propose_payment(UNPAID, owner=VERA, new_method=HER_WALLET)
        assert "refund" not in proposal.facts
        await do(orders, proposal)
        order = await orders.get(UNPAID, owner=VERA)
        assert (order.status, order.payment.state, order.payment.masked) == ("paid", "paid", "ЮMoney")
        assert money(order.history) == [("payment", Decimal(2230), HER_WALLET)]

    async def test_what_cannot_pay(self, orders: Orders) -> None:
        for order, owner, method, reason in (
            (SHIPPED, ANNA, GIFT, "payment_locked"),
            (PAID, ANNA, MethodId("m-999"), "no_such_method"),
            (PAID, ANNA, HIS_CARD, "no_such_method"),
            (PAID, ANNA, CARD, "same_method"),
        ):
            assert await refusal(orders.propose_payment(order, owner=owner, new_method=method)) == reason
        with pytest.raises(NotFound):
            await orders.propose_payment(PAID, owner=BORIS, new_method=HIS_CARD)


class TestItems:
    async def test_pieces_become_others_and_the_difference_returns(self, orders: Orders) -> None:
        before = await stock(orders, "FN-702-20M"), await stock(orders, "FN-702-10M")
        proposal = await orders.propose_items(
            DEAR, owner=DEAR_OWNER, codes=["FN-702-20M"], new_codes=["FN-702-10M"]
        )
        assert (proposal.facts["refund"], proposal.arguments["difference"]) == (2500, "-2500")
        assert str(proposal.facts["items_en"]).endswith("10 m")
        await do(orders, proposal)
        order = await orders.get(DEAR, owner=DEAR_OWNER)
        assert [(i.code, i.quantity, i.price) for i in order.items][:2] == [
            ("FN-702-20M", 1, Decimal(5990)),
            ("FN-702-10M", 1, Decimal(3490)),
        ]
        assert (order.status, order.status in ACTIVE) == ("modified", True)
        assert order.total == sum(i.price * i.quantity for i in order.items) + order.delivery_price
        assert money(order.history)[-1] == ("refund", Decimal(2500), None)
        after = await stock(orders, "FN-702-20M"), await stock(orders, "FN-702-10M")
        assert after == (before[0] + 1, before[1] - 1)

    async def test_items_change_once_and_the_order_is_not_cancelled_then(self, orders: Orders) -> None:
        swap = ["FN-204-BK"], ["FN-204-GN"]
        await do(orders, await orders.propose_items(PAID, owner=ANNA, codes=swap[0], new_codes=swap[1]))
        back = orders.propose_items(PAID, owner=ANNA, codes=swap[1], new_codes=swap[0])
        assert await refusal(back) == "items_locked"
        assert await refusal(orders.propose_cancel(PAID, owner=ANNA, reason="")) == "not_cancellable"
        elsewhere = Address(line="Бор, ул. Новая, д. 5")
        await do(orders, await orders.propose_address(PAID, owner=ANNA, new_address=elsewhere))
        assert (await orders.get(PAID, owner=ANNA)).address == elsewhere

    async def test_an_unpaid_order_settles_nothing_and_may_change_again(self, orders: Orders) -> None:
        unpaid, owner = OrderId("1105"), CustomerId("c-044")
        for old, new in (("FN-405-BL", "FN-405-WH"), ("FN-405-WH", "FN-405-GN")):
            await do(orders, await orders.propose_items(unpaid, owner=owner, codes=[old], new_codes=[new]))
        order = await orders.get(unpaid, owner=owner)
        assert (order.status, order.history) == ("pending", ())
        assert {"FN-405-BL", "FN-405-GN"} <= {item.code for item in order.items}
        assert order.payment.amount == order.total

    @pytest.mark.parametrize(
        ("codes", "new_codes", "reason"),
        [
            ([], [], "nothing_chosen"),
            (["FN-999-BK"], ["FN-204-GN"], "not_in_order"),
            (["FN-204-BK"] * 2, ["FN-204-GN"] * 2, "not_in_order"),
            (["FN-204-BK"], ["FN-204-GN", "FN-204-GN"], "uneven"),
            (["FN-204-BK"], ["FN-204-BK"], "same_variant"),
            (["FN-204-BK"], ["FN-906-BK"], "no_such_variant"),
            (["FN-204-BK"], ["FN-204-XX"], "no_such_variant"),
        ],
    )
    async def test_what_cannot_be_changed(
        self, orders: Orders, codes: list[str], new_codes: list[str], reason: str
    ) -> None:
        asked = orders.propose_items(PAID, owner=ANNA, codes=codes, new_codes=new_codes)
        assert await refusal(asked) == reason

    async def test_what_is_sold_out_is_not_promised(self, orders: Orders) -> None:
        sold_out = orders.propose_items(
            OrderId("1228"), owner=CustomerId("c-113"), codes=["FN-701-5M"], new_codes=["FN-701-10M"]
        )
        assert await refusal(sold_out) == "out_of_stock"


class TestReturns:
    async def test_a_return_is_asked_for_and_nothing_is_paid_yet(self, orders: Orders) -> None:
        before = await orders.get(DELIVERED, owner=BORIS)
        proposal = await orders.propose_return(DELIVERED, owner=BORIS, codes=["FN-104-BK", "FN-405-WH"])
        assert (proposal.facts["later"], proposal.facts["masked"]) == (4780, "··77")
        await do(orders, proposal)
        order = await orders.get(DELIVERED, owner=BORIS)
        assert order.status == "return_requested"
        assert order.returning is not None
        assert (order.returning.codes, order.returning.refund_to) == (("FN-104-BK", "FN-405-WH"), None)
        assert (order.items, order.history, order.refunds) == (before.items, before.history, before.refunds)
        again = orders.propose_return(DELIVERED, owner=BORIS, codes=["FN-104-BK"])
        assert await refusal(again) == "not_returnable"

    async def test_what_cannot_be_returned(self, orders: Orders) -> None:
        for order, owner, codes, method, reason in (
            (PAID, ANNA, ["FN-204-BK"], None, "not_returnable"),
            (OLD, ANNA, ["FN-602-WH"], None, "return_too_late"),
            (DELIVERED, BORIS, ["FN-104-BK"], GIFT, "no_such_method"),
            (DELIVERED, BORIS, ["FN-104-BK"] * 3, None, "not_in_order"),
            (DELIVERED, BORIS, [], None, "nothing_chosen"),
        ):
            asked = orders.propose_return(order, owner=owner, codes=codes, refund_to=method)
            assert await refusal(asked) == reason
        with pytest.raises(NotFound):
            await orders.propose_return(DELIVERED, owner=ANNA, codes=["FN-104-BK"])

    async def test_the_fourteenth_day_still_counts(self, orders: Orders, clock: Clock) -> None:
        clock.now += timedelta(days=10)
        await orders.propose_return(DELIVERED, owner=BORIS, codes=["FN-104-BK"])
        clock.now += timedelta(days=1)
        late = orders.propose_return(DELIVERED, owner=BORIS, codes=["FN-104-BK"])
        assert await refusal(late) == "return_too_late"


class TestExchanges:
    async def test_an_exchange_is_asked_for(self, orders: Orders) -> None:
        proposal = await orders.propose_exchange(
            DELIVERED, owner=BORIS, codes=["FN-405-WH"], new_codes=["FN-405-GN"], method=HIS_CARD
        )
        await do(orders, proposal)
        order = await orders.get(DELIVERED, owner=BORIS)
        assert (order.status, order.exchanging is not None) == ("exchange_requested", True)
        swap = order.exchanging
        assert swap is not None
        assert (swap.codes, swap.new_codes, swap.difference, swap.paid_with) == (
            ("FN-405-WH",),
            ("FN-405-GN",),
            Decimal(0),
            HIS_CARD,
        )

    async def test_a_broken_piece_is_exchanged_for_its_like(self, orders: Orders) -> None:
        await orders.propose_exchange(DELIVERED, owner=BORIS, codes=["FN-405-WH"], new_codes=["FN-405-WH"])

    async def test_only_what_was_delivered(self, orders: Orders) -> None:
        asked = orders.propose_exchange(PAID, owner=ANNA, codes=["FN-204-BK"], new_codes=["FN-204-GN"])
        assert await refusal(asked) == "not_exchangeable"


async def payment(orders: Orders) -> Proposal:
    return await orders.propose_payment(PAID, owner=ANNA, new_method=GIFT)


async def items(orders: Orders) -> Proposal:
    return await orders.propose_items(
        DEAR, owner=DEAR_OWNER, codes=["FN-702-20M"] * 2, new_codes=["FN-702-10M"] * 2
    )


async def giving_back(orders: Orders) -> Proposal:
    return await orders.propose_return(DELIVERED, owner=BORIS, codes=["FN-104-BK"], refund_to=HIS_CARD)


async def exchange(orders: Orders) -> Proposal:
    return await orders.propose_exchange(DELIVERED, owner=BORIS, codes=["FN-405-WH"], new_codes=["FN-405-BL"])


@pytest.mark.parametrize("propose", [payment, items, giving_back, exchange])
class TestOnce:
    async def test_a_proposal_changes_nothing(
        self, orders: Orders, propose: Callable[[Orders], Awaitable[Proposal]]
    ) -> None:
        proposal = await propose(orders)
        number = OrderId(proposal.arguments["order_id"])
        before = await orders.get(number, owner=proposal.owner)
        await propose(orders)
        assert await orders.get(number, owner=proposal.owner) == before

    async def test_ten_at_once_have_one_effect(
        self, orders: Orders, propose: Callable[[Orders], Awaitable[Proposal]]
    ) -> None:
        proposal = await propose(orders)
        owner, number = proposal.owner, OrderId(proposal.arguments["order_id"])
        before = await orders.get(number, owner=owner)
        shelf = await stock(orders, "FN-702-10M")
        results = await asyncio.gather(*(orders.execute(proposal, owner=owner, key="k") for _ in range(10)))
        assert sorted(effect.state for effect in results) == ["already_done"] * 9 + ["done"]
        order = await orders.get(number, owner=owner)
        assert int(order.version) == int(before.version) + 1
        assert len(order.history) - len(before.history) <= 2
        assert await balance(orders) in (5000, 5000 - 4290)
        assert await stock(orders, "FN-702-10M") in (shelf, shelf - 2)

    async def test_ten_keys_have_one_effect(
        self, orders: Orders, propose: Callable[[Orders], Awaitable[Proposal]]
    ) -> None:
        proposal = await propose(orders)
        results = await asyncio.gather(
            *(orders.execute(proposal, owner=proposal.owner, key=f"k{n}") for n in range(10)),
            return_exceptions=True,
        )
        refused = [result.reason for result in results if isinstance(result, Rejected)]
        assert refused == ["changed"] * 9

    async def test_nobody_else_does_it_and_nothing_else_is_done(
        self, orders: Orders, propose: Callable[[Orders], Awaitable[Proposal]]
    ) -> None:
        proposal = await propose(orders)
        with pytest.raises(NotFound):
            await orders.execute(proposal, owner=VERA, key="k")
        altered = replace(proposal, arguments={**proposal.arguments, "codes": "FN-908-WH", "method": ""})
        with pytest.raises(Unconfirmed):
            await orders.execute(altered, owner=proposal.owner, key="k")
        number = OrderId(proposal.arguments["order_id"])
        assert (await orders.get(number, owner=proposal.owner)).version == proposal.version
