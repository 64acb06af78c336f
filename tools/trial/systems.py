"""The embedded shop's orders and customers, reached over lines that fail for whom a trial wants them to."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import count

from sqlalchemy.ext.asyncio import AsyncEngine

from tools.context import CustomerId, OrderId
from tools.crm.embedded import EmbeddedCRM
from tools.crm.port import Customer
from tools.intents.once import Once
from tools.intents.sql import SqlIntents
from tools.orders import rules
from tools.orders.embedded import EmbeddedOrders
from tools.orders.port import Effect, Fulfilment, Order, Part, Proposal, SavedMethod
from tools.orders.rules import Setting, whole
from tools.trial.line import Line
from tools.trial.manners import Manners

_KNOWN_ALONE = frozenset({"unconfirmed", "pending", "cancelled", "returned"})
"""States an order's own record tells without its delivery."""


class Lines:
    """Whose calls go over a line that fails, and what of their orders no source tells; everybody else has neither."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, CustomerId], Line] = {}
        self._without: dict[CustomerId, frozenset[Part]] = {}

    def strain(self, system: str, customer: CustomerId, manners: Manners) -> Line:
        """Let the customer's calls to "orders" or "crm" be met like this; return the line."""
        line = Line(system, manners)
        self._lines[system, customer] = line
        return line

    def silence(self, customer: CustomerId, parts: frozenset[Part]) -> None:
        """Let these parts of the customer's orders be unknown."""
        self._without[customer] = parts

    def line(self, system: str, customer: CustomerId) -> Line | None:
        return self._lines.get((system, customer))

    def without(self, customer: CustomerId) -> frozenset[Part]:
        return self._without.get(customer, frozenset())

    async def close(self) -> None:
        """Close every line."""
        for line in self._lines.values():
            await line.close()


class TrialOrders(EmbeddedOrders):
    """`Orders` of the embedded shop; who has a line is served as by a system that takes no keys."""

    def __init__(self, engine: AsyncEngine, lines: Lines, *, now: Callable[[], datetime]) -> None:
        super().__init__(engine, now=now)
        self._lines = lines
        self._once = Once(SqlIntents(engine), system="trial", kinds=rules.KINDS, now=now)

    async def get(self, order_id: OrderId, *, owner: CustomerId) -> Order:
        line = self._lines.line("orders", owner)
        ask = partial(super().get, order_id, owner=owner)
        return self._told(await line.read(ask) if line else await ask())

    async def list(self, *, owner: CustomerId, limit: int = 10) -> tuple[Order, ...]:
        line = self._lines.line("orders", owner)
        ask = partial(super().list, owner=owner, limit=limit)
        return tuple(map(self._told, await line.read(ask) if line else await ask()))

    async def methods(self, *, owner: CustomerId) -> tuple[SavedMethod, ...]:
        line = self._lines.line("orders", owner)
        ask = partial(super().methods, owner=owner)
        return await line.read(ask) if line else await ask()

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        line = self._lines.line("orders", owner)
        if line is None:
            return await super().execute(proposal, owner=owner, key=key)
        send = partial(super().execute, proposal, owner=owner)
        write = _Sent(line, proposal, send=send, look=partial(super().get, owner=owner))
        thing = f"{proposal.arguments['order_id']}@{proposal.version}"
        return await self._once.carry_out(proposal, write, owner=owner, key=key, thing=thing)

    async def _known(self, order_id: OrderId, *, owner: CustomerId) -> tuple[Order, Setting]:
        whole(await self.get(order_id, owner=owner))
        return await super()._known(order_id, owner=owner)

    def _told(self, order: Order) -> Order:
        parts = self._lines.without(order.owner)
        if "delivery" not in parts or order.status in _KNOWN_ALONE:
            return order
        blank = Fulfilment(method="delivery", carrier="")
        return replace(order, status="unclear", fulfilment=blank, parcels=(), unreached=parts)


class _Sent:
    """One confirmed change on its way over a line; each time it is sent it is another one to the shop."""

    def __init__(
        self,
        line: Line,
        proposal: Proposal,
        *,
        send: Callable[..., Awaitable[Effect]],
        look: Callable[[OrderId], Awaitable[Order]],
    ) -> None:
        self._line, self._proposal, self._send, self._look = line, proposal, send, look

    async def perform(self) -> None:
        again = count(1)

        async def carry_out() -> Effect:
            return await self._send(key=f"{self._proposal.id} {next(again)}")

        await self._line.write(carry_out)

    async def happened(self) -> bool:
        number = OrderId(self._proposal.arguments["order_id"])
        order = await self._line.read(partial(self._look, number))
        return order.version != self._proposal.version


class TrialCRM(EmbeddedCRM):
    """`CRM` of the embedded shop; profiles of those who have a line are read over it."""

    def __init__(self, engine: AsyncEngine, lines: Lines) -> None:
        super().__init__(engine)
        self._lines = lines

    async def customer(self, customer_id: CustomerId) -> Customer:
        line = self._lines.line("crm", customer_id)
        ask = partial(super().customer, customer_id)
        return await line.read(ask) if line else await ask()
