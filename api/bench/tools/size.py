"""A large embedded shop: what filling it takes, and what each kind of call takes then, by the adapter alone."""

import gc
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from time import perf_counter, process_time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from api.bench.figures import spread
from api.bench.process import resident_mib
from api.bench.tools.bulk import Filled, Tell, fill_crowd
from api.bench.tools.crowd import Sold, customer_id
from tools.address import Address
from tools.context import CustomerId
from tools.crm.embedded import EmbeddedCRM
from tools.errors import NotFound
from tools.orders.embedded import EmbeddedOrders
from tools.orders.port import MOVABLE, Product
from tools.shop_files import Shop

WARM_UP = 20
GREATEST = 50
"""Customers with the most orders, whose lists are asked for."""
Call = Callable[[], Awaitable[object]]


async def bench_size(
    engine: AsyncEngine, shop: Shop, *, customers: int, orders: int, products: int, asked: int, tell: Tell
) -> dict[str, Any]:
    """Fill the empty migrated database and ask it; ms for each kind of call, MiB of this process."""
    began = perf_counter()
    filled = await fill_crowd(engine, shop, customers=customers, orders=orders, products=products, tell=tell)
    took = perf_counter() - began
    gc.collect()
    before = resident_mib(os.getpid())
    calls = _calls(engine, shop, filled, customers=customers, asked=asked)
    told = {name: await timed(each) for name, each in calls.items()}
    told |= await _writes(engine, filled, asked=asked)
    return {
        "rows": filled.rows,
        "fill_s": round(took, 1),
        "memory_mib": round(max(0.0, resident_mib(os.getpid()) - before)),
        **told,
    }


async def timed(calls: Sequence[Call]) -> dict[str, float]:
    """Make the calls one after another, the first of them twice; return their spread in ms, and `cpu` ms of a call."""
    for call in calls[:WARM_UP]:
        await call()
    took: list[float] = []
    busy = process_time()
    for call in calls:
        began = perf_counter()
        await call()
        took.append(1000 * (perf_counter() - began))
    cpu = 1000 * (process_time() - busy) / max(1, len(calls))
    return {**spread(took, digits=2), "cpu": round(cpu, 2)}


def _calls(
    engine: AsyncEngine, shop: Shop, filled: Filled, *, customers: int, asked: int
) -> dict[str, list[Call]]:
    orders, crm = EmbeddedOrders(engine), EmbeddedCRM(engine)
    some = filled.sold[:asked]
    numbers = [n * 7_919 % customers for n in range(asked)]
    words = [_words(shop.products[n % len(shop.products)], n) for n in range(asked)]
    greatest = [customer_id(n) for n in range(min(GREATEST, customers))]
    return {
        "look_up_ms": [partial(orders.get, one.id, owner=one.owner) for one in some],
        "look_up_foreign_ms": [partial(_foreign, orders, one) for one in some],
        "list_ms": [partial(orders.list, owner=one.owner) for one in some],
        "list_of_greatest_ms": [partial(orders.list, owner=owner) for owner in greatest],
        "ways_to_pay_ms": [partial(orders.methods, owner=one.owner) for one in some],
        "product_by_words_ms": [partial(orders.products, text) for text in words],
        "customer_ms": [partial(crm.customer, customer_id(n)) for n in numbers],
        "customer_by_email_ms": [partial(crm.find_by_email, f"customer{n}@example.com") for n in numbers],
    }


async def _foreign(orders: EmbeddedOrders, one: Sold) -> None:
    """Ask for somebody else's order: it must take no longer than one's own, nor shorter than an absent one."""
    try:
        await orders.get(one.id, owner=CustomerId("c-nobody"))
    except NotFound:
        return
    raise AssertionError(f"Order {one.id} was shown to a stranger.")


async def _writes(engine: AsyncEngine, filled: Filled, *, asked: int) -> dict[str, dict[str, float]]:
    """Change the address of orders under way: each proposed, and then done."""
    orders = EmbeddedOrders(engine)
    proposing: list[float] = []
    doing: list[float] = []
    for n, one in enumerate([one for one in filled.sold if one.status in MOVABLE][:asked]):
        began = perf_counter()
        address = Address(line=f"{n} Harbour street", city="City")
        proposal = await orders.propose_address(one.id, owner=one.owner, new_address=address)
        between = perf_counter()
        await orders.execute(proposal, owner=one.owner, key=f"bench-{datetime.now(UTC):%H%M%S}-{n}")
        doing.append(1000 * (perf_counter() - between))
        proposing.append(1000 * (between - began))
    return {"propose_ms": spread(proposing, digits=2), "execute_ms": spread(doing, digits=2)}


def _words(product: Product, n: int) -> str:
    """Return what a customer would look for: a product's category, and for every other one its name."""
    title, category = (product.title, product.category_title)
    return (category.ru, title.ru, category.en, title.en)[n % 4]
