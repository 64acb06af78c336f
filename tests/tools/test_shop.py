"""The embedded shop: loading it once, keeping what customers did, and naming the owner in every statement."""

import json
import re
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.tools.loaded import FOLDER, NOW
from tests.tools.shop import ANNA, Clock
from tools import tables as t
from tools.address import Address
from tools.context import MethodId, OrderId
from tools.crm.embedded import EmbeddedCRM
from tools.errors import Rejected, Unavailable, UnreadableShop
from tools.orders.embedded import EmbeddedOrders
from tools.shop import create_tables, load_shop, read_shop, standing

PAID = OrderId("1051")
PERSONAL = (
    "shop_saved",
    "shop_history",
    "shop_parcels",
    "shop_requests",
    "shop_orders",
    "shop_items",
    "shop_payments",
    "shop_refunds",
    "shop_fulfilments",
    "shop_addresses",
    "shop_effects",
)


@pytest.fixture
async def engine(sqlite_shop: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(sqlite_shop)
    yield engine
    await engine.dispose()


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}")
    yield engine
    await engine.dispose()


async def counted(engine: AsyncEngine) -> dict[str, int]:
    async with engine.connect() as connection:
        tables = t.metadata.sorted_tables
        return {
            table.name: int(await connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in tables
        }


class TestLoading:
    async def test_loading_twice_adds_nothing(self, engine: AsyncEngine) -> None:
        before = await counted(engine)
        again = await load_shop(engine, FOLDER, now=NOW + timedelta(days=3))
        assert (again.customers, again.products, again.orders) == (0, 0, 0)
        assert await counted(engine) == before
        assert (before["shop_customers"], before["shop_products"], before["shop_orders"]) == (120, 60, 400)

    async def test_what_a_customer_did_survives_another_loading(self, engine: AsyncEngine) -> None:
        orders = EmbeddedOrders(engine, now=Clock())
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        await orders.execute(proposal, owner=ANNA, key=proposal.id)
        done = await orders.get(PAID, owner=ANNA)
        await load_shop(engine, FOLDER, now=NOW)
        assert await orders.get(PAID, owner=ANNA) == done

    async def test_a_new_product_in_the_files_joins_the_old_ones(
        self, engine: AsyncEngine, tmp_path: Path
    ) -> None:
        folder = Path(shutil.copytree(FOLDER, tmp_path / "files"))
        catalogue = json.loads((folder / "products.json").read_text("utf-8"))
        copied = json.loads(json.dumps(catalogue["products"][0]))
        catalogue["products"].append({**copied, "code": "FN-999", "reviews": []})
        for variant in catalogue["products"][-1]["variants"]:
            variant["code"] = variant["code"].replace("FN-101", "FN-999")
        (folder / "products.json").write_text(json.dumps(catalogue), "utf-8")
        added = await load_shop(engine, folder, now=NOW)
        assert (added.products, added.orders) == (1, 0)
        assert (await EmbeddedOrders(engine).product("fn-999")).code == "FN-999"

    async def test_what_was_loaded_is_what_was_read(self, engine: AsyncEngine) -> None:
        shop = read_shop(FOLDER, now=NOW)
        orders = EmbeddedOrders(engine)
        for order in shop.orders[::20]:
            assert await orders.get(order.id, owner=order.owner) == order
        for product in shop.products[::5]:
            assert await orders.product(product.code) == product

    async def test_a_failed_loading_leaves_nothing_behind(self, empty: AsyncEngine) -> None:
        @event.listens_for(empty.sync_engine, "before_cursor_execute")
        def fail(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("INSERT INTO shop_events"):
                raise RuntimeError("the power went out")

        await create_tables(empty)
        with pytest.raises(RuntimeError):
            await load_shop(empty, FOLDER, now=NOW)
        assert set((await counted(empty)).values()) == {0}

    @pytest.mark.parametrize(
        ("name", "change", "place"),
        [
            ("orders.json", lambda raw: raw["orders"][4].pop("payment"), "orders entry 5"),
            ("products.json", lambda raw: raw["products"][1].update(variants=[]), "products entry 2"),
            ("products.json", lambda raw: raw["products"][0].update(category="none"), "products entry 1"),
            ("customers.json", lambda raw: raw["customers"][2].update(level="Маяк"), "customers entry 3"),
            ("orders.json", lambda raw: raw["orders"][0].update(total="много"), "orders entry 1"),
            ("orders.json", lambda raw: raw["orders"].append(raw["orders"][0]), "named twice: 1001"),
            (
                "orders.json",
                lambda raw: raw["orders"][0].update(owner="c-999"),
                "owners that are no customers: c-999",
            ),
        ],
    )
    def test_a_wrong_entry_is_named(self, tmp_path: Path, name: str, change: Any, place: str) -> None:
        folder = Path(shutil.copytree(FOLDER, tmp_path / "files"))
        raw = json.loads((folder / name).read_text("utf-8"))
        change(raw)
        (folder / name).write_text(json.dumps(raw), "utf-8")
        with pytest.raises(UnreadableShop, match=f"{name}: {place}") as fault:
            read_shop(folder, now=NOW)
        assert fault.value.remedy

    @pytest.mark.parametrize("text", ["{", "[]", "\xff", ""])
    def test_a_file_that_is_no_json_object_is_named(self, tmp_path: Path, text: str) -> None:
        folder = Path(shutil.copytree(FOLDER, tmp_path / "files"))
        (folder / "customers.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(UnreadableShop, match=r"customers\.json"):
            read_shop(folder)

    def test_an_absent_folder_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableShop, match="absent"):
            read_shop(tmp_path / "nowhere")


class TestStatements:
    async def test_every_statement_on_personal_data_names_the_owner(self, engine: AsyncEngine) -> None:
        seen: list[str] = []

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(" ".join(statement.split()))

        orders = EmbeddedOrders(engine, now=Clock())
        await orders.list(owner=ANNA)
        cancel = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        move = await orders.propose_address(
            PAID, owner=ANNA, new_address=Address(line="Бор, ул. Новая, д. 5")
        )
        await orders.execute(move, owner=ANNA, key="move")
        await orders.execute(move, owner=ANNA, key="move")
        fresh = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        await orders.execute(fresh, owner=ANNA, key="cancel")
        assert cancel.version != fresh.version
        reading = [
            s
            for s in seen
            if not s.startswith("INSERT")
            and any(f"{name} " in f"{s} " or f"{name}." in s for name in PERSONAL)
        ]
        assert len(reading) >= 15
        assert [
            s for s in reading if not re.search(r"WHERE .*shop_(orders|effects|saved)\.owner = \?", s)
        ] == []

    async def test_a_database_without_tables_is_unavailable_not_a_crash(self, empty: AsyncEngine) -> None:
        with pytest.raises(Unavailable):
            await EmbeddedOrders(empty).list(owner=ANNA)
        with pytest.raises(Unavailable):
            await EmbeddedCRM(empty).customer(ANNA)

    async def test_a_failure_in_the_middle_undoes_everything(self, engine: AsyncEngine) -> None:
        orders = EmbeddedOrders(engine, now=Clock())
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        before, counts = await orders.get(PAID, owner=ANNA), await counted(engine)

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def fail(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("INSERT INTO shop_events"):
                raise RuntimeError("the power went out")

        with pytest.raises(RuntimeError):
            await orders.execute(proposal, owner=ANNA, key=proposal.id)
        event.remove(engine.sync_engine, "before_cursor_execute", fail)
        assert await orders.get(PAID, owner=ANNA) == before
        assert await counted(engine) == counts
        assert (await orders.execute(proposal, owner=ANNA, key=proposal.id)).state == "done"


class TestGiftCards:
    async def test_money_that_is_gone_since_the_question_is_not_taken(self, engine: AsyncEngine) -> None:
        orders = EmbeddedOrders(engine, now=Clock())
        proposal = await orders.propose_payment(PAID, owner=ANNA, new_method=MethodId("m-102"))
        before = await orders.get(PAID, owner=ANNA)
        async with engine.begin() as connection:
            await connection.execute(update(t.saved).where(t.saved.c.id == "m-102").values(balance=428_999))
        with pytest.raises(Rejected) as wrong:
            await orders.execute(proposal, owner=ANNA, key="k")
        assert wrong.value.reason == "gift_card_short"
        assert await orders.get(PAID, owner=ANNA) == before
        async with engine.begin() as connection:
            await connection.execute(update(t.saved).where(t.saved.c.id == "m-102").values(balance=429_000))
        assert (await orders.execute(proposal, owner=ANNA, key="k")).state == "done"
        (card,) = [one for one in await orders.methods(owner=ANNA) if one.id == "m-102"]
        assert card.balance == 0

    async def test_goods_dearer_than_the_customer_said_yes_to_need_a_new_yes(
        self, engine: AsyncEngine
    ) -> None:
        orders = EmbeddedOrders(engine, now=Clock())
        swap = ["FN-204-BK"], ["FN-204-GN"]
        proposal = await orders.propose_items(PAID, owner=ANNA, codes=swap[0], new_codes=swap[1])
        async with engine.begin() as connection:
            dearer = update(t.variants).where(t.variants.c.code == "FN-204-GN")
            await connection.execute(dearer.values(price=400_000))
        with pytest.raises(Rejected) as wrong:
            await orders.execute(proposal, owner=ANNA, key="k")
        assert wrong.value.reason == "changed"


class TestStanding:
    async def test_how_orders_stand_changes_with_a_write_and_for_that_order_alone(
        self, engine: AsyncEngine
    ) -> None:
        before = await standing(engine)
        orders = EmbeddedOrders(engine, now=lambda: NOW)
        proposal = await orders.propose_cancel(PAID, owner=ANNA, reason="")
        assert await standing(engine) == before, "what is only proposed changes nothing"
        await orders.execute(proposal, owner=ANNA, key=proposal.id)
        after = await standing(engine)
        assert {number for number in before if before[number] != after[number]} == {PAID}
