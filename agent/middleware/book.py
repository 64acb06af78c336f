"""The scratch paper of one turn: what its middleware shares. It dies with the turn; the ledger's steps stay."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain_core.tools import BaseTool

from agent.domain import Cost, ToolUse
from agent.middleware.ahead import Ahead
from agent.models import ModelChain
from agent.ports import Listener, Steps
from agent.privacy.veil import Veil
from agent.prompts import Prompts
from agent.provider import Profile
from agent.receipt import ModelRead, Part, merged
from agent.spending import Charge, Spent
from tools.context import Caller

Status = Callable[[str], Awaitable[None]]

BROKEN = frozenset({"unavailable", "bad_arguments"})
"""Faults that say the tool did not work, as against an answer such as `not_found`."""


@dataclass(slots=True, kw_only=True)  # mutable: one turn's running account
class Book:
    """State of one run of the loop. `deadline` is in seconds of the monotonic clock."""

    caller: Caller
    steps: Steps
    status: Status
    models: ModelChain
    offered: Mapping[str, BaseTool]
    controls: Mapping[str, BaseTool]
    tool_calls: int
    deadline: float
    prompts: Mapping[Profile, Prompts]
    day: date
    """The company's calendar day."""
    veil: Veil | None = None
    """What stands between this turn and models outside, where the pack wants it; None where they read everything."""
    given: dict[str, ModelRead] = field(default_factory=dict)
    """What of the turn each model was given, by its name."""
    said_before: int = 0
    """How many messages stand before the question."""
    withheld: dict[str, None] = field(default_factory=dict)
    """Why better models were passed over in this turn, in order."""
    model_calls: int = 0
    used: list[ToolUse] = field(default_factory=list)
    link: int = 0
    cost: Cost = field(default_factory=Cost)
    listener: Listener | None = None
    said: tuple[str, ...] = ()
    """What had left when this writing began."""
    streamed: bool = False
    """Whether something of the turn had left at the end of a model call."""
    after: int = 0
    """How many sentences had left when the model that spoke last was asked."""
    model_ms: float = 0.0
    order: asyncio.Condition = field(default_factory=asyncio.Condition)
    ahead: Ahead = field(default_factory=Ahead)

    @property
    def model(self) -> str:
        """Name of the model that spoke last."""
        return self.models.links[self.link].name

    @property
    def proposal(self) -> Mapping[str, Any] | None:
        """The first prepared change of this turn; the loop ends with it."""
        found = (use.result.get("proposal") for use in self.used if use.ok)
        return next((proposal for proposal in found if isinstance(proposal, Mapping)), None)

    def reads(self, name: str) -> bool:
        """Whether the tool only reads, so that running it early, or once more after a crash, does no harm."""
        tool = self.offered.get(name)
        return tool is not None and (tool.extras or {}).get("effect") == "read"

    def calls_left(self) -> int:
        """Return how many tool calls the turn may still make."""
        return max(0, self.tool_calls - len(self.used))

    def seconds_left(self) -> float:
        """Return the seconds until the turn's deadline, negative when it is past."""
        return self.deadline - time.monotonic()

    def broken(self, name: str) -> int:
        """Return how often the tool did not work in this turn."""
        return sum(use.name == name and use.fault in BROKEN for use in self.used)

    @property
    def spent(self) -> Spent:
        """What the turn's model calls came to."""
        return Spent(tokens=self.cost.prompt_tokens + self.cost.completion_tokens, usd=self.cost.usd)

    def give(self, *reads: ModelRead) -> None:
        """Add what models were given."""
        for read in reads:
            self.given[read.model] = merged(self.given.get(read.model), read)

    def parts(self) -> tuple[Part, ...]:
        """Return what of the turn the next model call gives away."""
        results: tuple[Part, ...] = ("results",) if self.used else ()
        return ("question", *(("history",) if self.said_before else ()), *results)

    def pay(self, charge: Charge) -> None:
        """Add what one model call cost."""
        self.cost = Cost(
            prompt_tokens=self.cost.prompt_tokens + charge.prompt,
            completion_tokens=self.cost.completion_tokens + charge.completion,
            usd=self.cost.usd + charge.usd,
        )

    @asynccontextmanager
    async def in_order(self, n: int) -> AsyncIterator[None]:
        """Wait until the calls before the n-th (from 1) are written down: parallel calls take turns."""
        async with self.order:
            await self.order.wait_for(lambda: len(self.used) >= n - 1)
        try:
            yield
        finally:
            async with self.order:
                self.order.notify_all()


class Booked(AgentMiddleware):
    """Middleware that works on the book of the turn it runs in: it is compiled once, and serves many turns at a time."""

    @property
    def book(self) -> Book:
        """The book of this turn. Raises `LookupError` outside one."""
        return _OPEN.get()


_OPEN: ContextVar[Book] = ContextVar("book")


@contextmanager
def opened(book: Book) -> Iterator[None]:
    """Let middleware find `book` inside the block, and in the tasks that are begun there."""
    token = _OPEN.set(book)
    try:
        yield
    finally:
        _OPEN.reset(token)


def call_id(n: int) -> str:
    """Return the id of the n-th tool call: nine letters and digits, which every provider accepts back."""
    return f"call{n:05d}"


def call_number(id: str) -> int:
    """Return n of `call_id(n)`."""
    return int(id.removeprefix("call"))


def fault(code: str, **more: str) -> str:
    """Return a tool result that says what went wrong, and nothing of how."""
    return json.dumps({"ok": False, "kind": "fault", "fault": code, "sentences": [], "facts": {}, **more})
