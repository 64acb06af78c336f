"""Adds rows and documents to a throw-away house: the world of eval cases. Never used on a real data folder."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from api.container import Building
from api.identity import customer_named
from knowledge.errors import KnowledgeFault
from knowledge.types import DocumentId, Source
from tools.context import CustomerId
from tools.shop import load_shop
from tools.trial.manners import manners_of, parts_of


async def apply_world(building: Building, world: Mapping[str, Any]) -> None:
    """Add `world` (customers, orders, products, knowledge, faults; each a mapping of key to row) to the building.

    `gate: open` sends whatever is grounded, however unsure the house is: for measuring what it is sure of.
    """
    if world.get("gate") == "open":
        turn = building.turn
        turn.calibration = replace(turn.calibration, by_hand=0.0)
    await _shop(building, world)
    _faults(building, world)
    sources = [
        (_source(DocumentId(id), row), f"world:{id}") for id, row in world.get("knowledge", {}).items()
    ]
    for result in await building.library.accept_many(sources, progress=lambda _: None):
        if isinstance(result, KnowledgeFault):
            raise result


def _faults(building: Building, world: Mapping[str, Any]) -> None:
    """Let systems fail for the customers that have a row of faults."""
    for login, row in world.get("faults", {}).items():
        customer = CustomerId(customer_named(str(login), shop=building.pack.folder / "shop"))
        for system in ("orders", "crm"):
            if row[system]:
                building.trial.strain(system, customer, manners_of(row[system]))
        building.trial.silence(customer, parts_of(row["without"]))


def _source(id: DocumentId, row: Mapping[str, Any]) -> Source:
    return Source(
        id=id,
        title=row["title"],
        text=row["text"],
        language=row["language"],
        source=f"world:{id}",
        format="md",
        audience=row.get("audience") or "customer",
        status=row.get("status") or "published",
        valid_from=_day(row.get("valid_from")),
        valid_until=_day(row.get("valid_until")),
    )


async def _shop(building: Building, world: Mapping[str, Any]) -> None:
    """Load the rows the way a shop's own files are loaded."""
    files = {
        "customers.json": {"customers": list(world.get("customers", {}).values())},
        "products.json": {
            **_kept(building, "products.json"),
            "products": list(world.get("products", {}).values()),
        },
        "orders.json": {**_kept(building, "orders.json"), "orders": _orders(building, world)},
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        await load_shop(building.engine, folder)


def _orders(building: Building, world: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the orders with their owners' ids; a case names a demo customer by login."""
    shop = building.pack.folder / "shop"
    return [
        {**row, "owner": customer_named(str(row["owner"]), shop=shop)}
        for row in world.get("orders", {}).values()
    ]


def _kept(building: Building, name: str) -> dict[str, Any]:
    """Return what the pack's file says beside its rows, such as categories and refund terms."""
    path = building.pack.folder / "shop" / name
    if not path.exists():
        return {}
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def _day(text: Any) -> date | None:
    return date.fromisoformat(str(text)) if text else None
