"""The order system of the embedded shop: SQLite or PostgreSQL through one engine.

Every statement on a customer's data has the owner in its WHERE. A write is one transaction whose first
statement takes the key: of ten equal calls one does the work and nine read what it did.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tools.address import Address
from tools.claims import Claimed, answering, claim, earlier
from tools.context import CustomerId, MethodId, OrderId
from tools.errors import NotFound
from tools.orders import queries, rules
from tools.orders.changes import carried_out
from tools.orders.match import codes_in
from tools.orders.port import Effect, Order, Product, Proposal, SavedMethod
from tools.orders.rules import Setting
from tools.orders.writing import lock, write
from tools.proposal import admit, in_time


class EmbeddedOrders:
    """`Orders` over the tables of `tools.tables`; `now` is the shop's own clock: aware moments in the zone whose days count."""

    def __init__(
        self, engine: AsyncEngine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        # A few rows by their key each: no thread between, where the engine has that (see `agent.records.engine`).
        self._near = engine.execution_options(near=True)
        self._now = now

    # Reading. -----------------------------------------------------------------------------------------------

    async def get(self, order_id: OrderId, *, owner: CustomerId) -> Order:
        async with self._reading() as connection:
            return await queries.one(connection, order_id, owner=owner)

    async def list(self, *, owner: CustomerId, limit: int = 10) -> tuple[Order, ...]:
        async with self._reading() as connection:
            return await queries.newest(connection, owner=owner, limit=limit)

    async def products(self, text: str, *, limit: int = 5) -> tuple[Product, ...]:
        async with answering(), self._engine.connect() as connection:  # walks through the catalogue
            return await queries.fitting(connection, text, limit=limit)

    async def product(self, code: str) -> Product:
        async with self._reading() as connection:
            named = await queries.named(connection, (code.strip(), *codes_in(code)))
            if not named:
                raise NotFound()
            return (await queries.catalogue(connection, named[:1]))[0]

    async def methods(self, *, owner: CustomerId) -> tuple[SavedMethod, ...]:
        async with self._reading() as connection:
            return await queries.saved_methods(connection, owner=owner)

    # Proposing. ---------------------------------------------------------------------------------------------

    async def propose_cancel(self, order_id: OrderId, *, owner: CustomerId, reason: str) -> Proposal:
        order, setting = await self._known(order_id, owner=owner)
        return rules.cancellation(order, reason=reason, terms=setting.terms, now=setting.now)

    async def propose_address(
        self, order_id: OrderId, *, owner: CustomerId, new_address: Address
    ) -> Proposal:
        order = await self.get(order_id, owner=owner)
        return rules.relocation(order, new_address=new_address, now=self._now())

    async def propose_payment(
        self, order_id: OrderId, *, owner: CustomerId, new_method: MethodId
    ) -> Proposal:
        order, setting = await self._known(order_id, owner=owner)
        return rules.repayment(order, new_method=new_method, setting=setting)

    async def propose_items(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        new_codes: Sequence[str],
        method: MethodId | None = None,
    ) -> Proposal:
        order, setting = await self._known(order_id, owner=owner)
        return rules.substitution(order, codes=codes, new_codes=new_codes, method=method, setting=setting)

    async def propose_return(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        refund_to: MethodId | None = None,
    ) -> Proposal:
        order, setting = await self._known(order_id, owner=owner)
        return rules.giving_back(order, codes=codes, refund_to=refund_to, setting=setting)

    async def propose_exchange(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        new_codes: Sequence[str],
        method: MethodId | None = None,
    ) -> Proposal:
        order, setting = await self._known(order_id, owner=owner)
        return rules.exchange(order, codes=codes, new_codes=new_codes, method=method, setting=setting)

    # Doing. -------------------------------------------------------------------------------------------------

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        admit(proposal, owner=owner, kinds=rules.KINDS)
        now = self._now()
        try:
            async with answering(), self._near.begin() as connection:
                await claim(connection, proposal, owner=owner, key=key, now=now)
                in_time(proposal, now=now)
                await self._perform(connection, proposal, owner=owner, now=now)
        except Claimed:
            async with self._reading() as connection:
                return await earlier(connection, proposal, owner=owner, key=key)
        return Effect(proposal=proposal, state="done", facts=dict(proposal.facts))

    async def _perform(
        self, connection: AsyncConnection, proposal: Proposal, *, owner: CustomerId, now: datetime
    ) -> None:
        order_id = await lock(connection, proposal, owner=owner)
        # Read behind the lock; the version is the one that was locked.
        order = replace(await queries.one(connection, order_id, owner=owner), version=proposal.version)
        setting = await self._setting(connection, order, now=now)
        change = carried_out(order, proposal, setting=setting)
        await write(connection, order, change, proposal, now=now)

    async def _known(self, order_id: OrderId, *, owner: CustomerId) -> tuple[Order, Setting]:
        async with self._reading() as connection:
            order = await queries.one(connection, order_id, owner=owner)
            return order, await self._setting(connection, order, now=self._now())

    async def _setting(self, connection: AsyncConnection, order: Order, *, now: datetime) -> Setting:
        codes = sorted({item.product for item in order.items})
        return Setting(
            now=now,
            terms=await queries.terms(connection),
            methods=await queries.saved_methods(connection, owner=order.owner),
            catalogue={product.code: product for product in await queries.catalogue(connection, codes)},
            return_days=await queries.setting(connection, queries.RETURN_DAYS),
        )

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        async with answering(), self._near.connect() as connection:
            yield connection
