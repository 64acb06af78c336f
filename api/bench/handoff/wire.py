"""The line of one bench client: requests repeated until the server is back, streams resumed where they broke."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx

AGAIN_SECONDS = 0.2
TRANSPORT_SECONDS = 15.0


def client(address: str, **headers: str) -> httpx.AsyncClient:
    """Return a client of one person: their own cookies and connections."""
    return httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, timeout=TRANSPORT_SECONDS)


async def persistent(http: httpx.AsyncClient, method: str, path: str, **request: Any) -> httpx.Response:
    """Send until an answer comes that is the server's last word; what is sent must bear being sent twice."""
    while True:
        try:
            answer = await http.request(method, path, **request)
        except httpx.TransportError:
            await asyncio.sleep(AGAIN_SECONDS)
            continue
        if answer.status_code not in (429, 500, 502, 503):
            return answer
        await asyncio.sleep(AGAIN_SECONDS)


async def events(
    http: httpx.AsyncClient, path: str, headers: Callable[[], Mapping[str, str]]
) -> AsyncIterator[tuple[str, str, str]]:
    """Follow server-sent events for ever: (id, event, data); `headers` are asked at each connection."""
    while True:
        try:
            async with http.stream("GET", path, headers=dict(headers()), timeout=None) as answer:
                if answer.is_success:
                    async for event in _parsed(answer):
                        yield event
        except httpx.TransportError:
            pass
        await asyncio.sleep(AGAIN_SECONDS)


async def _parsed(answer: httpx.Response) -> AsyncIterator[tuple[str, str, str]]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if "data" in fields:
            yield fields.get("id", ""), fields.get("event", "message"), fields["data"]
        fields = {}
