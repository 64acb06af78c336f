"""The console's pages, assembled: sign in, account, dialogues, knowledge, and their files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from api.console import (
    account,
    accuracy,
    around,
    asking,
    bulk,
    conflicts,
    consequences,
    desk_acts,
    dialogues,
    documents,
    flags,
    gaps,
    history,
    imports,
    lessons,
    live,
    page,
    promises,
    receipts,
    sheet,
    sign_in,
    sign_on,
    steps,
)
from api.console.importing import clear_away
from api.console.jobs import jobs_of


def console_router() -> APIRouter:
    """Return the routes of `/console`; they find the open house on `app.state.opened`."""
    router = APIRouter(include_in_schema=False, lifespan=_open)
    router.include_router(page.static, prefix="/console")
    router.include_router(sheet.preview)
    for part in (
        sign_in,
        sign_on,
        account,
        live,
        around,
        dialogues,
        promises,
        desk_acts,
        receipts,
        documents,
        imports,
        sheet,
        steps,
        history,
        asking,
        consequences,
        bulk,
        conflicts,
        gaps,
        lessons,
        accuracy,
        flags,
    ):
        router.include_router(part.router)
    router.add_api_route("/console/{rest:path}", _nowhere, methods=["GET"])
    return router


@asynccontextmanager
async def _open(app: FastAPI) -> AsyncIterator[None]:
    """What a process left in the middle of something is cleared away; what runs beside the pages ends with them."""
    await clear_away(app.state.opened.building)
    try:
        yield
    finally:
        await jobs_of(app).close()


def _nowhere(request: Request, rest: str) -> Response:
    """Any other address below /console, said in words; the bare one with a slash is the console itself."""
    if not rest:
        return RedirectResponse("/console", status_code=308)
    return page.error_page(request, status=404, code="404")
