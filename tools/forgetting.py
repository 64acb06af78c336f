"""The embedded shop without one of its customers: what they bought stays in the books, who it was does not.

```
no order under way, or `whole` ─► the orders get a customer without name, address, login; everything else of theirs goes
an order under way             ─► nothing: it cannot be delivered to nobody
```
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tools import tables as t
from tools.context import CustomerId

NOBODY = "erased-"
"""How the ids of customers begin who stand for forgotten ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """`rows` by table of the shop; `under_way` are the orders because of which nothing was done."""

    rows: dict[str, int]
    under_way: tuple[str, ...] = ()


async def forget_customer(connection: AsyncConnection, customer: CustomerId, *, whole: bool) -> Forgotten:
    """Take a customer out of the embedded shop, inside the caller's transaction; one who is not there changes nothing.

    `whole`: even while orders are under way.
    """
    known = select(t.customers.c.language).where(t.customers.c.id == customer).with_for_update()
    language = (await connection.execute(known)).scalar_one_or_none()
    if language is None:
        return Forgotten(rows={})
    own = select(t.orders.c.id).where(t.orders.c.owner == customer)
    if not whole:
        under_way = tuple(await connection.scalars(own.where(t.orders.c.active > 0)))
        if under_way:
            return Forgotten(rows={}, under_way=under_way)
    orders = tuple(await connection.scalars(own))
    rows = {"shop_orders": len(orders)}
    if orders:
        nobody = await _nobody(connection, language)
        for order in orders:
            await _blank(connection, order, nobody)
    theirs: tuple[tuple[str, ColumnElement[bool]], ...] = (
        ("shop_effects", t.effects.c.owner == customer),
        ("shop_homes", t.homes.c.owner == customer),
        ("shop_saved", t.saved.c.owner == customer),
        ("shop_addresses", t.addresses.c.owner == customer),
        ("shop_customers", t.customers.c.id == customer),
    )
    for table, where in theirs:
        done = await connection.execute(delete(t.metadata.tables[table]).where(where))
        rows[table] = done.rowcount
    return Forgotten(rows=rows)


async def _nobody(connection: AsyncConnection, language: str) -> str:
    """Add a customer who stands for a forgotten one, with an address that says nothing; return the id of both."""
    id = f"{NOBODY}{secrets.token_hex(8)}"
    blank = dict.fromkeys(
        ("name", "email", "phone", "city", "level_ru", "level_en", "email_key", "name_key", "phone_key"), ""
    )
    await connection.execute(
        insert(t.customers).values(id=id, login=None, language=language, points=0, version=1, **blank)
    )
    await connection.execute(insert(t.addresses).values(id=id, owner=id, line=""))
    return id


async def _blank(connection: AsyncConnection, order: str, nobody: str) -> None:
    """Leave of an order what the books need: goods, amounts, days."""
    await connection.execute(
        update(t.orders)
        .where(t.orders.c.id == order)
        .values(owner=nobody, address=nobody, cancel_reason="", version=t.orders.c.version + 1)
    )
    for table in (t.payments, t.history, t.refunds):
        await connection.execute(update(table).where(table.c.order_id == order).values(masked="", saved=None))
    for table, blank in (
        (t.requests, {"saved": None}),
        (t.fulfilments, {"tracking": None}),
        (t.parcels, {"tracking": []}),
        (t.events, {"note": ""}),
    ):
        await connection.execute(update(table).where(table.c.order_id == order).values(**blank))
