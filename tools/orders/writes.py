"""The tools that prepare a change of an order. Each only asks: the customer's own yes does it (`Toolbox.execute`)."""

from collections.abc import Mapping, Sequence

from langchain.tools import BaseTool, ToolRuntime

from tools.address import Address
from tools.answer import Answer, answering, proposed
from tools.arguments import (
    ADDRESS_PARTS,
    Items,
    NewAddress,
    NewCity,
    NewCountry,
    NewExtra,
    NewItems,
    NewPayment,
    NewPostcode,
    NewRegion,
    OrderNumber,
    Payment,
    Reason,
)
from tools.assurance import Rule
from tools.context import Caller, CustomerId, MethodId, OrderId
from tools.declared import tool
from tools.errors import NotFound, Rejected
from tools.orders.naming import meant_method, meant_pieces, meant_variants
from tools.orders.number import order_numbers
from tools.orders.port import Change, Order, Orders, PaymentMethod, Product
from tools.orders.rules import whole
from tools.phrases import LANGUAGES, Phrases
from tools.spoken import meant, spoken

WRITE = Rule(scope="orders:write", effect="write", assurance="verified")
SENT_TO = {**WRITE.extras(), "recipients": ["new_address", *ADDRESS_PARTS]}

MOST_OWN = 50
"""Newest orders of one customer among which a number said in words is looked for."""
_NAMED_METHODS: tuple[PaymentMethod, ...] = ("gift_card", "wallet", "card")


def write_tools(orders: Orders, phrases: Phrases) -> list[BaseTool]:
    """Return the tools that change orders."""
    return [*_of_orders(orders, phrases), *_of_money(orders, phrases), *_of_goods(orders, phrases)]


def _of_orders(orders: Orders, phrases: Phrases) -> list[BaseTool]:
    @tool(extras=WRITE.extras())
    @answering(phrases, WRITE)
    async def cancel_order(
        order_id: OrderNumber, runtime: ToolRuntime[Caller], reason: Reason = ""
    ) -> Answer:
        """Prepare to cancel one of the customer's own orders that has not shipped. The customer must confirm it."""
        caller = runtime.context
        owner = caller.customer()
        number = await meant_order(order_id, orders=orders, owner=owner)
        proposal = await orders.propose_cancel(number, owner=owner, reason=reason)
        return proposed(proposal, caller, phrases)

    @tool(extras=SENT_TO)
    @answering(phrases, WRITE)
    async def change_address(
        order_id: OrderNumber,
        new_address: NewAddress,
        runtime: ToolRuntime[Caller],
        new_extra: NewExtra = "",
        new_city: NewCity = "",
        new_region: NewRegion = "",
        new_country: NewCountry = "",
        new_postcode: NewPostcode = "",
    ) -> Answer:
        """Prepare to deliver one of the customer's own unshipped orders elsewhere. The customer must confirm it."""
        caller = runtime.context
        address = Address(
            line=new_address,
            extra=new_extra,
            city=new_city,
            region=new_region,
            country=new_country,
            postcode=new_postcode,
        )
        owner = caller.customer()
        number = await meant_order(order_id, orders=orders, owner=owner)
        proposal = await orders.propose_address(number, owner=owner, new_address=address)
        return proposed(proposal, caller, phrases)

    return [cancel_order, change_address]


def _of_money(orders: Orders, phrases: Phrases) -> list[BaseTool]:
    @tool(extras=WRITE.extras())
    @answering(phrases, WRITE)
    async def change_payment(
        order_id: OrderNumber, new_payment: NewPayment, runtime: ToolRuntime[Caller]
    ) -> Answer:
        """Prepare to pay one of the customer's own unshipped orders with another saved method. To be confirmed."""
        caller = runtime.context
        number = await meant_order(order_id, orders=orders, owner=caller.customer())
        method = await _method(orders, phrases, caller, new_payment)
        if method is None:
            raise Rejected("no_such_method")
        proposal = await orders.propose_payment(number, owner=caller.customer(), new_method=method)
        return proposed(proposal, caller, phrases)

    @tool(extras=WRITE.extras())
    @answering(phrases, WRITE)
    async def return_items(
        order_id: OrderNumber, runtime: ToolRuntime[Caller], items: Items = (), payment: Payment = ""
    ) -> Answer:
        """Prepare the return of items of one of the customer's own delivered orders. The customer must confirm it."""
        caller = runtime.context
        order = await _open_to("return", orders, order_id, caller)
        proposal = await orders.propose_return(
            order.id,
            owner=order.owner,
            codes=meant_pieces(order, items),
            refund_to=await _method(orders, phrases, caller, payment),
        )
        return proposed(proposal, caller, phrases)

    return [change_payment, return_items]


