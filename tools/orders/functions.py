"""The order tools a model may call. Whose orders they are comes from the caller, never from an argument."""

from langchain.tools import BaseTool, ToolRuntime

from tools.answer import Answer, answering
from tools.arguments import Code, OrderNumber, Query
from tools.assurance import Rule
from tools.context import Caller
from tools.declared import tool
from tools.errors import NotFound
from tools.orders.facts import (
    choice,
    lacking,
    method_facts,
    method_label,
    order_facts,
    order_sentences,
    product_facts,
    product_sentences,
    summary,
    variant_facts,
    variant_sentences,
)
from tools.orders.port import ACTIVE, Orders
from tools.orders.writes import meant_order, write_tools
from tools.phrases import Phrases
from tools.toolkit import Toolkit

READ = Rule(scope="orders:read", effect="read", assurance="channel")
PUBLIC = Rule(scope=None, effect="read", assurance="anonymous")

_SHOWN_ORDERS = 10
_SHOWN_PRODUCTS = 5


def order_tools(orders: Orders, phrases: Phrases) -> Toolkit:
    """Return all order tools over one order system."""
    tools = (
        *_own(orders, phrases),
        _kept_methods(orders, phrases),
        *_public(orders, phrases),
        *write_tools(orders, phrases),
    )
    return Toolkit(tools=tools, phrases=phrases, execute=orders.execute)


def _own(orders: Orders, phrases: Phrases) -> list[BaseTool]:
    @tool(extras=READ.extras())
    @answering(phrases, READ)
    async def order_status(order_id: OrderNumber, runtime: ToolRuntime[Caller]) -> Answer:
        """Look up one of the customer's own orders: state, delivery day, tracking, items, payment, refunds."""
        caller = runtime.context
        owner = caller.customer()
        order = await orders.get(await meant_order(order_id, orders=orders, owner=owner), owner=owner)
        return Answer(
            kind="order",
            sentences=order_sentences(order, phrases=phrases, language=caller.language, now=caller.now),
            facts=order_facts(order, phrases=phrases, language=caller.language),
            unreached=lacking([order], phrases=phrases, language=caller.language),
        )

    @tool(extras={**READ.extras(), "fills": ["order_id"]})
    @answering(phrases, READ)
    async def list_orders(runtime: ToolRuntime[Caller]) -> Answer:
        """List the customer's own orders, those under way first. Use it when no order number is known."""
        caller = runtime.context
        language = caller.language
        found = await orders.list(owner=caller.customer(), limit=_SHOWN_ORDERS)
        active = [order.id for order in found if order.status in ACTIVE and not order.unreached]
        unknown = lacking(found, phrases=phrases, language=language)
        if not found:
            head = phrases.say("orders.none", language)
        elif unknown:
            head = phrases.say("orders.all", language, orders=[order.id for order in found])
        elif active:
            head = phrases.say("orders.active", language, count=len(active), orders=active)
        else:
            head = phrases.say("orders.no_active", language)
        lines = [summary(order, phrases=phrases, language=language) for order in found]
        rows = [order_facts(order, phrases=phrases, language=language) for order in found]
        kept = ("order", "status", "placed", "total", "currency", "eta", "can_change")
        short = [{name: row[name] for name in kept} for row in rows]
        open_ones = [order for order in found if order.id in active] or found
        return Answer(
            kind="orders",
            sentences=(head, *lines),
            facts={"active": active, "orders": short},
            unreached=unknown,
            choices={"order_id": [choice(one, phrases=phrases, language=language) for one in open_ones]},
        )

    return [order_status, list_orders]


def _kept_methods(orders: Orders, phrases: Phrases) -> BaseTool:
    @tool(extras={**READ.extras(), "fills": ["new_payment"]})
    @answering(phrases, READ)
    async def my_payment_methods(runtime: ToolRuntime[Caller]) -> Answer:
        """List the ways to pay the customer has saved: cards by their last digits, gift cards with their balance."""
        caller = runtime.context
        language = caller.language
        kept = await orders.methods(owner=caller.customer())
        labels = [method_label(one, phrases=phrases, language=language) for one in kept]
        key = "methods.some" if kept else "methods.none"
        return Answer(
            kind="methods",
            sentences=(phrases.say(key, language, count=len(kept), methods=labels),),
            facts={"methods": [method_facts(one) for one in kept]},
            choices={
                "new_payment": [
                    {"value": one.id, "label": label} for one, label in zip(kept, labels, strict=True)
                ]
            },
        )

    return my_payment_methods


def _public(orders: Orders, phrases: Phrases) -> list[BaseTool]:
    @tool(extras=PUBLIC.extras())
    @answering(phrases, PUBLIC)
    async def find_product(query: Query, runtime: ToolRuntime[Caller]) -> Answer:
        """Find products of the public catalogue: price, stock, colours, features, rating."""
        language = runtime.context.language
        found = await orders.products(query, limit=_SHOWN_PRODUCTS)
        said: list[str] = [] if found else [phrases.say("product.none", language)]
        for product in found:
            said += product_sentences(product, phrases=phrases, language=language, full=len(found) == 1)
        rows = [product_facts(product, language=language) for product in found]
        return Answer(kind="products", sentences=tuple(said), facts={"products": rows})

    @tool(extras=PUBLIC.extras())
    @answering(phrases, PUBLIC)
    async def product_variants(code: Code, runtime: ToolRuntime[Caller]) -> Answer:
        """List every variant of one product by the product's or a variant's code: options, price, whether in stock."""
        language = runtime.context.language
        try:
            product = await orders.product(code)
        except NotFound:
            return Answer(kind="products", sentences=(phrases.say("product.none", language),))
        return Answer(
            kind="products",
            sentences=variant_sentences(product, phrases=phrases, language=language),
            facts={"code": product.code, "variants": variant_facts(product, language=language)},
        )

    return [find_product, product_variants]
