"""SQLite connections that run short statements where they are asked, instead of in a thread of their own.

```
select, insert, update by key ─► here: tens of microseconds, in a file that is at hand
begin immediate, commit ───────► thread: they wait for other writers and for the disk
everything of other rooms ─────► thread: it may read a whole library
```
Handing a statement to a thread and its result back costs ten times what the statement itself does, and a turn has
some seventy of them. Which transactions are short is said by whoever begins them: the option `near`.
"""

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

import aiosqlite

T = TypeVar("T")

SLOW = frozenset({"commit", "close"})
"""What may wait for the disk, in whatever transaction."""
SLOW_BEGIN = "BEGIN IMMEDIATE"
CHUNK = 64


class NearConnection(aiosqlite.Connection):
    """An `aiosqlite` connection; `near` while its transaction is short."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, CHUNK)
        self.near = False
        self._queued: list[None] = []
        # An abandoned connection must not keep the process alive.
        self._thread.daemon = True

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        # Whoever was cancelled may have left something in the thread: nothing overtakes it.
        if self.near and not self._queued and self._running and self._connection and not _waits(fn, args):
            return fn(*args, **kwargs)
        self._queued.append(None)

        def run() -> T:
            try:
                return fn(*args, **kwargs)
            finally:
                self._queued.pop()

        try:
            done: T = await super()._execute(run)  # type: ignore[no-untyped-call]
        except ValueError:
            # The connection is closed, and the thread took nothing.
            if not self._running or not self._connection:
                self._queued.clear()
            raise
        return done


def near_connection(*args: Any, **parameters: Any) -> NearConnection:
    """Return a connection that opens when it is awaited; the arguments are those of `sqlite3.connect`."""
    return NearConnection(lambda: sqlite3.connect(*args, **parameters))


def _waits(fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    if fn.__name__ == "execute":
        return str(args[0]).startswith(SLOW_BEGIN)
    # A cursor is closed by the same word as a connection, and costs nothing.
    return fn.__name__ in SLOW and not isinstance(getattr(fn, "__self__", None), sqlite3.Cursor)
