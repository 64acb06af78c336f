"""An older shop is brought to this release's tables with everything in it."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from api.migrate import _config, _connected, differences, migrate
from tools.context import CustomerId, OrderId
from tools.crm.embedded import EmbeddedCRM
from tools.orders.embedded import EmbeddedOrders

PAID = datetime(2026, 11, 1, 9, tzinfo=UTC)
OLDER = (
    "INSERT INTO shop_customers VALUES ('c-1', NULL, 'Пётр  Чайкин', 'Petr@Example.com', '+7', 'ru', 'Бор', 'а', 'a', 0)",
    "INSERT INTO shop_products VALUES ('FN-1', 'k', 'Ф', 'F', 'К', 'K', '{}', ' ф ')",
    "INSERT INTO shop_variants VALUES ('FN-1-BK', 'FN-1', 1, 'ч', 'b', 1050, 3)",
    "INSERT INTO shop_addresses VALUES ('a', 'c-1', 'ул. Новая, 5', 'Бор', '606440')",
    "INSERT INTO shop_orders VALUES ('7', 'c-1', 'cancelled', 0, :at, 4, 0, 1050, 'RUB', 'a')",
    "INSERT INTO shop_items VALUES ('7#1', '7', 1, 'FN-1-BK', 'Ф', 'F', 1, 1050)",
    "INSERT INTO shop_items VALUES ('7#2', '7', 2, 'GONE-1', 'Ф', 'F', 1, 0)",
    "INSERT INTO shop_payments VALUES ('7', 'card', 'refunded', 1050, '··12', :at)",
    "INSERT INTO shop_refunds VALUES ('r', '7', 1050, 'card', '··12', 'pending', :at, 3, 10)",
    "INSERT INTO shop_fulfilments VALUES ('7', 'courier', 'К', NULL, NULL, NULL, NULL)",
)


async def brought(url: str) -> None:
    with _connected(url) as connection:
        command.upgrade(_config(connection), "0011")
        for statement in OLDER:
            connection.execute(text(statement), {"at": PAID} if ":at" in statement else {})
    migrate(url)
    assert differences(url) == []
    engine = create_async_engine(url)
    order = await EmbeddedOrders(engine).get(OrderId("7"), owner=CustomerId("c-1"))
    customer = await EmbeddedCRM(engine).find_by_email("petr@example.com")
    await engine.dispose()
    assert (order.version, order.status, order.total) == ("4", "cancelled", Decimal("10.50"))
    assert [item.product for item in order.items] == ["FN-1", ""]
    assert [(entry.kind, entry.amount) for entry in order.history] == [
        ("payment", Decimal("10.50")),
        ("refund", Decimal("10.50")),
    ]
    assert str(order.address) == "606440, Бор, ул. Новая, 5"
    assert (customer.id, customer.version, customer.address) == ("c-1", "1", None)


async def test_an_sqlite_shop_keeps_its_orders(tmp_path: Path) -> None:
    await brought(f"sqlite+aiosqlite:///{tmp_path / 'm.sqlite'}")


@pytest.mark.postgres
async def test_a_postgresql_shop_keeps_its_orders(postgres_database: str) -> None:
    await brought(postgres_database)
