"""The order tools a model may call. Whose orders they are comes from the caller, never from an argument."""

from typing import Annotated

from langchain.tools import BaseTool, ToolRuntime, tool
from pydantic import Field, WithJsonSchema

from tools.address import Address
from tools.answer import Answer, answering
from tools.assurance import Rule
from tools.confirm import confirmation
from tools.context import Caller, OrderId
from tools.errors import Rejected
from tools.orders.facts import order_facts, order_sentences, product_facts, product_sentences, summary
from tools.orders.port import ACTIVE, Orders, order_number
from tools.phrases import LANGUAGES, Phrases
from tools.proposal import Proposal
from tools.texts import TEXTS
from tools.toolkit import Toolkit

READ = Rule(scope="orders:read", effect="read", assurance="channel")
WRITE = Rule(scope="orders:write", effect="write", assurance="verified")
PUBLIC = Rule(scope=None, effect="read", assurance="anonymous")

ORDER_PATTERN = r"^\d{1,10}(-?[A-Za-zА-Яа-яЁё])?$"
_SHOWN_ORDERS = 10
_SHOWN_PRODUCTS = 5

_HELP = Phrases(TEXTS)


def _described(argument: str) -> str:
    """Both languages in one description: customers write in either, whatever the model was taught in."""
    return " · ".join(_HELP.say(f"argument.{argument}", language) for language in LANGUAGES)


# The pattern tells planners what to look for; it does not validate, so that a badly written number is still read.
_NUMBER = {
    "type": "string",
    "title": "Order number",
    "pattern": ORDER_PATTERN,
    "description": _described("order_id"),
}

OrderNumber = Annotated[str, WithJsonSchema(_NUMBER)]
Reason = Annotated[str, Field(description=_described("reason"))]
NewAddress = Annotated[str, Field(description=_described("new_address"))]
Query = Annotated[str, Field(description=_described("query"))]


def order_tools(orders: Orders, phrases: Phrases) -> Toolkit:
    """Return all order tools over one order system."""
    tools = (*_reads(orders, phrases), *_writes(orders, phrases))
    return Toolkit(tools=tools, phrases=phrases, execute=orders.execute)


def _reads(orders: Orders, phrases: Phrases) -> list[BaseTool]:
    @tool(extras=READ.extras())
    @answering(phrases, READ)
    async def order_status(order_id: OrderNumber, runtime: ToolRuntime[Caller]) -> Answer:
        """Look up one of the customer's own orders: state, delivery day, tracking, items, payment, refunds."""
        caller = runtime.context
        order = await orders.get(_number(order_id), owner=caller.customer())
        return Answer(
            kind="order",
            sentences=order_sentences(order, phrases=phrases, language=caller.language, now=caller.now),
            facts=order_facts(order, language=caller.language),
        )

    @tool(extras=READ.extras())
    @answering(phrases, READ)
    async def list_orders(runtime: ToolRuntime[Caller]) -> Answer:
        """List the customer's own orders, those under way first. Use it when no order number is known."""
        caller = runtime.context
        language = caller.language
        found = await orders.list(owner=caller.customer(), limit=_SHOWN_ORDERS)
        active = [order.id for order in found if order.status in ACTIVE]
        if not found:
            head = phrases.say("orders.none", language)
        elif active:
            head = phrases.say("orders.active", language, count=len(active), orders=active)
        else:
            head = phrases.say("orders.no_active", language)
        lines = [summary(order, phrases=phrases, language=language) for order in found]
        rows = [order_facts(order, language=language) for order in found]
        kept = ("order", "status", "placed", "total", "currency", "eta", "can_change")
        short = [{name: row[name] for name in kept} for row in rows]
        return Answer(kind="orders", sentences=(head, *lines), facts={"active": active, "orders": short})

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

    return [order_status, list_orders, find_product]


def _writes(orders: Orders, phrases: Phrases) -> list[BaseTool]:
    @tool(extras=WRITE.extras())
    @answering(phrases, WRITE)
    async def cancel_order(
        order_id: OrderNumber, runtime: ToolRuntime[Caller], reason: Reason = ""
    ) -> Answer:
        """Prepare to cancel one of the customer's own orders that has not shipped. The customer must confirm it."""
        caller = runtime.context
        proposal = await orders.propose_cancel(_number(order_id), owner=caller.customer(), reason=reason)
        return _proposed(proposal, caller, phrases)

    @tool(extras={**WRITE.extras(), "recipients": ["new_address"]})
    @answering(phrases, WRITE)
    async def change_address(
        order_id: OrderNumber, new_address: NewAddress, runtime: ToolRuntime[Caller]
    ) -> Answer:
        """Prepare to deliver one of the customer's own unshipped orders elsewhere. The customer must confirm it."""
        caller = runtime.context
        proposal = await orders.propose_address(
            _number(order_id), owner=caller.customer(), new_address=Address(line=new_address)
        )
        return _proposed(proposal, caller, phrases)

    return [cancel_order, change_address]


def _proposed(proposal: Proposal, caller: Caller, phrases: Phrases) -> Answer:
    question = confirmation(proposal, phrases=phrases, language=caller.language)
    return Answer(kind="proposal", sentences=(question,), facts=proposal.facts, proposal=proposal)


def _number(text: str) -> OrderId:
    number = order_number(text)
    if number is None:
        raise Rejected("bad_number")
    return number
