"""Every refusal of the API is an RFC 9457 problem: what is wrong, and what to do about it."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.exceptions import HTTPException

from agent.errors import AgentFault
from api.outage import outage_of

logger = logging.getLogger("mayak.api")

MEDIA_TYPE = "application/problem+json"
STATUS: Mapping[str, int] = {
    "unknown_conversation": 404,
    "unknown_turn": 404,
    "unknown_promise": 404,
    "unknown_flag": 404,
    "unknown_customer": 404,
    "not_yours": 403,
    "taken_already": 409,
    "not_possible": 409,
}
"""HTTP status by the fault's code; a fault that is not listed is ours: 500."""
USUAL: Mapping[int, tuple[str, str]] = {
    404: ("Not found", "Check the address; /docs lists them all."),
    405: ("Method not allowed", "Use a method that /docs lists for this address."),
    413: ("Body too long", "Send a shorter message, or several."),
    503: ("Not available", "Try again in a moment."),
}


class Problem(Exception):
    """Raised by routes. `code` is stable and ends the problem's `type`."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        *,
        detail: str = "",
        remedy: str = "",
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.remedy = remedy
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def response(self) -> JSONResponse:
        """Return the problem as a response."""
        body = {
            "type": f"urn:mayak:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "remedy": self.remedy,
            **self.more,
        }
        return JSONResponse(body, status_code=self.status, media_type=MEDIA_TYPE, headers=self.headers)


def add_problems(app: FastAPI) -> None:
    """Turn every exception of the application into a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(AgentFault, _fault)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in (DBAPIError, NoConnection, OSError):
        app.add_exception_handler(kind, _storage)
    app.add_exception_handler(Exception, _unknown)


async def _problem(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, Problem)
    return problem.response()


async def _fault(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, AgentFault)
    status = STATUS.get(fault.code, 500)
    if status == 500:
        logger.error("%s %s: %r", request.method, request.url.path, fault, exc_info=fault)
    return Problem(
        status, fault.code, fault.code.replace("_", " ").capitalize(), detail=str(fault), remedy=fault.remedy
    ).response()


async def _invalid(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, RequestValidationError)
    # Only places and rules: the input itself may be anything and is not repeated.
    wrong = [
        {"where": ".".join(str(step) for step in error["loc"]), "what": error["msg"]}
        for error in fault.errors()
    ]
    first = wrong[0] if wrong else {"where": "body", "what": "invalid"}
    return Problem(
        422,
        "invalid_request",
        "Invalid request",
        detail=f"{first['where']}: {first['what']}",
        remedy="Correct the named field; /docs shows what is accepted.",
        more={"errors": wrong},
    ).response()


async def _http(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, HTTPException)
    title, remedy = USUAL.get(fault.status_code, (str(fault.detail), ""))
    return Problem(
        fault.status_code,
        title.lower().replace(" ", "_"),
        title,
        detail="" if str(fault.detail) == title else str(fault.detail),
        remedy=remedy,
        headers=fault.headers,
    ).response()


async def _storage(request: Request, fault: Exception) -> JSONResponse:
    outage = outage_of(fault)
    if outage is None:
        return await _unknown(request, fault)
    # One line: an outage brings hundreds of these, and a trace of each would fill what room is left.
    logger.error("%s %s: %s %s", request.method, request.url.path, outage.what, outage.remedy)
    return Problem(
        503,
        "storage_unavailable",
        "Storage unavailable",
        detail="The database did not take the change; nothing of this request was kept.",
        remedy="Send it again with the same key in a moment. Whoever runs Mayak finds the reason in the log.",
        headers={"Retry-After": "2"},
    ).response()


async def _unknown(request: Request, fault: Exception) -> JSONResponse:
    logger.error("%s %s: %r", request.method, request.url.path, fault, exc_info=fault)
    return Problem(
        500,
        "internal_error",
        "Internal error",
        detail="Something broke on our side.",
        remedy="Send the request again with the same key; the log of the server has the details.",
    ).response()
