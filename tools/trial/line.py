"""A line to a system that fails to order; what goes over it is the house's own HTTP client, with its tries and its rests.

```
call ─► HttpSystem ─► the next of its manners ─┬─ ok ────────────────────────────► what the system really says
         ▲ tries again, or rests               ├─ lost ─► the system does it ─────► 503
         └─────────────────────────────────────┴─ refused, busy, error, slow, cut, strange
```
A fault that takes time elsewhere (`slow`) comes at once here: what time costs is measured where the client is tested.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

import httpx

from tools.errors import ToolFault
from tools.http_client import HttpSystem, Limits
from tools.trial.manners import Manner, Manners

T = TypeVar("T")
LIMITS = Limits(call=20.0, attempt=10.0, pause=0.01, rest=60.0)
WAIT = "60"


class _Call(Generic[T]):
    """What is to be done at the other end, and what came of it: a refusal is an answer too."""

    def __init__(self, call: Callable[[], Awaitable[T]]) -> None:
        self._call = call
        self._came: list[T | ToolFault] = []

    async def carry_out(self) -> None:
        try:
            self._came.append(await self._call())
        except ToolFault as refusal:
            self._came.append(refusal)

    def result(self) -> T:
        came = self._came[-1]
        if isinstance(came, ToolFault):
            raise came
        return came


class Line:
    """One customer's way to one system; `asked` tells how each request that was sent was met."""

    def __init__(self, name: str, manners: Manners) -> None:
        self.asked: list[Manner] = []
        self._left = {"GET": list(manners.reads), "POST": list(manners.writes)}
        self._calls: dict[str, Callable[[], Awaitable[None]]] = {}
        wire = httpx.MockTransport(self._meet)
        self._system = HttpSystem(name, "http://trial", headers={}, limits=LIMITS, transport=wire)

    async def close(self) -> None:
        """Close the client."""
        await self._system.close()

    async def read(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what the call gives, if it comes through. Raises as `HttpSystem.read` and as the call."""
        way = _Call(call)
        await self._system.read(self._named(way.carry_out))
        return way.result()

    async def write(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make the call once, if it comes through. Raises as `HttpSystem.write` and as the call."""
        way = _Call(call)
        await self._system.write("POST", self._named(way.carry_out))
        return way.result()

    def _named(self, call: Callable[[], Awaitable[None]]) -> str:
        path = f"/{len(self._calls) + 1}"
        self._calls[path] = call
        return path

    async def _meet(self, request: httpx.Request) -> httpx.Response:
        left = self._left[request.method]
        manner = left.pop(0) if len(left) > 1 else left[0]
        self.asked.append(manner)
        match manner:
            case "refused":
                raise httpx.ConnectError("refused", request=request)
            case "slow":
                raise httpx.ReadTimeout("nothing came", request=request)
            case "cut":
                raise httpx.RemoteProtocolError("broken off", request=request)
            case "busy":
                return _answer(429, headers={"Retry-After": WAIT})
            case "error":
                return _answer(503)
            case "strange":
                return _answer(200, b"<html>Maintenance</html>")
        await self._calls[request.url.path]()
        return _answer(503 if manner == "lost" else 200)


def _answer(status: int, body: bytes = b"{}", *, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))
