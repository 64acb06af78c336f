"""The clock of the queue: looks whose next event is due, lets the rules decide, and tells the customer what is to be told.

```
every second ─► due_events ─► operators present ─► agent.routing.next_event ─► pass_along (one transaction) ─► bell
```
It keeps nothing in memory. What is due stands in the table, so a process that was killed leaves nothing undone, and
two that look at once do everything once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from agent.calling import first_thing, waiting_words
from agent.domain import Reply
from agent.pack import Pack
from agent.ports import Clock
from agent.records.sql import SqlRecords
from agent.routing import Case, Next, Operator, next_event
from tools.phrases import Phrases

LOOK_SECONDS = 1.0

logger = logging.getLogger("mayak.queue")


class Queue:
    """Carries out what is due. Stateless between looks."""

    def __init__(self, *, records: SqlRecords, pack: Pack, phrases: Phrases, clock: Clock) -> None:
        self.records = records
        self.pack = pack
        self.phrases = phrases
        self.clock = clock

    async def look(self) -> int:
        """Take up every event that is due; return how many were carried out by this process."""
        cases = await self.records.due_events()
        if not cases:
            return 0
        done = 0
        for case in cases:
            try:
                # Anew each time: whoever was chosen for the one before has a place less.
                done += await self._pass_along(case, await self.records.operators())
            except Exception as fault:
                # It stays due, and those behind it wait no longer for that.
                logger.error("the event due for %s cannot be carried out: %r", case.conversation, fault)
        return done

    async def _pass_along(self, case: Case, operators: Sequence[Operator]) -> bool:
        next = next_event(case, now=self.clock.now(), operators=operators, pack=self.pack)
        said = self._said(case, next)
        pledge = None
        if said is not None and next.back is not None:
            department = self.pack.department(next.department)
            pledge = first_thing(said.text, department=department, now=self.clock.now(), pack=self.pack)
        return await self.records.pass_along(
            case.conversation, next, expecting=case.due, said=said, pledge=pledge
        )

    def _said(self, case: Case, next: Next) -> Reply | None:
        if not next.tells:
            return None
        return waiting_words(
            next,
            language=case.language,
            department=self.pack.department(next.department),
            moved=next.department != self.pack.department(case.department).id,
            now=self.clock.now(),
            phrases=self.phrases,
            pack=self.pack,
        )


class Watch(Protocol):
    """What is looked at again and again."""

    async def look(self) -> int: ...


@asynccontextmanager
async def clocked(*watches: Watch) -> AsyncIterator[None]:
    """Let what is due by a clock be looked at while the block runs: each by itself, none waits for another."""

    async def look_on(watch: Watch) -> None:
        while True:
            try:
                await watch.look()
            except Exception as fault:
                # What is due stays due.
                logger.error("what is due cannot be looked at: %r", fault)
            await asyncio.sleep(LOOK_SECONDS)

    looking = [asyncio.create_task(look_on(watch)) for watch in watches]
    try:
        yield
    finally:
        for one in looking:
            one.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
