"""The embedded shop filled from its files, once: what customers changed since is never written over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tools import tables as t
from tools.bilingual import Bilingual
from tools.contacts import dialled
from tools.context import CustomerId
from tools.crm.port import Customer
from tools.folding import folded
from tools.orders.match import words_of
from tools.orders.port import ACTIVE, Order, Product, SavedMethod
from tools.orders.queries import RETURN_DAYS
from tools.orders.rows import (
    address_row,
    history_row,
    item_row,
    kopecks,
    payment_row,
    refund_row,
    request_row,
)
from tools.shop_files import Shop as Shop
from tools.shop_files import read_shop as read_shop
from tools.tables import create_tables as create_tables

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """How many rows one loading added; zeros when everything was there."""

    customers: int
    products: int
    orders: int


async def load_shop(engine: AsyncEngine, folder: Path | str, *, now: datetime | None = None) -> Loaded:
    """Add what the tables do not hold yet, in one transaction; what is there, and may have changed, is left alone."""
    return await fill(engine, read_shop(folder, now=now))


async def fill(engine: AsyncEngine, shop: Shop) -> Loaded:
    """Add what the tables do not hold of a shop, in one transaction."""
    async with engine.begin() as connection:
        customers = await _absent(connection, t.customers, "id", [_customer_row(c) for c in shop.customers])
        products = await _absent(connection, t.products, "code", [_product_row(p) for p in shop.products])
        orders = await _absent(connection, t.orders, "id", [_order_row(o) for o in shop.orders])
        methods = [
            {"method": name, "days_min": days.min, "days_max": days.max} for name, days in shop.terms.items()
        ]
        await _add(connection, t.methods, await _absent(connection, t.methods, "method", methods))
        figures = [{"name": RETURN_DAYS, "value": shop.return_days}] if shop.return_days is not None else []
        await _add(connection, t.settings, await _absent(connection, t.settings, "name", figures))
        await _add(connection, t.customers, customers)
        await _add_belongings(connection, shop)
        await _add_products(connection, shop.products, products)
        await _add_orders(connection, shop.orders, orders)
    return Loaded(customers=len(customers), products=len(products), orders=len(orders))


async def standing(engine: AsyncEngine) -> dict[str, str]:
    """Return how every order stands by its number, and which address is a customer's home by `home:ID`.

    Of an order: status, version, address, and the writes recorded for it.
    """
    columns = (t.orders.c.status, t.orders.c.version, t.orders.c.address)
    async with engine.connect() as connection:
        orders = await connection.execute(select(t.orders.c.id, *columns))
        told = {row[0]: " ".join(map(str, row[1:])) for row in orders}
        for event in await connection.execute(
            select(t.events.c.order_id, t.events.c.id).order_by(t.events.c.id)
        ):
            told[event.order_id] = f"{told[event.order_id]} {event.id}"
        homes = await connection.execute(select(t.homes.c.owner, t.homes.c.address))
        told |= {f"home:{row.owner}": row.address for row in homes}
    return told


async def _absent(connection: AsyncConnection, table: Table, key: str, rows: list[Row]) -> list[Row]:
    held = set(await connection.scalars(select(table.c[key])))
    return [row for row in rows if row[key] not in held]


async def _add(connection: AsyncConnection, table: Table, rows: Iterable[Row]) -> None:
    found = list(rows)
    if found:
        await connection.execute(insert(table), found)


async def _add_belongings(connection: AsyncConnection, shop: Shop) -> None:
    """Add addresses and ways to pay, to customers of an older loading too."""
    homes = [{"owner": c.id, "address": f"{c.id}-home"} for c in shop.customers if c.address is not None]
    new = await _absent(connection, t.homes, "owner", homes)
    owners = {row["owner"] for row in new}
    places = [
        address_row(c.address, name=f"{c.id}-home", owner=c.id)
        for c in shop.customers
        if c.address is not None and c.id in owners
    ]
    await _add(connection, t.addresses, places)
    await _add(connection, t.homes, new)
    kept = [_saved_row(owner, one) for owner, methods in shop.methods.items() for one in methods]
    await _add(connection, t.saved, await _absent(connection, t.saved, "id", kept))


async def _add_products(connection: AsyncConnection, products: Sequence[Product], new: Sequence[Row]) -> None:
    codes = {row["code"] for row in new}
    fresh = [product for product in products if product.code in codes]
    await _add(connection, t.products, new)
    await _add(connection, t.variants, (row for product in fresh for row in _variant_rows(product)))
    await _add(connection, t.reviews, (row for product in fresh for row in _review_rows(product)))


async def _add_orders(connection: AsyncConnection, orders: Sequence[Order], new: Sequence[Row]) -> None:
    ids = {row["id"] for row in new}
    fresh = [order for order in orders if order.id in ids]
    places = [address_row(o.address, name=f"{o.id}-address", owner=o.owner) for o in fresh]
    await _add(connection, t.addresses, places)
    await _add(connection, t.orders, new)
    lines = [item_row(o.id, n, item) for o in fresh for n, item in enumerate(o.items, start=1)]
    await _add(connection, t.items, lines)
    await _add(connection, t.payments, ({"order_id": o.id, **payment_row(o.payment)} for o in fresh))
    entries = [history_row(o.id, n, entry) for o in fresh for n, entry in enumerate(o.history, start=1)]
    await _add(connection, t.history, entries)
    await _add(connection, t.fulfilments, (_fulfilment_row(order) for order in fresh))
    await _add(connection, t.parcels, (row for order in fresh for row in _parcel_rows(order)))
    asked = (request_row(order, at=order.placed) for order in fresh)
    await _add(connection, t.requests, (row for row in asked if row is not None))
    await _add(connection, t.refunds, (row for order in fresh for row in _refund_rows(order)))
    await _add(connection, t.events, (row for order in fresh for row in _event_rows(order)))


def _customer_row(customer: Customer) -> Row:
    fields = ("id", "login", "name", "email", "phone", "language", "city", "points")
    row = {name: getattr(customer, name) for name in fields}
    row |= {"email_key": folded(customer.email), "name_key": folded(customer.name)}
    row |= {"phone_key": dialled(customer.phone)[:32]}
    level = customer.level or Bilingual(ru="", en="")
    return row | {"level_ru": level.ru, "level_en": level.en, "points": customer.points or 0}


def _saved_row(owner: CustomerId, kept: SavedMethod) -> Row:
    row = {name: getattr(kept, name) for name in ("id", "method", "brand", "masked")}
    balance = kopecks(kept.balance) if kept.balance is not None else None
    return row | {"owner": owner, "balance": balance}


def _product_row(product: Product) -> Row:
    return {
        "code": product.code,
        "category": product.category,
        "title_ru": product.title.ru,
        "title_en": product.title.en,
        "category_ru": product.category_title.ru,
        "category_en": product.category_title.en,
        "attributes": dict(product.attributes),
        "words": f" {' '.join(words_of(product))} ",
    }


def _variant_rows(product: Product) -> list[Row]:
    return [
        {
            "code": variant.code,
            "product": product.code,
            "n": n,
            "title_ru": variant.title.ru,
            "title_en": variant.title.en,
            "price": kopecks(variant.price),
            "stock": variant.stock,
            "options": dict(variant.options),
            "tracked": variant.tracked,
        }
        for n, variant in enumerate(product.variants, start=1)
    ]


def _review_rows(product: Product) -> list[Row]:
    fields = ("rating", "text", "language", "author", "day")
    return [
        {"id": f"{product.code}#{n}", "product": product.code, "n": n}
        | {name: getattr(review, name) for name in fields}
        for n, review in enumerate(product.reviews, start=1)
    ]


def _order_row(order: Order) -> Row:
    return {
        "id": order.id,
        "owner": order.owner,
        "status": order.status,
        "active": int(order.status in ACTIVE),
        "placed": order.placed,
        "version": int(order.version),
        "delivery_price": kopecks(order.delivery_price),
        "total": kopecks(order.total),
        "currency": order.currency,
        "address": f"{order.id}-address",
        "cancel_reason": order.cancel_reason,
    }


def _fulfilment_row(order: Order) -> Row:
    parcel = order.fulfilment
    fields = ("method", "carrier", "tracking", "shipped", "eta", "delivered")
    return {"order_id": order.id} | {name: getattr(parcel, name) for name in fields}


def _parcel_rows(order: Order) -> list[Row]:
    return [
        {"order_id": order.id, "n": n, "tracking": list(parcel.tracking), "codes": list(parcel.codes)}
        for n, parcel in enumerate(order.parcels, start=1)
    ]


def _refund_rows(order: Order) -> list[Row]:
    return [
        {"id": f"{order.id}-refund-{n}", **refund_row(order.id, refund)}
        for n, refund in enumerate(order.refunds, start=1)
    ]


def _event_rows(order: Order) -> list[Row]:
    parcel = order.fulfilment
    known = {
        "placed": order.placed,
        "paid": order.payment.at,
        "shipped": parcel.shipped,
        "delivered": parcel.delivered,
    }
    return [
        {"id": f"{order.id}-{kind}", "order_id": order.id, "at": at, "kind": kind, "note": ""}
        for kind, at in known.items()
        if at is not None
    ]
