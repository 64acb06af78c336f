"""The pack's MCP servers: their tools are checked before the house opens, and refused with file, line and remedy."""

from collections.abc import Collection, Mapping
from pathlib import Path

from agent.controls import CONTROLS
from agent.errors import BadPack
from agent.pack_files import line_of
from tools.mcp.assigned import Plugged, plugged
from tools.mcp.definition import read_pins
from tools.mcp.plug import PUBLIC, Plug, Unusable


def plugged_tools(
    folder: Path, plugs: Mapping[str, Plug], *, purposes: Collection[str], currency: str, timezone: str
) -> tuple[Plugged, ...]:
    """Return the assigned tools of all servers. Raises `BadPack` for the first that cannot be offered so."""
    found: list[Plugged] = []
    for server, plug in plugs.items():
        try:
            _check_scopes(plug, purposes)
            found += plugged(server, plug, read_pins(folder, server), currency=currency, timezone=timezone)
        except Unusable as fault:
            raise _refused(folder, server, fault) from fault
    taken = set(CONTROLS)
    for tool in found:
        if tool.name in taken:
            twice = Unusable(
                f"another tool is called “{tool.name}” already",
                where=("tools", tool.definition.name),
                remedy="Give this one another `name`.",
            )
            raise _refused(folder, tool.server, twice)
        taken.add(tool.name)
    return tuple(found)


def _check_scopes(plug: Plug, purposes: Collection[str]) -> None:
    for tool, assigned in plug.tools.items():
        if assigned.scope != PUBLIC and assigned.scope not in purposes:
            raise Unusable(
                f"“{assigned.scope}” is no purpose of this pack",
                where=("tools", tool, "scope"),
                remedy=f'Use "{PUBLIC}" or one of: {", ".join(sorted(purposes))}; or add it to [purposes].',
            )


def _refused(folder: Path, server: str, fault: Unusable) -> BadPack:
    path, where = folder / "policy.toml", ["mcp", server, *fault.where]
    return BadPack(f"{path}:{line_of(path, where)}: {'.'.join(where)}: {fault}", remedy=fault.remedy)
