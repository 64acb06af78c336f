"""The tools of one server that the pack assigns, each joined with its pinned definition."""

from collections.abc import Iterator, Mapping

from tools.mcp.plug import Plug
from tools.outside.assignment import Unusable
from tools.outside.definition import Definition
from tools.outside.plugged import Plugged, joined


def plugged(
    server: str, plug: Plug, pins: Mapping[str, Definition], *, currency: str, timezone: str
) -> Iterator[Plugged]:
    """Yield the tools of one server. Raises `Unusable` for the first that cannot be offered as assigned."""
    for tool in plug.tools:
        try:
            yield _joined(server, tool, plug, pins, currency=currency, timezone=timezone)
        except Unusable as fault:
            raise Unusable(str(fault), where=("tools", tool, *fault.where), remedy=fault.remedy) from fault


def _joined(
    server: str, tool: str, plug: Plug, pins: Mapping[str, Definition], *, currency: str, timezone: str
) -> Plugged:
    assigned, definition = plug.tools[tool], pins.get(tool)
    if definition is None:
        raise Unusable(
            f"the definition of “{tool}” is not pinned",
            where=(),
            remedy=f"Run `mayak mcp pin {server}`, read the file it writes, and keep it in the pack.",
        )
    return joined(server, assigned, definition, seconds=plug.seconds, currency=currency, timezone=timezone)
