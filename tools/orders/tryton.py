"""The order system of a company that runs Tryton: its sales, as the customer's party may see and change them.

Every question names the owner's party, and what comes back is asked again whose it is. Tryton takes no idempotency
key, so every write is an intent of ours first (`tools.intents`) and is never repeated before the sale was looked at.

    cancel   a quotation, or a confirmed sale that is not processed yet
    address  a quotation's, or that of shipments nobody has begun to pick
    all else `Rejected("not_offered")`: people do it in Tryton
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import partial

from pydantic import BaseModel

from tools.address import Address, from_arguments
from tools.context import CustomerId, OrderId
from tools.errors import NotFound, Rejected, Unavailable, Unsent
from tools.intents.once import Once
from tools.intents.port import Intents
from tools.orders import rules
from tools.orders.port import ACTIVE, CANCELLABLE, MOVABLE, Effect, Order, Product, Proposal
from tools.orders.unoffered import Unoffered
from tools.tryton.catalogue import TrytonCatalogue
from tools.tryton.client import Domain, Tryton
from tools.tryton.customers import Party, PartyLink
from tools.tryton.orders_of import UNPICKED, changes_of, goes_to, kept_as, order_of, version_of
from tools.tryton.rows import EXTRAS, SALE_FIELDS, Coded, SaleRow
from tools.tryton.states import Done, is_return, live

SALE, SHIPMENT, ADDRESS = "sale.sale", "stock.shipment.out", "party.address"
_NEWEST = (("sale_date", "DESC NULLS FIRST"), ("id", "DESC"))
_ENDED = ["done", "cancelled"]
_TAIL = re.compile(r"0*(\d+(?:-[^\W\d_])?)$")
_LATIN = str.maketrans("АВСЕНКМОРТХУ", "ABCEHKMOPTXY")
"""A canonical number has Cyrillic letters; Tryton's may have the Latin ones that look the same."""
_LONGEST_NUMBER = 64
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
        self._zone, self._done, self._now = zone, done, now
        self._once = Once(intents, system="tryton", kinds=_KINDS, now=now)
        self._catalogue = TrytonCatalogue(tryton, now=now)

    async def get(self, order_id: OrderId, *, owner: CustomerId) -> Order:
        (order,) = await self._told([await self._sale(order_id, owner=owner)], owner=owner)
        return order

    async def list(self, *, owner: CustomerId, limit: int = 10) -> tuple[Order, ...]:
        under_way, ended = await asyncio.gather(
            self._sales([["state", "not in", _ENDED]], owner=owner, limit=limit),
            self._sales([["state", "in", _ENDED]], owner=owner, limit=limit),
        )
        orders = await self._told([*under_way, *ended], owner=owner)
        # Both come newest first, and sorting keeps that: only what is still active comes forward.
        return tuple(sorted(orders, key=lambda order: order.status not in ACTIVE)[:limit])

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
        order = await self.get(order_id, owner=owner)
        if "address" not in order.offered and order.status in MOVABLE:
            raise Rejected("not_offered")
        return rules.relocation(order, new_address=kept_as(new_address), now=self._now())

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        write = _Write(self._tryton, proposal, sale=partial(self._sale, owner=owner))
        thing = f"sale {proposal.arguments.get('order_id', '')}@{proposal.version}"
        return await self._once.carry_out(proposal, write, owner=owner, key=key, thing=thing)

    # Reading. -----------------------------------------------------------------------------------------------

    async def _sale(self, order_id: OrderId, *, owner: CustomerId) -> SaleRow:
        if not order_id or len(order_id) > _LONGEST_NUMBER:
            raise NotFound()
        tail, written = _tail(order_id), (order_id, order_id.translate(_LATIN))
        ends = dict.fromkeys((tail, tail.translate(_LATIN))) if tail else ()
        named = ["OR", ["number", "in", list(written)], *(["number", "ilike", f"%{end}"] for end in ends)]
        found = await self._sales([named], owner=owner, limit=_MOST_ALIKE)
        # «12» is SO-00012 too, when no other order of theirs ends so.
        for chosen in (
            [sale for sale in found if sale.number == order_id],
            [sale for sale in found if sale.number in written],
            [sale for sale in found if tail and _alike(sale.number or "", tail)],
        ):
            if len(chosen) == 1:
                return chosen[0]
        raise NotFound()

    async def _sales(self, domain: Domain, *, owner: CustomerId, limit: int) -> tuple[SaleRow, ...]:
        """Return sales that have a number and are the owner's, both as the server says and as the rows do."""
        if not owner:
            return ()
        if self._link.by == "identifier" and not await self._is_one(owner):
            return ()
        extras = [asked for model, field, asked in EXTRAS if await self._tryton.knows(model, field)]
        found = await self._tryton.search(
            SaleRow,
            SALE,
            [*self._link.domain(owner, "party."), ["number", "!=", None], *domain],
            fields=[*SALE_FIELDS, *extras, *self._link.fields("party.")],
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

    async def _told(self, sales: Sequence[SaleRow], *, owner: CustomerId) -> tuple[Order, ...]:
        english = await self._english(sales)
        return tuple(
            order_of(sale, owner=owner, zone=self._zone, done=self._done, english=english) for sale in sales
        )

    async def _english(self, sales: Sequence[SaleRow]) -> Mapping[int, str]:
        ids = sorted({line.product.id for sale in sales for line in sale.lines if line.product})
        if not ids:
            return {}
        found = await self._tryton.search(
            Coded, "product.product", [["id", "in", ids]], fields=["name"], limit=len(ids), language="en"
        )
        return {row.id: row.name for row in found if row.name}


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


def _alike(number: str, tail: str) -> bool:
    return _tail(number).translate(_LATIN) == tail.translate(_LATIN)


def _tail(number: str) -> str:
    """Return the number without what a sequence puts before it, "00012" and "SO-12" as "12"; "" if it has no end."""
    found = _TAIL.search(number)
    return found[1] if found else ""
