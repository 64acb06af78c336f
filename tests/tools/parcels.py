"""What the tests of plugged-in servers share: the delivery service as a pack assigns it, and its process."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tools.mcp.assigned import plugged
from tools.mcp.client import McpConnection, definitions, opened
from tools.mcp.fake import MemoryJournal
from tools.mcp.functions import mcp_tools
from tools.mcp.plug import Plug
from tools.mcp.port import Connection, Journal
from tools.outside.definition import Definition
from tools.outside.plugged import Plugged
from tools.toolbox import Toolbox

SERVER = Path(__file__).with_name("parcel_server.py")
TOOLS: dict[str, Any] = {
    "parcel_status": {
        "scope": "orders:read",
        "effect": "read",
        "assurance": "channel",
        "from_caller": {"customer_id": "customer"},
        "cues": {"ru": ["где моя посылка"], "en": ["where is my parcel"]},
        "slots": {
            "number": {"ru": [r"посылк\w+\s+(?P<value>P-\d+)"], "en": [r"parcel\s+(?P<value>P-\d+)"]},
        },
        "say": {
            "ru": "Посылка сейчас: {state}, пункт выдачи {office}.",
            "en": "The parcel is {state}, at {office}.",
        },
    },
    "offices": {
        "scope": "public",
        "effect": "read",
        "assurance": "anonymous",
        "from_caller": {"language": "language"},
        "status": {"ru": "ищу пункты выдачи…", "en": "looking for offices…"},
    },
    "book_pickup": {
        "scope": "orders:write",
        "effect": "write",
        "assurance": "verified",
        "from_caller": {"customer_id": "customer", "language": "language"},
        "hide": ["request_id"],
        "confirm": {
            "ru": "Вызвать курьера на {day}, этаж {floor}?",
            "en": "Send a courier on {day}, floor {floor}?",
        },
        "done": {"ru": "Курьер приедет {day}.", "en": "A courier comes on {day}."},
    },
}


def keyed(tools: Mapping[str, Any] = TOOLS) -> dict[str, Any]:
    """The same tools with the key of a write in its own argument."""
    write = {name: value for name, value in tools["book_pickup"].items() if name != "hide"}
    return {**tools, "book_pickup": {**write, "idempotency": "request_id"}}


def over_pipes(folder: Path, *, tools: Mapping[str, Any] = TOOLS, seconds: float = 6.0) -> Plug:
    return Plug.model_validate(
        {"command": [sys.executable, str(SERVER), str(folder)], "tools": tools, "seconds": seconds}
    )


def over_http(port: int, *, tools: Mapping[str, Any] = TOOLS, seconds: float = 6.0) -> Plug:
    return Plug.model_validate({"url": f"http://127.0.0.1:{port}/mcp/", "tools": tools, "seconds": seconds})


def behave(folder: Path, **state: Any) -> None:
    (folder / "state.json").write_text(json.dumps(state))


def effects(folder: Path) -> list[str]:
    path = folder / "effects.log"
    return path.read_text().splitlines() if path.exists() else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, str(SERVER), str(folder), str(port)])
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


_PINS: dict[str, Definition] = {}


async def pinned(plug: Plug, folder: Path) -> dict[str, Definition]:
    """The server's definitions as it first gives them; asked once, for starting a process takes seconds."""
    if not _PINS:
        async with opened(plug, folder=folder) as session:
            _PINS.update(await definitions(session))
    return _PINS


@asynccontextmanager
async def connected(
    plug: Plug,
    folder: Path,
    *,
    pins: Mapping[str, Definition] | None = None,
    token: str = "",
    starts: bool = True,
) -> AsyncIterator[McpConnection]:
    known = await pinned(plug, folder) if pins is None else pins
    connection = McpConnection("parcels", plug, known, folder=folder, token=token)
    await connection.start()
    if starts:
        await until(lambda: connection.standing().connected, seconds=30)
    try:
        yield connection
    finally:
        await connection.stop()


def joined(plug: Plug, pins: Mapping[str, Definition]) -> tuple[Plugged, ...]:
    return tuple(plugged("parcels", plug, pins, currency="RUB", timezone="Europe/Moscow"))


def box(
    plug: Plug, pins: Mapping[str, Definition], connection: Connection, journal: Journal | None = None
) -> Toolbox:
    return Toolbox(*mcp_tools(joined(plug, pins), connection, journal or MemoryJournal()))


async def until(true: Any, *, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.02)
