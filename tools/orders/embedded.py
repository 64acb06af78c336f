"""The order system of the embedded shop: SQLite or PostgreSQL through one engine.

Every statement on a customer's data has the owner in its WHERE. A write is one transaction whose first
statement takes the key: of ten equal calls one does the work and nine read what it did.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tools import tables as t
from tools.address import Address, from_arguments
from tools.context import CustomerId, OrderId
from tools.errors import NotFound, Rejected, Unavailable
from tools.orders import rules
from tools.orders.match import codes_in, prefix, query_stems, ranked
from tools.orders.port import CANCELLABLE, Effect, Fact, Order, PaymentMethod, Product, Proposal
from tools.orders.rows import kopecks, order_of, product_of
from tools.orders.unoffered import Unoffered
from tools.proposal import admit, in_time, same_as_before


class EmbeddedOrders(Unoffered):
    """`Orders` over the tables of `tools.tables`; `now` is the shop's own clock and returns aware moments."""

    def __init__(
        self, engine: AsyncEngine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._now = now

    async def get(self, order_id: OrderId, *, owner: CustomerId) -> Order:
        async with self._reading() as connection:
            return await self._one(connection, order_id, owner=owner)

    async def list(self, *, owner: CustomerId, limit: int = 10) -> tuple[Order, ...]:
        newest = (t.orders.c.active.desc(), t.orders.c.placed.desc(), t.orders.c.id)
        query = _orders(t.orders.c.owner == owner).order_by(*newest).limit(limit)
        async with self._reading() as connection:
            return await self._assembled(connection, query, owner=owner)

    async def products(self, text: str, *, limit: int = 5) -> tuple[Product, ...]:
        async with self._reading() as connection:
            named = await self._named(connection, codes_in(text))
            if named:
                return await self._catalogue(connection, named[:limit])
            asked = query_stems(text)
            if not asked:
                return ()
            like = or_(*(t.products.c.words.contains(f" {prefix(stem)}", autoescape=True) for stem in asked))
            rows = await connection.execute(select(t.products.c.code, t.products.c.words).where(like))
            candidates = {row.code: row.words.split() for row in rows}
            total = await connection.scalar(select(func.count()).select_from(t.products))
            best = ranked(asked, candidates, total=int(total or 0))
            return await self._catalogue(connection, best[:limit])

    async def product(self, code: str) -> Product:
        async with self._reading() as connection:
            named = await self._named(connection, codes_in(code))
            if not named:
                raise NotFound()
            return (await self._catalogue(connection, named[:1]))[0]

    async def propose_cancel(self, order_id: OrderId, *, owner: CustomerId, reason: str) -> Proposal:
        async with self._reading() as connection:
            order = await self._one(connection, order_id, owner=owner)
            terms = await self._terms(connection)
        return rules.cancellation(order, reason=reason, terms=terms, now=self._now())

    async def propose_address(
        self, order_id: OrderId, *, owner: CustomerId, new_address: Address
    ) -> Proposal:
        return rules.relocation(
            await self.get(order_id, owner=owner), new_address=new_address, now=self._now()
        )

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        admit(proposal, owner=owner, kinds=rules.KINDS)
        now = self._now()
        try:
            async with _answering(), self._engine.begin() as connection:
                await self._claim(connection, proposal, owner=owner, key=key, now=now)
                in_time(proposal, now=now)
                await self._perform(connection, proposal, owner=owner, now=now)
        except _Claimed:
            return await self._earlier(proposal, owner=owner, key=key)
        return Effect(proposal=proposal, state="done", facts=dict(proposal.facts))

    # Writing. -----------------------------------------------------------------------------------------------

    async def _claim(
        self, connection: AsyncConnection, proposal: Proposal, *, owner: CustomerId, key: str, now: datetime
    ) -> None:
        row = {"key": key, "proposal": proposal.id, "tool": proposal.tool, "owner": owner, "at": now}
        row |= {"digest": proposal.digest, "facts": dict(proposal.facts)}
        try:
            await connection.execute(insert(t.effects).values(**row))
        except IntegrityError as taken:
            raise _Claimed() from taken

    async def _perform(
        self, connection: AsyncConnection, proposal: Proposal, *, owner: CustomerId, now: datetime
    ) -> None:
        # The UPDATE is the lock and the check in one: whoever changed the order first leaves nothing to match.
        order_id = OrderId(proposal.arguments["order_id"])
        cancelling = proposal.tool == rules.CANCEL
        values: dict[str, Any] = {"status": "cancelled", "active": 0} if cancelling else {}
        unchanged = (_own(order_id, owner), t.orders.c.version == int(proposal.version))
        open_still = t.orders.c.status.in_(sorted(CANCELLABLE))
        change = update(t.orders).where(*unchanged, open_still)
        done = await connection.execute(change.values(version=t.orders.c.version + 1, **values))
        if done.rowcount != 1:
            raise Rejected("changed")
        if cancelling:
            await self._give_back(connection, order_id, owner=owner, now=now, proposal=proposal)
        else:
            await self._move(connection, order_id, owner=owner, proposal=proposal)
        note = proposal.arguments.get("reason", "")
        event = {
            "id": f"{proposal.id}-event",
            "order_id": order_id,
            "at": now,
            "kind": proposal.tool,
            "note": note,
        }
        await connection.execute(insert(t.events).values(**event))

    async def _move(
        self, connection: AsyncConnection, order_id: OrderId, *, owner: CustomerId, proposal: Proposal
    ) -> None:
        address = from_arguments(proposal.arguments)
        row = {"id": proposal.id, "owner": owner, "line": address.line, "city": address.city}
        await connection.execute(insert(t.addresses).values(**row, postcode=address.postcode))
        await connection.execute(update(t.orders).where(_own(order_id, owner)).values(address=proposal.id))

    async def _give_back(
        self,
        connection: AsyncConnection,
        order_id: OrderId,
        *,
        owner: CustomerId,
        now: datetime,
        proposal: Proposal,
    ) -> None:
        order = await self._one(connection, order_id, owner=owner)
        refund = rules.refund_of(order, terms=await self._terms(connection), now=now)
        if refund is not None:
            row = {
                "id": f"{proposal.id}-refund",
                "order_id": order_id,
                "amount": kopecks(refund.amount),
                "method": refund.method,
                "masked": refund.masked,
                "state": refund.state,
                "created": now,
                "days_min": refund.days_min,
                "days_max": refund.days_max,
            }
            await connection.execute(insert(t.refunds).values(**row))
            mine = t.payments.c.order_id.in_(select(t.orders.c.id).where(_own(order_id, owner)))
            await connection.execute(update(t.payments).where(mine).values(state="refunded"))
        # In the order of codes, so that two cancellations never wait for each other in a circle.
        for item in sorted(order.items, key=lambda item: item.code):
            back = update(t.variants).where(t.variants.c.code == item.code)
            await connection.execute(back.values(stock=t.variants.c.stock + item.quantity))

    async def _earlier(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        mine = select(t.effects.c.digest, t.effects.c.facts).where(
            t.effects.c.key == key, t.effects.c.owner == owner
        )
        async with self._reading() as connection:
            row = (await connection.execute(mine)).one_or_none()
        if row is None:
            raise Rejected("key_reused")
        same_as_before(proposal, digest=row.digest)
        facts: dict[str, Fact] = row.facts
        return Effect(proposal=proposal, state="already_done", facts=facts)

    # Reading. -----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        async with _answering(), self._engine.connect() as connection:
            yield connection

    async def _one(self, connection: AsyncConnection, order_id: OrderId, *, owner: CustomerId) -> Order:
        found = await self._assembled(connection, _orders(_own(order_id, owner)), owner=owner)
        if not found:
            raise NotFound()
        return found[0]

    async def _assembled(
        self, connection: AsyncConnection, query: Select[Any], *, owner: CustomerId
    ) -> tuple[Order, ...]:
        heads = (await connection.execute(query)).mappings().all()
        if not heads:
            return ()
        ids = [head["id"] for head in heads]
        mine = t.orders.c.owner == owner
        items = select(t.items).join(t.orders).where(mine, t.items.c.order_id.in_(ids)).order_by(t.items.c.n)
        back = (
            select(t.refunds)
            .join(t.orders)
            .where(mine, t.refunds.c.order_id.in_(ids))
            .order_by(t.refunds.c.created)
        )
        lines = (await connection.execute(items)).mappings().all()
        refunds = (await connection.execute(back)).mappings().all()
        return tuple(order_of(head, items=_of(head, lines), refunds=_of(head, refunds)) for head in heads)

    async def _terms(self, connection: AsyncConnection) -> dict[PaymentMethod, rules.RefundDays]:
        rows = await connection.execute(select(t.methods))
        return {row.method: rules.RefundDays(min=row.days_min, max=row.days_max) for row in rows}

    async def _named(self, connection: AsyncConnection, codes: Sequence[str]) -> tuple[str, ...]:
        if not codes:
            return ()
        by_variant = select(t.variants.c.product).where(t.variants.c.code.in_(codes))
        hit = or_(t.products.c.code.in_(codes), t.products.c.code.in_(by_variant))
        rows = await connection.execute(select(t.products.c.code).where(hit).order_by(t.products.c.code))
        return tuple(row.code for row in rows)

    async def _catalogue(self, connection: AsyncConnection, codes: Sequence[str]) -> tuple[Product, ...]:
        """Return the products in the order of `codes`."""
        if not codes:
            return ()
        heads = (
            (await connection.execute(select(t.products).where(t.products.c.code.in_(codes))))
            .mappings()
            .all()
        )
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
            for head in heads
        }
        return tuple(by_code[code] for code in codes)


class _Claimed(Exception):
    """The key is in the table already."""


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as silent:
        raise Unavailable(str(silent.orig)) from silent


def _own(order_id: OrderId, owner: CustomerId) -> ColumnElement[bool]:
    return (t.orders.c.id == order_id) & (t.orders.c.owner == owner)


def _orders(where: ColumnElement[bool]) -> Select[Any]:
    a, p, f = t.addresses.c, t.payments.c, t.fulfilments.c
    joined = (
        t.orders.join(t.addresses, a.id == t.orders.c.address)
        .join(t.payments, p.order_id == t.orders.c.id)
        .join(t.fulfilments, f.order_id == t.orders.c.id)
    )
    columns = (
        *t.orders.c,
        *(column.label(f"address_{column.name}") for column in (a.line, a.city, a.postcode)),
        *(column.label(f"payment_{column.name}") for column in (p.method, p.state, p.amount, p.masked, p.at)),
        *(column.label(f"parcel_{column.name}") for column in f if column.name != "order_id"),
    )
    return select(*columns).select_from(joined).where(where)


def _of(head: RowMapping, rows: Sequence[RowMapping]) -> list[RowMapping]:
    return [row for row in rows if row["order_id"] == head["id"]]
