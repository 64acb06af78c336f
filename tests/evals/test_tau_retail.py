"""The facade of the retail benchmark over a small database of its form: every call, what it gives and what it refuses."""

import json
from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from evals.tau.domain import Call, Refused, World
from evals.tau.retail import RETAIL
from tests.evals.retail_database import (
    BLACK,
    BLUE,
    CARD,
    DATABASE,
    DELIVERED,
    ELSEWHERE,
    FOREIGN,
    GIFT,
    GREEN,
    HIS,
    LAMP,
    LEO,
    LOW,
    MIA,
    ON_GIFT,
    PAYPAL,
    PENDING,
    PROCESSED,
    PRODUCTS,
    RED,
    SHIRT,
    TALL,
    variant,
)  # fmt: skip


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await RETAIL.open(DATABASE, folder=tmp_path)
    await world.bind(MIA)
    yield world
    await world.close()


async def done(world: World, name: str, **arguments: Any) -> Any:
    return await world.call(Call(name=name, arguments=arguments))


async def refused(world: World, name: str, **arguments: Any) -> str:
    before = await world.database()
    with pytest.raises(Refused) as wrong:
        await done(world, name, **arguments)
    assert await world.database() == before, "what was refused changed something"
    return str(wrong.value)


async def test_a_database_that_is_only_read_comes_out_as_it_went_in(world: World) -> None:
    plain = json.dumps(DATABASE, sort_keys=True)
    assert json.dumps(await world.database(), sort_keys=True) == plain
    for number in (PENDING, DELIVERED, PROCESSED):
        assert await done(world, "get_order_details", order_id=number) == DATABASE["orders"][number]
    assert await done(world, "get_user_details", user_id=MIA) == DATABASE["users"][MIA]
    assert await done(world, "get_product_details", product_id=SHIRT) == PRODUCTS[SHIRT]
    assert await done(world, "get_item_details", item_id=BLUE) == variant(BLUE, "blue", 10.31)
    assert await done(world, "list_all_product_types") == json.dumps({"Lamp": LAMP, "Shirt": SHIRT})
    assert await done(world, "transfer_to_human_agents", summary="…") == "Transfer successful"
    assert json.dumps(await world.database(), sort_keys=True) == plain


class TestWho:
    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("find_user_id_by_email", {"email": "MIA@example.com"}),
            ("find_user_id_by_name_zip", {"first_name": "mia", "last_name": "LEE", "zip": "89501"}),
        ],
    )
    async def test_what_a_customer_knows_binds_the_run(
        self, tmp_path: Path, name: str, arguments: Any
    ) -> None:
        world = await RETAIL.open(DATABASE, folder=tmp_path)
        assert await refused(world, "get_order_details", order_id=PENDING) == "ValueError: Order not found"
        assert await refused(world, "get_user_details", user_id=MIA) == "ValueError: User not found"
        cancel = {"order_id": PENDING, "reason": "no longer needed"}
        assert await refused(world, "cancel_pending_order", **cancel) == "ValueError: Order not found"
        assert await done(world, name, **arguments) == MIA
        assert world.owner_of(Call(name=name, arguments=arguments)) == MIA
        assert (await done(world, "get_order_details", order_id=PENDING))["user_id"] == MIA
        with pytest.raises(ValueError, match="another world"):
            await world.bind(LEO)
        await world.close()

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("find_user_id_by_email", {"email": "nobody@example.com"}),
            ("find_user_id_by_email", {"email": ""}),
            ("find_user_id_by_email", {"email": "leo@example.com"}),
            ("find_user_id_by_name_zip", {"first_name": "Mia", "last_name": "Lee", "zip": "89502"}),
            ("get_user_details", {"user_id": LEO}),
            ("get_user_details", {"user_id": "nobody"}),
            ("modify_user_address", {"user_id": LEO, **ELSEWHERE}),
        ],
    )
    async def test_another_customer_is_nobody_to_the_bound_one(
        self, world: World, name: str, arguments: Any
    ) -> None:
        assert await refused(world, name, **arguments) == "ValueError: User not found"

    @pytest.mark.parametrize("number", [FOREIGN, "#W9999999", "W0000001", "1", "", "the first"])
    async def test_a_foreign_order_and_a_wrongly_written_one_are_absent(
        self, world: World, number: str
    ) -> None:
        swap = {"item_ids": [RED], "new_item_ids": [BLUE], "payment_method_id": CARD}
        for name, more in {
            "get_order_details": {},
            "cancel_pending_order": {"reason": "no longer needed"},
            "modify_pending_order_address": ELSEWHERE,
            "modify_pending_order_payment": {"payment_method_id": PAYPAL},
            "modify_pending_order_items": swap,
            "exchange_delivered_order_items": swap,
            "return_delivered_order_items": {"item_ids": [RED], "payment_method_id": CARD},
        }.items():
            said = {"order_id": number, **more}
            assert await refused(world, name, **said) == "ValueError: Order not found"

    def test_whose_data_a_call_names_is_read_from_the_database(self, world: World) -> None:
        assert world.owner_of(Call(name="get_order_details", arguments={"order_id": FOREIGN})) == LEO
        assert world.owner_of(Call(name="get_user_details", arguments={"user_id": "nobody"})) is None
        assert world.owner_of(Call(name="get_product_details", arguments={"product_id": SHIRT})) is None

    async def test_runs_do_not_see_one_another(self, world: World, tmp_path: Path) -> None:
        await done(world, "cancel_pending_order", order_id=PENDING, reason="no longer needed")
        other = await RETAIL.open(DATABASE, folder=tmp_path / "other")
        assert await other.database() == DATABASE
        await other.close()


