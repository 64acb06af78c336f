"""Is it alive, is it ready, how is it doing."""

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from api.errors import Problem
from api.opened import House, opened

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> dict[str, Any]:
    """Database and worker are able to take messages; 503 with the reason otherwise."""
    house = opened(request)
    try:
        async with house.building.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except Exception as fault:
        raise Problem(
            503,
            "database_unavailable",
            "Database unavailable",
            detail=type(fault).__name__,
            remedy="Look at the database and at MAYAK_DATABASE; run `mayak doctor`.",
        ) from fault
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
