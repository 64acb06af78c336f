"""A shop's tools over a file that can be exchanged: making tools costs more than a whole run, so they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from tools.crm.embedded import EmbeddedCRM
from tools.crm.functions import crm_tools
from tools.orders.embedded import EmbeddedOrders
from tools.orders.functions import order_tools
from tools.phrases import Phrases
from tools.texts import TEXTS
from tools.toolbox import Toolbox

NOW = datetime(2024, 5, 15, 15, tzinfo=UTC)
"""The only moment of a run: nothing in the official business depends on the day."""


@dataclass(slots=True)  # mutable: `path` is the shop the next connection opens
class Bench:
    """Everything one run needs; it serves one run at a time."""

    path: Path
    engine: AsyncEngine
    orders: EmbeddedOrders
    crm: EmbeddedCRM
    box: Toolbox

    async def clear(self) -> None:
        """Let go of the present file."""
        await self.engine.dispose()


def bench(path: Path) -> Bench:
    """Return a new bench over the file."""
    kept: Mapping[str, Bench]

    async def connect() -> aiosqlite.Connection:
        return await aiosqlite.connect(kept["bench"].path)

    engine = create_async_engine(
        "sqlite+aiosqlite://", async_creator=connect, poolclass=AsyncAdaptedQueuePool
    )
    orders, crm = EmbeddedOrders(engine, now=lambda: NOW), EmbeddedCRM(engine, now=lambda: NOW)
    phrases = Phrases(TEXTS, currency="USD")
    box = Toolbox(order_tools(orders, phrases), crm_tools(crm, phrases))
    kept = {"bench": Bench(path=path, engine=engine, orders=orders, crm=crm, box=box)}
    return kept["bench"]
