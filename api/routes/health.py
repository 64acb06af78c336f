"""Is it alive, is it ready, how is it doing."""

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.errors import Problem
from api.opened import House, opened

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> dict[str, Any]:
    """Messages are stored and answered: the database and its disk take writes, the worker runs; 503 otherwise.

    The write is tried at most every five seconds, however often this is asked.
    """
    house = opened(request)
    if (outage := await house.writable.outage()) is not None:
        raise Problem(
            503, "storage_unavailable", "Storage unavailable", detail=outage.what, remedy=outage.remedy
        )
    if not house.worker.running:
        raise Problem(
            503,
            "worker_stopped",
            "Worker stopped",
            detail="Messages are stored but not answered.",
            remedy="Look at the log and restart Mayak.",
        )
    return {"status": "ready", "database": house.building.engine.dialect.name, "busy": house.worker.busy}


@router.get("/metrics", response_class=Response)
async def metrics(house: House) -> Response:
    """Prometheus metrics."""
    house.metrics.streams.set(house.building.notices.open)
    house.metrics.busy.set(house.worker.busy)
    house.metrics.models(house.building.models.links)
    return Response(house.metrics.page(), media_type=CONTENT_TYPE_LATEST)
