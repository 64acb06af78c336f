"""A tool that is plugged in: what the pack assigns and what its server defines, joined and checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from tools.assurance import Rule
from tools.mcp.definition import Definition
from tools.mcp.plug import Assigned, Plug, Unusable
from tools.mcp.shape import TOOL_CHARS, arguments_model, one_line, shown
from tools.mcp.wording import phrases_of
from tools.phrases import Phrases


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugged:
    """`name` is the tool's in this house, `definition.name` its server's; `seconds` bound one call."""

    server: str
    name: str
    rule: Rule
    assigned: Assigned
    definition: Definition
    description: str
    arguments: type[BaseModel]
    kinds: Mapping[str, str]
    """JSON types of the arguments the model fills."""
    phrases: Phrases
    seconds: float


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
    if assigned.effect == "read" and definition.read_only is False:
        raise Unusable(
            "the server says that this tool changes something",
            where=("effect",),
            remedy='Assign effect = "write", with the question the customer confirms.',
        )
    model, filled = arguments_model(definition, assigned), shown(definition, assigned)
    needed = frozenset(map(str, definition.schema.get("required") or ()))
    for name in assigned.recipients:
        if name not in filled:
            raise Unusable(
                f"the model fills no argument “{name}”",
                where=("recipients",),
                remedy=f"It fills: {', '.join(sorted(filled)) or 'none'}.",
            )
    name = assigned.name or _named(server, tool)
    return Plugged(
        server=server,
        name=name,
        rule=Rule(scope=assigned.purpose, effect=assigned.effect, assurance=assigned.assurance),
        assigned=assigned,
        definition=definition,
        description=one_line(assigned.describe or definition.description or tool, most=TOOL_CHARS),
        arguments=model,
        kinds={argument: str(schema.get("type", "")) for argument, schema in filled.items()},
        phrases=phrases_of(name, assigned, filled, needed=needed, currency=currency, timezone=timezone),
        seconds=plug.seconds,
    )


def _named(server: str, tool: str) -> str:
    joined = "".join(
        letter if letter.isascii() and letter.isalnum() else "_" for letter in f"{server}_{tool}"
    )
    return joined.lower()[:48]
