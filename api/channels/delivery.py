"""The outbox on its way out: each message to its channel, in order, until the other side has it.

```
due ─► begin (state: unknown) ─► channel.deliver ─┬─► delivered
                                                  ├─ Later      due again: when told, or 1, 2, 4 … 300 s on
                                                  ├─ Uncertain  the same, and known to be a possible repetition
                                                  ├─ Refused    failed: seen by staff, the next message is tried
                                                  └─ crash      stays unknown, due again; never lost
```
A channel whose other side takes a key is delivered to exactly once. Where it does not, a message whose end is unknown
is sent again: a repetition is counted and logged, a loss would be silent.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter

from agent.domain import Message
from agent.ports import Channel
from agent.records.rules import Delivery
from api.channels.port import Refused, Uncertain, Undelivered
from tools.context import ConversationId

POLL_SECONDS = 0.5
"""How often the outbox is looked at unasked: an operator's words, another process's turns, postponed messages."""
CLAIM_SECONDS = 90.0
"""A begun delivery is nobody else's for this long."""
AT_ONCE = 8
"""Conversations delivered to at the same time."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
STOP_SECONDS = 5.0

logger = logging.getLogger("mayak.delivery")


class Outbox(Protocol):
    """The part of the records that delivery needs (see `agent/records/reading.py`)."""

    async def due(self, channel: str, *, limit: int = 50) -> tuple[Delivery, ...]: ...

    async def message(self, conversation: ConversationId, seq: int) -> Message | None: ...

    async def begin_delivery(self, delivery: int, *, seconds: float) -> bool: ...

    async def reopen_deliveries(self, channel: str) -> int: ...

    async def delivered(self, delivery: int) -> None: ...

    async def postponed(
        self, delivery: int, *, seconds: float, fault: str, give_up: bool = False, unknown: bool = False
    ) -> None: ...


class Deliveries:
    """Counts what became of deliveries: delivered, later, uncertain, refused; `repeated` are possible repetitions."""

    def __init__(self) -> None:
        self.counter = Counter(
            "mayak_deliveries", "Deliveries to messengers by result.", ["channel", "result"], registry=None
        )

    def count(self, channel: str, result: str) -> None:
        """Count one."""
        self.counter.labels(channel, result).inc()

    def shown_in(self, registry: CollectorRegistry) -> None:
        """Show the counter among the application's metrics."""
        registry.register(self.counter)

    def hidden_from(self, registry: CollectorRegistry) -> None:
        """Take it out again."""
        registry.unregister(self.counter)


class Courier:
    """Carries the outbox of one channel. `alone`: no other process delivers from this database."""

    def __init__(self, *, records: Outbox, channel: Channel, deliveries: Deliveries, alone: bool) -> None:
        self.records = records
        self.channel = channel
        self.deliveries = deliveries
        self.alone = alone
        self._tasks: dict[ConversationId, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Take up what an earlier process left, and look for more from now on."""
        if self.alone and (left := await self.records.reopen_deliveries(self.channel.name)):
            logger.warning("%s: %d deliveries were cut off; their end is unknown", self.channel.name, left)
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Let deliveries end for a moment; the rest is due at the next start."""
        self._stopping = True
        self.wake()
        if self._looking is not None:
            await asyncio.gather(self._looking, return_exceptions=True)
        await ended(self._tasks.values(), seconds=STOP_SECONDS)

    def wake(self) -> None:
        """There may be something to deliver. Returns at once."""
        self._woken.set()

    async def _look(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                await self._begin()
            except Exception as fault:
                logger.error("%s: the outbox cannot be read: %r", self.channel.name, fault)
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _begin(self) -> None:
        """Start one task for every conversation that something is due for and nobody carries to."""
        waiting: dict[ConversationId, list[Delivery]] = {}
        for delivery in await self.records.due(self.channel.name):
            waiting.setdefault(delivery.conversation, []).append(delivery)
        for conversation, deliveries in waiting.items():
            if conversation in self._tasks or len(self._tasks) >= AT_ONCE:
                continue
            task = asyncio.create_task(self._carry(deliveries))
            self._tasks[conversation] = task
            task.add_done_callback(partial(self._ended, conversation))

    def _ended(self, conversation: ConversationId, task: asyncio.Task[None]) -> None:
        del self._tasks[conversation]
        if not task.cancelled() and (fault := task.exception()) is not None:
            # Its delivery stays unknown and is due again when the claim runs out.
            logger.error("delivery in conversation %s: %r", conversation, fault, exc_info=fault)
        self.wake()

    async def _carry(self, deliveries: Sequence[Delivery]) -> None:
        """Deliver in order; what cannot be delivered now holds up what comes after it."""
        for delivery in deliveries:
            if self._stopping or not await self._deliver(delivery):
                return

    async def _deliver(self, delivery: Delivery) -> bool:
        """Return whether the next message of the conversation may follow."""
        if not await self.records.begin_delivery(delivery.id, seconds=CLAIM_SECONDS):
            return False
        message = await self.records.message(delivery.conversation, delivery.seq)
        if message is None:
            await self.records.postponed(delivery.id, seconds=0, fault="the message is gone", give_up=True)
            return True
        if delivery.unknown:
            self._tell(delivery, "repeated", "sent again, it may have arrived before")
        try:
            await self.channel.deliver(delivery.address, message, key=delivery.key)
        except Undelivered as fault:
            return await self._undelivered(delivery, fault)
        await self.records.delivered(delivery.id)
        self.deliveries.count(self.channel.name, "delivered")
        return True

    async def _undelivered(self, delivery: Delivery, fault: Undelivered) -> bool:
        refused, unknown = isinstance(fault, Refused), isinstance(fault, Uncertain)
        wait = wait_after(delivery.attempts) if fault.seconds is None else fault.seconds
        # An attempt that surely failed does not undo an earlier one that may not have.
        await self.records.postponed(
            delivery.id,
            seconds=wait,
            fault=str(fault),
            give_up=refused,
            unknown=unknown or delivery.unknown,
        )
        result = "refused" if refused else "uncertain" if unknown else "later"
        self._tell(delivery, result, str(fault))
        return refused

    def _tell(self, delivery: Delivery, result: str, why: str) -> None:
        self.deliveries.count(self.channel.name, result)
        logger.warning(
            "%s: delivery %d (message %d of conversation %s, attempt %d): %s: %s",
            self.channel.name,
            delivery.id,
            delivery.seq,
            delivery.conversation,
            delivery.attempts + 1,
            result,
            why,
        )


async def ended(tasks: Iterable[asyncio.Task[None]], *, seconds: float) -> None:
    """Wait for tasks that were told to stop; only what takes longer, waiting for the other side, is cut off."""
    if running := set(tasks):
        _, late = await asyncio.wait(running, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def wait_after(attempts: int) -> float:
    """Return the seconds to wait after so many failed attempts, the current one not counted."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempts, 20))
