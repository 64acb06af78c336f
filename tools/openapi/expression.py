"""JMESPath as a mapping uses it: read when the pack is, held against the schema of the answer, run over the answer."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from pydantic import AfterValidator

from tools.openapi.schemas import Asserted, Schema

_SIGNATURES: Mapping[str, Any] = Functions.FUNCTION_TABLE
_WRONG = (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError, AttributeError)


def _read(text: str) -> str:
    """Refuse what cannot be run at all, functions nobody knows included."""
    if not text:
        return text
    try:
        tree = jmespath.compile(text).parsed
    except (JMESPathError, RecursionError) as wrong:
        raise ValueError(f"“{text}” is no JMESPath expression: {str(wrong).splitlines()[0]}") from wrong
    for node in _nodes(tree):
        if node["type"] == "function_expression" and node["value"] not in _SIGNATURES:
            raise ValueError(f"JMESPath has no function “{node['value']}”")
    return text


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node["children"]:
        if isinstance(child, Mapping):
            yield from _nodes(child)


Expression = Annotated[str, AfterValidator(_read)]
"""A JMESPath expression, "" for none."""


class Unmatched(Exception):
    """The expression cannot be run over this value: it is another one than the mapping was written for."""


def found(expression: str, value: Any) -> Any:
    """Return what the expression finds, None when there is nothing. Raises `Unmatched`."""
    try:
        return jmespath.compile(expression).search(value)
    except _WRONG as wrong:
        raise Unmatched(expression) from wrong


def plain(value: Any) -> Any:
    """Return JSON with fractions as the numbers JMESPath and schemas reckon with, where that loses no digit."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        near = float(value)
        return near if Decimal(repr(near)) == value else value
    return value


def unknown_field(expression: str, schema: Asserted, within: Schema | None = None) -> str:
    """Return the first field the expression names that the schema has not, "" when all are there or nobody can tell.

    An absent field is null for JMESPath: a misspelt one would never be noticed.
    """
    if not expression:
        return ""
    return _Walk(schema).unknown(jmespath.compile(expression).parsed, [within or schema.schema])


def reached(expression: str, schema: Asserted, within: Schema | None = None) -> Schema | None:
    """Return the schema of what the expression finds, None when nobody can tell."""
    start = [within or schema.schema]
    walk = _Walk(schema)
    found_ = walk.step(jmespath.compile(expression).parsed, start) if expression else start
    return {"anyOf": list(found_)} if found_ else None


class _Walk:
    """Follows an expression through a schema; schemas are lists of what a value may be, None when that is not said."""

    def __init__(self, schema: Asserted) -> None:
        self._schema = schema
        self.missing = ""

    def unknown(self, node: Mapping[str, Any], at: list[Schema] | None) -> str:
        self.step(node, at)
        return self.missing

    def step(self, node: Mapping[str, Any], at: list[Schema] | None) -> list[Schema] | None:
        """Return what the node leads to from `at`; notes the first field that is not there."""
        if at is None:
            return None
        walk = getattr(self, f"_{node['type']}", self._each)
        result: list[Schema] | None = walk(node, at)
        return result

    def _each(self, node: Mapping[str, Any], at: list[Schema] | None) -> None:
        """Hold every part against the same value; what comes out is not followed."""
        for child in node["children"]:
            if isinstance(child, Mapping):
                self.step(child, at)

    def _literal(self, node: Mapping[str, Any], at: list[Schema]) -> None:
        return None

    def _expref(self, node: Mapping[str, Any], at: list[Schema]) -> None:
        """Run over the items of an argument that stands elsewhere."""
        return None

    def _identity(self, node: Mapping[str, Any], at: list[Schema]) -> list[Schema]:
        return at

    _current = _identity

    def _field(self, node: Mapping[str, Any], at: list[Schema]) -> list[Schema] | None:
        name, found_, open_ = node["value"], list[Schema](), False
        for branch in self._branches(at):
            fields = branch.get("properties")
            if isinstance(fields, Mapping) and name in fields:
                found_.append(fields[name])
            elif _open(branch):
                open_ = True
        if not found_ and not open_:
            self.missing = self.missing or str(name)
        return None if open_ or not found_ else found_

    def _subexpression(self, node: Mapping[str, Any], at: list[Schema] | None) -> list[Schema] | None:
        for child in node["children"]:
            at = self.step(child, at)
        return at

    _pipe = _index_expression = _subexpression

    def _index(self, node: Mapping[str, Any], at: list[Schema]) -> list[Schema] | None:
        return self._items(at)

    def _slice(self, node: Mapping[str, Any], at: list[Schema]) -> list[Schema]:
        return at

    def _flatten(self, node: Mapping[str, Any], at: list[Schema]) -> list[Schema] | None:
        return self.step(node["children"][0], at)

    def _projection(self, node: Mapping[str, Any], at: list[Schema]) -> list[Schema] | None:
        left, right = node["children"]
        found_ = self.step(right, self._items(self.step(left, at)))
        return None if found_ is None else [{"type": "array", "items": {"anyOf": found_}}]

    def _filter_projection(self, node: Mapping[str, Any], at: list[Schema]) -> list[Schema] | None:
        left, right, condition = node["children"]
        items = self._items(self.step(left, at))
        self.step(condition, items)
        found_ = self.step(right, items)
        return None if found_ is None else [{"type": "array", "items": {"anyOf": found_}}]

    def _items(self, at: list[Schema] | None) -> list[Schema] | None:
        if at is None:
            return None
        return [
            each["items"] for each in self._branches(at) if isinstance(each.get("items"), Mapping)
        ] or None

    def _branches(self, at: list[Schema]) -> Iterator[Schema]:
        for schema in at:
            yield from self._schema.resolved(schema)


def _open(branch: Schema) -> bool:
    """Whether a value of this branch may have fields the schema does not name."""
    if any(name in branch for name in ("allOf", "anyOf", "$ref")):
        return False
    kind = branch.get("type")
    may_be_object = kind is None or kind == "object" or (isinstance(kind, list) and "object" in kind)
    if "properties" in branch:
        return isinstance(branch.get("additionalProperties"), Mapping)
    return may_be_object
