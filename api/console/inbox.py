"""The list of the desk as several open pages read it: one reading serves everybody who asks at the same moment.

```
page ─┐
page ─┼─► the reading that begins next ─► lines, counts ─► mark
page ─┘        (never one that began before the page asked)
```
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar, cast

from fastapi import FastAPI

from agent.records.desk import SHELVES, Line, Shelf, ordered
from api.console.cases import list_mark
from api.console.promises import promises_mark
from api.console.visit import Visit
from tools.context import CustomerId
from tools.crm.port import CRM, Customer
from tools.errors import ToolFault

KNOWN_SECONDS = 30.0
"""How long a customer's name for the list is kept: it is read for a hundred rows at every change."""
KNOWN_MOST = 1_000

T = TypeVar("T")


class Readings:
    """Runs a reading once for all who ask while another of its kind runs."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[Any]] = {}
        self._next: dict[Hashable, asyncio.Task[Any]] = {}

    async def get(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """Return the result of a reading that began after this was called."""
        task = self._next.get(key)
        if task is None:
            task = asyncio.create_task(self._after(self._running.get(key), key, read))
            self._next[key] = task
        return cast(T, await asyncio.shield(task))

    async def _after(
        self, before: "asyncio.Task[Any] | None", key: Hashable, read: Callable[[], Awaitable[T]]
    ) -> T:
        if before is not None:
            await asyncio.wait([before])
        mine = self._next.pop(key)
        # Whoever asks from here on gets the one after: this one may miss what they have seen.
        self._running[key] = mine
        try:
            return await read()
        finally:
            if self._running.get(key) is mine:
                del self._running[key]


class Known:
    """Names for the list, kept for seconds."""

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._kept: dict[CustomerId, tuple[float, Customer | None]] = {}

    async def customer(self, id: CustomerId, *, crm: CRM) -> Customer | None:
        """Return the customer, None where the register does not answer or has forgotten them."""
        until, found = self._kept.get(id, (0.0, None))
        if until > self._now():
            return found
        try:
            found = await crm.customer(id)
        except ToolFault:
            found = None
        if len(self._kept) >= KNOWN_MOST:
            self._kept.clear()
        self._kept[id] = (self._now() + KNOWN_SECONDS, found)
        return found


class Inbox:
    """What the open pages of one process share. `streams` counts open ones by login."""

    def __init__(self) -> None:
        self.readings = Readings()
        self.known = Known()
        self.streams: Counter[str] = Counter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which list: a shelf, and a department or all."""

    shelf: Shelf
    within: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a list stands; `mark` changes when its page would."""

    lines: Sequence[Line]
    counts: Mapping[Shelf, int]
    mark: str


def inbox_of(app: FastAPI) -> Inbox:
    """Return the inbox of an application."""
    if not hasattr(app.state, "console_inbox"):
        app.state.console_inbox = Inbox()
    found: Inbox = app.state.console_inbox
    return found


def chosen(visit: Visit, show: str, department: str) -> Choice:
    """Read a choice from an address; what does not exist is everything."""
    shelf: Shelf = next((name for name in SHELVES if name == show), "open")
    departments = visit.house.building.pack.departments
    return Choice(shelf=shelf, within=department if any(one.id == department for one in departments) else "")


async def standing(visit: Visit, choice: Choice) -> Standing:
    """Read how the list stands for this person."""
    readings, desk, login = inbox_of(visit.request.app).readings, visit.desk, visit.who.login
    shelf, within = choice.shelf, choice.within
    reader = login if shelf == "mine" else ""
    lines = await readings.get(
        ("lines", shelf, within, reader), lambda: desk.lines(shelf, operator=reader, department=within)
    )
    counts = await readings.get(
        ("counts", within, login), lambda: desk.counts(operator=login, department=within)
    )
    if shelf != "done":
        lines = ordered(lines, operator=login, home=visit.who.department)
    told = f"{shelf} {within} {visit.language} {promises_mark(visit, lines)}"
    mark = list_mark(lines, counts, chosen=told)
    return Standing(lines=lines, counts=counts, mark=mark)
