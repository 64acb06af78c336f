"""`mayak bench tools`: what the tools cost over the systems behind them, and what a large embedded shop takes."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

from agent.pack import load_pack
from agent.records.engine import connect
from api.bench.process import folder_mib, machine
from api.bench.tools.bulk import Tell
from api.bench.tools.overhead import Overhead
from api.bench.tools.size import bench_size
from api.bench.tools.together import SECONDS, bench_together
from api.commands.progress import bar
from api.migrate import migrate
from api.settings import Settings
from tools.shop import fill
from tools.shop_files import Shop, read_shop

ROUNDS = 20
AIMS = {"look_up_ms": 5.0, "layer_ms": 5.0, "with_ledger_ms": 5.0}
"""Milliseconds at p95."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a shop is made, and how often each thing is asked of it."""

    customers: int
    orders: int
    products: int
    asked: int


async def bench_tools(settings: Settings, size: Size, *, postgres: str = "", quiet: bool) -> dict[str, Any]:
    """Return the figures: ms, MiB, seconds. `postgres` is the URL of a server where a database may be made."""
    pack = load_pack(settings.company)
    shop = read_shop(settings.company / "shop")
    with tempfile.TemporaryDirectory(prefix="mayak-tools-") as name:
        folder = Path(name)
        overhead = await _overhead(shop, pack, size.asked, folder / "small")
        together = await bench_together(shop, pack, rounds=min(ROUNDS, size.asked))
        large = {"sqlite": await _sqlite(shop, size, folder / "large", quiet=quiet)}
    if postgres:
        large["postgresql"] = await _postgres(shop, size, postgres, quiet=quiet)
    return {
        "machine": machine(),
        "calls": size.asked,
        "overhead": overhead,
        "together": dict(together),
        "customers": size.customers,
        "orders": size.orders,
        "products": size.products,
        "shop": large,
    }


def tools_table(figures: Mapping[str, Any]) -> str:
    """Return the figures for a terminal."""
    lines = [
        f"{figures['machine']}; {figures['calls']} calls of each kind, one after another; ms, p50 / p95 / max, mean of the processor's"
    ]
    for kind, told in figures["overhead"].items():
        for name, row in told.items():
            lines.append(_line(f"{kind}: {name}", row, aim=AIMS.get(name)))
    one = figures["together"]
    lines.append(
        f"three reads of {1000 * SECONDS:g} ms in one message: {one['three_ms']} ms, one alone {one['one_ms']} ms, ratio {one['ratio']}; "
        f"written down alike: {one['same_story']}, replayed alike: {one['replayed']}"
    )
    for database, told in figures["shop"].items():
        lines.append(
            f"{database}: {figures['customers']:,} customers, {figures['orders']:,} orders, {figures['products']:,} products; "
            f"{told['rows']:,} rows in {told['fill_s']} s, {told['disk_mib']:,} MiB, memory of asking {told['memory_mib']} MiB"
        )
        lines += [
            _line(name, row, aim=AIMS.get(name)) for name, row in told.items() if isinstance(row, Mapping)
        ]
    return "\n".join(lines)


def _line(name: str, row: Mapping[str, float], *, aim: float | None) -> str:
    told = " / ".join(f"{row.get(each, 0.0):>8.2f}" for each in ("p50", "p95", "max"))
    cpu = f"   cpu {row['cpu']:g}" if "cpu" in row else ""
    return f"{name:<26} {told}{cpu}" + (f"   (aim: p95 {aim:g})" if aim else "")


async def _overhead(shop: Shop, pack: Any, asked: int, folder: Path) -> Mapping[str, Any]:
    folder.mkdir()
    url = f"sqlite:///{folder / 'mayak.sqlite'}"
    await asyncio.to_thread(migrate, url)
    engine = connect(url)
    try:
        await fill(engine, shop)
        return await Overhead(engine, shop, pack).run(asked, folder=folder)
    finally:
        await engine.dispose()


async def _sqlite(shop: Shop, size: Size, folder: Path, *, quiet: bool) -> dict[str, Any]:
    folder.mkdir()
    told = await _large(shop, size, f"sqlite:///{folder / 'mayak.sqlite'}", quiet=quiet)
    return told | {"disk_mib": round(folder_mib(folder))}


async def _postgres(shop: Shop, size: Size, server: str, *, quiet: bool) -> dict[str, Any]:
    async with _database(server) as url:
        told = await _large(shop, size, url, quiet=quiet)
        return told | {"disk_mib": round(await asyncio.to_thread(_disk, url) / 2**20)}


async def _large(shop: Shop, size: Size, url: str, *, quiet: bool) -> dict[str, Any]:
    await asyncio.to_thread(migrate, url)
    engine = connect(url)
    tell: Tell
    try:
        with bar("Filling the shop", quiet=quiet) as tell:
            return await bench_size(
                engine,
                shop,
                customers=size.customers,
                orders=size.orders,
                products=size.products,
                asked=size.asked,
                tell=tell,
            )
    finally:
        await engine.dispose()


@asynccontextmanager
async def _database(server: str) -> AsyncIterator[str]:
    """Make a database on the server and drop it at the end."""
    url = make_url(server).set(drivername="postgresql+psycopg")
    name = f"mayak_bench_{uuid4().hex[:12]}"
    await asyncio.to_thread(
        _command, str(url.render_as_string(hide_password=False)), f"CREATE DATABASE {name}"
    )
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        drop = f"DROP DATABASE {name} WITH (FORCE)"
        await asyncio.to_thread(_command, str(url.render_as_string(hide_password=False)), drop)


def _command(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def _disk(url: str) -> int:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    finally:
        engine.dispose()
