"""Lets numbered updates that arrive side by side through in their order; a gap is waited for, but not long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

GRACE_SECONDS = 0.25


class InOrder:
    """One stream of numbers with many addresses: entered in order, worked on one at a time for each address."""

    def __init__(self, *, grace: float = GRACE_SECONDS) -> None:
        self.grace = grace
        self._last = 0
        self._waiting: list[int] = []
        self._changed = asyncio.Condition()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def place(self, number: int, address: str) -> AsyncIterator[None]:
        """Wait for the number's turn and for its address, then hold the address while the block runs."""
        lock = self._locks.setdefault(address, asyncio.Lock())
        await self._enter(number)
        # The lock is fair, and nothing is awaited in between: the order of entering is the order of working.
        async with lock:
            yield

    async def _enter(self, number: int) -> None:
        self._waiting.append(number)
        async with self._changed:
            try:
                async with asyncio.timeout(self.grace):
                    await self._changed.wait_for(lambda: number == min(self._waiting) <= self._last + 1)
            except TimeoutError:
                # What is missing may never come. Those before us that are here go first.
                self._last = max(self._last, number - 1)
                self._changed.notify_all()
                await self._changed.wait_for(lambda: number == min(self._waiting))
            finally:
                self._waiting.remove(number)
                self._changed.notify_all()
            self._last = max(self._last, number)
