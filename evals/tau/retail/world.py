"""One run over one official database: each call goes through Mayak's own tools and gate, as the bound customer."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from evals.tau.domain import Call, Json, Refused
from evals.tau.retail import refusals
from evals.tau.retail.bench import NOW, Bench
from evals.tau.retail.export import exported
from evals.tau.retail.official import customer_json, number_of, order_json, product_json, variant_json
from evals.tau.retail.quirks import Quirks
from evals.tau.retail.reading import full_name
from evals.tau.retail.refusals import refusal, refused
from evals.tau.retail.sums import calculated
from tools import tables as t
from tools.assurance import KNOWLEDGE, ByEmail, ByName, Verified, verify
from tools.context import Caller, ConversationId, CustomerId, OrderId, TurnId
from tools.errors import NotFound, NotIdentified
from tools.folding import folded
from tools.orders.port import Order, Product, order_number
from tools.proposal import Proposal

REASONS = ("no longer needed", "ordered by mistake")
NOBODYS = "_"
"""An id no saved method has: an empty one would mean "as the order was paid"."""
ALL_ORDERS = 10_000

Arguments = Mapping[str, Any]
Answer = Callable[[Arguments], Awaitable[Json]]


class Fault(Exception):
    """A tool of ours did not do it; `str()` is its fault: "not_found", "rejected.not_cancellable"."""


class RetailWorld:
    """`World` over a bench, which it gives back when it is closed."""

    def __init__(
        self, bench: Bench, database: Mapping[str, Any], *, give_back: Callable[[Bench], None]
    ) -> None:
        self._bench = bench
        self._give_back = give_back
        self._engine, self._orders, self._crm, self._box = bench.engine, bench.orders, bench.crm, bench.box
        self._source = database
        self._names: Mapping[str, Json] = {name: dict(u["name"]) for name, u in database["users"].items()}
        self._owner: CustomerId | None = None
        self._quirks = Quirks()
        self._answers: Mapping[str, Answer] = {
            "calculate": self._calculate,
            "transfer_to_human_agents": self._transfer,
            "find_user_id_by_email": self._by_email,
            "find_user_id_by_name_zip": self._by_name,
            "get_user_details": self._user,
            "get_order_details": self._order,
            "get_product_details": self._product,
            "get_item_details": self._item,
            "list_all_product_types": self._kinds,
            "cancel_pending_order": self._cancel,
            "modify_pending_order_address": self._address,
            "modify_pending_order_payment": self._payment,
            "modify_pending_order_items": self._items,
            "return_delivered_order_items": self._return,
            "exchange_delivered_order_items": self._exchange,
            "modify_user_address": self._home,
        }

    def owner_of(self, call: Call) -> str | None:
        said = call.arguments
        users: Mapping[str, Any] = self._source["users"]
        if "user_id" in said:
            return str(said["user_id"]) if said["user_id"] in users else None
        if "order_id" in said:
            order = self._source["orders"].get(said["order_id"])
            return str(order["user_id"]) if order else None
        for name, user in users.items():
            by_email = "email" in said and folded(str(said["email"])) == folded(user["email"])
            by_name = "zip" in said and call.name == "find_user_id_by_name_zip" and _is_named(user, said)
            if by_email or by_name:
                return name
        return None

    async def bind(self, owner: str) -> None:
        if self._owner is not None:
            raise ValueError(f"The run is {self._owner}'s already: open another world for {owner}.")
        self._owner = (await self._crm.customer(CustomerId(owner))).id

    async def call(self, call: Call) -> Json:
        answer = self._answers.get(call.name)
        if answer is None:
            raise refused(f"Tool '{call.name}' not found.")
        return await answer(call.arguments)

    async def database(self) -> Mapping[str, Json]:
        return await exported(self._engine, names=self._names, quirks=self._quirks)

    async def close(self) -> None:
        await self._bench.clear()
        self._give_back(self._bench)

    # Who it is. ---------------------------------------------------------------------------------------------

    async def _by_email(self, said: Arguments) -> Json:
        return await self._verified(ByEmail(email=said["email"]))

    async def _by_name(self, said: Arguments) -> Json:
        return await self._verified(ByName(name=full_name(said), postcode=said["zip"]))

    async def _verified(self, claim: ByEmail | ByName) -> Json:
        found = await verify(claim, crm=self._crm, factors=KNOWLEDGE)
        # One run serves one customer: a claim to be another one is nobody's.
        if not isinstance(found, Verified) or self._owner not in (None, found.customer):
            raise refused(refusals.NO_USER)
        self._owner = found.customer
        return found.customer

    def _caller(self) -> Caller:
        known = self._owner is not None
        return Caller(
            conversation=ConversationId("replay"),
            turn=TurnId("replay"),
            language="en",
            channel="replay",
            customer_id=self._owner,
            assurance="verified" if known else "anonymous",
            purposes=frozenset(filter(None, (self._box.scope(tool.name) for tool in self._box.tools()))),
            now=NOW,
        )

    def _myself(self, user_id: object) -> CustomerId:
        """Return the bound customer, if that is who is named; an official id is never looked up."""
        if self._owner is None or user_id != self._owner:
            raise refused(refusals.NO_USER)
        return self._owner

    # Reading. -----------------------------------------------------------------------------------------------

    async def _calculate(self, said: Arguments) -> Json:
        return calculated(said["expression"])

    async def _transfer(self, said: Arguments) -> Json:
        return "Transfer successful"

    async def _user(self, said: Arguments) -> Json:
        owner = self._myself(said["user_id"])
        orders = await self._orders.list(owner=owner, limit=ALL_ORDERS)
        told = customer_json(
            await self._crm.customer(owner),
            name=self._names[owner],
            methods=await self._orders.methods(owner=owner),
            orders=[order.id for order in sorted(orders, key=lambda order: order.placed)],
        )
        return self._quirks.customer(told)

    async def _order(self, said: Arguments) -> Json:
        return await self._told(await self._mine(said["order_id"]))

    async def _product(self, said: Arguments) -> Json:
        product = await self._in_catalogue(said["product_id"], or_else=refusals.NO_PRODUCT)
        if product.code != said["product_id"]:
            raise refused(refusals.NO_PRODUCT)
        return product_json(product)

    async def _item(self, said: Arguments) -> Json:
        product = await self._in_catalogue(said["item_id"], or_else=refusals.NO_ITEM)
        for variant in product.variants:
            if variant.code == said["item_id"]:
                return variant_json(variant)
        raise refused(refusals.NO_ITEM)

    async def _kinds(self, said: Arguments) -> Json:
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(t.products.c.title_en, t.products.c.code))
        return json.dumps({row.title_en: row.code for row in rows}, sort_keys=True)

    async def _mine(self, official: object) -> Order:
        """Return the bound customer's order of this official number, which is written in exactly one way."""
        number = order_number(str(official))
        if number is None or number_of(number) != official or self._owner is None:
            raise refused(refusals.NO_ORDER)
        try:
            return await self._orders.get(OrderId(number), owner=self._owner)
        except NotFound as absent:
            raise refused(refusals.NO_ORDER) from absent

    async def _told(self, order: Order) -> dict[str, Json]:
        products = [await self._orders.product(code) for code in sorted({i.product for i in order.items})]
        names = {product.code: product.title.en for product in products}
        return self._quirks.order(order_json(order, names=names))

    async def _in_catalogue(self, code: object, *, or_else: str) -> Product:
        try:
            return await self._orders.product(str(code))
        except NotFound as absent:
            raise refused(or_else) from absent

    # Writing. -----------------------------------------------------------------------------------------------

    async def _cancel(self, said: Arguments) -> Json:
        before = await self._told(await self._mine(said["order_id"]))
        proposal = await self._proposed("cancel_pending_order", "cancel_order", said, reason=said["reason"])
        # The official shop takes two reasons; ours takes any, so the customer of this run does not say yes.
        if said["reason"] not in REASONS:
            raise refused(refusals.INVALID_REASON)
        await self._confirm("cancel_pending_order", proposal)
        methods = await self._orders.methods(owner=proposal.owner)
        cards = [method.id for method in methods if method.balance is not None]
        self._quirks.cancelled(before, gift_cards=cards)
        return await self._order(said)

    async def _address(self, said: Arguments) -> Json:
        await self._mine(said["order_id"])
        await self._do("modify_pending_order_address", "change_address", said, **_new_address(said))
        return await self._order(said)

    async def _home(self, said: Arguments) -> Json:
        self._myself(said["user_id"])
        await self._do("modify_user_address", "change_home_address", {}, **_new_address(said))
        return await self._user(said)

    async def _payment(self, said: Arguments) -> Json:
        await self._mine(said["order_id"])
        await self._do("modify_pending_order_payment", "change_payment", said, new_payment=_method(said))
        return await self._order(said)

    async def _return(self, said: Arguments) -> Json:
        await self._mine(said["order_id"])
        await self._do(
            "return_delivered_order_items",
            "return_items",
            said,
            items=_some(said["item_ids"]),
            payment=_method(said),
        )
        return await self._order(said)

    async def _items(self, said: Arguments) -> Json:
        before = await self._told(await self._mine(said["order_id"]))
        await self._swap("modify_pending_order_items", "change_items", said)
        variants = await self._variants(said["new_item_ids"])
        self._quirks.items_changed(
            before, pairs=_pairs(said), variants=variants, paid_with=said["payment_method_id"]
        )
        return await self._order(said)

    async def _exchange(self, said: Arguments) -> Json:
        before = await self._told(await self._mine(said["order_id"]))
        await self._swap("exchange_delivered_order_items", "exchange_items", said)
        variants = await self._variants(said["new_item_ids"])
        self._quirks.exchanged(before, pairs=_pairs(said), variants=variants)
        return await self._order(said)

    async def _swap(self, call: str, tool: str, said: Arguments) -> None:
        items, new_items = _some(said["item_ids"]), list(said["new_item_ids"])
        await self._do(call, tool, said, items=items, new_items=new_items, payment=_method(said))

    async def _variants(self, codes: Sequence[str]) -> dict[str, dict[str, Any]]:
        found = [await self._orders.product(code) for code in sorted(set(codes))]
        return {v.code: variant_json(v) for product in found for v in product.variants}

    async def _do(self, call: str, tool: str, said: Arguments, **arguments: object) -> None:
        """Propose and confirm; `Refused` with the official error. Nothing to change is as good as done."""
        try:
            proposal = await self._proposed(call, tool, said, **arguments)
        except _Same:
            return
        await self._confirm(call, proposal)

    async def _proposed(self, call: str, tool: str, said: Arguments, **arguments: object) -> Proposal:
        number = {"order_id": said["order_id"]} if "order_id" in said else {}
        try:
            answer = json.loads(await self._box.call(tool, {**number, **arguments}, self._caller()))
        except NotIdentified as nobody:
            raise refused(refusals.NO_ORDER if number else refusals.NO_USER) from nobody
        if answer["ok"]:
            return Proposal.from_dict(answer["proposal"])
        fault = str(answer["fault"])
        if fault in ("rejected.same_address", "rejected.same_home"):
            raise _Same
        raise await self._refusal(call, fault, said)

    async def _confirm(self, call: str, proposal: Proposal) -> None:
        effect = await self._box.execute(proposal, self._caller(), key=proposal.id)
        if effect.state != "done":
            raise refusal(call, f"rejected.{effect.facts.get('reason', effect.state)}")

    async def _refusal(self, call: str, fault: str, said: Arguments) -> Refused:
        old = new = ""
        if fault == "rejected.not_in_order":
            order = await self._mine(said["order_id"])
            there = [item.code for item in order.items for _ in range(item.quantity)]
            old = refusals.too_many(said["item_ids"], there)
        if fault == "rejected.out_of_stock":
            variants = await self._variants(said["new_item_ids"])
            new = next((code for code in said["new_item_ids"] if not variants[code]["available"]), "")
        return refusal(call, fault, old=old, new=new)


class _Same(Exception):
    """What is asked for is so already."""


def _is_named(user: Mapping[str, Any], said: Mapping[str, Json]) -> bool:
    name = folded(full_name(user["name"])) == folded(full_name(said))
    return name and user["address"]["zip"] == said["zip"]


def _new_address(said: Arguments) -> dict[str, object]:
    return {
        "new_address": said["address1"],
        "new_extra": said["address2"],
        "new_city": said["city"],
        "new_region": said["state"],
        "new_country": said["country"],
        "new_postcode": said["zip"],
    }


def _method(said: Arguments) -> str:
    return said["payment_method_id"] or NOBODYS


def _some(items: Sequence[str]) -> list[str]:
    """Return the items; of none our tools would understand the whole order, so none is a refusal."""
    if not items:
        raise refused("rejected.nothing_chosen")
    return list(items)


def _pairs(said: Arguments) -> list[tuple[str, str]]:
    return list(zip(said["item_ids"], said["new_item_ids"], strict=True))
