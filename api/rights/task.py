"""What the server does by itself for the rights of customers: requests to forget, one after another, and retention daily."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from api.metrics import Metrics
from api.rights.erasures import Erasures, StillTalking
from api.rights.premises import Premises
from api.rights.retention import run_retention

LOOK_SECONDS = 2.0
"""How often requests of other processes, such as a command, are looked for."""
FIRST_SECONDS, DAY_SECONDS = 60.0, 86_400.0

Sleep = Callable[[float], Awaitable[None]]

logger = logging.getLogger("mayak.rights")


@asynccontextmanager
async def carried_out(erasures: Erasures, *, alone: bool) -> AsyncIterator[None]:
    """Carry out requests while the block runs. `alone`: no other process does it for this database."""
    task = asyncio.create_task(_work(erasures, left=alone))
    try:
        yield
    finally:
        # Whatever it was at is begun again by the next start.
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def aged_out(
    premises: Premises, *, metrics: Metrics, sleep: Sleep = asyncio.sleep
) -> AsyncIterator[None]:
    """Delete what is held too long while the block runs, once a day; the first time soon after the start."""
    task = asyncio.create_task(_daily(premises, metrics, sleep))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _daily(premises: Premises, metrics: Metrics, sleep: Sleep) -> None:
    await sleep(FIRST_SECONDS)
    while True:
        try:
            gone = {name: n for name, n in (await run_retention(premises)).items() if n}
            for name, n in gone.items():
                metrics.aged_out.labels(name).inc(n)
            logger.info("held too long and deleted: %s", gone or "nothing")
        except Exception as fault:
            # The outermost layer of the task: whatever breaks, the next day must come.
            logger.error("what is held too long was not deleted: %r", fault, exc_info=fault)
        await sleep(DAY_SECONDS)


async def _work(erasures: Erasures, *, left: bool) -> None:
    while True:
        try:
            for id in await erasures.waiting(left=left):
                await _one(erasures, id)
            left = False
        except Exception as fault:
            # The outermost layer of the task: whatever breaks, the next look must come.
            logger.error("requests to be forgotten cannot be read: %r", fault)
        await erasures.until_asked(seconds=LOOK_SECONDS)


async def _one(erasures: Erasures, id: str) -> None:
    try:
        tomb = await erasures.carry_out(id)
    except StillTalking as fault:
        logger.warning("request %s to be forgotten waits: %s", id, fault)
    except Exception as fault:
        logger.error("request %s to be forgotten failed and is tried again: %r", id, fault, exc_info=fault)
    else:
        logger.info("request %s to be forgotten is done: %d rows", id, sum(tomb.counts.values()))
