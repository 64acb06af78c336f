"""Wakes whoever watches a conversation in this process, and carries status lines that may be lost."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tools.context import ConversationId, TurnId

KEPT_STATUSES = 8
"""Status lines one slow watcher may fall behind before the oldest is dropped."""


class Status(NamedTuple):
    """One status line; an empty text clears it."""

    turn: TurnId
    text: str


class Watcher:
    """One open event stream. `wait` returns when something happened, the time is over or Mayak stops."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._statuses: deque[Status] = deque(maxlen=KEPT_STATUSES)

    def wake(self, status: Status | None = None) -> None:
        """Something happened."""
        if status is not None:
            self._statuses.append(status)
        self._woken.set()

    async def wait(self, seconds: float) -> bool:
        """Return whether something happened within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    def statuses(self) -> tuple[Status, ...]:
        """Take the status lines that came since the last call."""
        taken = tuple(self._statuses)
        self._statuses.clear()
        return taken


class LiveNotices:
    """`agent.ports.Notices`, and the bell the records ring after each commit."""

    def __init__(self) -> None:
        self._watchers: dict[ConversationId, set[Watcher]] = {}
        self.stopping = False

    @property
    def open(self) -> int:
        """Event streams open in this process."""
        return sum(len(watchers) for watchers in self._watchers.values())

    def watching(self, conversation: ConversationId) -> int:
        """Streams of one conversation open in this process."""
        return len(self._watchers.get(conversation, ()))

    @contextmanager
    def watch(self, conversation: ConversationId) -> Iterator[Watcher]:
        """Watch one conversation while the block runs."""
        watcher = Watcher()
        watchers = self._watchers.setdefault(conversation, set())
        watchers.add(watcher)
        try:
            yield watcher
        finally:
            watchers.discard(watcher)
            if not watchers:
                self._watchers.pop(conversation, None)

    def ring(self, conversation: ConversationId) -> None:
        """Events of the conversation were committed."""
        for watcher in tuple(self._watchers.get(conversation, ())):
            watcher.wake()

    async def status(self, conversation: ConversationId, turn: TurnId, text: str) -> None:
        """Show a status line to whoever watches now."""
        for watcher in tuple(self._watchers.get(conversation, ())):
            watcher.wake(Status(turn, text))

    def stop(self) -> None:
        """Let every stream end: the server is going down."""
        self.stopping = True
        for watchers in tuple(self._watchers.values()):
            for watcher in tuple(watchers):
                watcher.wake()