class TestCatalogue:
    @pytest.mark.parametrize("code", [RED, "3000000000", "", "shirt"])
    async def test_what_is_no_product_is_not_found(self, world: World, code: str) -> None:
        assert await refused(world, "get_product_details", product_id=code) == "ValueError: Product not found"

    @pytest.mark.parametrize("code", [SHIRT, "3000000000", ""])
    async def test_what_is_no_item_is_not_found(self, world: World, code: str) -> None:
        assert await refused(world, "get_item_details", item_id=code) == "ValueError: Item not found"

    async def test_sums_are_reckoned(self, world: World) -> None:
        assert await done(world, "calculate", expression="3131.1 + 4777.75") == "7908.85"

    async def test_an_unknown_call_is_refused(self, world: World) -> None:
        assert "not found" in await refused(world, "drop_everything")


class TestCancelling:
    async def test_the_money_goes_back_as_it_came(self, world: World) -> None:
        told = await done(world, "cancel_pending_order", order_id=ON_GIFT, reason="ordered by mistake")
        assert (told["status"], told["cancel_reason"]) == ("cancelled", "ordered by mistake")
        assert told["payment_history"][1:] == [
            {"transaction_type": "refund", "amount": 10.31, "payment_method_id": GIFT}
        ]
        mia = await done(world, "get_user_details", user_id=MIA)
        assert mia["payment_methods"][GIFT]["balance"] == 60.31
        assert (await world.database())["orders"][ON_GIFT] == told  # type: ignore[index,call-overload]

    async def test_every_entry_of_a_changed_payment_is_given_back_in_the_official_books(
        self, world: World
    ) -> None:
        await done(world, "modify_pending_order_payment", order_id=ON_GIFT, payment_method_id=CARD)
        told = await done(world, "cancel_pending_order", order_id=ON_GIFT, reason="no longer needed")
        entries = [(e["transaction_type"], e["payment_method_id"]) for e in told["payment_history"]]
        assert entries == [
            ("payment", GIFT),
            ("payment", CARD),
            ("refund", GIFT),
            ("refund", GIFT),
            ("refund", CARD),
            ("refund", GIFT),
        ]
        mia = await done(world, "get_user_details", user_id=MIA)
        assert mia["payment_methods"][GIFT]["balance"] == 80.93

    @pytest.mark.parametrize("number", [DELIVERED, PROCESSED])
    async def test_only_a_pending_order_and_only_for_two_reasons(self, world: World, number: str) -> None:
        name, why = "cancel_pending_order", {"reason": "no longer needed"}
        not_pending = "ValueError: Non-pending order cannot be cancelled"
        assert await refused(world, name, order_id=number, reason="changed my mind") == not_pending
        invalid = await refused(world, name, order_id=PENDING, reason="changed my mind")
        assert invalid == "ValueError: Invalid reason"
        await done(world, name, order_id=PENDING, **why)
        assert await refused(world, name, order_id=PENDING, **why) == not_pending


class TestAddresses:
    async def test_a_pending_order_goes_elsewhere_even_when_its_items_changed(self, world: World) -> None:
        await done(
            world,
            "modify_pending_order_items",
            order_id=PENDING,
            item_ids=[TALL],
            new_item_ids=[LOW],
            payment_method_id=CARD,
        )
        told = await done(world, "modify_pending_order_address", order_id=PENDING, **ELSEWHERE)
        assert (told["address"], told["status"]) == (ELSEWHERE, "pending (item modified)")
        again = await done(world, "modify_pending_order_address", order_id=PENDING, **ELSEWHERE)
        assert again == told

    async def test_an_order_that_left_does_not(self, world: World) -> None:
        for number in (DELIVERED, PROCESSED):
            error = await refused(world, "modify_pending_order_address", order_id=number, **ELSEWHERE)
            assert error == "ValueError: Non-pending order cannot be modified"

    async def test_the_customers_own_address_changes_no_order(self, world: World) -> None:
        told = await done(world, "modify_user_address", user_id=MIA, **ELSEWHERE)
        expected = deepcopy(DATABASE)
        expected["users"][MIA]["address"] = ELSEWHERE
        assert told == expected["users"][MIA]
        assert await done(world, "modify_user_address", user_id=MIA, **ELSEWHERE) == told
        assert await world.database() == expected


