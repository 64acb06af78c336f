"""The container's choices about MCP: which servers of the pack are connected, with which tokens, and their toolkits."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager

from agent.errors import BadPack
from agent.pack import Pack
from agent.pack_files import line_of
from api.settings import BadSetting, Settings
from tools.mcp.client import McpConnection
from tools.mcp.definition import read_pins
from tools.mcp.functions import mcp_tools
from tools.mcp.journal import SqlJournal
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
    """Raise `BadPack` for a tool of an MCP server that is called like one of the house's own."""
    path = pack.folder / "policy.toml"
    for tool in pack.plugged:
        if tool.name in names:
            where = ["mcp", tool.server, "tools", tool.definition.name]
            raise BadPack(
                f"{path}:{line_of(path, where)}: {'.'.join(where)}: a tool of the house is called “{tool.name}” already",
                remedy="Give this one another `name`.",
            )


def plugged_kits(pack: Pack, servers: Sequence[McpConnection], journal: SqlJournal) -> Iterator[Toolkit]:
    """Return the toolkits of what the pack assigns on these servers."""
    for server in servers:
        own = [tool for tool in pack.plugged if tool.server == server.server]
        yield from mcp_tools(own, server, journal)
