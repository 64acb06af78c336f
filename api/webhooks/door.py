"""What, included in an application, tells the company's systems as long as it runs: one postman a webhook."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from agent.records.hooks import SqlHooks
from api.opened import Opened
from api.webhooks.counts import Counts
from api.webhooks.posting import HttpPost
from api.webhooks.postman import Postman

ORPHAN = "the pack has no such webhook any more"

logger = logging.getLogger("mayak.webhooks")


def webhooks_door() -> APIRouter:
    """Return the router whose life is the postmen's: they begin after the house is open and end before it closes."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with carrying(app.state.opened):
            yield

    return APIRouter(lifespan=lifespan)


@asynccontextmanager
async def carrying(house: Opened) -> AsyncIterator[tuple[Postman, ...]]:
    """Deliver while the block runs; a receiver that is away keeps nobody waiting."""
    building = house.building
    hooks, counts = SqlHooks(building.engine, clock=building.clock), Counts()
    known = [subscription.webhook.name for subscription in building.webhooks]
    if left := await hooks.orphan(known, fault=ORPHAN):
        logger.warning("%d events were given up: %s", left, ORPHAN)
    postmen = tuple(
        Postman(
            subscription.webhook,
            secrets=subscription.secrets,
            hooks=hooks,
            transcripts=building.records,
            post=HttpPost(subscription.webhook.url, hosts=building.settings.webhook_hosts),
            counts=counts,
            clock=building.clock,
            source=building.settings.base_url,
            alone=building.engine.dialect.name == "sqlite",
        )
        for subscription in building.webhooks
    )
    counts.shown_in(house.metrics.registry)
    try:
        for postman in postmen:
            await postman.start()
        yield postmen
    finally:
        await asyncio.gather(*(postman.stop() for postman in postmen))
        counts.hidden_from(house.metrics.registry)