class TestPayment:
    async def test_another_method_pays_and_the_first_is_refunded(self, world: World) -> None:
        told = await done(world, "modify_pending_order_payment", order_id=ON_GIFT, payment_method_id=PAYPAL)
        assert told["status"] == "pending"
        assert [tuple(entry.values()) for entry in told["payment_history"]] == [
            ("payment", 10.31, GIFT),
            ("payment", 10.31, PAYPAL),
            ("refund", 10.31, GIFT),
        ]
        mia = await done(world, "get_user_details", user_id=MIA)
        assert mia["payment_methods"][GIFT]["balance"] == 60.31
        error = await refused(world, "modify_pending_order_payment", order_id=ON_GIFT, payment_method_id=CARD)
        assert error == "ValueError: There should be exactly one payment for a pending order"

    @pytest.mark.parametrize(
        ("number", "method", "error"),
        [
            (DELIVERED, PAYPAL, "Non-pending order cannot be modified"),
            (PENDING, "credit_card_999", "Payment method not found"),
            (PENDING, HIS, "Payment method not found"),
            (PENDING, "", "Payment method not found"),
            (PENDING, CARD, "The new payment method should be different from the current one"),
            (PENDING, GIFT, "Insufficient gift card balance to pay for the order"),
        ],
    )
    async def test_what_cannot_pay(self, world: World, number: str, method: str, error: str) -> None:
        said = {"order_id": number, "payment_method_id": method}
        assert await refused(world, "modify_pending_order_payment", **said) == f"ValueError: {error}"


class TestItems:
    NAME = "modify_pending_order_items"

    async def test_the_difference_is_a_sum_of_floats(self, world: World) -> None:
        said = {"item_ids": [RED], "new_item_ids": [BLUE], "payment_method_id": GIFT}
        told = await done(world, self.NAME, order_id=PENDING, **said)
        assert told["status"] == "pending (item modified)"
        assert [item["item_id"] for item in told["items"]] == [BLUE, TALL, LOW]
        assert told["payment_history"][-1] == {
            "transaction_type": "payment",
            "amount": 10.31 - 10.1,
            "payment_method_id": GIFT,
        }
        mia = await done(world, "get_user_details", user_id=MIA)
        assert mia["payment_methods"][GIFT]["balance"] == 49.79
        error = await refused(world, self.NAME, order_id=PENDING, **said)
        assert error == "ValueError: Non-pending order cannot be modified"

    async def test_several_at_once_all_look_like_the_last(self, world: World) -> None:
        said = {"item_ids": [RED, TALL], "new_item_ids": [BLUE, LOW], "payment_method_id": CARD}
        told = await done(world, self.NAME, order_id=PENDING, **said)
        assert [(i["item_id"], i["price"], i["options"]) for i in told["items"]] == [
            (BLUE, 20.25, {"color": "low"}),
            (LOW, 20.25, {"color": "low"}),
            (LOW, 20.25, {"color": "low"}),
        ]
        assert (told["items"][0]["name"], told["payment_history"][-1]["transaction_type"]) == (
            "Shirt",
            "refund",
        )
        assert (await world.database())["orders"][PENDING] == told  # type: ignore[index,call-overload]

    async def test_a_change_that_costs_nothing_is_written_as_a_refund_of_nothing(
        self, tmp_path: Path
    ) -> None:
        database = deepcopy(DATABASE)
        database["products"][LAMP]["variants"][LOW]["price"] = 30.5
        world = await RETAIL.open(database, folder=tmp_path)
        await world.bind(MIA)
        said = {"item_ids": [TALL], "new_item_ids": [LOW], "payment_method_id": CARD}
        told = await done(world, self.NAME, order_id=PENDING, **said)
        assert told["payment_history"][-1] == {
            "transaction_type": "refund",
            "amount": 0.0,
            "payment_method_id": CARD,
        }
        await world.close()

    @pytest.mark.parametrize(
        ("number", "old", "new", "method", "error"),
        [
            (DELIVERED, [RED], [BLUE], CARD, "Non-pending order cannot be modified"),
            (PENDING, [RED, RED], [BLUE, BLUE], CARD, f"{RED} not found"),
            (PENDING, [BLACK], [BLUE], CARD, f"{BLACK} not found"),
            (PENDING, [RED], [BLUE, BLUE], CARD, "The number of items to be exchanged should match"),
            (PENDING, [RED], [RED], CARD, "The new item id should be different from the old item id"),
            (PENDING, [RED], [LOW], CARD, "Variant not found"),
            (PENDING, [RED], ["3000000000"], CARD, "Variant not found"),
            (PENDING, [RED], [GREEN], CARD, f"New item {GREEN} not found or available"),
            (PENDING, [RED], [BLUE], HIS, "Payment method not found"),
            (PENDING, [RED], [BLACK], GIFT, "Insufficient gift card balance to pay for the new item"),
        ],
    )
    async def test_what_cannot_be_changed(
        self, world: World, number: str, old: list[str], new: list[str], method: str, error: str
    ) -> None:
        said = {"item_ids": old, "new_item_ids": new, "payment_method_id": method}
        assert await refused(world, self.NAME, order_id=number, **said) == f"ValueError: {error}"


