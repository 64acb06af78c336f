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
from tools.crm.port import Customer
from tools.orders.match import words_of
from tools.orders.port import ACTIVE, Order, Product
from tools.orders.rows import kopecks
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
    shop = read_shop(folder, now=now)
    async with engine.begin() as connection:
        customers = await _absent(connection, t.customers, "id", [_customer_row(c) for c in shop.customers])
        products = await _absent(connection, t.products, "code", [_product_row(p) for p in shop.products])
        orders = await _absent(connection, t.orders, "id", [_order_row(o) for o in shop.orders])
        methods = [
            {"method": name, "days_min": days.min, "days_max": days.max} for name, days in shop.terms.items()
        ]
        await _add(connection, t.methods, await _absent(connection, t.methods, "method", methods))
        await _add(connection, t.customers, customers)
        await _add_products(connection, shop.products, products)
        await _add_orders(connection, shop.orders, orders)
    return Loaded(customers=len(customers), products=len(products), orders=len(orders))


async def standing(engine: AsyncEngine) -> dict[str, str]:
    """Return how every order stands, by its number: status, version, address, and the writes recorded for it."""
    columns = (t.orders.c.status, t.orders.c.version, t.orders.c.address)
    async with engine.connect() as connection:
        orders = await connection.execute(select(t.orders.c.id, *columns))
        told = {row[0]: " ".join(map(str, row[1:])) for row in orders}
        for event in await connection.execute(
            select(t.events.c.order_id, t.events.c.id).order_by(t.events.c.id)
        ):
            told[event.order_id] = f"{told[event.order_id]} {event.id}"
    return told


async def _absent(connection: AsyncConnection, table: Table, key: str, rows: list[Row]) -> list[Row]:
    held = set(await connection.scalars(select(table.c[key])))
    return [row for row in rows if row[key] not in held]


async def _add(connection: AsyncConnection, table: Table, rows: Iterable[Row]) -> None:
    found = list(rows)
    if found:
        await connection.execute(insert(table), found)


async def _add_products(connection: AsyncConnection, products: Sequence[Product], new: Sequence[Row]) -> None:
    codes = {row["code"] for row in new}
    fresh = [product for product in products if product.code in codes]
    await _add(connection, t.products, new)
    await _add(connection, t.variants, (row for product in fresh for row in _variant_rows(product)))
    await _add(connection, t.reviews, (row for product in fresh for row in _review_rows(product)))


async def _add_orders(connection: AsyncConnection, orders: Sequence[Order], new: Sequence[Row]) -> None:
    ids = {row["id"] for row in new}
    fresh = [order for order in orders if order.id in ids]
    await _add(connection, t.addresses, (_address_row(order) for order in fresh))
    await _add(connection, t.orders, new)
    await _add(connection, t.items, (row for order in fresh for row in _item_rows(order)))
    await _add(connection, t.payments, (_payment_row(order) for order in fresh))
    await _add(connection, t.fulfilments, (_fulfilment_row(order) for order in fresh))
    await _add(connection, t.refunds, (row for order in fresh for row in _refund_rows(order)))
    await _add(connection, t.events, (row for order in fresh for row in _event_rows(order)))


def _customer_row(customer: Customer) -> Row:
    fields = ("id", "login", "name", "email", "phone", "language", "city", "points")
    row = {name: getattr(customer, name) for name in fields}
    level = customer.level or Bilingual(ru="", en="")
    return row | {"level_ru": level.ru, "level_en": level.en, "points": customer.points or 0}


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
    }


def _address_row(order: Order) -> Row:
    address = order.address
    place = {"line": address.line, "city": address.city, "postcode": address.postcode}
    return {"id": f"{order.id}-address", "owner": order.owner, **place}


def _item_rows(order: Order) -> list[Row]:
    return [
        {
            "id": f"{order.id}#{n}",
            "order_id": order.id,
            "n": n,
            "code": item.code,
            "title_ru": item.title.ru,
            "title_en": item.title.en,
            "quantity": item.quantity,
            "price": kopecks(item.price),
        }
        for n, item in enumerate(order.items, start=1)
    ]


def _payment_row(order: Order) -> Row:
    paid = order.payment
    row = {"order_id": order.id, "method": paid.method, "state": paid.state}
    return row | {"amount": kopecks(paid.amount), "masked": paid.masked, "at": paid.at}


def _fulfilment_row(order: Order) -> Row:
    parcel = order.fulfilment
    fields = ("method", "carrier", "tracking", "shipped", "eta", "delivered")
    return {"order_id": order.id} | {name: getattr(parcel, name) for name in fields}


def _refund_rows(order: Order) -> list[Row]:
    fields = ("method", "masked", "state", "created", "days_min", "days_max")
    return [
        {"id": f"{order.id}-refund-{n}", "order_id": order.id, "amount": kopecks(refund.amount)}
        | {name: getattr(refund, name) for name in fields}
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
