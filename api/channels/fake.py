"""`FakeChannel`: a messenger in this process, for tests; it passes the same contract as the real ones."""

from collections import deque
from dataclasses import dataclass

from agent.domain import Message
from api.channels.port import Undelivered


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message as the customer sees it."""

    address: str
    text: str
    labels: tuple[str, ...] = ()


class FakeChannel:
    """Drops what comes twice under one key, as a side that takes keys does, unless `keyless`.

    `faults` happen first, one a call: `before` it is taken, or after (`late`) it was.
    """

    name = "fake"

    def __init__(self, *, keyless: bool = False) -> None:
        self.received: list[Received] = []
        self.before: deque[Undelivered] = deque()
        self.late: deque[Undelivered] = deque()
        self._keyless = keyless
        self._keys: set[str] = set()

    async def deliver(self, address: str, message: Message, *, key: str) -> None:
        """Take one message."""
        if self.before:
            raise self.before.popleft()
        if self._keyless or key not in self._keys:
            labels = tuple(button.label for button in message.buttons)
            self.received.append(Received(address=address, text=message.text, labels=labels))
        self._keys.add(key)
        if self.late:
            raise self.late.popleft()
