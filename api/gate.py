"""The outermost layer of the application: body limits, cross-origin rules, security headers, counting."""

from collections.abc import Callable, Iterable, Mapping
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem

API_BYTES = 64 * 1024
"""Longest body below /v1: a message of the longest kind, every letter escaped."""
CHANNEL_BYTES = 1024 * 1024
"""Longest body a messenger may post."""
IMPORT_BYTES = 105 * 1024 * 1024
"""Longest body of an import: many files at once; they go to disk as they come."""
OTHER_BYTES = 25 * 1024 * 1024
"""Longest body elsewhere: the text of a document."""
FIXED: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}
CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""The content policy of whatever names none itself: it may neither load anything nor be framed."""
IMPORT_PATH = "/console/imports"
ALLOWED_METHODS = "GET, POST, DELETE, OPTIONS"
ALLOWED_HEADERS = "Authorization, Content-Type, Last-Event-ID"

Count = Callable[[str, str, int, float], None]
"""Method, route, status, seconds."""


class Gate:
    """ASGI middleware. `origins` names the sites whose scripts may call /v1; it is asked at every request."""

    def __init__(self, app: ASGIApp, *, origins: Callable[[], Iterable[str]], count: Count) -> None:
        self.app = app
        self.origins = origins
        self.count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        shared = origin if scope["path"].startswith("/v1") and origin in set(self.origins()) else ""
        exchange = _Exchange(send, shared=shared)
        began = perf_counter()
        try:
            await self._answer(scope, headers, receive, exchange)
        finally:
            route = getattr(scope.get("route"), "path", "-")
            self.count(scope["method"], route, exchange.status, perf_counter() - began)

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, exchange: "_Exchange") -> None:
        path = str(scope["path"])
        limit = _limit(path)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await exchange.send({"type": "http.response.start", "status": 204, "headers": []})
            await exchange.send({"type": "http.response.body", "body": b""})
            return
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > limit:
            await _too_long(limit).response()(scope, receive, exchange.send)
            return
        await self.app(scope, _bounded(receive, limit), exchange.send)


def _limit(path: str) -> int:
    if path.startswith("/v1/channels/"):
        # A messenger repeats what is refused for its size, and holds up every chat meanwhile.
        return CHANNEL_BYTES
    if path.startswith("/v1") or path == "/mcp":
        return API_BYTES
    return IMPORT_BYTES if path == IMPORT_PATH else OTHER_BYTES


class _Exchange:
    """One response on its way out: gets its headers, remembers its status."""

    def __init__(self, send: Send, *, shared: str) -> None:
        self._send = send
        self._shared = shared
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in FIXED.items():
                headers.setdefault(name, value)
            headers.setdefault("Content-Security-Policy", CLOSED_POLICY)
            headers.add_vary_header("Origin")
            if self._shared:
                headers["Access-Control-Allow-Origin"] = self._shared
                headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
                headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
                headers["Access-Control-Expose-Headers"] = "Retry-After"
                headers["Access-Control-Max-Age"] = "600"
        await self._send(message)


def _bounded(receive: Receive, limit: int) -> Receive:
    """Count the body as it comes: a declared length may be absent or wrong."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            # An HTTPException, because whoever reads the body takes any other for broken JSON.
            raise HTTPException(413, f"At most {limit} bytes are read here.")
        return message

    return bounded


def _too_long(limit: int) -> Problem:
    return Problem(
        413,
        "body_too_long",
        "Body too long",
        detail=f"At most {limit} bytes are read here.",
        remedy="Send a shorter message, or several.",
    )
