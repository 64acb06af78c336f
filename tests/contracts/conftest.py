"""The order systems every contract of orders is held against: in memory, SQLite, PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from tests.tools.shop import Clock, fake_orders
from tools.orders.embedded import EmbeddedOrders
from tools.orders.port import Orders


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["fake", "sqlite_shop", pytest.param("postgres_shop", marks=pytest.mark.postgres)])
async def orders(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Orders]:
    if request.param == "fake":
        yield fake_orders(clock)
        return
    engine = create_async_engine(request.getfixturevalue(request.param))
    yield EmbeddedOrders(engine, now=clock)
    await engine.dispose()
