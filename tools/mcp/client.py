"""The one place that speaks MCP to other servers: a connection that mends itself, over HTTP or a process's pipes.

```
start ─► connect ─► initialize ─► definitions compared with the pins ─► ready ─► … ─► lost ─┐
             ▲          the server says its list changed, or CHECK_SECONDS passed ─┘         │
             └────────────────── after a pause, or at once when somebody asks ◄──────────────┘
```
The session lives in one task of its own; calls come from the tasks of turns and never hold it up.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpx

from tools.errors import Unavailable
from tools.mcp.bounds import bounded_client
from tools.mcp.definition import difference
from tools.mcp.plug import Plug
from tools.mcp.port import Connection, NotReached, Standing
from tools.outside.definition import Definition
from tools.outside.said import Said

if TYPE_CHECKING:
    from mcp import ClientSession
    from mcp.types import CallToolResult

log = logging.getLogger(__name__)

CHECK_SECONDS = 30.0
"""How often definitions are compared while nothing else asks for it; it also finds a silent connection out."""
CONNECT_SECONDS = 10.0
START_SECONDS = 3.0
"""How long the start of the house waits for a server; a slower one joins later."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
MOST_PAGES = 20
MOST_TOOLS = 512
REFUSALS = frozenset({-32602, -32601, -32600})
"""JSON-RPC codes of a server that did not begin: invalid arguments, no such method, no request at all."""
NO_SESSION = 32600
"""What the SDK's transport makes of a server that has forgotten the session (positive, unlike JSON-RPC's codes)."""


