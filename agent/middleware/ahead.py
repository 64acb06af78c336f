"""Reads of one message, begun together: they wait for their systems at the same time and are written down in turn.

```
message ─► read 1, read 2, read 3      step 1: runs, and begins 2 and 3 ─► written
                                       step 2: waits for what has begun ─► written
                                       step 3: the same                 ─► written
```
A durable replay meets the steps in the order of the message, whichever system answered first. A step that is recorded
runs nothing, so it begins nothing: after a crash only reads that were not written down are asked for again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Effect = Callable[[], Awaitable[dict[str, Any]]]


class Ahead:
    """The reads of one turn that wait to be written down, by their number."""

    def __init__(self) -> None:
        self._waiting: dict[int, Effect] = {}
        self._begun: dict[int, asyncio.Task[dict[str, Any]]] = {}

    def expect(self, n: int, effect: Effect) -> None:
        """Let the n-th call be begun as soon as a call before it runs; for reads only."""
        self._waiting[n] = effect

    async def run(self, n: int, effect: Effect) -> dict[str, Any]:
        """Return the result of the n-th call, begun by now or here, and begin those that wait behind it."""
        await asyncio.sleep(0)  # the other calls of the message come to their places
        own = self._begun.get(n) or asyncio.ensure_future(effect())
        self._begun[n] = own
        for other, waiting in sorted(self._waiting.items()):
            if other > n and other not in self._begun:
                self._begun[other] = asyncio.ensure_future(waiting())
        try:
            return await own
        finally:
            own.cancel()

    def written(self, n: int) -> None:
        """Forget the n-th call: its result is recorded."""
        self._waiting.pop(n, None)
        self._begun.pop(n, None)

    async def stop(self) -> None:
        """Stop what is still running and wait until it has; its results are nobody's."""
        left, self._begun = [*self._begun.values()], {}
        self._waiting.clear()
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
