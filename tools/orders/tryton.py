"""The order system of a company that runs Tryton: its sales, as the customer's party may see and change them.

Every question names the owner's party, and what comes back is asked again whose it is. Tryton takes no idempotency
key, so every write is an intent of ours first (`tools.intents`) and is never repeated before the sale was looked at.

    cancel   a quotation, or a confirmed sale that is not processed yet
    address  a quotation's, or that of shipments nobody has begun to pick
    return   of what was delivered: a draft that takes it back, for people to go on with
    all else `Rejected("not_offered")`: people do it in Tryton
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import partial
from typing import Protocol

from pydantic import BaseModel

from tools.address import Address, from_arguments
from tools.context import CustomerId, MethodId, OrderId
from tools.errors import NotFound, Rejected, Unavailable, Unsent
from tools.intents.once import Once, Write
from tools.intents.port import Intents
from tools.orders import rules
from tools.orders.numbered import LONGEST, meant, spellings, tails
from tools.orders.port import ACTIVE, CANCELLABLE, MOVABLE, RETURNABLE, Effect, Order, Product, Proposal
from tools.orders.rules import whole
from tools.orders.unoffered import Unoffered
from tools.tryton.catalogue import TrytonCatalogue
from tools.tryton.client import Domain, Tryton
from tools.tryton.customers import Party, PartyLink
from tools.tryton.orders_of import UNPICKED, changes_of, goes_to, kept_as, order_of, version_of
from tools.tryton.returns import RETURN_FIELDS, ReturnRow, ReturnWrite, origin_of
from tools.tryton.rows import EXTRAS, SALE_ALONE, SALE_FIELDS, Coded, SaleRow
from tools.tryton.states import Done, is_return, live, status_of

log = logging.getLogger(__name__)

SALE, SHIPMENT, ADDRESS = "sale.sale", "stock.shipment.out", "party.address"
_NEWEST = (("sale_date", "DESC NULLS FIRST"), ("id", "DESC"))
_ENDED = ["done", "cancelled"]
_MOST_ALIKE = 20
_KINDS = frozenset({rules.CANCEL, rules.ADDRESS})
_Step = Callable[[], Awaitable[None]]


class TrytonOrders(Unoffered):
    """`Orders` over one Tryton; `zone` is where the company's days begin, `done` what a finished shipment means."""

    def __init__(
        self,
        tryton: Tryton,
        *,
        link: PartyLink,
        intents: Intents,
        zone: tzinfo,
        done: Done = "sent",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tryton, self._link = tryton, link
        self._zone, self._done, self._clock = zone, done, now
        kinds = _KINDS | {rules.RETURN} if done == "delivered" else _KINDS
        self._once = Once(intents, system="tryton", kinds=kinds, now=now)
        self._catalogue = TrytonCatalogue(tryton, now=now)

    def _now(self) -> datetime:
        # Days are those of the company, whichever clock is told.
        return self._clock().astimezone(self._zone)

    async def get(self, order_id: OrderId, *, owner: CustomerId) -> Order:
        async def read(*, alone: bool) -> tuple[Order, ...]:
            return await self._told(
                [await self._sale(order_id, owner=owner, alone=alone)], owner=owner, alone=alone
            )

        (order,) = await _at_least(read)
        return order

    async def list(self, *, owner: CustomerId, limit: int = 10) -> tuple[Order, ...]:
        async def read(*, alone: bool) -> tuple[Order, ...]:
            under_way, ended = await asyncio.gather(
                self._sales([["state", "not in", _ENDED]], owner=owner, limit=limit, alone=alone),
                self._sales([["state", "in", _ENDED]], owner=owner, limit=limit, alone=alone),
            )
            return await self._told([*under_way, *ended], owner=owner, alone=alone)

        orders = await _at_least(read)
        # Both come newest first, and sorting keeps that: only what is still active comes forward.
        return tuple(sorted(orders, key=lambda order: order.status not in ACTIVE)[:limit])

    async def products(self, text: str, *, limit: int = 5) -> tuple[Product, ...]:
        return await self._catalogue.products(text, limit=limit)

    async def product(self, code: str) -> Product:
        return await self._catalogue.product(code)

    async def propose_cancel(self, order_id: OrderId, *, owner: CustomerId, reason: str) -> Proposal:
        order = whole(await self.get(order_id, owner=owner))
        if "cancel" not in order.offered and order.status in CANCELLABLE:
            raise Rejected("not_offered")
        # Nothing is cancelled here that was paid, so no term of a refund is ever asked for.
        return rules.cancellation(order, reason=reason, terms={}, now=self._now())

    async def propose_address(
        self, order_id: OrderId, *, owner: CustomerId, new_address: Address
    ) -> Proposal:
        order = whole(await self.get(order_id, owner=owner))
        if "address" not in order.offered and order.status in MOVABLE:
            raise Rejected("not_offered")
        return rules.relocation(order, new_address=kept_as(new_address), now=self._now())

    async def propose_return(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        refund_to: MethodId | None = None,
    ) -> Proposal:
        if self._done == "sent":
            # Nobody here can tell what has arrived.
            raise Rejected("not_offered")
        order = whole(await self.get(order_id, owner=owner))
        if "return" not in order.offered and order.status in RETURNABLE:
            raise Rejected("not_offered")
        if refund_to is not None:
            raise Rejected("wrong_refund_method")
        return rules.handing_back(order, codes=codes, now=self._now())

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        write: Write = _Write(self._tryton, proposal, sale=partial(self._sale, owner=owner))
        if proposal.tool == rules.RETURN:
            write = ReturnWrite(self._tryton, proposal, whole=partial(self._with_returns, owner=owner))
        thing = f"sale {proposal.arguments.get('order_id', '')}@{proposal.version}"
        return await self._once.carry_out(proposal, write, owner=owner, key=key, thing=thing)

    # Reading. -----------------------------------------------------------------------------------------------

    async def _sale(self, order_id: OrderId, *, owner: CustomerId, alone: bool = False) -> SaleRow:
        if not order_id or len(order_id) > LONGEST:
            raise NotFound()
        named = [["number", "ilike", f"%{end}"] for end in tails(order_id)]
        asked = ["OR", ["number", "in", list(spellings(order_id))], *named]
        found = await self._sales([asked], owner=owner, limit=_MOST_ALIKE, alone=alone)
        sale = meant(order_id, found, number=lambda one: one.number or "")
        if sale is None:
            raise NotFound()
        return sale

    async def _sales(
        self, domain: Domain, *, owner: CustomerId, limit: int, alone: bool = False
    ) -> tuple[SaleRow, ...]:
        """Return sales that have a number and are the owner's, both as the server says and as the rows do.

        `alone`: without their shipments.
        """
        if not owner:
            return ()
        if self._link.by == "identifier" and not await self._is_one(owner):
            return ()
        wanted = [extra for extra in EXTRAS if not (alone and extra[2].startswith("shipments."))]
        extras = [asked for model, field, asked in wanted if await self._tryton.knows(model, field)]
        fields = [*(SALE_ALONE if alone else SALE_FIELDS), *extras, *self._link.fields("party.")]
        found = await self._tryton.search(
            SaleRow,
            SALE,
            [*self._link.domain(owner, "party."), ["number", "!=", None], *domain],
            fields=fields,
            order=_NEWEST,
            limit=limit,
        )
        return tuple(
            sale
            for sale in found
            if self._link.is_of(owner, sale.party) and sale.number and not is_return(sale)
        )

    async def _is_one(self, owner: CustomerId) -> bool:
        """Say whether the id names one party: nothing keeps two from bearing the same identifier."""
        fields = self._link.fields()
        found = await self._tryton.search(
            Party, "party.party", self._link.domain(owner), fields=fields, limit=2
        )
        return len(found) == 1

    async def _told(self, sales: Sequence[SaleRow], *, owner: CustomerId, alone: bool) -> tuple[Order, ...]:
        english = await self._english(sales)
        arrived = [sale for sale in sales if not alone and status_of(sale, done=self._done) == "delivered"]
        returns = await self._returns(arrived, owner=owner)
        return tuple(
            order_of(
                sale,
                owner=owner,
                zone=self._zone,
                done=self._done,
                english=english,
                returns=[one for one in returns if one.origin == origin_of(sale)],
                alone=alone,
            )
            for sale in sales
        )

    async def _returns(self, sales: Sequence[SaleRow], *, owner: CustomerId) -> tuple[ReturnRow, ...]:
        """Return the owner's sales that take one of these back, called-off ones too, oldest first."""
        if not sales:
            return ()
        found = await self._tryton.search(
            ReturnRow,
            SALE,
            [*self._link.domain(owner, "party."), ["origin", "in", [origin_of(sale) for sale in sales]]],
            fields=[*RETURN_FIELDS, *self._link.fields("party.")],
            order=(("id", "ASC"),),
        )
        return tuple(one for one in found if self._link.is_of(owner, one.party))

    async def _with_returns(
        self, order_id: OrderId, *, owner: CustomerId
    ) -> tuple[SaleRow, str, Sequence[ReturnRow]]:
        sale = await self._sale(order_id, owner=owner)
        returns = await self._returns([sale], owner=owner)
        return sale, version_of(sale, returns), returns

    async def _english(self, sales: Sequence[SaleRow]) -> Mapping[int, str]:
        ids = sorted({line.product.id for sale in sales for line in sale.lines if line.product})
        if not ids:
            return {}
        found = await self._tryton.search(
            Coded, "product.product", [["id", "in", ids]], fields=["name"], limit=len(ids), language="en"
        )
        return {row.id: row.name for row in found if row.name}


class _Reading(Protocol):
    async def __call__(self, *, alone: bool) -> tuple[Order, ...]: ...


async def _at_least(read: _Reading) -> tuple[Order, ...]:
    """Read sales with their shipments, else without: an order is worth telling though its delivery is not known."""
    try:
        return await read(alone=False)
    except Unsent:
        raise
    except Unavailable as silent:
        log.warning("Tryton: sales are read without their shipments: %s", silent)
        return await read(alone=True)


class _Made(BaseModel):
    id: int
    street_single_line: str | None = None


class _Write:
    """One confirmed change of a sale; `sale` reads it anew by its number, for its owner."""

    def __init__(
        self, tryton: Tryton, proposal: Proposal, *, sale: Callable[[OrderId], Awaitable[SaleRow]]
    ) -> None:
        self._tryton, self._proposal, self._sale = tryton, proposal, sale
        self._total: Decimal | None = None

    async def perform(self) -> None:
        try:
            sale = await self._sale(OrderId(self._proposal.arguments["order_id"]))
            if version_of(sale) != self._proposal.version:
                raise Rejected("changed")
            steps = await self._steps(sale)
        except NotFound as gone:
            raise Rejected("changed") from gone
        except Unavailable as silent:
            raise Unsent(str(silent), remedy=silent.remedy) from silent
        begun, self._total = False, sale.total_amount
        for step in steps:
            try:
                await step()
            except (Rejected, Unsent) as refusal:
                if not begun:
                    raise
                raise Unavailable("Tryton stopped a change halfway: finish it there by hand") from refusal
            begun = True
        if not await self.happened():
            raise Unavailable("Tryton took a change and shows another one")

    async def happened(self) -> bool:
        try:
            sale = await self._sale(OrderId(self._proposal.arguments["order_id"]))
        except NotFound:
            return False
        if self._proposal.tool == rules.CANCEL:
            return sale.state == "cancelled"
        if self._total not in (None, sale.total_amount):
            # Another price is not what the customer agreed to.
            return False
        return goes_to(sale, from_arguments(self._proposal.arguments))

    async def _steps(self, sale: SaleRow) -> Sequence[_Step]:
        """Return the calls that Tryton's own client would make, in order; nothing of the order is changed before them."""
        press = self._tryton.press
        if self._proposal.tool == rules.CANCEL:
            if "cancel" not in changes_of(sale):
                raise Rejected("changed")
            back = [partial(press, SALE, sale.id, "draft")] if sale.state == "confirmed" else []
            return [*back, partial(press, SALE, sale.id, "cancel")]
        if "address" not in changes_of(sale):
            raise Rejected("changed")
        place = await self._place(sale)
        if sale.state == "quotation":
            moved = partial(self._tryton.update, SALE, sale.id, {"shipment_address": place})
            return [partial(press, SALE, sale.id, "draft"), moved, partial(press, SALE, sale.id, "quote")]
        steps: list[_Step] = []
        for shipment in live(sale):
            moved = partial(self._tryton.update, SHIPMENT, shipment.id, {"delivery_address": place})
            if shipment.state in UNPICKED - {"draft"}:
                steps.append(partial(press, SHIPMENT, shipment.id, "draft"))
            steps += [moved, partial(press, SHIPMENT, shipment.id, "wait")]
        return steps

    async def _place(self, sale: SaleRow) -> int:
        """Return this address of the sale's party; made if there is none, and a spare one harms nobody."""
        party, address = sale.party.id, from_arguments(self._proposal.arguments)
        place = {"city": address.city or None, "postal_code": address.postcode or None}
        known = await self._tryton.search(
            _Made,
            ADDRESS,
            [
                ["party", "=", party],
                ["street", "=", address.line],
                *([name, "=", part] for name, part in place.items()),
            ],
            fields=["street_single_line"],
            limit=1,
        )
        if known:
            return known[0].id
        named = {name: part for name, part in place.items() if part}
        return await self._tryton.create(
            ADDRESS, {"party": party, "street_unstructured": address.line, **named}
        )
