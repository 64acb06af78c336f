"""The statements that read the shop's tables. Every one on a customer's data has the owner in its WHERE."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, RowMapping, Select, Table, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tools import tables as t
from tools.context import CustomerId, OrderId
from tools.errors import NotFound
from tools.orders.match import codes_in, prefix, query_stems, ranked
from tools.orders.port import Order, PaymentMethod, Product, SavedMethod
from tools.orders.rows import order_of, product_of, saved_of
from tools.orders.rules import RefundDays

RETURN_DAYS = "return_days"
_NEWEST = (t.orders.c.active.desc(), t.orders.c.placed.desc(), t.orders.c.id)


def own(order_id: OrderId, owner: CustomerId) -> ColumnElement[bool]:
    return (t.orders.c.id == order_id) & (t.orders.c.owner == owner)


def of_own(table: Table, order_id: OrderId, owner: CustomerId) -> ColumnElement[bool]:
    """Return the rows of a table that belong to the order, if the order is the owner's."""
    return table.c.order_id.in_(select(t.orders.c.id).where(own(order_id, owner)))


async def one(connection: AsyncConnection, order_id: OrderId, *, owner: CustomerId) -> Order:
    """Return the order; `NotFound` unless it is the owner's."""
    found = await _assembled(connection, _by_number(), {"order_id": order_id, "owner": owner})
    if not found:
        raise NotFound()
    return found[0]


async def newest(connection: AsyncConnection, *, owner: CustomerId, limit: int) -> tuple[Order, ...]:
    """Return up to `limit` of the owner's orders, those under way first."""
    return await _assembled(connection, _by_age(), {"owner": owner, "limit": limit})


async def saved_methods(connection: AsyncConnection, *, owner: CustomerId) -> tuple[SavedMethod, ...]:
    rows = await connection.execute(select(t.saved).where(t.saved.c.owner == owner).order_by(t.saved.c.id))
    return tuple(saved_of(row) for row in rows.mappings())


async def terms(connection: AsyncConnection) -> dict[PaymentMethod, RefundDays]:
    rows = await connection.execute(select(t.methods))
    return {row.method: RefundDays(min=row.days_min, max=row.days_max) for row in rows}


async def setting(connection: AsyncConnection, name: str) -> int | None:
    """Return a figure of the shop's own, None where the shop has none."""
    return await connection.scalar(select(t.settings.c.value).where(t.settings.c.name == name))


async def fitting(connection: AsyncConnection, text: str, *, limit: int) -> tuple[Product, ...]:
    """Return the products that a text names by code or fits in words, best first."""
    codes = await named(connection, codes_in(text))
    if codes:
        return await catalogue(connection, codes[:limit])
    asked = query_stems(text)
    if not asked:
        return ()
    like = or_(*(t.products.c.words.contains(f" {prefix(stem)}", autoescape=True) for stem in asked))
    rows = await connection.execute(select(t.products.c.code, t.products.c.words).where(like))
    candidates = {row.code: row.words.split() for row in rows}
    total = await connection.scalar(select(func.count()).select_from(t.products))
    best = ranked(asked, candidates, total=int(total or 0))
    return await catalogue(connection, best[:limit])


async def named(connection: AsyncConnection, codes: Sequence[str]) -> tuple[str, ...]:
    """Return the codes of the products that have one of these codes, or a variant of it."""
    if not codes:
        return ()
    by_variant = select(t.variants.c.product).where(t.variants.c.code.in_(codes))
    hit = or_(t.products.c.code.in_(codes), t.products.c.code.in_(by_variant))
    rows = await connection.execute(select(t.products.c.code).where(hit).order_by(t.products.c.code))
    return tuple(row.code for row in rows)


async def catalogue(connection: AsyncConnection, codes: Sequence[str]) -> tuple[Product, ...]:
    """Return the products that are there, in the order of `codes`."""
    if not codes:
        return ()
    heads = await connection.execute(select(t.products).where(t.products.c.code.in_(codes)))
    kinds = select(t.variants).where(t.variants.c.product.in_(codes)).order_by(t.variants.c.n)
    said = select(t.reviews).where(t.reviews.c.product.in_(codes)).order_by(t.reviews.c.n)
    variants = (await connection.execute(kinds)).mappings().all()
    reviews = (await connection.execute(said)).mappings().all()
    by_code = {
        head["code"]: product_of(
            head,
            variants=[row for row in variants if row["product"] == head["code"]],
            reviews=[row for row in reviews if row["product"] == head["code"]],
        )
        for head in heads.mappings()
    }
    return tuple(by_code[code] for code in codes if code in by_code)


async def _assembled(
    connection: AsyncConnection, query: Select[Any], asked: Mapping[str, Any]
) -> tuple[Order, ...]:
    heads = (await connection.execute(query, asked)).mappings().all()
    if not heads:
        return ()
    mine = {"owner": asked["owner"], "ids": [head["id"] for head in heads]}
    items, refunds, history, parcels = [
        (await connection.execute(parts, mine)).mappings().all() for parts in _parts()
    ]
    return tuple(
        order_of(
            head,
            items=_of(head, items),
            refunds=_of(head, refunds),
            history=_of(head, history),
            parcels=_of(head, parcels),
        )
        for head in heads
    )


# To build a statement takes as long as to run it, so those of every look-up are built once.


@cache
def _parts() -> tuple[Select[Any], ...]:
    """Return the statements of items, refunds, history and parcels of orders `ids` of `owner`, each in order."""
    known = ((t.items, t.items.c.n), (t.refunds, t.refunds.c.created), (t.history, t.history.c.n))
    mine = t.orders.c.owner == bindparam("owner")
    return tuple(
        select(table)
        .join(t.orders)
        .where(mine & table.c.order_id.in_(bindparam("ids", expanding=True)))
        .order_by(by)
        for table, by in (*known, (t.parcels, t.parcels.c.n))
    )


@cache
def _by_number() -> Select[Any]:
    return orders_where((t.orders.c.id == bindparam("order_id")) & (t.orders.c.owner == bindparam("owner")))


@cache
def _by_age() -> Select[Any]:
    mine = orders_where(t.orders.c.owner == bindparam("owner"))
    return mine.order_by(*_NEWEST).limit(bindparam("limit", type_=Integer))


def orders_where(where: ColumnElement[bool]) -> Select[Any]:
    """Return the statement of whole rows that `order_of` reads: whose orders is the caller's to say."""
    a, p, f, r = t.addresses.c, t.payments.c, t.fulfilments.c, t.requests.c
    joined = (
        t.orders.join(t.addresses, a.id == t.orders.c.address)
        .join(t.payments, p.order_id == t.orders.c.id)
        .join(t.fulfilments, f.order_id == t.orders.c.id)
        .outerjoin(t.requests, r.order_id == t.orders.c.id)
    )
    columns = (
        *t.orders.c,
        *(column.label(f"address_{column.name}") for column in a if column.name not in ("id", "owner")),
        *(column.label(f"payment_{column.name}") for column in p if column.name != "order_id"),
        *(column.label(f"parcel_{column.name}") for column in f if column.name != "order_id"),
        *(column.label(f"request_{column.name}") for column in r if column.name != "order_id"),
    )
    return select(*columns).select_from(joined).where(where)


def _of(head: RowMapping, rows: Sequence[RowMapping]) -> list[RowMapping]:
    return [row for row in rows if row["order_id"] == head["id"]]
