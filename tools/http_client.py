"""JSON over HTTP with a system of the company: bounded in time and size, trusted in nothing. Every HTTP adapter stands on it.

```
read ─► the breaker is open? ─► Unsent
     └► attempt ─► 2xx and JSON ──────────────────────► the value
           ▲  ├──► 4xx ───────────────────────────────► Declined (status and body, for the adapter to read)
           │  ├──► turned away at the door: again, a write too, after a longer pause; then Unsent
           │  ├──► too large, or led elsewhere ───────► Unavailable
           └──┴─── timeout, cut, 429, 5xx, no JSON: again while attempts and time last, then Unavailable
write  the same, once: `Unsent` where nothing can have happened, else `Unavailable`, and the adapter reads back
```
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, NoReturn
from weakref import WeakSet

import httpx

from tools.breaker import Breaker
from tools.calls import Calls, Kind, Result
from tools.errors import Declined, Unavailable, Unsent

Json = Any
"""What JSON can hold; fractions are `Decimal`. Nothing of its shape has been checked."""
Parameters = Iterable[tuple[str, str]]

_BUSY = 429
_TRANSIENT = frozenset({408, 425, _BUSY, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call may cost; seconds and bytes."""

    call: float = 5.0
    """A whole call, every attempt and pause in it."""
    attempt: float = 2.5
    """One attempt of a read, from connecting to its last byte; a write has the whole call."""
    connect: float = 1.5
    attempts: int = 3
    """Times a read is tried; a write is sent once."""
    pause: float = 0.1
    """Before the second attempt, twice as long before the third; each between half and the whole of it."""
    crowd: float = 0.6
    """The same where the system turned the request away for too many of them."""
    size: int = 2 * 2**20
    """The longest answer that is read."""
    rest: float = 20.0
    """How long a system that failed twice running is left alone at first."""
    connections: int = 20


OPEN: "WeakSet[HttpSystem]" = WeakSet()
"""The systems this process may ask just now: whoever shows their figures need not know who opened them."""


def _never(status: int, body: Json) -> bool:
    return False


