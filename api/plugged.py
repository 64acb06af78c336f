"""The container's choices about MCP: which servers of the pack are connected, with which tokens, and their toolkits.

With what every tool from outside is refused for, however it is reached.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from agent.errors import BadPack
from agent.mapped import FOLDER as SYSTEMS
from agent.mapped import table_of
from agent.pack import Pack
from agent.pack_files import line_of
from api.settings import BadSetting, Settings
from tools.mcp.client import McpConnection
from tools.mcp.definition import read_pins
from tools.mcp.functions import mcp_tools
from tools.mcp.journal import SqlJournal
from tools.outside.plugged import Plugged
from tools.toolkit import Toolkit


def mcp_servers(settings: Settings, pack: Pack) -> tuple[McpConnection, ...]:
    """Return the pack's MCP servers, not yet connected. Raises `BadSetting` for tokens that fit none."""
    known = pack.policy.mcp
    return tuple(
        McpConnection(
            name,
            plug,
            read_pins(pack.folder, name),
            folder=pack.folder,
            token=mcp_token(settings, name, known=known),
        )
        for name, plug in (known.items() if settings.mcp else ())
    )


def mcp_token(settings: Settings, server: str, *, known: Collection[str]) -> str:
    """Return the token for a server of the pack, "" without one. Raises `BadSetting` for tokens that fit none."""
    tokens: dict[str, str] = {}
    for text in settings.mcp_client_tokens:
        name, _, token = text.partition("=")
        if name not in known or not token:
            raise BadSetting(
                f"MAYAK_MCP_CLIENT_TOKENS: “{name if token else '…'}” is no server of the pack.",
                remedy="Write NAME=TOKEN, several by commas; the names are those of [mcp.NAME] in policy.toml: "
                f"{', '.join(known) or 'there are none'}.",
            )
        tokens[name] = token
    return tokens.get(server, "")


@asynccontextmanager
async def connected(servers: tuple[McpConnection, ...]) -> AsyncIterator[tuple[McpConnection, ...]]:
    """Connect them while the block lasts; one that does not answer keeps nobody waiting."""
    try:
        await asyncio.gather(*(server.start() for server in servers))
        yield servers
    finally:
        await asyncio.gather(*(server.stop() for server in servers))


def refuse_taken(pack: Pack, names: Collection[str]) -> None:
    """Raise `BadPack` for a tool from outside that is called like one of the house's own."""
    policy = pack.folder / "policy.toml"
    places: list[tuple[Plugged, Path, list[str]]] = [
        (tool, policy, ["mcp", tool.server, "tools", tool.definition.name]) for tool in pack.plugged
    ]
    for name, system in pack.systems.items():
        path = pack.folder / SYSTEMS / f"{name}.toml"
        places += [(tool, path, [table_of(tool), tool.definition.name]) for tool in system.plugged]
    for tool, path, where in places:
        if tool.name in names:
            raise BadPack(
                f"{path}:{line_of(path, where)}: {'.'.join(where)}: a tool of the house is called “{tool.name}” already",
                remedy="Give this one another `name`.",
            )


def plugged_kits(pack: Pack, servers: Sequence[McpConnection], journal: SqlJournal) -> Iterator[Toolkit]:
    """Return the toolkits of what the pack assigns on these servers."""
    for server in servers:
        own = [tool for tool in pack.plugged if tool.server == server.server]
        yield from mcp_tools(own, server, journal)
