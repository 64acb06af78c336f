"""Three reads of one message, each of a system that takes its time: they should take about as long as one."""

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from agent.domain import Draft
from agent.fake import InlineSteps
from agent.pack import Pack
from api.bench.tools.talk import Talk, Timed, Wanted, customer
from tools.context import CustomerId, OrderId
from tools.orders.fake import FakeOrders
from tools.orders.functions import order_tools
from tools.orders.port import Order, Product
from tools.phrases import Phrases
from tools.shop_files import Shop
from tools.toolbox import TEXTS, Toolbox

SECONDS = 0.05


class SlowOrders(FakeOrders):
    """Answers as the fake does, after as many seconds as `waits` says, in the order of the calls."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop.orders, shop.products, terms=shop.terms, methods=shop.methods)
        self.waits: Sequence[float] = (SECONDS,)
        self.asked = 0

    async def get(self, order_id: OrderId, *, owner: CustomerId) -> Order:
        await self._wait()
        return await super().get(order_id, owner=owner)

    async def list(self, *, owner: CustomerId, limit: int = 10) -> tuple[Order, ...]:
        await self._wait()
        return await super().list(owner=owner, limit=limit)

    async def products(self, text: str, *, limit: int = 5) -> tuple[Product, ...]:
        await self._wait()
        return await super().products(text, limit=limit)

    async def _wait(self) -> None:
        self.asked += 1
        await asyncio.sleep(self.waits[(self.asked - 1) % len(self.waits)])


async def bench_together(shop: Shop, pack: Pack, *, rounds: int) -> Mapping[str, Any]:
    """Return ms of one read and of three, their ratio, and whether replays and other speeds told the same."""
    orders = SlowOrders(shop)
    talk = Talk(Toolbox(order_tools(orders, Phrases(TEXTS))), pack)
    who = customer(shop.orders[0].owner)
    reads: list[Wanted] = [
        ("order_status", {"order_id": str(shop.orders[0].id)}),
        ("list_orders", {}),
        ("find_product", {"query": shop.products[0].code}),
    ]
    one: list[float] = []
    three: list[float] = []
    told: set[str] = set()
    replayed = True
    for n in range(rounds):
        orders.waits = (SECONDS,)
        steps = Timed(InlineSteps())
        await talk.turn(reads[n % 3], who=who, steps=steps)
        one.append(_ms(steps))
        kept = InlineSteps()
        steps = Timed(kept)
        draft = await talk.turn(*reads, who=who, steps=steps)
        three.append(_ms(steps))
        told.add(_story(draft, kept))
        # The last to be asked answers first: what is written down must be the same.
        orders.waits, other = (SECONDS, SECONDS / 2, SECONDS / 10), InlineSteps()
        told.add(_story(await talk.turn(*reads, who=who, steps=other), other))
        asked = orders.asked
        again = await talk.turn(*reads, who=who, steps=kept)
        replayed = replayed and orders.asked == asked and _story(again, kept) == _story(draft, kept)
    alone, all_of_them = statistics.median(one), statistics.median(three)
    return {
        "one_ms": round(alone, 1),
        "three_ms": round(all_of_them, 1),
        "ratio": round(all_of_them / alone, 2),
        "same_story": len(told) == 1,
        "replayed": replayed,
    }


def _ms(steps: Timed) -> float:
    took = steps.of_tools()
    return 1000 * (max(end for *_, end in took) - min(begin for _, begin, _ in took))


def _story(draft: Draft, steps: InlineSteps) -> str:
    uses = [(use.name, dict(use.arguments), use.ok, use.result) for use in draft.tools]
    return repr((uses, [name for name in steps.done if name.startswith("tool:")]))
