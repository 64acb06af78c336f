"""What an OpenAPI document says of a value, as JSON Schema that can be asserted.

Checked are types, fields, bounds and choices. Not checked are patterns and formats, for an expression of a foreign
document is not run over customers' words; and since `oneOf` can rest on those alone, one of its branches is enough.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Literal

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tools.outside.assignment import Unusable

Schema = Mapping[str, Any]
Direction = Literal["sent", "received"]

_KEPT = frozenset(
    {
        *("type", "enum", "const", "required", "minLength", "maxLength", "minItems", "maxItems"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minProperties", "maxProperties"),
        # Told to a model, and asserted of nobody.
        *("description", "format"),
    }
)
_DEEPEST = 64
_POOL = "$defs"


def at(document: Mapping[str, Any], reference: object) -> Any:
    """Return what a reference of the document leads to. Raises `Unusable`."""
    text = str(reference)
    if not text.startswith("#/"):
        raise Unusable(
            f"the document refers to “{text}”, which is elsewhere",
            where=(),
            remedy="Bundle it into one file: only references inside the document are followed.",
        )
    target: Any = document
    for step in text[2:].split("/"):
        key = step.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
        target = target.get(key) if isinstance(target, Mapping) else None
    if not isinstance(target, Mapping):
        raise Unusable(f"the document has no “{text}”", where=(), remedy="Mend that reference.")
    return target


class Schemas:
    """The schemas of one document; `version` is its "openapi"."""

    def __init__(self, document: Mapping[str, Any], *, version: str) -> None:
        self._document = document
        self._old = version.startswith("3.0")

    def asserted(self, schema: Schema, *, direction: Direction) -> "Asserted":
        """Return the schema alone, with all it refers to. Raises `Unusable`."""
        pool: dict[str, Any] = {}
        root = self._written(schema, pool, direction=direction, depth=0)
        return Asserted({**root, _POOL: pool} if pool else root)

    def _written(
        self, schema: object, pool: dict[str, Any], *, direction: Direction, depth: int
    ) -> dict[str, Any]:
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if not isinstance(schema, Mapping):
            raise Unusable(f"“{schema!r:.60}” is no schema", where=(), remedy="Mend the document.")
        if depth > _DEEPEST:
            raise Unusable("a schema is nested too deeply", where=(), remedy="Mend the document.")
        if "$ref" in schema:
            found = {"$ref": self._pooled(schema["$ref"], pool, direction=direction, depth=depth)}
            if self._old or schema.keys() == {"$ref"}:
                return found
            rest = {name: value for name, value in schema.items() if name != "$ref"}
            return {"allOf": [found, self._written(rest, pool, direction=direction, depth=depth + 1)]}
        return self._parts(schema, pool, direction=direction, depth=depth)

    def _parts(
        self, schema: Schema, pool: dict[str, Any], *, direction: Direction, depth: int
    ) -> dict[str, Any]:
        written = {name: value for name, value in schema.items() if name in _KEPT}

        def inner(value: object) -> dict[str, Any]:
            return self._written(value, pool, direction=direction, depth=depth + 1)

        self._fields(schema, written, inner, direction=direction)
        for name in ("allOf", "anyOf"):
            if schema.get(name):
                written[name] = [inner(each) for each in schema[name]]
        if schema.get("oneOf"):
            choice = {"anyOf": [inner(each) for each in schema["oneOf"]]}
            written["allOf"] = [*written.get("allOf", ()), choice]
        for name in ("items", "additionalProperties"):
            if isinstance(schema.get(name), Mapping | bool):
                written[name] = inner(schema[name])
        return self._modern(schema, written) if self._old else written

    def _fields(self, schema: Schema, written: dict[str, Any], inner: Any, *, direction: Direction) -> None:
        """Leave out what goes only the other way: it is neither asked of a caller nor of an answer."""
        fields = schema.get("properties")
        if not isinstance(fields, Mapping):
            return
        absent = "readOnly" if direction == "sent" else "writeOnly"
        other = {str(name) for name, each in fields.items() if isinstance(each, Mapping) and each.get(absent)}
        written["properties"] = {
            str(name): inner(each) for name, each in fields.items() if str(name) not in other
        }
        if isinstance(schema.get("required"), list):
            written["required"] = [name for name in schema["required"] if name not in other]

    def _modern(self, schema: Schema, written: dict[str, Any]) -> dict[str, Any]:
        """Say in today's words what 3.0 said in its own."""
        for bound, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            flag = written.pop(strict, None)
            if flag is True and bound in written:
                written[strict] = written.pop(bound)
        if schema.get("nullable") is True:
            description = written.pop("description", None)
            written = {"anyOf": [written, {"type": "null"}]}
            if description is not None:
                written["description"] = description
        return written

    def _pooled(self, reference: object, pool: dict[str, Any], *, direction: Direction, depth: int) -> str:
        name = "".join(letter if letter.isalnum() else "_" for letter in str(reference).removeprefix("#/"))
        if name not in pool:
            pool[name] = {}
            target = at(self._document, reference)
            pool[name] = self._written(target, pool, direction=direction, depth=depth + 1)
        return f"#/{_POOL}/{name}"


class Asserted:
    """One schema that values are held against."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(dict(self.schema))

    def fault(self, value: object) -> str:
        """Return where and in what the value is another, "" when it is as agreed. Nothing of the value is in it."""
        try:
            for error in self._validator.iter_errors(value):
                place = ".".join("[]" if isinstance(step, int) else str(step) for step in error.absolute_path)
                return f"{place[:120] or 'the whole'} ({error.validator})"
        except RecursionError:
            return "the whole (depth)"
        return ""

    def resolved(self, schema: Schema) -> Iterator[Schema]:
        """Yield every branch a schema of this one may stand for, references followed."""
        yield from self._branches(schema, seen=frozenset())

    def _branches(self, schema: Schema, *, seen: frozenset[str]) -> Iterator[Schema]:
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference not in seen:
                yield from self._branches(at(self.schema, reference), seen=seen | {reference})
            return
        yield schema
        for name in ("allOf", "anyOf"):
            for each in schema.get(name, ()):
                yield from self._branches(each, seen=seen)