class HttpSystem:
    """One system behind one address. `headers` go with every request; its key is never in a message.

    `name` is how people call the system: it begins the words of every fault. `secret_path`, such as "/rest/1/k3y", goes
    before every path on the wire and is nowhere else: no log, exception or request of ours has it. `turned_away` tells
    of an answer, by its status and JSON, whether the system did not even look at the request. `transport` stands in for
    the network.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        headers: Mapping[str, str],
        secret_path: str = "",
        turned_away: Callable[[int, Json], bool] = _never,
        limits: Limits = Limits(),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self.breaker = Breaker(rest=limits.rest, clock=clock)
        self.calls = Calls()
        self._limits, self._clock, self._sleep = limits, clock, sleep
        self._turned_away = turned_away
        # A proxy of the environment would see the key, as whoever a redirect names would.
        wire = transport or httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=limits.connections), trust_env=False
        )
        self._client = httpx.AsyncClient(
            base_url=url,
            # An answer that unpacks itself could be any size: none is asked for, and none is taken.
            headers={"Accept": "application/json", "Accept-Encoding": "identity", **headers},
            timeout=httpx.Timeout(limits.call, connect=limits.connect, pool=limits.connect),
            transport=_Behind(secret_path, wire) if secret_path else wire,
            follow_redirects=False,
            trust_env=False,
        )
        OPEN.add(self)

    async def close(self) -> None:
        """Close the connections; no call may follow."""
        OPEN.discard(self)
        await self._client.aclose()

    async def read(
        self,
        path: str,
        *,
        parameters: Parameters = (),
        body: Json = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """Return what GET `path` answers, or POST where the question is a `body`; it must change nothing there.

        `Unavailable` (`Unsent` if it was not even asked) or `Declined`.
        """
        method, content = ("GET", None) if body is None else ("POST", _content(body))
        request = self._client.build_request(
            method, path, params=list(parameters) or None, content=content, headers=_typed(headers, content)
        )
        return await self._called(
            request, attempts=self._limits.attempts, attempt=self._limits.attempt, kind="read"
        )

    async def write(
        self,
        method: str,
        path: str,
        *,
        parameters: Parameters = (),
        body: Json = None,
        bare: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """Send a change once and return the answer, None for an empty one; a `bare` one has no body at all.

        `Unsent`: nothing happened. `Declined`: the system refused. `Unavailable`: nobody knows, so read before
        anything else is tried.
        """
        content = None if bare else _content({} if body is None else body)
        request = self._client.build_request(
            method, path, params=list(parameters) or None, content=content, headers=_typed(headers, content)
        )
        return await self._called(request, attempts=1, attempt=self._limits.call, kind="write")

    async def _called(self, request: httpx.Request, *, attempts: int, attempt: float, kind: Kind) -> Json:
        if not self.breaker.admit():
            self.calls.note(kind, "resting")
            raise Unsent(f"{self.name} rests {self.breaker.seconds_left:.0f} s more after failing")
        began = self._clock()
        try:
            value = await self._attempts(request, attempts=attempts, attempt=attempt)
        except _Failed as failed:
            self._note(kind, "unsent" if isinstance(failed.fault, Unsent) else "failed", began=began)
            self.breaker.failed(wait=failed.wait)
            raise failed.fault from failed.__cause__
        except Declined:
            self._note(kind, "declined", began=began)
            self.breaker.passed()
            raise
        except BaseException:
            self.breaker.cancelled()
            raise
        self._note(kind, "answered", began=began)
        self.breaker.passed()
        return value

    def _note(self, kind: Kind, result: Result, *, began: float) -> None:
        self.calls.note(kind, result, seconds=self._clock() - began)

    async def _attempts(self, request: httpx.Request, *, attempts: int, attempt: float) -> Json:
        end = self._clock() + self._limits.call

        def most(failed: _Failed) -> int:
            # What was turned away at the door changed nothing: a write may knock again.
            return self._limits.attempts if failed.at_door else attempts

        for n in count(1):
            left = end - self._clock()
            try:
                return await self._attempt(request, seconds=min(attempt, left))
            except _Failed as failed:
                step = self._limits.crowd if failed.at_door else self._limits.pause
                pause = failed.wait or step * 2 ** (n - 1) * random.uniform(0.5, 1.0)
                if n >= most(failed) or not failed.again or self._clock() + pause >= end:
                    raise
                await self._sleep(pause)
        raise AssertionError("a call ends")

    async def _attempt(self, request: httpx.Request, *, seconds: float) -> Json:
        try:
            async with asyncio.timeout(seconds):
                answer = await self._client.send(request, stream=True)
                try:
                    return self._understood(answer, await self._body(answer))
                finally:
                    await answer.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as unreached:
            raise self._failed("cannot be reached", unsent=True) from unreached
        except (TimeoutError, httpx.TimeoutException) as slow:
            raise self._failed(f"did not answer in {seconds:.1f} s") from slow
        except httpx.TransportError as broken:
            raise self._failed("broke off its answer") from broken

    async def _body(self, answer: httpx.Response) -> bytes:
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise self._failed("answered in an encoding nobody asked for", again=False)
        body = bytearray()
        async for part in answer.aiter_raw():
            body += part
            if len(body) > self._limits.size:
                raise self._failed(f"answered more than {self._limits.size} bytes", again=False)
        return bytes(body)

    def _understood(self, answer: httpx.Response, body: bytes) -> Json:
        status = answer.status_code
        if not answer.is_success and self._turned_away(status, self._perhaps(body)):
            wait = _asked(answer)
            raise self._failed(f"turned the request away with {status}", unsent=True, wait=wait, at_door=True)
        if status in _TRANSIENT or status >= 500:
            wait = _asked(answer)
            # Too many requests: this one was turned away at the door.
            raise self._failed(f"answered {status}", unsent=status == _BUSY, wait=wait)
        if answer.is_redirect:
            raise self._failed(f"answered {status}: its address leads elsewhere", again=False)
        if not answer.is_success:
            raise Declined(self.name, status=status, body=self._perhaps(body))
        return self._parsed(body) if body else None

    def _perhaps(self, body: bytes) -> Json:
        with suppress(_Failed):
            return self._parsed(body)
        return None

    def _parsed(self, body: bytes) -> Json:
        try:
            return json.loads(body, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError, ArithmeticError) as wrong:
            raise self._failed("answered something that is not JSON") from wrong

    def _failed(
        self,
        what: str,
        *,
        unsent: bool = False,
        again: bool = True,
        wait: float = 0.0,
        at_door: bool = False,
    ) -> "_Failed":
        kind = Unsent if unsent else Unavailable
        return _Failed(kind(f"{self.name} {what}"), again=again, wait=wait, at_door=at_door)


class _Behind(httpx.AsyncBaseTransport):
    """Puts a secret path before a request's own at the last moment; what is logged and raised is the request without it."""

    def __init__(self, path: str, wire: httpx.AsyncBaseTransport) -> None:
        self._path, self._wire = path.rstrip("/").encode(), wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(raw_path=self._path + request.url.raw_path)
        sent = httpx.Request(
            request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        return await self._wire.handle_async_request(sent)

    async def aclose(self) -> None:
        await self._wire.aclose()


def _asked(answer: httpx.Response) -> float:
    return seconds_to_wait(answer.headers.get("Retry-After", ""), now=datetime.now(UTC))


def _content(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _typed(headers: Mapping[str, str] | None, content: bytes | None) -> dict[str, str]:
    return {**({"Content-Type": "application/json"} if content is not None else {}), **(headers or {})}


class _Failed(Exception):
    """One attempt came to nothing: with what fault, whether another may help, how many seconds to wait first."""

    def __init__(self, fault: Unavailable, *, again: bool, wait: float, at_door: bool) -> None:
        super().__init__(str(fault))
        self.fault, self.again, self.wait, self.at_door = fault, again, wait, at_door


def seconds_to_wait(header: str, *, now: datetime) -> float:
    """Return how long a `Retry-After` asks to wait, in seconds or as a date; 0 when it says nothing of use."""
    if header.strip().isdecimal():
        return float(header.strip()[:9])
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds())


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
