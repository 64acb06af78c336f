"""Writes a crowd into a migrated database through the driver itself: a shop's own loading would take hours for it."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from random import Random
from typing import Any

from sqlalchemy import Table, create_engine, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from api.bench.tools.crowd import Crowd, Row, Rows, Sold
from api.bench.tools.goods import catalogue
from tools import tables as t
from tools.shop import fill
from tools.shop_files import Shop

BATCH = 10_000
KEPT = 50_000
"""Orders remembered to be asked for: more would be the bench's own memory."""
TABLES = {
    name.removeprefix("shop_"): table for name, table in t.metadata.tables.items() if name.startswith("shop_")
}
FAST = ("journal_mode=MEMORY", "synchronous=OFF", "cache_size=-262144")
"""SQLite while it is filled: nothing is lost if the machine stops, for nothing is there yet."""
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What was written: rows of all tables, and some of the orders, in an order drawn by lot."""

    rows: int
    sold: tuple[Sold, ...]


async def fill_crowd(
    engine: AsyncEngine, shop: Shop, *, customers: int, orders: int, products: int, tell: Tell
) -> Filled:
    """Fill an empty migrated shop: `shop` gives the terms and the goods; `tell` gets (done, all) orders."""
    goods = catalogue(shop.products, size=products)
    terms = Shop(customers=(), products=goods, orders=(), terms=shop.terms, return_days=shop.return_days)
    await fill(engine, terms)
    await engine.dispose()  # the file is filled by one connection alone
    url = engine.url.render_as_string(hide_password=False)
    zone = "" if engine.dialect.name == "sqlite" else "+00"
    crowd = Crowd(goods, customers=customers, now=datetime.now(UTC), zone=zone)
    return await asyncio.to_thread(_write, url, crowd, orders=orders, tell=tell)


def _write(url: str, crowd: Crowd, *, orders: int, tell: Tell) -> Filled:
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    engine = create_engine(parsed.set(drivername="sqlite" if sqlite else "postgresql+psycopg"))
    rows, every = 0, max(1, orders // KEPT)
    kept: list[Sold] = []
    try:
        with closing(engine.raw_connection()) as connection:
            cursor = connection.cursor()
            put = _insert if sqlite else _copy
            for pragma in FAST if sqlite else ():
                cursor.execute(f"PRAGMA {pragma}")
            for batch in crowd.people(batch=BATCH):
                rows += _put(put, cursor, batch)
                connection.commit()
            for n, (batch, sold) in enumerate(crowd.sales(orders, batch=BATCH), start=1):
                rows += _put(put, cursor, batch)
                connection.commit()
                kept += sold[::every]
                tell(min(n * BATCH, orders), orders)
            if not sqlite:
                # A server does it by itself within minutes; a file's planner needs no such counts here.
                cursor.execute("ANALYZE")
                connection.commit()
    finally:
        engine.dispose()
    Random(1).shuffle(kept)
    return Filled(rows=rows, sold=tuple(kept))


def _put(put: Callable[[Any, Table, Iterable[tuple[Any, ...]]], None], cursor: Any, batch: Rows) -> int:
    for name, found in batch.items():
        table = TABLES[name]
        put(cursor, table, map(_values(table), found))
    return sum(map(len, batch.values()))


def _values(table: Table) -> Callable[[Row], tuple[Any, ...]]:
    return itemgetter(*(column.name for column in table.c))


def _insert(cursor: Any, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" for _ in table.c)
    cursor.executemany(f"INSERT INTO {table.name} ({_columns(table)}) VALUES ({marks})", rows)


def _copy(cursor: Any, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY {table.name} ({_columns(table)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.c)
