"""What the layer over a system's adapter takes: the time of a whole call less the adapter's own.

```
layer        gate, arguments, sentences, JSON                  Toolbox.call and Toolbox.execute
with ledger  the same in the model loop's middleware, and the durable step it is recorded by
```
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from agent.pack import Pack
from agent.ports import Steps
from api.bench.figures import spread
from api.bench.tools.talk import Talk, Timed, Wanted, customer
from api.durable import open_turns
from tools.context import Caller, TurnId
from tools.crm.embedded import EmbeddedCRM
from tools.crm.functions import crm_tools
from tools.crm.port import CRM
from tools.orders.embedded import EmbeddedOrders
from tools.orders.functions import order_tools
from tools.orders.port import MOVABLE, Order, Orders
from tools.phrases import Phrases
from tools.proposal import Proposal
from tools.shop_files import Shop
from tools.toolbox import TEXTS, Toolbox

WARM_UP = 5


class Watched:
    """An adapter whose coroutines are timed; `spent` is seconds since it was last taken."""

    def __init__(self, adapter: object) -> None:
        self._adapter = adapter
        self.spent = 0.0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)

        async def timed(*args: Any, **named: Any) -> Any:
            began = perf_counter()
            try:
                return await found(*args, **named)
            finally:
                self.spent += perf_counter() - began

        return timed

    def taken(self) -> float:
        """Return the seconds spent in the adapter and begin anew."""
        spent, self.spent = self.spent, 0.0
        return spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Milliseconds of calls: the adapter's own, and what the layer added without and with its durable step."""

    adapter: list[float] = field(default_factory=list)
    layer: list[float] = field(default_factory=list)
    ledger: list[float] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Return the spreads."""
        return {
            "adapter_ms": spread(self.adapter, digits=2),
            "layer_ms": spread(self.layer, digits=2),
            "with_ledger_ms": spread(self.ledger, digits=2),
        }


class Overhead:
    """Calls over the embedded shop, each asked once through the layer alone and once in a recorded turn."""

    def __init__(self, engine: AsyncEngine, shop: Shop, pack: Pack) -> None:
        self._orders, self._crm = Watched(EmbeddedOrders(engine)), Watched(EmbeddedCRM(engine))
        texts = Phrases(TEXTS, currency=pack.company.currency, timezone=pack.timezone)
        self._toolbox = Toolbox(
            order_tools(cast(Orders, self._orders), texts), crm_tools(cast(CRM, self._crm), texts)
        )
        self._talk = Talk(self._toolbox, pack)
        self._shop = shop
        self.reads, self.writes = Took(), Took()

    async def run(self, asked: int, *, folder: Path) -> Mapping[str, Any]:
        """Make `asked` reads and as many writes each way; the ledger's own file is kept in `folder`."""
        jobs: dict[TurnId, int] = {}

        async def turn(id: TurnId, steps: Steps) -> str:
            await self._recorded(jobs[id], steps)
            return "answered"

        url = f"sqlite:///{folder / 'durable.sqlite'}"
        async with open_turns(turn, url=url, data=folder) as turns:
            for n in range(-WARM_UP, asked):
                await self._plain(n)
                id = TurnId(f"bench-{n + WARM_UP}")
                jobs[id] = n
                await turns.run(id)
        return {"reads": self.reads.told(), "writes": self.writes.told()}

    async def _plain(self, n: int) -> None:
        name, arguments, who = self._read(n)
        began = perf_counter()
        await self._toolbox.call(name, arguments, who)
        whole = perf_counter() - began
        self._note(self.reads, n, whole, alone=True)
        _, arguments, who = self._write(n, "plain")
        began = perf_counter()
        told = await self._toolbox.call("change_address", arguments, who)
        proposal = _proposal(told)
        effect = await self._toolbox.execute(proposal, who, key=proposal.id)
        self._toolbox.effect_text(effect, who.language)
        self._note(self.writes, n, perf_counter() - began, alone=True)

    async def _recorded(self, n: int, steps: Steps) -> None:
        name, arguments, who = self._read(n)
        timed = Timed(steps)
        await self._talk.turn((name, arguments), who=who, steps=_Prefixed(timed, "a"))
        self._note(self.reads, n, _seconds(timed), alone=False)
        _, arguments, who = self._write(n, "recorded")
        timed = Timed(steps)
        draft = await self._talk.turn(("change_address", arguments), who=who, steps=_Prefixed(timed, "b"))
        proposal = Proposal.from_dict(dict(draft.proposal or {}))

        async def effect() -> dict[str, Any]:
            done = await self._toolbox.execute(proposal, who, key=proposal.id)
            return {"state": done.state, "text": self._toolbox.effect_text(done, who.language)}

        await timed.run("tool:execute", effect, of=dict)
        self._note(self.writes, n, _seconds(timed), alone=False)

    def _note(self, took: Took, n: int, whole: float, *, alone: bool) -> None:
        inside = self._orders.taken() + self._crm.taken()
        if n < 0:
            return
        took.adapter.append(1000 * inside)
        (took.layer if alone else took.ledger).append(1000 * (whole - inside))

    def _read(self, n: int) -> tuple[str, Mapping[str, Any], Caller]:
        order = self._shop.orders[n % len(self._shop.orders)]
        product = self._shop.products[n % len(self._shop.products)]
        reads: Sequence[Wanted] = (
            ("order_status", {"order_id": str(order.id)}),
            ("list_orders", {}),
            ("find_product", {"query": product.title.ru}),
            ("my_profile", {}),
        )
        name, arguments = reads[n % len(reads)]
        return name, arguments, customer(order.owner)

    def _write(self, n: int, way: str) -> tuple[Order, Mapping[str, Any], Caller]:
        movable = [order for order in self._shop.orders if order.status in MOVABLE]
        order = movable[n % len(movable)]
        # An address is never asked for twice: one that is there already would be refused.
        line = f"{n + WARM_UP} {way} street {datetime.now(UTC):%H%M%S}"
        return order, {"order_id": str(order.id), "new_address": line}, customer(order.owner)


class _Prefixed:
    """Steps whose names begin with a mark: two small turns in one workflow."""

    def __init__(self, steps: Timed, mark: str) -> None:
        self._steps, self._mark, self.attempt = steps, mark, steps.attempt

    async def run(self, name: str, effect: Any, *, of: Any) -> Any:
        return await self._steps.run(f"{name}:{self._mark}", effect, of=of)


def _seconds(steps: Timed) -> float:
    return sum(end - begin for _, begin, end in steps.of_tools())


def _proposal(told: str) -> Proposal:
    return Proposal.from_dict(json.loads(told)["proposal"])
