"""A server on the loopback that misbehaves to order: each request meets the next of its manners, the last one for good."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from tests.listening import listening

Manner = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Faulty:
    """What it was asked, and how it behaves next."""

    def __init__(self) -> None:
        self.manners: list[Manner] = [answer(b"{}")]
        self.routes: dict[str, Manner] = {}
        """How requests are met whose first line has these words, whatever comes next."""
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.address = ""

    def will(self, *manners: Manner) -> None:
        """Meet the coming requests so, in this order."""
        self.manners, self.asked = list(manners), []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request a connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [line[15:] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
        self.bodies.append(await reader.readexactly(int(lengths[0])) if lengths else b"")
        self.asked.append(head.partition(" HTTP")[0])
        self.heads.append(head)
        routed = [manner for words, manner in self.routes.items() if words in self.asked[-1]]
        if not routed:
            routed = [self.manners.pop(0) if len(self.manners) > 1 else self.manners[0]]
        await routed[0](writer)


@asynccontextmanager
async def faulty() -> AsyncIterator[Faulty]:
    """Run it on a free port."""
    found = Faulty()
    async with listening(found.serve) as port:
        found.address = f"http://127.0.0.1:{port}"
        yield found


def answer(body: bytes, *, status: int = 200, headers: Sequence[str] = ()) -> Manner:
    """A whole answer."""
    return raw(_head(status, len(body), headers) + body)


def raw(data: bytes) -> Manner:
    """These bytes, and the connection is closed."""

    async def manner(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return manner


def silence() -> Manner:
    """Nothing, for longer than anybody waits."""

    async def manner(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    return manner


def drip(body: bytes, *, pause: float) -> Manner:
    """A byte at a time, each in good time."""

    async def manner(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, len(body), ()))
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause)

    return manner


def cut(body: bytes) -> Manner:
    """Half of what was announced."""
    return raw(_head(200, 2 * len(body), ()) + body)


def flood(size: int) -> Manner:
    """Valid JSON of `size` bytes, sent as long as anybody reads."""

    async def manner(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, size, ()) + b'["')
        part = b"a" * 65_536
        for _ in range(size // len(part) + 1):
            writer.write(part)
            await writer.drain()

    return manner


def _head(status: int, length: int, headers: Sequence[str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", "Content-Type: application/json", f"Content-Length: {length}"]
    return ("\r\n".join([*lines, "Connection: close", *headers]) + "\r\n\r\n").encode()
