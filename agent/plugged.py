"""The pack's MCP servers: their tools are checked before the house opens, and refused with file, line and remedy."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from agent.controls import CONTROLS
from agent.errors import BadPack
from agent.pack_files import line_of
from tools.mcp.assigned import plugged
from tools.mcp.definition import read_pins
from tools.mcp.plug import Plug
from tools.outside.assignment import PUBLIC, Assigned, Unusable
from tools.outside.plugged import Plugged

T = TypeVar("T", bound=Plugged)


def plugged_tools(
    folder: Path, plugs: Mapping[str, Plug], *, purposes: Collection[str], currency: str, timezone: str
) -> tuple[Plugged, ...]:
    """Return the assigned tools of all servers. Raises `BadPack` for the first that cannot be offered so."""
    found: list[Plugged] = []
    for server, plug in plugs.items():
        try:
            check_scopes(plug.tools, purposes)
            found += plugged(server, plug, read_pins(folder, server), currency=currency, timezone=timezone)
        except Unusable as fault:
            raise _refused(folder, server, fault) from fault
    for tool in named_twice(found, taken=CONTROLS):
        raise _refused(folder, tool.server, taken_name(tool))
    return tuple(found)


def named_twice(tools: Iterable[T], *, taken: Iterable[str]) -> Iterator[T]:
    """Yield the tools whose name another one has already."""
    known = set(taken)
    for tool in tools:
        if tool.name in known:
            yield tool
        known.add(tool.name)


def taken_name(tool: Plugged, *, table: str = "tools") -> Unusable:
    """Return what is wrong with a tool whose name is taken."""
    return Unusable(
        f"another tool is called “{tool.name}” already",
        where=(table, tool.definition.name),
        remedy="Give this one another `name`.",
    )


def check_scopes(tools: Mapping[str, Assigned], purposes: Collection[str]) -> None:
    """Raise `Unusable` for a tool whose scope is no purpose of the pack."""
    for tool, assigned in tools.items():
        if assigned.scope != PUBLIC and assigned.scope not in purposes:
            raise Unusable(
                f"“{assigned.scope}” is no purpose of this pack",
                where=("tools", tool, "scope"),
                remedy=f'Use "{PUBLIC}" or one of: {", ".join(sorted(purposes))}; or add it to [purposes].',
            )


def _refused(folder: Path, server: str, fault: Unusable) -> BadPack:
    path, where = folder / "policy.toml", ["mcp", server, *fault.where]
    return BadPack(f"{path}:{line_of(path, where)}: {'.'.join(where)}: {fault}", remedy=fault.remedy)
