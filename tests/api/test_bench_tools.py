"""The bench of the tools at a tiny size: the shop it fills is a whole one, and every figure is there."""

import asyncio
import json
import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.records.engine import connect
from api.bench.tools.bulk import fill_crowd
from api.bench.tools.crowd import Crowd, customer_id
from api.bench.tools.goods import catalogue
from api.bench.tools.run import Size, bench_tools, tools_table
from api.cli import load
from api.settings import read_settings
from tests.migrated import migrated
from tests.tools.shop import SHOP
from tools.crm.embedded import EmbeddedCRM
from tools.errors import NotFound
from tools.orders.embedded import EmbeddedOrders
from tools.orders.match import codes_in
from tools.orders.number import order_number

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TINY = Size(customers=40, orders=300, products=30, asked=8)


def test_the_same_size_gives_the_same_rows() -> None:
    def rows() -> str:
        random.seed()
        crowd = Crowd(catalogue(SHOP.products, size=5), customers=9, now=NOW, zone="")
        return repr((list(crowd.people(batch=4)), list(crowd.sales(20, batch=7))))

    assert rows() == rows()


def test_a_few_customers_have_many_orders_and_every_number_is_one_that_customers_can_write() -> None:
    crowd = Crowd(catalogue(SHOP.products, size=5), customers=100, now=NOW, zone="")
    sold = [one for _, batch in crowd.sales(2_000, batch=500) for one in batch]
    counts = [sum(one.owner == customer_id(n) for one in sold) for n in range(100)]
    assert counts[0] > 3 * max(1, counts[50])
    assert len({one.id for one in sold}) == 2_000
    assert all(order_number(one.id) == one.id for one in sold[:50])


def test_goods_have_codes_of_their_own_that_a_customer_can_name() -> None:
    goods = catalogue(SHOP.products, size=200)
    codes = [code for product in goods for code in (product.code, *(v.code for v in product.variants))]
    assert len(codes) == len(set(codes))
    assert all(codes_in(product.code) == (product.code,) for product in goods)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_what_was_written_past_the_shop_is_read_by_it_whole(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    postgres = kind == "postgres"
    url = (
        request.getfixturevalue("postgres_database") if postgres else f"sqlite:///{tmp_path / 'shop.sqlite'}"
    )
    await asyncio.to_thread(migrated, url)
    engine = connect(url)
    told: list[tuple[int, int]] = []
    try:
        filled = await fill_crowd(
            engine, SHOP, customers=20, orders=200, products=12, tell=lambda *each: told.append(each)
        )
        orders, crm = EmbeddedOrders(engine), EmbeddedCRM(engine)
        for one in filled.sold:
            order = await orders.get(one.id, owner=one.owner)
            assert order.status == one.status
            assert order.total == order.delivery_price + sum((item.price for item in order.items), Decimal(0))
            assert order.placed < datetime.now(UTC)
            with pytest.raises(NotFound):
                await orders.get(one.id, owner=customer_id(10_000))
        assert {one.status for one in filled.sold} >= {"delivered", "cancelled", "paid"}
        customer = await crm.find_by_email("Customer7@example.com")
        assert customer.id == customer_id(7)
        assert customer.address is not None
        assert await orders.methods(owner=customer_id(5))
        assert told[-1] == (200, 200)
    finally:
        await engine.dispose()


async def test_every_figure_is_measured_and_reads_of_one_message_are_written_down_alike() -> None:
    figures = await bench_tools(read_settings({}), TINY, quiet=True)
    assert figures["together"]["same_story"]
    assert figures["together"]["replayed"]
    for kind in ("reads", "writes"):
        assert set(figures["overhead"][kind]) >= {"adapter_ms", "layer_ms", "with_ledger_ms"}
        assert all(row["p50"] > 0 for row in figures["overhead"][kind].values())
    large = figures["shop"]["sqlite"]
    assert large["rows"] > 300 * 6
    assert {"look_up_ms", "list_ms", "propose_ms", "execute_ms", "product_by_words_ms"} <= set(large)
    table = tools_table(json.loads(json.dumps(figures)))
    assert "look_up_ms" in table
    assert "40 customers, 300 orders" in table


def test_a_size_of_nothing_is_refused_before_anything_is_made() -> None:
    done = CliRunner().invoke(load(), ["bench", "tools", "--orders", "0"])
    assert done.exit_code == 2
    assert "--orders" in done.output
