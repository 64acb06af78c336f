"""Posting over HTTP: to a checked address, within seconds, and nowhere else.

```
url ─► host allowed by the owner? ─► its first address   ─┬─► connect to that very address, TLS for the name ─► POST
         └ no ─► https, every address public? ────────────┘         2xx ─► taken      410 ─► never again
                                                                    else ─► Undelivered, with its Retry-After
```
Redirects are not followed: they would lead where nobody looked. Of the answer only the status counts.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import cast

import httpx

from api.webhooks.port import Undelivered
from knowledge.sources.address import Resolve, public_address, resolve
from knowledge.sources.errors import Forbidden, Unreachable
from tools.http_client import seconds_to_wait

SECONDS = 10.0
"""One attempt, from the name to the status."""
CONNECT_SECONDS = 5.0
CONNECTIONS = 8
READ = 4096
"""Bytes of an answer that are read, and thrown away."""
GONE = 410
REMEDY = "Use a public https address, or name the host in MAYAK_WEBHOOK_HOSTS if it is the company's own."


class HttpPost:
    """The post to one address. `hosts` are those the owner allows although they are private or without TLS."""

    def __init__(
        self,
        url: str,
        *,
        hosts: Collection[str] = (),
        using: Resolve = resolve,
        dial: Callable[[], httpx.AsyncBaseTransport] | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._url = httpx.URL(url)
        self._allowed = allowed(url, hosts=hosts)
        self._using = using
        self._seconds = seconds
        self._transport = (dial or _dialled)()

    async def send(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Post one body. Raises `Undelivered`."""
        try:
            async with asyncio.timeout(self._seconds):
                address = await self._address()
                response = await self._transport.handle_async_request(self._request(address, body, headers))
                await _drained(response)
        except TimeoutError as slow:
            raise Undelivered(f"no answer in {self._seconds:.0f} s") from slow
        except httpx.TransportError as broken:
            raise Undelivered(f"not reached: {str(broken) or type(broken).__name__}") from broken
        except (Forbidden, Unreachable) as where:
            raise Undelivered(where.message) from where
        self._understood(response)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _address(self) -> str:
        host, port = self._url.host, self._url.port or (443 if self._url.scheme == "https" else 80)
        if not self._allowed:
            return await public_address(host, port, using=self._using)
        found = await self._using(host, port)
        if not found:
            raise Unreachable(f"There is no address for {host}.", remedy="Check the name.")
        return found[0]

    def _request(self, address: str, body: bytes, headers: Mapping[str, str]) -> httpx.Request:
        left = {
            "connect": CONNECT_SECONDS,
            "read": self._seconds,
            "write": self._seconds,
            "pool": self._seconds,
        }
        return httpx.Request(
            "POST",
            self._url.copy_with(host=address),
            headers={"Host": self._url.netloc.decode("ascii"), **headers},
            content=body,
            # The certificate must be the name's, though the connection goes to the number.
            extensions={"sni_hostname": self._url.host, "timeout": left},
        )

    def _understood(self, response: httpx.Response) -> None:
        status = response.status_code
        if response.is_success:
            return
        wait = seconds_to_wait(response.headers.get("Retry-After", ""), now=datetime.now(UTC))
        led = ": redirects are not followed" if response.is_redirect else ""
        raise Undelivered(f"answered {status}{led}", seconds=wait, final=status == GONE)


async def _drained(response: httpx.Response) -> None:
    """Read a short answer, so that the connection serves again; leave a long one."""
    size, stream = 0, cast(AsyncIterator[bytes], response.stream)
    try:
        async for part in stream:
            size += len(part)
            if size > READ:
                break
    finally:
        await response.aclose()


def allowed(url: str, *, hosts: Collection[str]) -> bool:
    """Return whether the owner allows the host of `url` whatever its address: named as HOST or HOST:PORT."""
    found = httpx.URL(url)
    port = found.port or (443 if found.scheme == "https" else 80)
    return bool({found.host, f"{found.host}:{port}"}.intersection(hosts))


def _dialled() -> httpx.AsyncBaseTransport:
    # Neither a proxy of the environment nor cookies: only this address hears of it.
    return httpx.AsyncHTTPTransport(trust_env=False, limits=httpx.Limits(max_connections=CONNECTIONS))
