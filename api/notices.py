"""Wakes whoever watches a conversation or the desk in this process, and carries status lines that may be lost."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from api.around import Around
from tools.context import ConversationId, TurnId

KEPT_STATUSES = 8
"""Status lines one slow watcher may fall behind before the oldest is dropped."""
DESK = ConversationId("")
"""Where those listen who watch every conversation at once."""


class Status(NamedTuple):
    """One status line; an empty text clears it."""

    turn: TurnId
    text: str


class Watcher:
    """One open event stream. `wait` returns when something happened, the time is over or Mayak stops.

    Watchers that share `woken` are waited for together; `stirred` tells which of them it was.
    """

    def __init__(self, *, woken: asyncio.Event | None = None) -> None:
        self._woken = woken or asyncio.Event()
        self._statuses: deque[Status] = deque(maxlen=KEPT_STATUSES)
        self.stirred = False

    def wake(self, status: Status | None = None) -> None:
        """Something happened."""
        if status is not None:
            self._statuses.append(status)
        self.stirred = True
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

    def take(self) -> bool:
        """Return whether this watcher was woken since the last call."""
        was, self.stirred = self.stirred, False
        return was

    def statuses(self) -> tuple[Status, ...]:
        """Take the status lines that came since the last call."""
        taken = tuple(self._statuses)
        self._statuses.clear()
        return taken


class _Hall:
    """Watchers by what they watch."""

    def __init__(self) -> None:
        self._watchers: dict[ConversationId, set[Watcher]] = {}

    def of(self, conversation: ConversationId) -> tuple[Watcher, ...]:
        return tuple(self._watchers.get(conversation, ()))

    def every(self) -> tuple[Watcher, ...]:
        return tuple(watcher for watchers in self._watchers.values() for watcher in watchers)

    @contextmanager
    def entered(self, conversation: ConversationId, watcher: Watcher) -> Iterator[Watcher]:
        watchers = self._watchers.setdefault(conversation, set())
        watchers.add(watcher)
        try:
            yield watcher
        finally:
            watchers.discard(watcher)
            if not watchers and self._watchers.get(conversation) is watchers:
                del self._watchers[conversation]


class LiveNotices:
    """`agent.ports.Notices`, and the bell the records ring after each commit."""

    def __init__(self) -> None:
        self._customers = _Hall()
        self._staff = _Hall()
        self.around = Around(changed=self._stir)
        self.spread: Callable[[ConversationId], None] = lambda conversation: None
        """Tells other processes what was rung here."""
        self.stopping = False

    @property
    def open(self) -> int:
        """Customers' event streams open in this process."""
        return len(self._customers.every())

    def watching(self, conversation: ConversationId) -> int:
        """Streams of one conversation's customer open in this process."""
        return len(self._customers.of(conversation))

    @contextmanager
    def watch(self, conversation: ConversationId) -> Iterator[Watcher]:
        """Watch one conversation as its customer does while the block runs."""
        with self._customers.entered(conversation, Watcher()) as watcher:
            yield watcher

    @contextmanager
    def watch_desk(self, conversation: ConversationId) -> Iterator[tuple[Watcher, Watcher]]:
        """Watch all conversations, and one of them (`DESK` for none) for itself, as the staff does."""
        woken = asyncio.Event()
        every, one = Watcher(woken=woken), Watcher(woken=woken)
        with self._staff.entered(DESK, every):
            if not conversation:
                yield every, one
                return
            with self._staff.entered(conversation, one):
                yield every, one

    def ring(self, conversation: ConversationId, *, elsewhere: bool = False) -> None:
        """Events of the conversation were committed. `elsewhere`: another process says so."""
        if not elsewhere:
            self.spread(conversation)
        self._stir(conversation)
        for watcher in self._staff.of(DESK):
            watcher.wake()

    def ring_all(self) -> None:
        """Anything may have happened: whoever watches looks."""
        for watcher in (*self._customers.every(), *self._staff.every()):
            watcher.wake()

    async def status(self, conversation: ConversationId, turn: TurnId, text: str) -> None:
        """Show a status line to whoever watches now."""
        for watcher in self._customers.of(conversation):
            watcher.wake(Status(turn, text))

    def stop(self) -> None:
        """Let every stream end: the server is going down."""
        self.stopping = True
        self.ring_all()

    def _stir(self, conversation: ConversationId) -> None:
        for watcher in (*self._customers.of(conversation), *self._staff.of(conversation)):
            watcher.wake()
