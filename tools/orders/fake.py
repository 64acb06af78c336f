"""An order system in memory, for tests and evals: the same rules as the embedded shop, no database."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from tools.context import CustomerId, OrderId
from tools.errors import NotFound, Rejected
from tools.orders import rules
from tools.orders.match import codes_in, query_stems, ranked, words_of
from tools.orders.port import ACTIVE, CANCELLABLE, Effect, Order, PaymentMethod, Product, Proposal, Variant

USUAL_TERMS: rules.RefundTerms = {
    "card": rules.RefundDays(min=3, max=10),
    "sbp": rules.RefundDays(min=0, max=1),
    "gift_card": rules.RefundDays(min=0, max=0),
    "cash": rules.RefundDays(min=1, max=7),
    "invoice": rules.RefundDays(min=1, max=7),
}


class FakeOrders:
    """`Orders` over what it is given; `fail_with` makes every call raise it, as a system that is down does."""

    def __init__(
        self,
        orders: Iterable[Order] = (),
        products: Iterable[Product] = (),
        *,
        terms: rules.RefundTerms = USUAL_TERMS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.fail_with: Exception | None = None
        self._orders = {order.id: order for order in orders}
        self._products = {product.code: product for product in products}
        self._terms: dict[PaymentMethod, rules.RefundDays] = dict(terms)
        self._now = now
        self._effects: dict[str, tuple[CustomerId, Effect]] = {}

    async def get(self, order_id: OrderId, *, owner: CustomerId) -> Order:
        self._answer()
        order = self._orders.get(order_id)
        if order is None or order.owner != owner:
            raise NotFound()
        return order

    async def list(self, *, owner: CustomerId, limit: int = 10) -> tuple[Order, ...]:
        self._answer()
        mine = [order for order in self._orders.values() if order.owner == owner]
        mine.sort(key=lambda order: order.id)
        mine.sort(key=lambda order: (order.status in ACTIVE, order.placed), reverse=True)
        return tuple(mine[:limit])

    async def products(self, text: str, *, limit: int = 5) -> tuple[Product, ...]:
        self._answer()
        named = self._named(text)
        if named:
            return tuple(named[:limit])
        words = {code: words_of(product) for code, product in self._products.items()}
        best = ranked(query_stems(text), words, total=len(words))
        return tuple(self._products[code] for code in best[:limit])

    async def product(self, code: str) -> Product:
        self._answer()
        named = self._named(code)
        if not named:
            raise NotFound()
        return named[0]

    async def propose_cancel(self, order_id: OrderId, *, owner: CustomerId, reason: str) -> Proposal:
        order = await self.get(order_id, owner=owner)
        return rules.cancellation(order, reason=reason, terms=self._terms, now=self._now())

    async def propose_address(self, order_id: OrderId, *, owner: CustomerId, new_address: str) -> Proposal:
        return rules.relocation(
            await self.get(order_id, owner=owner), new_address=new_address, now=self._now()
        )

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        self._answer()
        rules.admit(proposal, owner=owner)
        if key in self._effects:
            holder, earlier = self._effects[key]
            if holder != owner:
                raise Rejected("key_reused")
            rules.same_as_before(proposal, digest=earlier.proposal.digest)
            return Effect(proposal=proposal, state="already_done", facts=earlier.facts)
        rules.in_time(proposal, now=self._now())
        self._perform(proposal, owner=owner)
        effect = Effect(proposal=proposal, state="done", facts=dict(proposal.facts))
        self._effects[key] = (owner, effect)
        return effect

    def _perform(self, proposal: Proposal, *, owner: CustomerId) -> None:
        order = self._orders.get(OrderId(proposal.arguments["order_id"]))
        if order is None or order.owner != owner:
            raise Rejected("changed")
        if order.version != proposal.version or order.status not in CANCELLABLE:
            raise Rejected("changed")
        order = replace(order, version=str(int(order.version) + 1))
        if proposal.tool == rules.ADDRESS:
            self._orders[order.id] = replace(order, address=rules.moved_to(proposal.arguments["new_address"]))
            return
        refund = rules.refund_of(order, terms=self._terms, now=self._now())
        if refund is not None:
            paid = replace(order.payment, state="refunded")
            order = replace(order, payment=paid, refunds=(*order.refunds, refund))
        self._orders[order.id] = replace(order, status="cancelled")
        for item in order.items:
            self._restock(item.code, item.quantity)

    def _restock(self, code: str, quantity: int) -> None:
        def more(variant: Variant) -> Variant:
            return replace(variant, stock=variant.stock + quantity) if variant.code == code else variant

        for name, product in self._products.items():
            self._products[name] = replace(
                product, variants=tuple(more(variant) for variant in product.variants)
            )

    def _named(self, text: str) -> tuple[Product, ...]:
        codes = set(codes_in(text))
        found = (p for p in self._products.values() if codes & {p.code, *(v.code for v in p.variants)})
        return tuple(sorted(found, key=lambda product: product.code))

    def _answer(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with
