"""The bare address of a server: on to the page a newcomer looks for."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse


def front_router(*, leads_to: str) -> APIRouter:
    """Return a router whose `/` leads to a page below it; relative, so that a prefix of a proxy stays."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def front() -> RedirectResponse:
        return RedirectResponse(leads_to, status_code=307)

    return router
