"""The whole shop in the official form: for the harness, who alone may see everybody's things."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, Table, select, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from evals.tau.domain import Json
from evals.tau.retail.official import customer_json, order_json, product_json
from evals.tau.retail.quirks import Quirks
from tools import tables as t
from tools.context import OrderId
from tools.crm.embedded import customer_of, customers_where
from tools.orders.port import Order, Product, SavedMethod
from tools.orders.queries import orders_where
from tools.orders.rows import order_of, product_of, saved_of

Names = Mapping[str, Json]


async def exported(engine: AsyncEngine, *, names: Names, quirks: Quirks) -> dict[str, Json]:
    """Return the database; `names` are the customers' in their official parts, by customer."""
    async with engine.connect() as connection:
        products = await _products(connection)
        orders = await _orders(connection)
        saved = _grouped(await _rows(connection, t.saved, "id"), by="owner")
        people = [
            customer_of(row) for row in (await connection.execute(customers_where(true()))).mappings().all()
        ]
    titles = {product.code: product.title.en for product in products}
    placed: dict[str, list[OrderId]] = {}
    for order in sorted(orders, key=lambda order: order.placed):
        placed.setdefault(order.owner, []).append(order.id)
    users: dict[str, Json] = {}
    for person in people:
        methods: list[SavedMethod] = [saved_of(row) for row in saved.get(person.id, ())]
        told = customer_json(person, name=names[person.id], methods=methods, orders=placed.get(person.id, ()))
        users[person.id] = quirks.customer(told)
    shown: list[dict[str, Any]] = [quirks.order(order_json(order, names=titles)) for order in orders]
    return {
        "products": {product.code: product_json(product) for product in products},
        "users": users,
        "orders": {str(order["order_id"]): order for order in shown},
    }


async def _orders(connection: AsyncConnection) -> list[Order]:
    heads = (await connection.execute(orders_where(true()))).mappings().all()
    parts = {
        name: _grouped(await _rows(connection, table, key), by="order_id")
        for name, table, key in (
            ("items", t.items, "n"),
            ("refunds", t.refunds, "created"),
            ("history", t.history, "n"),
            ("parcels", t.parcels, "n"),
        )
    }
    return [
        order_of(head, **{name: found.get(head["id"], ()) for name, found in parts.items()}) for head in heads
    ]


async def _products(connection: AsyncConnection) -> list[Product]:
    variants = _grouped(await _rows(connection, t.variants, "n"), by="product")
    heads = await _rows(connection, t.products, "code")
    return [product_of(head, variants=variants.get(head["code"], ()), reviews=()) for head in heads]


async def _rows(connection: AsyncConnection, table: Table, key: str) -> Sequence[RowMapping]:
    return (await connection.execute(select(table).order_by(table.c[key]))).mappings().all()


def _grouped(rows: Sequence[RowMapping], *, by: str) -> dict[str, list[RowMapping]]:
    found: dict[str, list[RowMapping]] = {}
    for row in rows:
        found.setdefault(row[by], []).append(row)
    return found
