"""The sign that an answer is being prepared: shown in the chat while a turn runs, in nobody's way."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from agent.records.sql import SqlRecords
from api.channels.delivery import ended
from api.channels.port import Undelivered
from api.notices import LiveNotices, Watcher
from tools.context import ConversationId

EVERY_SECONDS = 4.0
"""A messenger forgets the sign after about five."""
LONGEST_SECONDS = 120.0
"""A turn that takes longer has long been given to a person."""
STOP_SECONDS = 2.0

logger = logging.getLogger("mayak.presence")


class Presence:
    """One task a conversation in a turn. `show` shows the sign at an address; `stirred` is called at its every move."""

    def __init__(
        self,
        *,
        records: SqlRecords,
        notices: LiveNotices,
        show: Callable[[str], Awaitable[None]],
        stirred: Callable[[], None],
    ) -> None:
        self.records = records
        self.notices = notices
        self.show = show
        self.stirred = stirred
        self._tasks: dict[ConversationId, asyncio.Task[None]] = {}
        self._watchers: set[Watcher] = set()
        self._stopping = False

    def begin(self, conversation: ConversationId, address: str) -> None:
        """A message waits for its turn. Returns at once."""
        if conversation not in self._tasks:
            task = asyncio.create_task(self._stay(conversation, address))
            self._tasks[conversation] = task
            task.add_done_callback(lambda done: self._ended(conversation, done))

    async def stop(self) -> None:
        """Take every sign down."""
        self._stopping = True
        for watcher in tuple(self._watchers):
            watcher.wake()
        await ended(self._tasks.values(), seconds=STOP_SECONDS)

    def _ended(self, conversation: ConversationId, task: asyncio.Task[None]) -> None:
        del self._tasks[conversation]
        if not task.cancelled() and (fault := task.exception()) is not None:
            logger.error("conversation %s: %r", conversation, fault)

    async def _stay(self, conversation: ConversationId, address: str) -> None:
        began, shown = monotonic(), float("-inf")
        with self.notices.watch(conversation) as watcher, self._watched(watcher):
            while not self._stopping and monotonic() - began < LONGEST_SECONDS:
                if not await self.records.pending_conversations(only=conversation):
                    return
                if monotonic() - shown >= EVERY_SECONDS:
                    shown = monotonic()
                    await self._show(address)
                await watcher.wait(EVERY_SECONDS)
                self.stirred()

    @contextmanager
    def _watched(self, watcher: Watcher) -> Iterator[None]:
        self._watchers.add(watcher)
        try:
            yield
        finally:
            self._watchers.discard(watcher)

    async def _show(self, address: str) -> None:
        try:
            await self.show(address)
        except Undelivered as fault:
            # The answer itself is retried; its sign is not.
            logger.debug("the sign was not shown: %s", fault)
