"""The arguments of a server's tool as a model may see them: bounded, without what the house fills in itself.

```
server's schema ─► references written out ─► the caller's, fixed and hidden arguments taken out ─► tidied ─► a model
                                         └─ what is left names a customer? refused
```
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from langchain.tools import ToolRuntime
from pydantic import BaseModel, ConfigDict, WithJsonSchema, create_model

from tools.context import Caller
from tools.outside.assignment import Assigned, Unusable
from tools.outside.definition import Definition

IDENTITY = re.compile(
    r"customer|client|user|owner|account|login|e-?_?mail|phone|tenant|patient|subscriber|клиент|аккаунт|телефон",
    re.IGNORECASE,
)
"""Names of arguments that say who somebody is. A model never fills one: the session knows."""
KEPT = ("type", "enum", "format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
"""Keywords a model is shown; a pattern of a foreign server is not run over customers' words."""
MOST_ARGUMENTS = 32
MOST_CHOICES = 64
DESCRIPTION_CHARS = 200
TOOL_CHARS = 600
DEEPEST = 6
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_TYPES: Mapping[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list[Any],
    "object": dict[str, Any],
}


def one_line(text: object, *, most: int) -> str:
    """Return text from outside as one visible line of at most `most` characters."""
    return " ".join(_UNSEEN.sub(" ", str(text)).split())[:most]


def shown(definition: Definition, assigned: Assigned) -> dict[str, dict[str, Any]]:
    """Return the schemas of the arguments the model fills, by name. Raises `Unusable`."""
    properties = written_out(definition)
    filled = {*assigned.from_caller, *assigned.fixed, *assigned.hide, assigned.idempotency} - {""}
    for name in sorted(filled - properties.keys()):
        raise Unusable(
            f"the tool has no argument “{name}”",
            where=(_place(assigned, name),),
            remedy=f"It has: {', '.join(sorted(properties)) or 'none'}.",
        )
    needed = set(definition.schema.get("required") or ())
    for name in sorted(needed & set(assigned.hide)):
        raise Unusable(
            f"“{name}” is required by the server",
            where=("hide",),
            remedy="Fill it: put it under `fixed` or `from_caller`.",
        )
    left = {name: schema for name, schema in properties.items() if name not in filled}
    if len(left) > MOST_ARGUMENTS:
        raise Unusable(
            f"{len(left)} arguments are too many for a model", where=(), remedy="Hide or fix some of them."
        )
    for name in [*left, *(inner for schema in left.values() for inner in _names(schema))]:
        if IDENTITY.search(name):
            raise Unusable(
                f"“{name}” would let the model say whose data it is",
                where=(),
                remedy=f'Fill it from the session, from_caller = {{ {name} = "customer" }}, or put it under '
                "`fixed` or `hide`; an identity inside another argument cannot be plugged in.",
            )
    return {name: _tidy(schema) for name, schema in left.items()}


def arguments_model(definition: Definition, assigned: Assigned) -> type[BaseModel]:
    """Return the model of a call's arguments, `runtime` among them. Raises `Unusable`."""
    needed = set(definition.schema.get("required") or ())
    fields: dict[str, Any] = {}
    for name, schema in shown(definition, assigned).items():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", name) or name in (
            "runtime",
            "config",
            "run_manager",
        ):
            raise Unusable(
                f"“{name}” is no name for an argument", where=(), remedy="Put it under `fixed` or `hide`."
            )
        required = name in needed
        kind: Any = _kind(schema) if required else _kind(schema) | None
        fields[name] = (Annotated[kind, WithJsonSchema(schema)], ... if required else None)
    # Shadowing a method of the base, such as `copy`, is none of a server's business to know.
    config = ConfigDict(
        extra="ignore", arbitrary_types_allowed=True, coerce_numbers_to_str=True, protected_namespaces=()
    )
    fields["runtime"] = (ToolRuntime[Caller], ...)
    model: type[BaseModel] = create_model("Arguments", __config__=config, **fields)
    return model


def written_out(definition: Definition) -> dict[str, dict[str, Any]]:
    """Return the schemas of all arguments with references written out. Raises `Unusable`."""
    root = definition.schema
    properties = root.get("properties") or {}
    return {str(name): _resolved(schema, root, depth=0) for name, schema in properties.items()}


def _resolved(schema: Any, root: Mapping[str, Any], *, depth: int) -> dict[str, Any]:
    if not isinstance(schema, Mapping):
        return {}
    if depth > DEEPEST:
        raise Unusable("the schema is nested too deeply", where=(), remedy="Hide or fix that argument.")
    found: dict[str, Any] = dict(schema)
    reference = found.pop("$ref", None)
    if reference is not None:
        target: Any = root
        for step in str(reference).removeprefix("#/").split("/"):
            target = target.get(step) if isinstance(target, Mapping) else None
        return _resolved({**(target or {}), **found}, root, depth=depth + 1)
    choices = [each for each in found.get("anyOf") or found.get("oneOf") or () if each != {"type": "null"}]
    if len(choices) == 1:
        rest = {name: value for name, value in found.items() if name not in ("anyOf", "oneOf")}
        return _resolved({**choices[0], **rest}, root, depth=depth + 1)
    if isinstance(found.get("type"), list):
        kinds = [kind for kind in found["type"] if kind != "null"]
        found["type"] = kinds[0] if len(kinds) == 1 else None
    if isinstance(found.get("properties"), Mapping):
        found["properties"] = {
            str(name): _resolved(inner, root, depth=depth + 1) for name, inner in found["properties"].items()
        }
    if "items" in found:
        found["items"] = _resolved(found["items"], root, depth=depth + 1)
    if choices:
        found["anyOf"] = [_resolved(each, root, depth=depth + 1) for each in choices]
    return found


def _tidy(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {name: schema[name] for name in KEPT if schema.get(name) is not None}
    if "enum" in kept:
        kept["enum"] = [
            one_line(value, most=DESCRIPTION_CHARS) if isinstance(value, str) else value
            for value in list(kept["enum"])[:MOST_CHOICES]
        ]
    if schema.get("description"):
        kept["description"] = one_line(schema["description"], most=DESCRIPTION_CHARS)
    if isinstance(schema.get("properties"), Mapping):
        kept["properties"] = {name: _tidy(inner) for name, inner in schema["properties"].items()}
        kept["required"] = [str(name) for name in schema.get("required") or ()]
    if isinstance(schema.get("items"), Mapping):
        kept["items"] = _tidy(schema["items"])
    if schema.get("anyOf"):
        kept["anyOf"] = [_tidy(each) for each in schema["anyOf"]]
    return kept


def _kind(schema: Mapping[str, Any]) -> Any:
    choices = schema.get("enum")
    if choices and all(isinstance(value, str) for value in choices):
        return Literal[tuple(choices)]
    return _TYPES.get(str(schema.get("type")), Any)


def _names(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        inner = schema.get("properties")
        if isinstance(inner, Mapping):
            yield from inner
        for value in schema.values():
            yield from _names(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _names(value)


def _place(assigned: Assigned, name: str) -> str:
    for place in ("from_caller", "fixed", "hide"):
        if name in getattr(assigned, place):
            return place
    return "idempotency"
