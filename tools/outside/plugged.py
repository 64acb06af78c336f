"""A tool that is plugged in: what the pack assigns and what its system defines, joined and checked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel

from tools.assurance import Rule
from tools.context import Language
from tools.outside.assignment import Assigned, Unusable
from tools.outside.definition import Definition
from tools.outside.shape import TOOL_CHARS, arguments_model, one_line
from tools.outside.shape import shown as shown_arguments
from tools.outside.wording import phrases_of
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


def joined(
    server: str,
    assigned: Assigned,
    definition: Definition,
    *,
    seconds: float,
    currency: str,
    timezone: str,
    more: Mapping[Language, Mapping[str, object]] = MappingProxyType({}),
    shown: Collection[str] = (),
    told: Collection[str] = (),
) -> Plugged:
    """Return the tool. Raises `Unusable` when it cannot be offered as assigned; `more`, `shown`, `told` are those of
    `phrases_of`.
    """
    tool = definition.name
    if assigned.effect == "read" and definition.read_only is False:
        raise Unusable(
            "the server says that this tool changes something",
            where=("effect",),
            remedy='Assign effect = "write", with the question the customer confirms.',
        )
    model, filled = arguments_model(definition, assigned), shown_arguments(definition, assigned)
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
        phrases=phrases_of(
            name,
            assigned,
            filled,
            needed=needed,
            currency=currency,
            timezone=timezone,
            more=more,
            shown=shown,
            told=told,
        ),
        seconds=seconds,
    )


def _named(server: str, tool: str) -> str:
    joined = "".join(
        letter if letter.isascii() and letter.isalnum() else "_" for letter in f"{server}_{tool}"
    )
    return joined.lower()[:48]
