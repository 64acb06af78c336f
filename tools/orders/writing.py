"""The statements that write what a confirmed proposal makes of an order: all in the caller's transaction.

```
lock ─► the order's version goes up, if it is as it was ─► read it, work out the `Change` ─► write the differences
```
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import case, delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tools import tables as t
from tools.address import Address
from tools.context import CustomerId, MethodId, OrderId
from tools.errors import Rejected
from tools.orders.changes import OPEN, Change
from tools.orders.port import ACTIVE, Order
from tools.orders.queries import of_own, own
from tools.orders.rows import (
    address_row,
    history_row,
    item_row,
    kopecks,
    payment_row,
    refund_row,
    request_row,
)
from tools.proposal import Proposal


async def lock(connection: AsyncConnection, proposal: Proposal, *, owner: CustomerId) -> OrderId:
    """Take the order for this transaction; `Rejected("changed")` when it is not as it was when the yes was asked.

    The UPDATE is the lock and the check in one: whoever changed the order first leaves nothing to match.
    """
    order_id = OrderId(proposal.arguments["order_id"])
    unchanged = (own(order_id, owner), t.orders.c.version == int(proposal.version))
    open_still = t.orders.c.status.in_(sorted(OPEN[proposal.tool]))
    raise_it = update(t.orders).where(*unchanged, open_still).values(version=t.orders.c.version + 1)
    if (await connection.execute(raise_it)).rowcount != 1:
        raise Rejected("changed")
    return order_id


async def write(
    connection: AsyncConnection, before: Order, change: Change, proposal: Proposal, *, now: datetime
) -> None:
    """Write everything in which the order, gift cards and the stock differ; raises as `Orders.execute`."""
    after = change.order
    await _head(connection, before, after, name=proposal.id)
    if after.items != before.items:
        await connection.execute(delete(t.items).where(of_own(t.items, after.id, after.owner)))
        rows = [item_row(after.id, n, item) for n, item in enumerate(after.items, start=1)]
        await connection.execute(insert(t.items), rows)
    if after.payment != before.payment:
        mine = of_own(t.payments, after.id, after.owner)
        await connection.execute(update(t.payments).where(mine).values(**payment_row(after.payment)))
    known = len(before.history)
    for n, entry in enumerate(after.history[known:], start=known + 1):
        await connection.execute(insert(t.history).values(**history_row(after.id, n, entry)))
    for refund in after.refunds[len(before.refunds) :]:
        row = {"id": f"{proposal.id}-refund", **refund_row(after.id, refund)}
        await connection.execute(insert(t.refunds).values(**row))
    asked = request_row(after, at=now)
    if asked is not None and (after.returning, after.exchanging) != (before.returning, before.exchanging):
        await connection.execute(insert(t.requests).values(**asked))
    await _settle(connection, change, owner=after.owner)
    await _note(connection, after, proposal, now=now)


async def _head(connection: AsyncConnection, before: Order, after: Order, *, name: str) -> None:
    values: dict[str, Any] = {}
    if after.address != before.address:
        await keep(connection, after.address, name=name, owner=after.owner)
        values["address"] = name
    if after.status != before.status:
        values |= {"status": after.status, "active": int(after.status in ACTIVE)}
    if after.total != before.total:
        values["total"] = kopecks(after.total)
    if after.cancel_reason != before.cancel_reason:
        values["cancel_reason"] = after.cancel_reason
    if values:
        await connection.execute(update(t.orders).where(own(after.id, after.owner)).values(**values))


async def keep(connection: AsyncConnection, address: Address, *, name: str, owner: CustomerId) -> None:
    """Add an address of the owner's."""
    await connection.execute(insert(t.addresses).values(**address_row(address, name=name, owner=owner)))


async def _settle(connection: AsyncConnection, change: Change, *, owner: CustomerId) -> None:
    # In the order of ids and codes, so that two customers' writes never wait for each other in a circle.
    for method in sorted(change.balances):
        await _pay(connection, method, change.balances[method], owner=owner)
    for code in sorted(change.stock):
        await _move(connection, code, change.stock[code])


async def _pay(connection: AsyncConnection, method: MethodId, more: Decimal, *, owner: CustomerId) -> None:
    card = t.saved.c
    enough = card.balance + kopecks(more) >= 0
    mine = update(t.saved).where(card.id == method, card.owner == owner, enough)
    if (await connection.execute(mine.values(balance=card.balance + kopecks(more)))).rowcount != 1:
        raise Rejected("gift_card_short")


async def _move(connection: AsyncConnection, code: str, pieces: int) -> None:
    kind = t.variants.c
    moved = case((kind.tracked, kind.stock + pieces), else_=kind.stock)
    change = update(t.variants).where(kind.code == code, moved >= 0).values(stock=moved)
    # What is put back may have left the catalogue; what is taken must be there.
    if (await connection.execute(change)).rowcount != 1 and pieces < 0:
        raise Rejected("out_of_stock")


async def _note(connection: AsyncConnection, order: Order, proposal: Proposal, *, now: datetime) -> None:
    note = proposal.arguments.get("reason", "")
    event = {
        "id": f"{proposal.id}-event",
        "order_id": order.id,
        "kind": proposal.tool,
        "note": note,
        "at": now,
    }
    await connection.execute(insert(t.events).values(**event))
