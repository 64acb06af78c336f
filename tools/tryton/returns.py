"""Returns in Tryton: a sale with negative quantities whose origin is the sale it takes back. Mayak makes the draft, people go on.

```
sale, delivered ◄─ origin ─ draft ─ people: quote, confirm, process ─► done
                            return requested ──────────────────────► returned, where all of it came back
```
The draft is the sale anew, as Tryton's own client makes it: party and addresses are the sale's, each line is a copy of the
line it takes back, with its unit, price and taxes. It is made in one call: there is no half of it.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from tools.context import OrderId
from tools.errors import NotFound, Rejected, Unavailable, Unsent
from tools.orders.port import OrderStatus, Return
from tools.orders.rules import codes_of
from tools.proposal import Proposal
from tools.tryton.client import Tryton
from tools.tryton.customers import Party
from tools.tryton.rows import LineRow, SaleRow

SALE = "sale.sale"
COST = "shipment_cost_method"
"""A field of an optional module."""
RETURN_FIELDS: Sequence[str] = (
    *("state", "origin"),
    *(f"lines.{name}" for name in ("type", "quantity", "product.code")),
)
HEAD_FIELDS: Sequence[str] = (
    *(
        "company",
        "currency",
        "party",
        "invoice_party",
        "invoice_address",
        "shipment_party",
        "shipment_address",
    ),
    *("warehouse", "payment_term", "invoice_method", "shipment_method"),
)
"""What a return has in common with its sale."""


class HeadRow(BaseModel):
    """A sale's head: records by their ids."""

    company: int
    currency: int
    party: int
    invoice_party: int | None = None
    invoice_address: int | None = None
    shipment_party: int | None = None
    shipment_address: int | None = None
    warehouse: int | None = None
    payment_term: int | None = None
    invoice_method: str
    shipment_method: str


class ReturnRow(BaseModel):
    """A sale that takes another one back, `origin`: "sale.sale,4"."""

    id: int
    state: str
    origin: str | None = None
    party: Party
    lines: tuple[LineRow, ...] = ()

    @property
    def codes(self) -> Counter[str]:
        """What it takes back: pieces by their code."""
        back: Counter[str] = Counter()
        for line in self.lines:
            if line.type == "line" and line.quantity and line.quantity < 0 and line.product:
                back[line.product.code or ""] += int(-line.quantity)
        return back


def origin_of(sale: SaleRow) -> str:
    """Return how a return names the sale it takes back."""
    return f"{SALE},{sale.id}"


def goods_of(sale: SaleRow) -> tuple[LineRow, ...]:
    """Return the lines of goods, the delivery aside."""
    return tuple(line for line in sale.lines if line.type == "line" and line.shipment_cost is None)


def returnable(sale: SaleRow) -> bool:
    """Say whether every piece can be named by its code and counted: a cable by the metre is for people."""
    goods = goods_of(sale)
    return bool(goods) and all(
        line.product
        and line.product.code
        and line.quantity
        and line.quantity > 0
        and line.quantity == line.quantity.to_integral_value()
        for line in goods
    )


def standing(sale: SaleRow, returns: Sequence[ReturnRow]) -> tuple[OrderStatus, Return | None]:
    """Return how a delivered sale stands by what was made to take it back, and what that is."""
    open_ = [one for one in returns if one.state != "cancelled"]
    if not open_:
        return "delivered", None
    codes: Counter[str] = sum((one.codes for one in open_), Counter())
    asked = Return(codes=tuple(sorted(codes.elements())))
    if any(one.state != "done" for one in open_):
        return "return_requested", asked
    sold: Counter[str] = Counter()
    for line in goods_of(sale):
        sold[(line.product.code if line.product else None) or ""] += int(line.quantity or 0)
    # What came back in part is a delivered order still, of which people know the rest.
    return ("returned" if not sold - codes else "delivered"), asked


def draft(sale: SaleRow, head: HeadRow, codes: Sequence[str]) -> Mapping[str, Any]:
    """Return the sale that takes these pieces back; `Rejected` if they are not there."""
    wanted = Counter(codes)
    lines = []
    for line in goods_of(sale):
        code = (line.product.code if line.product else None) or ""
        here = min(wanted[code], int(line.quantity or 0))
        if here > 0:
            wanted[code] -= here
            lines.append(["copy", [line.id], {"quantity": -here}])
    if not lines or +wanted:
        raise Rejected("changed")
    return {**head.model_dump(exclude_none=True), "origin": origin_of(sale), "lines": lines}


class ReturnWrite:
    """One confirmed return; `whole` reads the sale, its version and its returns anew, for its owner."""

    def __init__(
        self,
        tryton: Tryton,
        proposal: Proposal,
        *,
        whole: Callable[[OrderId], Awaitable[tuple[SaleRow, str, Sequence[ReturnRow]]]],
    ) -> None:
        self._tryton, self._proposal, self._whole = tryton, proposal, whole

    async def perform(self) -> None:
        try:
            sale, version, _ = await self._whole(self._order)
            wanted = draft(sale, await self._head(sale), codes_of(self._proposal))
            if await self._tryton.knows(SALE, COST):
                # What the way back costs is for people to say; by default it would be reckoned as a delivery's.
                wanted = {**wanted, COST: None}
        except NotFound as gone:
            raise Rejected("changed") from gone
        except Unavailable as silent:
            raise Unsent(str(silent), remedy=silent.remedy) from silent
        if version != self._proposal.version:
            raise Rejected("changed")
        await self._tryton.create(SALE, wanted)
        if not await self.happened():
            raise Unavailable("Tryton took a return and shows none")

    async def happened(self) -> bool:
        try:
            _, _, returns = await self._whole(self._order)
        except NotFound:
            return False
        wanted = Counter(codes_of(self._proposal))
        return any(one.codes == wanted for one in returns if one.state != "cancelled")

    async def _head(self, sale: SaleRow) -> HeadRow:
        asked = [["id", "=", sale.id]]
        found = await self._tryton.search(HeadRow, SALE, asked, fields=HEAD_FIELDS, limit=1)
        if not found:
            raise NotFound()
        return found[0]

    @property
    def _order(self) -> OrderId:
        return OrderId(self._proposal.arguments["order_id"])
