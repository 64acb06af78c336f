"""A real web server on this machine that tests reach under a public name: resolver and transport carry them there."""

import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import httpx

from knowledge.sources.errors import Unreachable

PUBLIC = "93.184.216.34"
Answer = tuple[int, Mapping[str, str], bytes]


class Names:
    """A resolver: each name has a list of answers, the last one again and again. Numbers resolve to themselves."""

    def __init__(self, known: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._known = {name: list(answers) for name, answers in known.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self._known.get(host)
        if not answers:
            raise Unreachable(f"There is no address for {host}.", remedy="Check the name.")
        return answers.pop(0) if len(answers) > 1 else answers[0]


def names(known: Mapping[str, Sequence[Sequence[str]]] | None = None) -> Names:
    return Names({"docs.example": [[PUBLIC]]} | dict(known or {}) if known != {} else {})


class Site:
    """Serves `pages`; notes what it was asked (headers), where connections were meant to go, how much it sent."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {}
        self.asked: list[Mapping[str, str]] = []
        self.paths: list[str] = []
        self.dialled: list[tuple[str, int]] = []
        self.sent = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _serving(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> "Site":
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _serving(site: Site) -> type[BaseHTTPRequestHandler]:
    return type("Serve", (_Serve,), {"site": site})


class _Serve(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        self.site.asked.append(dict(self.headers))
        self.site.paths.append(self.path)
        status, headers, body = self.site.pages.get(self.path, (404, {}, b"not here"))
        if status == 200 and headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
            status, body = 304, b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "X-Endless" not in headers and "X-Slow" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.send_body(headers, body)
        except OSError:
            return

    def send_body(self, headers: Mapping[str, str], body: bytes) -> None:
        if "X-Slow" in headers:
            for letter in body:
                self.wfile.write(bytes([letter]))
                self.wfile.flush()
                time.sleep(0.1)
        for _ in range(2_000 if "X-Endless" in headers else 1):
            self.wfile.write(body)
            self.site.sent += len(body)

    def log_message(self, format: str, *args: object) -> None:
        return


class Dialled(httpx.AsyncBaseTransport):
    """Carries a connection to a public number to the site, and notes the number."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._real = httpx.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._site.dialled.append(
            (request.url.host, request.url.port or (443 if request.url.scheme == "https" else 80))
        )
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._site.port)
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()