def _of_goods(orders: Orders, phrases: Phrases) -> list[BaseTool]:
    @tool(extras=WRITE.extras())
    @answering(phrases, WRITE)
    async def change_items(
        order_id: OrderNumber,
        new_items: NewItems,
        runtime: ToolRuntime[Caller],
        items: Items = (),
        payment: Payment = "",
    ) -> Answer:
        """Prepare to change items of an own order that is not packed for other variants, once. To be confirmed."""
        caller = runtime.context
        order = await _open_to("items", orders, order_id, caller)
        codes, new_codes = await _swap(orders, order, items, new_items)
        proposal = await orders.propose_items(
            order.id,
            owner=order.owner,
            codes=codes,
            new_codes=new_codes,
            method=await _method(orders, phrases, caller, payment),
        )
        return proposed(proposal, caller, phrases)

    @tool(extras=WRITE.extras())
    @answering(phrases, WRITE)
    async def exchange_items(
        order_id: OrderNumber,
        new_items: NewItems,
        runtime: ToolRuntime[Caller],
        items: Items = (),
        payment: Payment = "",
    ) -> Answer:
        """Prepare to exchange items of an own delivered order for other variants of them. To be confirmed."""
        caller = runtime.context
        order = await _open_to("exchange", orders, order_id, caller)
        codes, new_codes = await _swap(orders, order, items, new_items)
        proposal = await orders.propose_exchange(
            order.id,
            owner=order.owner,
            codes=codes,
            new_codes=new_codes,
            method=await _method(orders, phrases, caller, payment),
        )
        return proposed(proposal, caller, phrases)

    return [change_items, exchange_items]


async def _open_to(change: Change, orders: Orders, number: str, caller: Caller) -> Order:
    """Return the caller's order; what the system never does is refused before the customer is asked for details."""
    owner = caller.customer()
    known = await meant_order(number, orders=orders, owner=owner)
    order = whole(await orders.get(known, owner=owner))
    if change not in order.offered:
        raise Rejected("not_offered")
    return order


async def _swap(
    orders: Orders, order: Order, items: Sequence[str], new_items: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    codes = meant_pieces(order, items)
    catalogue: dict[str, Product] = {}
    for name in sorted({item.product for item in order.items if item.product and item.code in codes}):
        try:
            catalogue[name] = await orders.product(name)
        except NotFound:
            continue  # it left the catalogue: the rules say so
    return codes, meant_variants(order, codes, new_items, catalogue)


async def _method(orders: Orders, phrases: Phrases, caller: Caller, said: str) -> MethodId | None:
    if not said.strip():
        return None
    words: Mapping[PaymentMethod, list[str]] = {
        kind: [word for ln in LANGUAGES for word in phrases.items(f"called.{kind}", ln)]
        for kind in _NAMED_METHODS
    }
    return meant_method(said, await orders.methods(owner=caller.customer()), words)


async def meant_order(text: str, *, orders: Orders, owner: CustomerId) -> OrderId:
    """Return the number a text names, in figures or in words; in words it must be one of the owner's own orders.

    `Rejected`: "bad_number" when it is none, "which_order" when several.
    """
    if order_numbers(text) or not spoken(text):
        return number_in(text)
    own = [order.id for order in await orders.list(owner=owner, limit=MOST_OWN)]
    found = meant(text, own)
    if len(found) != 1:
        raise Rejected("which_order" if found else "bad_number")
    return OrderId(found[0])


def number_in(text: str) -> OrderId:
    """Return the order number a text names; `Rejected`: "bad_number" when it is none, "which_order" when several."""
    named = order_numbers(text)
    if len(named) != 1:
        raise Rejected("which_order" if named else "bad_number")
    return named[0]
