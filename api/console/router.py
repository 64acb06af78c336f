"""The console's pages, assembled: sign in, dialogues, knowledge, and their files."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api.console import (
    asking,
    bulk,
    conflicts,
    consequences,
    dialogues,
    documents,
    gaps,
    history,
    page,
    sheet,
    sign_in,
    steps,
)


def console_router() -> APIRouter:
    """Return the routes of `/console`; they find the open house on `app.state.opened`."""
    router = APIRouter(include_in_schema=False)
    router.include_router(page.static, prefix="/console")
    router.include_router(sheet.preview)
    for part in (
        sign_in,
        dialogues,
        documents,
        sheet,
        steps,
        history,
        asking,
        consequences,
        bulk,
        conflicts,
        gaps,
    ):
        router.include_router(part.router)
    router.add_api_route("/console/{rest:path}", _nowhere, methods=["GET"])
    return router


def _nowhere(request: Request, rest: str) -> Response:
    """Any other address below /console, said in words; the bare one with a slash is the console itself."""
    if not rest:
        return RedirectResponse("/console", status_code=308)
    return page.error_page(request, status=404, code="404")
