"""A shop's tools over a file that can be exchanged: making tools costs more than a whole run, so they are kept."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

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
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
    orders, crm = EmbeddedOrders(engine, now=lambda: NOW), EmbeddedCRM(engine, now=lambda: NOW)
    phrases = Phrases(TEXTS, currency="USD")
    box = Toolbox(order_tools(orders, phrases), crm_tools(crm, phrases))
    made = Bench(path=path, engine=engine, orders=orders, crm=crm, box=box)

    @event.listens_for(engine.sync_engine, "do_connect")
    def aim(_dialect: object, _record: object, arguments: list[object], _named: object) -> None:
        arguments[0] = str(made.path)

    return made
