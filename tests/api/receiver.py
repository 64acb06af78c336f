"""A receiver of webhooks as a company would write one: it verifies with the library, and can be made to misbehave."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from cloudevents.core.formats.json import JSONFormat
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
OTHER = "whsec_" + "MDEyMzQ1Njc4OUFCQ0RFRkdISUpLTE1OT1BRUlNUVVY="

Behave = Callable[[Mapping[str, Any]], "Response | float | None"]
"""What to do with an event: a response that refuses it, seconds to be silent after taking it, or None to take it."""


def takes(event: Mapping[str, Any]) -> None:
    """Take everything."""


@dataclass(slots=True, kw_only=True)
class Receiver:
    """What arrived, in the order it arrived; `forged` counts what was not signed with the secret."""

    secret: str = SECRET
    behave: Behave = takes
    taken: list[dict[str, Any]] = field(default_factory=list)
    forged: int = 0
    refused: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mayak"

    def numbers(self) -> dict[str, list[int]]:
        """Return the sequence numbers by conversation, as they arrived."""
        found: dict[str, list[int]] = {}
        for event in self.taken:
            found.setdefault(event["subject"], []).append(int(event["sequence"]))
        return found

    async def take(self, request: Request) -> Response:
        body = await request.body()
        try:
            Webhook(self.secret).verify(body, dict(request.headers), json_parse=False)
        except WebhookVerificationError:
            self.forged += 1
            return Response(status_code=401)
        read = JSONFormat().read(None, body)
        event = {**read.get_attributes(), "data": read.get_data()}
        assert event["id"] == request.headers["webhook-id"]
        how = self.behave(event)
        if isinstance(how, Response):
            self.refused += 1
            return how
        self.taken.append(event)
        if how is not None:
            await asyncio.sleep(how)
        return Response(status_code=204)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Receiver"]:
        """Listen while the block runs, on the port of the last time."""
        app = Starlette(routes=[Route("/mayak", self.take, methods=["POST"])])
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", self.port))
            self.port = listening.getsockname()[1]
            config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                ws="none",
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:
                await asyncio.sleep(0.01)
                assert not serving.done(), "the receiver did not start"
            try:
                yield self
            finally:
                server.should_exit = True
                await serving
