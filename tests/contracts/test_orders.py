"""One contract for every order system: in memory, SQLite, PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.tools.loaded import NOW
from tests.tools.shop import ANNA, BORIS, JOHN, VERA, Clock
from tools.address import Address
from tools.context import OrderId
from tools.errors import Expired, NotFound, Rejected, Unconfirmed
from tools.orders.port import ACTIVE, Orders

PAID, SHIPPED, UNPAID, PACKED = OrderId("1051"), OrderId("1045-А"), OrderId("1090"), OrderId("1093")
ELSEWHERE = "Нижний Новгород, ул. Садовая, д. 5, кв. 17"


class TestReading:
    async def test_an_order_comes_whole_to_its_owner(self, orders: Orders) -> None:
        order = await orders.get(SHIPPED, owner=ANNA)
        assert (order.status, order.total, order.currency) == ("shipped", Decimal(5860), "RUB")
        assert [(item.code, item.quantity, item.price) for item in order.items] == [
            ("FN-105-BK", 1, Decimal(3990)),
            ("FN-903-BL", 2, Decimal(790)),
        ]
        assert (order.payment.method, order.payment.state, order.payment.masked) == ("card", "paid", "··12")
        assert order.fulfilment.eta == (NOW + timedelta(days=2)).date()
        assert order.fulfilment.tracking is not None
        assert order.placed.tzinfo is not None
        assert str(order.address).endswith("Нижний Новгород, ул. Лесная, д. 12, кв. 34")

    async def test_a_foreign_order_and_an_absent_one_are_both_not_found(self, orders: Orders) -> None:
        for number in ("1077", "999999", "", "1077' OR '1'='1"):
            with pytest.raises(NotFound) as wrong:
                await orders.get(OrderId(number), owner=ANNA)
            assert str(wrong.value) == "not_found"

    async def test_a_list_holds_only_the_owners_orders_those_under_way_first(self, orders: Orders) -> None:
        found = await orders.list(owner=ANNA)
        assert [order.id for order in found] == ["1051", "1045-А", "1019", "1008"]
        assert [order.status in ACTIVE for order in found] == [True, True, False, False]
        assert {order.owner for order in found} == {ANNA}
        assert found[1] == await orders.get(SHIPPED, owner=ANNA)

    async def test_a_list_is_no_longer_than_its_limit(self, orders: Orders) -> None:
        assert [order.id for order in await orders.list(owner=ANNA, limit=1)] == ["1051"]

    async def test_refunds_come_with_their_order(self, orders: Orders) -> None:
        (refund,) = (await orders.get(OrderId("1033"), owner=VERA)).refunds
        assert (refund.amount, refund.method, refund.state) == (Decimal(5690), "sbp", "done")


class TestCatalogue:
    async def test_a_code_finds_exactly_its_product(self, orders: Orders) -> None:
        for words in ("FN-204", "fn 204", "FN204-bk", "сколько стоит FN-204?", "FN\u2011204"):
            assert [product.code for product in await orders.products(words)] == ["FN-204"], words

    async def test_words_in_any_form_find_the_right_kind_first(self, orders: Orders) -> None:
        wanted = {
            "есть ли у вас налобные фонари": "headlamps",
            "хочу купить детскую настольную лампу": "desk",
            "люстру с рожками": "chandeliers",
            "уличную гирлянду": "garlands",
            "умных лампочек": "smart",
            "do you have any headlamps for running": "headlamps",
            "solar path lights": "garden",
            "фонарик на лоб налобный": "headlamps",
            "аккумулятор 18650": "power",
            "подойдёт ли что-нибудь для пруда": "garden",
        }
        found = {words: await orders.products(words) for words in wanted}
        assert {words: products[0].category for words, products in found.items() if products} == wanted
        assert all(len(products) <= 5 for products in found.values())

    async def test_words_that_fit_nothing_find_nothing(self, orders: Orders) -> None:
        for words in (
            "",
            "   ",
            "холодильник",
            "какой самый лучший для вас",
            "how much is the best one for you",
            "%",
            "_",
            "🙂",
            "\x00",
            "a" * 100_000,
        ):
            assert await orders.products(words) == (), words[:20]

    async def test_a_product_has_variants_prices_and_a_rating(self, orders: Orders) -> None:
        product = await orders.product("fn-701-10m")
        assert product.code == "FN-701"
        assert [(v.code, v.price) for v in product.variants] == [("FN-701-5M", 790), ("FN-701-10M", 1290)]
        assert product.price == Decimal(790)
        assert product.rating is None or 1 <= product.rating <= 5

    async def test_an_unknown_code_is_not_found(self, orders: Orders) -> None:
        with pytest.raises(NotFound):
            await orders.product("FN-999")


class TestProposals:
    async def test_a_proposal_changes_nothing(self, orders: Orders) -> None:
        before = await orders.list(owner=ANNA)
        await orders.propose_cancel(PAID, owner=ANNA, reason="")
        await orders.propose_address(PAID, owner=ANNA, new_address=Address(line=ELSEWHERE))
        assert await orders.list(owner=ANNA) == before

    async def test_a_cancellation_says_how_much_returns_where_and_when(self, orders: Orders) -> None:
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason=" передумала\n")
        assert proposal.arguments == {"order_id": "1051", "reason": "передумала"}
        assert proposal.facts == {
            "order": "1051",
            "total": 4290,
            "currency": "RUB",
            "refund": 4290,
            "method": "card",
            "masked": "··12",
            "days_min": 3,
            "days_max": 10,
            "worth": 4290,
            "placed": (await orders.get(PAID, owner=ANNA)).placed.date().isoformat(),
        }
        assert proposal.expires - proposal.created == timedelta(minutes=10)

    async def test_an_unpaid_order_promises_no_refund(self, orders: Orders) -> None:
        assert "refund" not in (await orders.propose_cancel(UNPAID, owner=VERA, reason="")).facts

    async def test_an_order_that_left_or_ended_cannot_be_changed(self, orders: Orders) -> None:
        for number, owner in (("1045-А", ANNA), ("1019", ANNA), ("1062", BORIS), ("1033", VERA)):
            with pytest.raises(Rejected) as wrong:
                await orders.propose_cancel(OrderId(number), owner=owner, reason="")
            assert wrong.value.reason == "not_cancellable"
            with pytest.raises(Rejected) as wrong:
                await orders.propose_address(
                    OrderId(number), owner=owner, new_address=Address(line=ELSEWHERE)
                )
            assert wrong.value.reason == "address_locked"

    async def test_nobody_proposes_for_a_foreign_order(self, orders: Orders) -> None:
        with pytest.raises(NotFound):
            await orders.propose_cancel(PAID, owner=BORIS, reason="")
        with pytest.raises(NotFound):
            await orders.propose_address(PAID, owner=BORIS, new_address=Address(line=ELSEWHERE))

    async def test_an_address_that_cannot_be_delivered_to_is_refused(self, orders: Orders) -> None:
        for address in ("", "дом", "просто город", "1" * 50, "ул. Лесная 5 " * 40):
            with pytest.raises(Rejected) as wrong:
                await orders.propose_address(PAID, owner=ANNA, new_address=Address(line=address))
            assert wrong.value.reason == "bad_address"

    async def test_the_present_address_is_no_change(self, orders: Orders) -> None:
        with pytest.raises(Rejected) as wrong:
            await orders.propose_address(
                PAID, owner=ANNA, new_address=Address(line="УЛ. ЛЕСНАЯ, д. 12, кв. 34")
            )
        assert wrong.value.reason == "same_address"


class TestExecuting:
    async def test_a_cancelled_order_is_refunded_once_and_restocked(self, orders: Orders) -> None:
        before = await orders.product("FN-204")
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        effect = await orders.execute(proposal, owner=ANNA, key=proposal.id)
        assert (effect.state, effect.facts) == ("done", proposal.facts)
        order = await orders.get(PAID, owner=ANNA)
        assert (order.status, order.payment.state) == ("cancelled", "refunded")
        assert [(r.amount, r.state, r.masked) for r in order.refunds] == [(Decimal(4290), "pending", "··12")]
        assert (await orders.product("FN-204")).stock == before.stock + 1

    async def test_a_new_address_is_where_the_order_goes(self, orders: Orders) -> None:
        proposal = await orders.propose_address(PACKED, owner=JOHN, new_address=Address(line=ELSEWHERE))
        effect = await orders.execute(proposal, owner=JOHN, key=proposal.id)
        order = await orders.get(PACKED, owner=JOHN)
        assert (effect.state, str(order.address), order.status) == ("done", ELSEWHERE, "packed")

    async def test_the_same_key_again_repeats_the_facts_and_does_nothing(
        self, orders: Orders, clock: Clock
    ) -> None:
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        first = await orders.execute(proposal, owner=ANNA, key="k")
        after = await orders.get(PAID, owner=ANNA)
        clock.now += timedelta(hours=3)
        again = await orders.execute(proposal, owner=ANNA, key="k")
        assert (again.state, again.facts) == ("already_done", first.facts)
        assert await orders.get(PAID, owner=ANNA) == after

    async def test_ten_at_once_have_one_effect(self, orders: Orders) -> None:
        stock = (await orders.product("FN-204")).stock
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        effects = await asyncio.gather(*(orders.execute(proposal, owner=ANNA, key="k") for _ in range(10)))
        assert sorted(effect.state for effect in effects) == ["already_done"] * 9 + ["done"]
        assert len((await orders.get(PAID, owner=ANNA)).refunds) == 1
        assert (await orders.product("FN-204")).stock == stock + 1

    async def test_ten_keys_for_one_proposal_have_one_effect(self, orders: Orders) -> None:
        proposal = await orders.propose_address(PAID, owner=ANNA, new_address=Address(line=ELSEWHERE))
        results = await asyncio.gather(
            *(orders.execute(proposal, owner=ANNA, key=f"k{n}") for n in range(10)), return_exceptions=True
        )
        refused = [result for result in results if isinstance(result, Rejected)]
        assert [result.reason for result in refused] == ["changed"] * 9
        assert (await orders.get(PAID, owner=ANNA)).address.line == ELSEWHERE

    async def test_an_order_that_changed_since_is_left_alone(self, orders: Orders) -> None:
        before = await orders.get(PAID, owner=ANNA)
        cancel = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        move = await orders.propose_address(PAID, owner=ANNA, new_address=Address(line=ELSEWHERE))
        await orders.execute(move, owner=ANNA, key=move.id)
        with pytest.raises(Rejected) as wrong:
            await orders.execute(cancel, owner=ANNA, key=cancel.id)
        assert wrong.value.reason == "changed"
        order = await orders.get(PAID, owner=ANNA)
        assert (order.status, order.refunds) == (before.status, ())

    async def test_a_refused_execution_leaves_its_key_free(self, orders: Orders) -> None:
        stale = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        move = await orders.propose_address(PAID, owner=ANNA, new_address=Address(line=ELSEWHERE))
        await orders.execute(move, owner=ANNA, key="move")
        with pytest.raises(Rejected):
            await orders.execute(stale, owner=ANNA, key="k")
        fresh = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        assert (await orders.execute(fresh, owner=ANNA, key="k")).state == "done"

    async def test_a_key_serves_one_proposal_only(self, orders: Orders) -> None:
        first = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        await orders.execute(first, owner=ANNA, key="k")
        other = await orders.propose_cancel(PACKED, owner=JOHN, reason="")
        with pytest.raises(Rejected) as wrong:
            await orders.execute(other, owner=JOHN, key="k")
        assert wrong.value.reason == "key_reused"
        assert (await orders.get(PACKED, owner=JOHN)).status == "packed"

    async def test_too_late_is_too_late(self, orders: Orders, clock: Clock) -> None:
        before = await orders.get(PAID, owner=ANNA)
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        clock.now += timedelta(minutes=10)
        with pytest.raises(Expired):
            await orders.execute(proposal, owner=ANNA, key=proposal.id)
        assert await orders.get(PAID, owner=ANNA) == before

    async def test_another_customer_cannot_execute_it(self, orders: Orders) -> None:
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        with pytest.raises(NotFound):
            await orders.execute(proposal, owner=BORIS, key=proposal.id)
        stolen = replace(proposal, owner=BORIS)
        with pytest.raises(Unconfirmed):
            await orders.execute(stolen, owner=BORIS, key=proposal.id)

    @pytest.mark.parametrize("change", ["arguments", "tool", "version"])
    async def test_what_was_not_confirmed_is_not_done(self, orders: Orders, change: str) -> None:
        before = await orders.get(PAID, owner=ANNA)
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        altered = {
            "arguments": {"arguments": {"order_id": "1045-А", "reason": ""}},
            "tool": {"tool": "change_address"},
            "version": {"version": "2"},
        }[change]
        with pytest.raises(Unconfirmed):
            await orders.execute(replace(proposal, **altered), owner=ANNA, key=proposal.id)  # type: ignore[arg-type]
        assert await orders.get(PAID, owner=ANNA) == before
