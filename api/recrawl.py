"""The server itself imports again what is due: one task beside the requests, its reports in the journal.

```
every few minutes ─► what is due? ─► page, sitemap, repository ─► drafts | answers ─► outcome at the source, report
```
"""

import asyncio
import logging
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import APIRouter, FastAPI

from api.container import Building
from knowledge.imports.journal import Import, Journal
from knowledge.imports.stopping import Stop
from knowledge.sources.gate import Again, recrawl

SCHEDULE = "schedule"
"""Who is named in the journal."""
SPREAD = 0.2
"""Share by which waits differ, so that many installations do not ask one site in the same second."""
logger = logging.getLogger("mayak.recrawl")

Sleep = Callable[[float], Awaitable[None]]


def recrawl_door(minutes: float) -> APIRouter:
    """Return what, included in an application, imports due sources as long as it runs; looked for every `minutes`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        stop = Stop()
        task = asyncio.create_task(keep_fresh(app.state.opened.building, minutes=minutes, stop=stop))
        try:
            yield
        finally:
            stop.ask()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return APIRouter(lifespan=lifespan)


async def keep_fresh(
    building: Building,
    *,
    minutes: float,
    stop: Stop,
    sleep: Sleep = asyncio.sleep,
    lot: Callable[[], float] = random.random,
) -> None:
    """Import what is due, again and again; a failure is logged and the next look is as if nothing had been."""
    while not stop.asked:
        await sleep(60 * minutes * (1 + SPREAD * (2 * lot() - 1)))
        try:
            await look(building, stop=stop)
        except Exception as fault:
            # The outermost layer of the task: whatever breaks, the next look must come.
            logger.error("the due sources were not imported: %r", fault, exc_info=fault)


async def look(building: Building, *, stop: Stop) -> None:
    """Import what is due now."""
    began = building.clock.now()
    for again in await recrawl(library=building.library, now=began, fetcher=building.fetcher, stop=stop):
        for row in again.report.rows:
            if row.result == "skipped":
                logger.warning("%s: %s %s", row.path, row.reason, row.remedy)
        await _keep(building, again, began=began)


async def _keep(building: Building, again: Again, *, began: datetime) -> None:
    """Write the report into the journal; a source that had nothing new needs none."""
    counts = again.report.counts
    if not counts["imported"] and not counts["skipped"]:
        return
    journal, number = Journal(building.engine), secrets.token_hex(8)
    one = Import(number=number, by=SCHEDULE, drafts=again.drafts, wanted=(again.source,), began=began)
    await journal.begin(one)
    await journal.finish(number, state="ended", rows=again.report.rows, at=building.clock.now())
