"""Whether what is written is taken: by the database and by the disk beside it. Asked often, tried every few seconds.

```
outage() ─► tried lately? ─► that answer
                └► one row of `pulse` committed, a few KiB synced beside the database ─► None | Outage
                   not ended in time ─► an Outage as long as it lasts; nobody starts a second try
```
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from agent.records.pulse_table import pulse
from api.outage import Outage, outage_of

KEPT_SECONDS = 5.0
"""How long one try speaks for the next question."""
PATIENCE_SECONDS = 3.0
"""How long a question waits for a try; whoever asks for readiness has seldom more."""
FILLER = 16 * 1024
"""Characters that pass through the row: a database that has no page left takes a short change and no message."""
FILE_BYTES = 64 * 1024


class Writable:
    """Tries the storage of one open application."""

    def __init__(
        self, engine: AsyncEngine, *, folder: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._clock = clock
        self._try: asyncio.Task[Outage | None] | None = None
        self._ended = 0.0

    async def outage(self) -> Outage | None:
        """Return why nothing can be stored now, None where it can."""
        if self._try is None or (self._try.done() and self._clock() - self._ended >= KEPT_SECONDS):
            self._try = asyncio.create_task(self._tried())
        done, _ = await asyncio.wait({self._try}, timeout=PATIENCE_SECONDS)
        if done:
            return self._try.result()
        return Outage(
            what=f"A small write has not ended after {PATIENCE_SECONDS:.0f} s.",
            remedy="Look what holds the database or keeps its disk busy: a backup, a long migration, a full queue.",
        )

    async def stop(self) -> None:
        """Give up a try that still waits."""
        if self._try is not None:
            self._try.cancel()
            await asyncio.gather(self._try, return_exceptions=True)

    async def _tried(self) -> Outage | None:
        try:
            await self._beat()
            await asyncio.to_thread(sync, self._folder, size=FILE_BYTES)
            return None
        except Exception as fault:
            # Whatever kind of fault it is, a message would meet it as well.
            return outage_of(fault) or Outage(
                what=f"A small write failed: {type(fault).__name__}.",
                remedy="Run `mayak doctor`; read the log.",
            )
        finally:
            self._ended = self._clock()

    async def _beat(self) -> None:
        # A changed row: SQLite writes nothing for one that stays as it was.
        async with self._engine.begin() as connection:
            full = update(pulse).where(pulse.c.id == 1).values(filler=" " * FILLER)
            if (await connection.execute(full)).rowcount == 0:
                await connection.execute(insert(pulse).values(id=1, beats=0, filler=" " * FILLER))
            await connection.execute(
                update(pulse).where(pulse.c.id == 1).values(beats=pulse.c.beats + 1, filler="")
            )


def sync(folder: Path, *, size: int) -> None:
    """Write so many bytes into the folder, down to the disk, and take them back. Raises `OSError`."""
    # A quota, a limit or a worn-out disk refuses what the free space promises.
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(size))
        probe.flush()
        os.fsync(probe.fileno())