class McpConnection(Connection):
    """One server, kept connected between `start` and `stop`. Raises nothing when it is down: its tools are absent."""

    def __init__(
        self, server: str, plug: Plug, pins: Mapping[str, Definition], *, folder: Path, token: str = ""
    ) -> None:
        self.server = server
        self._plug = plug
        self._pins = {name: pins[name] for name in plug.tools if name in pins}
        self._folder = folder
        self._token = token
        self._session: ClientSession | None = None
        self._problems: dict[str, str] = {"": "it has not answered yet"}
        self._unassigned: tuple[str, ...] = ()
        self._lost = asyncio.Event()
        self._stop = asyncio.Event()
        self._recheck = asyncio.Event()
        self._settled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self, *, seconds: float = START_SECONDS) -> None:
        """Begin to connect, and wait `seconds` for the first outcome."""
        self._task = asyncio.create_task(self._keep(), name=f"mcp:{self.server}")
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._settled.wait()

    async def stop(self) -> None:
        """Close the connection, and end the server's process if it is one."""
        self._stop.set()
        self._recheck.set()
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=CONNECT_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def standing(self) -> Standing:
        """Return how it is with the server, for operators."""
        return Standing(
            connected=self._session is not None,
            problems=dict(self._problems),
            unassigned=self._unassigned,
        )

    def ready(self, tool: str) -> bool:
        open_still = self._session is not None and not self._lost.is_set()
        return open_still and tool in self._pins and tool not in self._problems

    async def back(self, tool: str, *, seconds: float) -> bool:
        self._recheck.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.ready(tool):
                    self._settled.clear()
                    await self._settled.wait()
        return self.ready(tool)

    async def call(self, tool: str, arguments: Mapping[str, Any], *, seconds: float) -> Said:
        session, lost = self._session, self._lost
        if session is None or not self.ready(tool):
            # Somebody asks: the next attempt to connect is made at once.
            self._recheck.set()
            raise NotReached(self._problems.get("") or self._problems.get(tool, "not assigned"))
        asked = asyncio.create_task(_call(session, tool, arguments, seconds=seconds))
        gone = asyncio.create_task(lost.wait())
        try:
            await asyncio.wait({asked, gone}, timeout=seconds + 1, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return asked.result()
            raise Unavailable(f"{self.server} broke off" if gone.done() else f"no answer in {seconds} s")
        except NotReached:
            lost.set()
            raise
        finally:
            asked.cancel()
            gone.cancel()
            await asyncio.gather(asked, gone, return_exceptions=True)

    # The task of the connection. ----------------------------------------------------------------------------

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            try:
                await self._visit()
                pause = FIRST_PAUSE
            except (Exception, BaseExceptionGroup) as fault:
                # Whatever the SDK's task groups end with, this task lives on until it is told to stop.
                self._tell({"": plainly(fault)})
            finally:
                self._session = None
                self._lost.set()
                self._settled.set()
            if self._stop.is_set():
                break
            self._problems.setdefault("", "the connection broke")
            self._recheck.clear()
            await _first_of(self._stop, self._recheck, seconds=pause)
            # Whoever asks makes it try at once, but never faster than this.
            await asyncio.sleep(FIRST_PAUSE / 5)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _visit(self) -> None:
        """Connect, and stay until the connection is lost or nobody wants it any more."""
        self._lost = lost = asyncio.Event()
        async with opened(
            self._plug, folder=self._folder, token=self._token, lost=lost, changed=self._recheck
        ) as session:
            await self._check(session)
            self._session = session
            self._settled.set()
            while not self._stop.is_set() and not lost.is_set():
                self._recheck.clear()
                await _first_of(self._stop, lost, self._recheck, seconds=CHECK_SECONDS)
                if not self._stop.is_set() and not lost.is_set():
                    await self._check(session)
                    self._settled.set()
            self._session = None

    async def _check(self, session: "ClientSession") -> None:
        live = await definitions(session)
        found: dict[str, str] = {}
        for name, pinned in self._pins.items():
            if name not in live:
                found[name] = "the server has no such tool any more"
            elif changed := difference(pinned, live[name]):
                found[name] = f"refused, for it is not the tool that was assigned: {changed}"
        self._unassigned = tuple(sorted(live.keys() - self._plug.tools.keys()))
        self._tell(found)

    def _tell(self, problems: dict[str, str]) -> None:
        for name, problem in problems.items():
            if self._problems.get(name) != problem:
                log.warning("MCP server %s%s: %s", self.server, f", tool {name}" if name else "", problem)
        if not problems and self._problems:
            log.info("MCP server %s: its %d tools are offered", self.server, len(self._pins))
        self._problems = problems


@asynccontextmanager
async def opened(
    plug: Plug,
    *,
    folder: Path,
    token: str = "",
    lost: asyncio.Event | None = None,
    changed: asyncio.Event | None = None,
) -> AsyncIterator["ClientSession"]:
    """Open one initialized session; `lost` is set when the other side goes, `changed` when it says its tools did."""
    from mcp import ClientSession
    from mcp.types import Implementation, ServerNotification, ToolListChangedNotification

    gone = lost or asyncio.Event()

    async def heard(message: Any) -> None:
        # A message that cannot be read may have been the answer: nobody waits for it in vain.
        if isinstance(message, Exception):
            gone.set()
        elif (
            changed is not None
            and isinstance(message, ServerNotification)
            and isinstance(message.root, ToolListChangedNotification)
        ):
            changed.set()

    async with AsyncExitStack() as stack:
        read, write = await stack.enter_async_context(_transport(plug, folder=folder, token=token))
        into, out = anyio.create_memory_object_stream[Any](0)

        async def pump() -> None:
            async with read, into:
                async for message in read:
                    await into.send(message)
            gone.set()

        pumping = await stack.enter_async_context(anyio.create_task_group())
        pumping.start_soon(pump)
        stack.callback(pumping.cancel_scope.cancel)
        session = ClientSession(
            out, write, message_handler=heard, client_info=Implementation(name="mayak", version="1")
        )
        await stack.enter_async_context(session)
        async with asyncio.timeout(CONNECT_SECONDS):
            await session.initialize()
        yield session


async def definitions(session: "ClientSession") -> dict[str, Definition]:
    """Return the tools the server defines, by name; at most `MOST_TOOLS`."""
    from mcp.types import PaginatedRequestParams

    found: dict[str, Definition] = {}
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        async with asyncio.timeout(CONNECT_SECONDS):
            page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
        for tool in page.tools:
            found[tool.name] = Definition(
                name=tool.name,
                description=tool.description or "",
                schema=tool.inputSchema,
                read_only=tool.annotations.readOnlyHint if tool.annotations else None,
            )
        cursor = page.nextCursor
        if not cursor or len(found) >= MOST_TOOLS:
            break
    return found


@asynccontextmanager
async def _transport(plug: Plug, *, folder: Path, token: str) -> AsyncIterator[tuple[Any, Any]]:
    if plug.url:
        from mcp.client.streamable_http import streamable_http_client

        async with (
            bounded_client(token=token, seconds=CONNECT_SECONDS) as client,
            streamable_http_client(plug.url, http_client=client) as (read, write, _),
        ):
            yield read, write
        return
    import sys

    from mcp.client.stdio import StdioServerParameters, stdio_client

    environment = dict(plug.environment)
    if plug.token_variable and token:
        environment[plug.token_variable] = token
    server = StdioServerParameters(
        command=plug.command[0], args=list(plug.command[1:]), env=environment, cwd=folder
    )
    async with stdio_client(server, errlog=sys.__stderr__ or sys.stderr) as (read, write):
        yield read, write


async def _call(session: "ClientSession", tool: str, arguments: Mapping[str, Any], *, seconds: float) -> Said:
    """Send one call past the SDK's own checks of results: a schema of the server's making is not run here."""
    from mcp import McpError
    from mcp.types import CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest

    request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=dict(arguments)))
    try:
        result = await session.send_request(
            ClientRequest(request), CallToolResult, request_read_timeout_seconds=timedelta(seconds=seconds)
        )
    except McpError as fault:
        if fault.error.code in REFUSALS:
            return Said(text=(fault.error.message,), refused=True)
        if fault.error.code == NO_SESSION:
            raise NotReached("the server has forgotten the session") from fault
        raise Unavailable(fault.error.message) from fault
    except (anyio.ClosedResourceError, anyio.BrokenResourceError, ValueError) as fault:
        raise Unavailable(type(fault).__name__) from fault
    return _said(result)


def _said(result: "CallToolResult") -> Said:
    """Pictures, sounds and resources are left out: nothing in the house reads them."""
    texts = tuple(part.text for part in result.content if part.type == "text")
    return Said(text=texts, data=result.structuredContent, refused=result.isError)


async def _first_of(*events: asyncio.Event, seconds: float) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def plainly(fault: BaseException) -> str:
    """Return the cause in a line: what runs in task groups comes wrapped in groups."""
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    if isinstance(fault, httpx.HTTPStatusError):
        return f"it answered {fault.response.status_code}"
    if isinstance(fault, TimeoutError):
        return f"it did not answer in {CONNECT_SECONDS:.0f} s"
    return f"{str(fault) or type(fault).__name__}"[:300]
