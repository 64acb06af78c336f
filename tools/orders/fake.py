"""An order system in memory, for tests and evals: the same rules as the embedded shop, no database."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from tools.address import Address
from tools.context import CustomerId, MethodId, OrderId
from tools.errors import NotFound, Rejected
from tools.orders import rules
from tools.orders.changes import Change, carried_out
from tools.orders.match import codes_in, query_stems, ranked, words_of
from tools.orders.port import (
    ACTIVE,
    Effect,
    Order,
    PaymentMethod,
    Product,
    Proposal,
    SavedMethod,
    Variant,
)
from tools.proposal import admit, in_time, same_as_before

USUAL_TERMS: rules.RefundTerms = {
    "card": rules.RefundDays(min=3, max=10),
    "sbp": rules.RefundDays(min=0, max=1),
    "gift_card": rules.RefundDays(min=0, max=0),
    "cash": rules.RefundDays(min=1, max=7),
    "invoice": rules.RefundDays(min=1, max=7),
    "wallet": rules.RefundDays(min=1, max=5),
}


class FakeOrders:
    """`Orders` over what it is given; `fail_with` makes every call raise it, as a system that is down does."""

    def __init__(
        self,
        orders: Iterable[Order] = (),
        products: Iterable[Product] = (),
        *,
        terms: rules.RefundTerms = USUAL_TERMS,
        methods: Mapping[CustomerId, Iterable[SavedMethod]] | None = None,
        return_days: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.fail_with: Exception | None = None
        self._orders = {order.id: order for order in orders}
        self._products = {product.code: product for product in products}
        self._terms: dict[PaymentMethod, rules.RefundDays] = dict(terms)
        self._methods = {owner: {one.id: one for one in kept} for owner, kept in (methods or {}).items()}
        self._return_days = return_days
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
        named = self._named(code, whole=True)
        if not named:
            raise NotFound()
        return named[0]

    async def methods(self, *, owner: CustomerId) -> tuple[SavedMethod, ...]:
        self._answer()
        kept = self._methods.get(owner, {})
        return tuple(kept[one] for one in sorted(kept))

    async def propose_cancel(self, order_id: OrderId, *, owner: CustomerId, reason: str) -> Proposal:
        order = await self.get(order_id, owner=owner)
        return rules.cancellation(order, reason=reason, terms=self._terms, now=self._now())

    async def propose_address(
        self, order_id: OrderId, *, owner: CustomerId, new_address: Address
    ) -> Proposal:
        order = await self.get(order_id, owner=owner)
        return rules.relocation(order, new_address=new_address, now=self._now())

    async def propose_payment(
        self, order_id: OrderId, *, owner: CustomerId, new_method: MethodId
    ) -> Proposal:
        order = await self.get(order_id, owner=owner)
        return rules.repayment(order, new_method=new_method, setting=self._setting(owner))

    async def propose_items(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        new_codes: Sequence[str],
        method: MethodId | None = None,
    ) -> Proposal:
        order = await self.get(order_id, owner=owner)
        return rules.substitution(
            order, codes=codes, new_codes=new_codes, method=method, setting=self._setting(owner)
        )

    async def propose_return(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        refund_to: MethodId | None = None,
    ) -> Proposal:
        order = await self.get(order_id, owner=owner)
        return rules.giving_back(order, codes=codes, refund_to=refund_to, setting=self._setting(owner))

    async def propose_exchange(
        self,
        order_id: OrderId,
        *,
        owner: CustomerId,
        codes: Sequence[str],
        new_codes: Sequence[str],
        method: MethodId | None = None,
    ) -> Proposal:
        order = await self.get(order_id, owner=owner)
        return rules.exchange(
            order, codes=codes, new_codes=new_codes, method=method, setting=self._setting(owner)
        )

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        self._answer()
        admit(proposal, owner=owner, kinds=rules.KINDS)
        if key in self._effects:
            holder, earlier = self._effects[key]
            if holder != owner:
                raise Rejected("key_reused")
            same_as_before(proposal, digest=earlier.proposal.digest)
            return Effect(proposal=proposal, state="already_done", facts=earlier.facts)
        in_time(proposal, now=self._now())
        self._perform(proposal, owner=owner)
        effect = Effect(proposal=proposal, state="done", facts=dict(proposal.facts))
        self._effects[key] = (owner, effect)
        return effect

    def _perform(self, proposal: Proposal, *, owner: CustomerId) -> None:
        order = self._orders.get(OrderId(proposal.arguments["order_id"]))
        if order is None or order.owner != owner:
            raise Rejected("changed")
        change = carried_out(order, proposal, setting=self._setting(owner))
        self._orders[order.id] = replace(change.order, version=str(int(order.version) + 1))
        self._move(change, owner=owner)

    def _move(self, change: Change, *, owner: CustomerId) -> None:
        for method, more in change.balances.items():
            kept = self._methods[owner][method]
            self._methods[owner][method] = replace(kept, balance=(kept.balance or Decimal(0)) + more)
        for code, more_pieces in change.stock.items():
            self._restock(code, more_pieces)

    def _restock(self, code: str, quantity: int) -> None:
        def more(variant: Variant) -> Variant:
            moved = variant.code == code and variant.tracked
            return replace(variant, stock=variant.stock + quantity) if moved else variant

        for name, product in self._products.items():
            self._products[name] = replace(
                product, variants=tuple(more(variant) for variant in product.variants)
            )

    def _setting(self, owner: CustomerId) -> rules.Setting:
        return rules.Setting(
            now=self._now(),
            terms=self._terms,
            methods=tuple(self._methods.get(owner, {}).values()),
            catalogue=self._products,
            return_days=self._return_days,
        )

    def _named(self, text: str, *, whole: bool = False) -> tuple[Product, ...]:
        codes = {*codes_in(text), *([text.strip()] if whole else [])}
        found = (p for p in self._products.values() if codes & {p.code, *(v.code for v in p.variants)})
        return tuple(sorted(found, key=lambda product: product.code))

    def _answer(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with
