"""A page fetched from outside, safely: the name is resolved once, checked, and that very address is connected to.

```
url ─► scheme, port ─► resolve ─► public? ─► connect to the address, TLS for the name ─► redirect? all of it again
                                                                                     └─► body, within limits
```
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpx

from knowledge.errors import TooLarge
from knowledge.sources.address import Resolve, public_address, resolve
from knowledge.sources.errors import Forbidden, Unreachable

AGENT = "MayakImport/1.0"
"""How the importer names itself to servers and in robots.txt."""
_REDIRECTS = {301, 302, 303, 307, 308}
_PIECE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class NetLimits:
    """What may be asked of the network: `ports`, bytes of a body as unpacked, seconds for a page, redirects."""

    ports: frozenset[int] = frozenset({80, 443})
    size: int = 20_000_000
    seconds: float = 30.0
    connect: float = 5.0
    redirects: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A page: `url` after redirects, `kind` the media type in lower case, `charset` as the server says, "" for none.

    `same` says that it is as it was (304): the body is empty then.
    """

    url: str
    status: int
    kind: str = ""
    charset: str = ""
    etag: str = ""
    modified: str = ""
    same: bool = False
    body: bytes = field(default=b"", repr=False)


class Fetcher:
    """Fetches public pages. `using` resolves names; `dial` makes the transport of one connection (both for tests)."""

    def __init__(
        self,
        *,
        limits: NetLimits | None = None,
        using: Resolve = resolve,
        dial: Callable[[], httpx.AsyncBaseTransport] = lambda: httpx.AsyncHTTPTransport(trust_env=False),
    ) -> None:
        self.limits = limits or NetLimits()
        self._using = using
        self._dial = dial

    async def get(self, url: str, *, etag: str = "", modified: str = "") -> Fetched:
        """Return a page; an error status is returned, too. Raises `Forbidden`, `Unreachable`, `TooLarge`."""
        asked = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {name: value for name, value in asked.items() if value}
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await self._followed(url, headers)
        except TimeoutError as fault:
            raise Unreachable(
                f"{url} took over {self.limits.seconds:.0f} seconds.", remedy="Try again later."
            ) from fault
        except (httpx.HTTPError, OSError) as fault:
            raise Unreachable(
                f"{url} cannot be reached: {fault or type(fault).__name__}.", remedy="Check the address."
            ) from fault

    async def address(self, url: str) -> str:
        """Return the checked address of a url's host. Raises `Forbidden`, `Unreachable`."""
        found = _url(url, self.limits)
        return await public_address(found.host, _port(found), using=self._using)

    async def _followed(self, url: str, headers: Mapping[str, str]) -> Fetched:
        for _ in range(self.limits.redirects + 1):
            found = await self._once(url, headers)
            if isinstance(found, Fetched):
                return found
            url = urljoin(url, found)
        raise Forbidden(
            f"{url} is redirected more than {self.limits.redirects} times.", remedy="Give the last address."
        )

    async def _once(self, url: str, headers: Mapping[str, str]) -> Fetched | str:
        """Return the page, or where it is redirected to."""
        found = _url(url, self.limits)
        address = await public_address(found.host, _port(found), using=self._using)
        request = httpx.Request(
            "GET",
            found.copy_with(host=address),
            headers={
                "Host": found.netloc.decode("ascii"),
                "User-Agent": AGENT,
                "Accept": "text/html, text/plain, text/markdown, application/xml, */*;q=0.5",
                "Accept-Encoding": "gzip",
                "Connection": "close",
                **headers,
            },
            # The certificate must be the name's, though the connection goes to the number.
            extensions={"sni_hostname": found.host, "timeout": self._timeouts()},
        )
        async with self._dial() as transport:
            response = await transport.handle_async_request(request)
            try:
                where = response.headers.get("location")
                if response.status_code in _REDIRECTS and where:
                    return str(where)
                return await self._read(response, url)
            finally:
                await response.aclose()

    async def _read(self, response: httpx.Response, url: str) -> Fetched:
        headers = response.headers
        kind, _, rest = headers.get("content-type", "").partition(";")
        charset = rest.lower().partition("charset=")[2].strip(" \"';")
        same = response.status_code == 304
        return Fetched(
            url=url,
            status=response.status_code,
            kind=kind.strip().lower(),
            charset=charset,
            etag=headers.get("etag", "")[:300],
            modified=headers.get("last-modified", "")[:100],
            same=same,
            body=b"" if same else await self._body(response, url),
        )

    async def _body(self, response: httpx.Response, url: str) -> bytes:
        said = response.headers.get("content-length", "")
        if said.isdecimal() and int(said) > self.limits.size:
            raise _too_large(url, self.limits)
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "gzip", "x-gzip", "deflate", ""):
            raise Unreachable(f"{url} is packed as {coding[:20]}, unasked.", remedy="Save it into a file.")
        out = bytearray()
        async for piece in _unpacked(response.stream, packed=coding not in ("identity", "")):
            out += piece
            if len(out) > self.limits.size:
                raise _too_large(url, self.limits)
        return bytes(out)

    def _timeouts(self) -> dict[str, float]:
        limits = self.limits
        return {
            "connect": limits.connect,
            "read": limits.seconds,
            "write": limits.connect,
            "pool": limits.connect,
        }


async def _unpacked(stream: Any, *, packed: bool) -> AsyncIterator[bytes]:
    """Give a body piece by piece, none longer than `_PIECE`: a bomb is noticed after one piece."""
    opener = zlib.decompressobj(wbits=47) if packed else None
    async for chunk in stream:
        if opener is None:
            yield chunk
            continue
        rest = chunk
        while rest and not opener.eof:
            try:
                piece = opener.decompress(rest, _PIECE)
            except zlib.error as fault:
                raise Unreachable("The page is damaged on the way.", remedy="Try again later.") from fault
            rest = opener.unconsumed_tail
            yield piece


def _url(url: str, limits: NetLimits) -> httpx.URL:
    try:
        found = httpx.URL(url)
        host, port = found.host, _port(found)
        found.netloc.decode("ascii")
    except (httpx.InvalidURL, ValueError, TypeError) as fault:
        raise Forbidden(
            f"{url[:200]} is not an address.", remedy="Write https://….", why="not_address"
        ) from fault
    if found.scheme not in ("http", "https") or not host:
        raise Forbidden(f"{url[:200]} is not an http address.", remedy="Write https://….", why="not_address")
    if found.userinfo:
        raise Forbidden("The address holds a password.", remedy="Give the address without one.")
    if port not in limits.ports:
        raise Forbidden(
            f"Port {port} is not allowed.", remedy="Use 80 or 443, or allow it with --allow-port.", why="port"
        )
    return found


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _too_large(url: str, limits: NetLimits) -> TooLarge:
    return TooLarge(f"{url} is over the limit of {limits.size / 1e6:.0f} MB.", remedy="Split the page.")
