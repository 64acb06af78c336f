"""Turns accepted messages into turns: one task a busy conversation, one turn at a time, never silence.

```
wake ─► lease ─► quiet window ─► next batch ─► durable turn ─┐
          ▲            ▲                          │          │ trouble: a person is called
          │            └── a late message took    │          │
          │                the turn back ◄────────┘          │
          └──────────── until nothing waits ◄────────────────┘
```
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from time import perf_counter

from agent.domain import Incoming, TurnRecord
from agent.pack import Pack
from agent.ports import Clock
from agent.records.errors import Superseded
from agent.records.rules import FIRST, TAKEN_BACK
from agent.records.sql import SqlRecords
from agent.trouble import in_trouble
from api.durable import Turns
from api.metrics import Metrics
from api.outage import outage_of
from api.quiet import quiet_window
from api.turn_clocks import TurnClocks
from tools.context import ConversationId, TurnId
from tools.phrases import Phrases

LEASE_SECONDS = 30.0
SWEEP_SECONDS = 5.0
"""How often conversations that nobody works on are looked for: another process may have left them."""
PATIENCE = timedelta(seconds=60)
"""How long a turn waits for storage that takes nothing; if messages can be written sooner than turns, a person is called."""
GRACE_SECONDS = 15.0
"""A turn may take this much longer than its own limit before a person is called instead."""

logger = logging.getLogger("mayak.worker")


class Worker:
    """Works on conversations of this process's choosing; `owner` names it in the leases."""

    def __init__(
        self,
        *,
        records: SqlRecords,
        turns: Turns,
        owner: str,
        pack: Pack,
        phrases: Phrases,
        clock: Clock,
        metrics: Metrics,
        urgent: Callable[[str], bool],
        quiet: timedelta,
        ahead: Callable[[Sequence[str]], Awaitable[None]],
        clocks: TurnClocks | None = None,
    ) -> None:
        self.records = records
        self.turns = turns
        self.owner = owner
        self.pack = pack
        self.phrases = phrases
        self.clock = clock
        self.metrics = metrics
        self.urgent = urgent
        self.quiet = quiet
        self.ahead = ahead
        self.clocks = clocks or TurnClocks()
        self._preparing: set[asyncio.Task[None]] = set()
        self._tasks: dict[ConversationId, asyncio.Task[None]] = {}
        self._again: set[ConversationId] = set()
        self._typing: dict[ConversationId, datetime] = {}
        self._news: dict[ConversationId, asyncio.Event] = {}
        self._outages: dict[TurnId, datetime] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def busy(self) -> int:
        """Conversations being worked on."""
        return len(self._tasks)

    @property
    def running(self) -> bool:
        """Whether accepted messages are being taken up."""
        return self._sweeper is not None and not self._sweeper.done()

    async def start(self) -> None:
        """Take up every message without an outcome, and look for forgotten ones from now on."""
        if left := await self.turns.ended():
            await self.turns.forget(*await self.records.decided(left))
        for conversation in await self.records.pending_conversations():
            self.wake(conversation)
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self, *, seconds: float = 10.0) -> None:
        """Let running turns end for a while; what is left over is resumed at the next start."""
        self._stopping = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        tasks = set(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def wake(self, conversation: ConversationId) -> None:
        """A message was accepted. Returns at once."""
        if news := self._news.get(conversation):
            news.set()
        if conversation in self._tasks:
            self._again.add(conversation)
        elif not self._stopping:
            self._begin(conversation)

    def typing(self, conversation: ConversationId) -> None:
        """The customer types; matters only while a message waits."""
        if conversation in self._tasks:
            self._typing[conversation] = self.clock.now()

    def _begin(self, conversation: ConversationId) -> None:
        task = asyncio.create_task(self._work(conversation))
        self._tasks[conversation] = task
        task.add_done_callback(lambda done: self._ended(conversation, done))

    def _ended(self, conversation: ConversationId, task: asyncio.Task[None]) -> None:
        self._tasks.pop(conversation, None)
        self._typing.pop(conversation, None)
        if not task.cancelled() and (fault := task.exception()) is not None:
            # The inbox still holds the messages; the sweeper takes them up again.
            if outage := outage_of(fault):
                logger.error("conversation %s waits. %s %s", conversation, outage.what, outage.remedy)
            else:
                logger.error("conversation %s: %r", conversation, fault, exc_info=fault)
        if conversation in self._again and not self._stopping:
            self._again.discard(conversation)
            self._begin(conversation)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                for conversation in await self.records.pending_conversations():
                    if conversation not in self._tasks:
                        self._begin(conversation)
            except Exception as fault:
                logger.error("the sweep failed: %r", fault)

    async def _work(self, conversation: ConversationId) -> None:
        if not await self.records.lease(conversation, self.owner, seconds=LEASE_SECONDS):
            return
        keeper = asyncio.create_task(self._keep(conversation))
        committing: dict[TurnId, float] = {}
        self._news[conversation] = asyncio.Event()
        try:
            while not self._stopping:
                self._again.discard(conversation)
                await self._wait_for_the_rest(conversation)
                closed = perf_counter()
                turn = await self.records.next_batch(conversation)
                if turn is None:
                    return
                attempt = await self.records.attempt_of(turn)
                if attempt != TAKEN_BACK:
                    self.clocks.closed(turn, closed)
                    await self._turn(conversation, turn, attempt)
                if (ms := self.clocks.committing(turn)) is not None:
                    committing[turn] = ms
        finally:
            keeper.cancel()
            del self._news[conversation]
            await self.records.release(conversation, self.owner, committing=committing)

    async def _keep(self, conversation: ConversationId) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                await self.records.lease(conversation, self.owner, seconds=LEASE_SECONDS)
            except Exception as fault:
                logger.warning("the lease of conversation %s was not prolonged: %r", conversation, fault)

    async def _wait_for_the_rest(self, conversation: ConversationId) -> None:
        """Wait out the quiet window; a new message or more typing is looked at as it comes."""
        news = self._news[conversation]
        while True:
            news.clear()
            waiting = await self.records.unassigned(conversation)
            left = quiet_window(
                waiting,
                self._typing.get(conversation),
                self.clock.now(),
                urgent=self.urgent,
                longest=self.quiet,
            )
            if left <= 0:
                return
            if not await self.records.restricted(conversation):
                self._prepare(waiting)
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await news.wait()

    def _prepare(self, waiting: Sequence[Incoming]) -> None:
        """Use the window: what was said so far is most likely the question."""

        async def prepare() -> None:
            try:
                await self.ahead([message.text for message in waiting])
            except Exception as fault:
                # Only a head start is lost; the turn itself meets the fault and deals with it.
                logger.debug("nothing prepared: %r", fault)

        task = asyncio.create_task(prepare())
        self._preparing.add(task)
        task.add_done_callback(self._preparing.discard)

    async def _turn(self, conversation: ConversationId, turn: TurnId, attempt: int) -> None:
        began = perf_counter()
        try:
            record = await self._decided(conversation, turn, attempt)
        except Superseded:
            # What came meanwhile belongs to it: the turn is the next batch again.
            return
        if record is not None:
            self._outages.pop(turn, None)
            self.metrics.turn(record, seconds=perf_counter() - began)
            if attempt != FIRST:
                self.metrics.restarts.inc()
            await self._forget(turn)

    async def _decided(self, conversation: ConversationId, turn: TurnId, attempt: int) -> TurnRecord | None:
        """Run an attempt of the turn to its record, in trouble to a call for a person. Raises `Superseded`."""
        try:
            async with (
                asyncio.timeout(self.pack.limits.turn_seconds + GRACE_SECONDS),
                self._watched(conversation, turn, attempt),
            ):
                await self.turns.run(turn, attempt=attempt)
        except Superseded:
            raise
        except Exception as fault:
            if outage_of(fault) and self._may_wait(turn):
                raise
            logger.error("turn %s: %r", turn, fault, exc_info=fault)
            await self._cancel(turn)
        record = await self.records.receipt(conversation, turn)
        if record is None:
            await self._call_person(turn, attempt)
            record = await self.records.receipt(conversation, turn)
        return record

    @asynccontextmanager
    async def _watched(self, conversation: ConversationId, turn: TurnId, attempt: int) -> AsyncIterator[None]:
        """Stop the attempt inside as soon as a late message takes the turn back: its call is of no use."""

        async def watch() -> None:
            news = self._news[conversation]
            while await news.wait():
                news.clear()
                if await self.records.attempt_of(turn) == TAKEN_BACK:
                    self.turns.supersede(turn, attempt)

        watcher = asyncio.create_task(watch())
        try:
            yield
        finally:
            watcher.cancel()
            # Should it have failed, the attempt finds out at its first sentence.
            await asyncio.gather(watcher, return_exceptions=True)

    def _may_wait(self, turn: TurnId) -> bool:
        """Tell whether the storage may still come back before a person is called."""
        since = self._outages.setdefault(turn, self.clock.now())
        return self.clock.now() - since < PATIENCE

    async def _cancel(self, turn: TurnId) -> None:
        try:
            await self.turns.cancel(turn)
        except Exception as fault:
            if not outage_of(fault):
                raise
            # It cannot go on either; whether a person can be called is for our own tables to say.
            logger.warning("turn %s could not be cancelled: %r", turn, fault)

    async def _forget(self, turn: TurnId) -> None:
        try:
            await self.turns.forget(turn)
        except Exception as fault:
            # Nothing depends on it; the next start looks for what is left.
            logger.warning("turn %s could not be forgotten: %r", turn, fault)

    async def _call_person(self, turn: TurnId, attempt: int) -> None:
        """The turn broke: the customer is told so and a person is called."""
        situation = await self.records.situation(turn)
        left = await self.records.sent(turn, whole=True)
        record = in_trouble(situation, turn, pack=self.pack, phrases=self.phrases, left=left)
        await self.records.commit(record, attempt=attempt)
