"""The order system of a company that sells through Bitrix24: orders as the customer's contact may see and change them.

```
by number   the order with this number ──► read whole ──► is the contact its main client? else it looks absent
the list    the contact's newest deals ──► orders bound to them ──► the same question for each
```
An order's clients are told only when it is read whole, so whose it is is asked of each one here. Bitrix24 takes no
idempotency key: every write is an intent of ours first (`tools.intents`) and is never repeated before a look.

    cancel   nothing paid, nobody has begun to send it
    address  nobody has begun to send it, and its properties are words that can be written back as they are
    all else `Rejected("not_offered")`: people do it in Bitrix24
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tools.address import Address, from_arguments
from tools.bitrix24.catalogue import Bitrix24Catalogue
from tools.bitrix24.client import Answer, Bitrix24, Call, listed, read_as
from tools.bitrix24.customers import ContactLink, Known, is_client
from tools.bitrix24.orders_of import changes_of, order_of, version_of
from tools.bitrix24.places import Properties, goes_to, kept_as, others, rewritten
from tools.bitrix24.rows import DEAL, Binding, DealRow, ListedOrder, OrderRow, PropertyRow
from tools.bitrix24.states import Meanings
from tools.context import CustomerId, OrderId
from tools.errors import NotFound, Rejected, Unavailable, Unsent
from tools.http_client import Json
from tools.intents.once import Once
from tools.intents.port import Intents
from tools.orders import rules
from tools.orders.numbered import LONGEST, meant, spellings, tails
from tools.orders.port import ACTIVE, CANCELLABLE, MOVABLE, Effect, Order, Product, Proposal
from tools.orders.unoffered import Unoffered

_KINDS = frozenset({rules.CANCEL, rules.ADDRESS})
_TOGETHER = 4
"""Orders read whole in one request: each takes a portal a good part of a second, one after another."""
_MOST_PROPERTIES, _MOST_BOUND, _MOST_ALIKE = 500, 200, 20
_LAST = "F"
_LISTED = ["id", "accountNumber", "statusId", "canceled"]
_PROPERTY = ["id", "code", "type", "multiple", "isAddress", "isZip", "isLocation"]


class Bitrix24Orders(Unoffered):
    """`Orders` over one portal; `meanings` tells what the company's own statuses mean."""

    def __init__(
        self,
        portal: Bitrix24,
        *,
        link: ContactLink,
        intents: Intents,
        meanings: Meanings = Meanings(),
        catalogue: Bitrix24Catalogue | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._portal, self._link, self._meanings, self._now = portal, link, meanings, now
        self._once = Once(intents, system="bitrix24", kinds=_KINDS, now=now)
        self._catalogue = catalogue or Bitrix24Catalogue(portal)
        self._kinds: Properties = {}

    async def get(self, order_id: OrderId, *, owner: CustomerId) -> Order:
        return await self._told(await self._order(order_id, owner=owner), owner=owner)

    async def list(self, *, owner: CustomerId, limit: int = 10) -> tuple[Order, ...]:
        if not self._link.names(owner):
            return ()
        known, deals = await self._asked(owner, _deals)
        if known is None:
            return ()
        rows = sorted(await self._bound(deals), key=_ended)
        whole = await self._whole(known, [row.id for row in rows[:limit]])
        orders = [await self._told(one, owner=owner) for one in whole]
        newest = sorted(orders, key=lambda order: order.placed, reverse=True)
        return tuple(sorted(newest, key=lambda order: order.status not in ACTIVE))

    async def products(self, text: str, *, limit: int = 5) -> tuple[Product, ...]:
        return await self._catalogue.products(text, limit=limit)

    async def product(self, code: str) -> Product:
        return await self._catalogue.product(code)

    async def propose_cancel(self, order_id: OrderId, *, owner: CustomerId, reason: str) -> Proposal:
        order = await self.get(order_id, owner=owner)
        if "cancel" not in order.offered and order.status in CANCELLABLE:
            raise Rejected("not_offered")
        # Nothing is cancelled here that was paid, so no term of a refund is ever asked for.
        return rules.cancellation(order, reason=reason, terms={}, now=self._now())

    async def propose_address(
        self, order_id: OrderId, *, owner: CustomerId, new_address: Address
    ) -> Proposal:
        row = await self._order(order_id, owner=owner)
        order = await self._told(row, owner=owner)
        if "address" not in order.offered and order.status in MOVABLE:
            raise Rejected("not_offered")
        kept = kept_as(row, new_address, properties=await self._properties())
        return rules.relocation(order, new_address=kept, now=self._now())

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        write = _Write(
            self._portal,
            proposal,
            order=partial(self._order, OrderId(proposal.arguments.get("order_id", "")), owner=owner),
            properties=self._properties,
        )
        thing = f"order {proposal.arguments.get('order_id', '')}@{proposal.version}"
        return await self._once.carry_out(proposal, write, owner=owner, key=key, thing=thing)

    # Reading. -----------------------------------------------------------------------------------------------

    async def _told(self, row: OrderRow, *, owner: CustomerId) -> Order:
        properties = await self._properties()
        return order_of(row, owner=owner, meanings=self._meanings, properties=properties)

    async def _order(self, order_id: OrderId, *, owner: CustomerId) -> OrderRow:
        if not order_id or len(order_id) > LONGEST or not self._link.names(owner):
            raise NotFound()
        known, answer = await self._asked(owner, lambda _: _numbered(order_id))
        if known is None:
            raise NotFound()
        listing = [_listed_order(row) for row in listed(answer.value, "sale.order.list")]
        found = await self._whole(known, [row.id for row in listing])
        chosen = meant(order_id, found, number=_number)
        if chosen is None and tails(order_id):
            chosen = await self._ending(order_id, known)
        if chosen is None:
            raise NotFound()
        return chosen

    async def _ending(self, order_id: OrderId, known: Known) -> OrderRow | None:
        """Return the one order among the contact's own whose number ends so."""
        rows = await self._bound(await self._portal.ask(_deals(known.contact.id)))
        ends = tails(order_id)
        alike = [row.id for row in rows if row.account_number.endswith(ends)][:_MOST_ALIKE]
        return meant(order_id, await self._whole(known, alike), number=_number)

    async def _asked(self, owner: CustomerId, further: Callable[[int], Call]) -> tuple[Known | None, Answer]:
        """Return the owner's contact, and the answer to a question that may name it."""
        asking = self._link.call(owner)
        if self._link.field is None:
            told, answer = await self._portal.ask_all([asking, further(int(owner))])
            return self._link.found(owner, told.value), answer
        known = self._link.found(owner, (await self._portal.ask(asking)).value)
        if known is None:
            return None, Answer(value=[])
        return known, await self._portal.ask(further(known.contact.id))

    async def _bound(self, deals: Answer) -> Sequence[ListedOrder]:
        """Return the orders that are bound to these deals, newest first."""
        rows = [read_as(DealRow, row, what="deal") for row in listed(deals.value, "crm.item.list")]
        if not rows:
            return ()
        wanted = {"ownerTypeId": DEAL, "@ownerId": [row.id for row in rows]}
        params = {"select": ["orderId", "ownerId"], "filter": wanted}
        asking = Call(method="crm.orderentity.list", params=params, within="orderEntity")
        bindings = await self._portal.pages(asking, most=_MOST_BOUND)
        ids = sorted({read_as(Binding, row, what="binding").order_id for row in bindings}, reverse=True)
        if not ids:
            return ()
        found = await self._portal.pages(_orders({"@id": ids}), most=_MOST_BOUND)
        return [_listed_order(row) for row in found]

    async def _whole(self, known: Known, ids: Sequence[int]) -> tuple[OrderRow, ...]:
        """Return those of the orders whose main client the contact is, read whole."""
        calls = [Call(method="sale.order.get", params={"id": id}, within="order") for id in ids]
        parts = [calls[begin : begin + _TOGETHER] for begin in range(0, len(calls), _TOGETHER)]
        answers = [one for part in await asyncio.gather(*map(self._portal.ask_all, parts)) for one in part]
        rows = [
            read_as(OrderRow, answer.value, what="order") for answer in answers if answer.value is not None
        ]
        return tuple(row for row in rows if is_client(known.contact.id, row.clients))

    async def _properties(self) -> Properties:
        """Return what the properties of orders are; asked once, for a company does not change them by the day."""
        if not self._kinds:
            asking = Call(method="sale.property.list", params={"select": _PROPERTY}, within="properties")
            rows = await self._portal.pages(asking, most=_MOST_PROPERTIES)
            found = [read_as(PropertyRow, row, what="property") for row in rows]
            self._kinds = {one.id: one for one in found}
        return self._kinds


class _Write:
    """One confirmed change of an order; `order` reads it anew by its number, for its owner."""

    def __init__(
        self,
        portal: Bitrix24,
        proposal: Proposal,
        *,
        order: Callable[[], Awaitable[OrderRow]],
        properties: Callable[[], Awaitable[Properties]],
    ) -> None:
        self._portal, self._proposal, self._order, self._properties = portal, proposal, order, properties
        self._before: OrderRow | None = None

    async def perform(self) -> None:
        try:
            order, properties = await self._order(), await self._properties()
        except NotFound as gone:
            raise Rejected("changed") from gone
        except Unavailable as silent:
            raise Unsent(str(silent), remedy=silent.remedy) from silent
        wanted = "cancel" if self._proposal.tool == rules.CANCEL else "address"
        if version_of(order) != self._proposal.version or wanted not in changes_of(
            order, properties=properties
        ):
            raise Rejected("changed")
        self._before = order
        await self._portal.change(*self._change(order, properties))
        if not await self.happened():
            raise Unavailable("Bitrix24 took a change and shows another one")

    async def happened(self) -> bool:
        try:
            order, properties = await self._order(), await self._properties()
        except NotFound:
            return False
        if self._proposal.tool == rules.CANCEL:
            return order.canceled == "Y"
        kept, before = True, self._before
        if before is not None:
            # Another price, or anything else lost on the way, is not what the customer agreed to.
            same = others(order, properties=properties) == others(before, properties=properties)
            kept = same and order.price == before.price
        return kept and goes_to(order, from_arguments(self._proposal.arguments), properties=properties)

    def _change(self, order: OrderRow, properties: Properties) -> tuple[str, Mapping[str, Any]]:
        arguments = self._proposal.arguments
        if self._proposal.tool == rules.CANCEL:
            fields = {"canceled": "Y", "reasonCanceled": arguments.get("reason", "")}
            return "sale.order.update", {"id": order.id, "fields": fields}
        values = rewritten(order, from_arguments(arguments), properties=properties)
        whole = {"order": {"id": order.id, "propertyValues": values}}
        return "sale.propertyvalue.modify", {"fields": whole}


def _deals(contact: int) -> Call:
    params = {
        "entityTypeId": DEAL,
        "select": ["id"],
        "filter": {"contactId": contact},
        "order": {"id": "DESC"},
    }
    return Call(method="crm.item.list", params=params, within="items")


def _numbered(order_id: OrderId) -> Call:
    return _orders({"@accountNumber": list(spellings(order_id))})


def _orders(wanted: Mapping[str, Any]) -> Call:
    params = {"select": _LISTED, "filter": wanted, "order": {"id": "desc"}}
    return Call(method="sale.order.list", params=params, within="orders")


def _listed_order(row: Json) -> ListedOrder:
    return read_as(ListedOrder, row, what="order")


def _ended(row: ListedOrder) -> bool:
    return row.canceled == "Y" or row.status_id == _LAST


def _number(row: OrderRow) -> str:
    return row.account_number