class TestReturns:
    NAME = "return_delivered_order_items"

    @pytest.mark.parametrize("method", [CARD, GIFT])
    async def test_items_are_asked_for_and_nothing_is_paid_yet(self, world: World, method: str) -> None:
        said = {"item_ids": [TALL, RED, RED], "payment_method_id": method}
        told = await done(world, self.NAME, order_id=DELIVERED, **said)
        assert told == DATABASE["orders"][DELIVERED] | {
            "status": "return requested",
            "return_items": [RED, RED, TALL],
            "return_payment_method_id": method,
        }
        again = await refused(world, self.NAME, order_id=DELIVERED, **said)
        assert again == "ValueError: Non-delivered order cannot be returned"

    @pytest.mark.parametrize(
        ("number", "items", "method", "error"),
        [
            (PENDING, [RED], CARD, "Non-delivered order cannot be returned"),
            (DELIVERED, [RED], "paypal_9", "Payment method not found"),
            (DELIVERED, [BLACK], PAYPAL, "Payment method should be the original payment method"),
            (DELIVERED, [BLACK], CARD, "Some item not found"),
            (DELIVERED, [RED] * 3, GIFT, "Some item not found"),
        ],
    )
    async def test_what_cannot_be_returned(
        self, world: World, number: str, items: list[str], method: str, error: str
    ) -> None:
        said = {"item_ids": items, "payment_method_id": method}
        assert await refused(world, self.NAME, order_id=number, **said) == f"ValueError: {error}"


class TestExchanges:
    NAME = "exchange_delivered_order_items"

    async def test_items_are_asked_for_with_the_rounded_difference(self, world: World) -> None:
        said = {"item_ids": [TALL, RED], "new_item_ids": [LOW, BLUE], "payment_method_id": PAYPAL}
        told = await done(world, self.NAME, order_id=DELIVERED, **said)
        assert told == DATABASE["orders"][DELIVERED] | {
            "status": "exchange requested",
            "exchange_items": [RED, TALL],
            "exchange_new_items": [BLUE, LOW],
            "exchange_payment_method_id": PAYPAL,
            "exchange_price_difference": -10.04,
        }

    async def test_an_item_may_be_exchanged_for_its_like(self, world: World) -> None:
        said = {"item_ids": [RED], "new_item_ids": [RED], "payment_method_id": CARD}
        told = await done(world, self.NAME, order_id=DELIVERED, **said)
        assert (told["exchange_new_items"], told["exchange_price_difference"]) == ([RED], 0.0)

    @pytest.mark.parametrize(
        ("number", "old", "new", "method", "error"),
        [
            (PENDING, [RED], [BLUE], CARD, "Non-delivered order cannot be exchanged"),
            (DELIVERED, [RED] * 3, [BLUE] * 3, CARD, f"Number of {RED} not found."),
            (DELIVERED, [RED], [BLUE, BLUE], CARD, "The number of items to be exchanged should match."),
            (DELIVERED, [RED], [TALL], CARD, "Variant not found"),
            (DELIVERED, [RED, RED], [BLUE, GREEN], CARD, f"New item {GREEN} not found or available"),
            (DELIVERED, [RED], [BLUE], "paypal_9", "Payment method not found"),
            (
                DELIVERED,
                [RED],
                [BLACK],
                GIFT,
                "Insufficient gift card balance to pay for the price difference",
            ),
        ],
    )
    async def test_what_cannot_be_exchanged(
        self, world: World, number: str, old: list[str], new: list[str], method: str, error: str
    ) -> None:
        said = {"item_ids": old, "new_item_ids": new, "payment_method_id": method}
        assert await refused(world, self.NAME, order_id=number, **said) == f"ValueError: {error}"
