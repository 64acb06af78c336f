"""An OpenAPI document (3.0 or 3.1) as far as calls are made of it: operations by their `operationId`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from tools.errors import ToolFault
from tools.openapi.schemas import Asserted, Schema, Schemas, at
from tools.outside.assignment import Unusable

Place = Literal["path", "query", "header"]
METHODS = ("get", "post", "put", "patch", "delete")
MOST_BYTES = 8 * 2**20
"""Longest document that is read."""


class Unreadable(ToolFault):
    """The file is no OpenAPI document; `line` is where, 1 when nobody can tell."""

    code = "unreadable_document"

    def __init__(self, message: str, *, line: int = 1, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value outside the body."""

    name: str
    place: Place
    required: bool
    schema: Schema
    explode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing the system does. `takes` are all its arguments as one object, `answers` what a success brings."""

    id: str
    method: str
    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    body: frozenset[str]
    """Fields of the JSON body; empty where there is none."""
    takes: Asserted
    answers: Asserted | None

    @property
    def changes(self) -> bool:
        """Whether the method says that something may be changed by it."""
        return self.method != "GET"


class Document:
    """One document, read and seen through as far as it is asked for."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._schemas = Schemas(raw, version=str(raw.get("openapi", "")))
        self._places = {
            str(found["operationId"]): (str(path), method, item)
            for path, item in _table(raw, "paths").items()
            if isinstance(item, Mapping)
            for method in METHODS
            if isinstance(found := item.get(method), Mapping) and "operationId" in found
        }

    @property
    def server(self) -> str:
        """The address the document itself names, "" when it names none that is whole."""
        servers = self._raw.get("servers")
        first = servers[0] if isinstance(servers, list) and servers else {}
        url = str(first.get("url", "")) if isinstance(first, Mapping) else ""
        return url if url.startswith(("https://", "http://")) and "{" not in url else ""

    def operation(self, id: str) -> Operation:
        """Return the operation. Raises `Unusable` for one that is not there or cannot be called."""
        if id not in self._places:
            near = [known for known in sorted(self._places) if id.lower()[:4] in known.lower()]
            raise Unusable(
                f"the document has no operation “{id}”",
                where=("operation",),
                remedy=f"It has: {', '.join((near or sorted(self._places))[:12]) or 'none with an operationId'}.",
            )
        path, method, item = self._places[id]
        found = item[method]
        parameters = tuple(self._parameters(item, found))
        body, needed = self._body(found)
        fields = {**_table(body, "properties"), **{each.name: each.schema for each in parameters}}
        required = [each.name for each in parameters if each.required]
        required += [name for name in body.get("required", ()) if needed and name not in required]
        takes = {"type": "object", "properties": fields, "required": required}
        return Operation(
            id=id,
            method=method.upper(),
            path=path,
            summary=str(found.get("summary") or found.get("description") or id),
            parameters=parameters,
            body=frozenset(map(str, _table(body, "properties"))),
            takes=self._schemas.asserted(takes, direction="sent"),
            answers=self._answers(found),
        )

    def _parameters(self, item: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Parameter]:
        rows = {}
        for row in (*(item.get("parameters") or ()), *(found.get("parameters") or ())):
            whole = at(self._raw, row["$ref"]) if "$ref" in row else row
            rows[whole.get("in"), whole.get("name")] = whole
        for (place, name), row in rows.items():
            required, style = bool(row.get("required")), row.get("style", _STYLES.get(place))
            plain = place in _STYLES and "schema" in row and style == _STYLES[place]
            if not plain and required:
                raise Unusable(
                    f"the parameter “{name}” cannot be sent",
                    where=("operation",),
                    remedy="Required ones are in path, query or header, with a schema and the usual style.",
                )
            if plain and str(name).lower() not in ("accept", "content-type", "authorization"):
                yield Parameter(
                    name=str(name),
                    place=place,
                    required=required,
                    schema={**row["schema"], **({"description": d} if (d := row.get("description")) else {})},
                    explode=bool(row.get("explode", place == "query")),
                )

    def _body(self, found: Mapping[str, Any]) -> tuple[Schema, bool]:
        whole = found.get("requestBody")
        if not isinstance(whole, Mapping):
            return {}, False
        whole = at(self._raw, whole["$ref"]) if "$ref" in whole else whole
        needed, schema = bool(whole.get("required")), _json(_table(whole, "content"))
        if schema is None:
            if needed:
                raise Unusable(
                    "its body is no JSON", where=("operation",), remedy="Choose another operation."
                )
            return {}, False
        return self._object(schema, depth=0), needed

    def _object(self, schema: Schema, *, depth: int) -> dict[str, Any]:
        """Return the fields of a body, those of all its parts together."""
        if depth > 8:
            raise Unusable("its body is nested too deeply", where=("operation",), remedy="Mend the document.")
        if "$ref" in schema:
            return self._object(at(self._raw, schema["$ref"]), depth=depth + 1)
        fields: dict[str, Any] = {}
        required: list[str] = []
        for part in schema.get("allOf") or ():
            inner = self._object(part, depth=depth + 1)
            fields |= inner["properties"]
            required += inner["required"]
        fields |= _table(schema, "properties")
        required += schema.get("required") or ()
        if not fields:
            raise Unusable(
                "its body is no object with named fields",
                where=("operation",),
                remedy="Choose another operation, or name the fields in the document.",
            )
        # What the system fills in itself is not asked for.
        own = {name for name, each in fields.items() if isinstance(each, Mapping) and each.get("readOnly")}
        kept = {name: each for name, each in fields.items() if name not in own}
        return {"properties": kept, "required": [name for name in required if name in kept]}

    def _answers(self, found: Mapping[str, Any]) -> Asserted | None:
        """Return what any of its successes may look like, None when they bring nothing or the document is silent."""
        schemas: list[Schema] = []
        for status, answer in _table(found, "responses").items():
            if str(status)[:1] != "2":
                continue
            whole = at(self._raw, answer["$ref"]) if "$ref" in answer else answer
            schema = _json(_table(whole, "content"))
            if schema is not None:
                schemas.append(schema)
        if not schemas:
            return None
        either = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        return self._schemas.asserted(either, direction="received")


_STYLES: Mapping[object, str] = {"path": "simple", "query": "form", "header": "simple"}


def _table(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = whole.get(name)
    return found if isinstance(found, Mapping) else {}


def _json(content: Mapping[str, Any]) -> Schema | None:
    for kind, media in content.items():
        plain = str(kind).split(";")[0].strip().lower()
        if (plain == "application/json" or plain.endswith("+json")) and isinstance(media, Mapping):
            schema = media.get("schema")
            return schema if isinstance(schema, Mapping) else None
    return None


def read_document(path: Path) -> Document:
    """Read the file, YAML or JSON. Raises `Unreadable`."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unreadable(
                f"longer than {MOST_BYTES // 2**20} MiB", remedy="Leave out what the mapping does not use."
            )
        text = path.read_text("utf-8")
        raw = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as broken:
        line = broken.problem_mark.line + 1 if broken.problem_mark else 1
        raise Unreadable(f"{broken.problem}", line=line, remedy="Mend the file at that line.") from broken
    except json.JSONDecodeError as broken:
        raise Unreadable(broken.msg, line=broken.lineno, remedy="Mend the file at that line.") from broken
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as broken:
        raise Unreadable(str(broken), remedy="It must be an OpenAPI document in UTF-8.") from broken
    if not isinstance(raw, Mapping) or not str(raw.get("openapi", "")).startswith("3."):
        raise Unreadable(
            "this is no OpenAPI document of version 3",
            remedy="Convert a Swagger 2 document to OpenAPI 3, and keep its `openapi:` line.",
        )
    return Document(raw)


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """Reads every scalar but numbers, truth values and null as text: a day in an example is no date to be had."""


_Loader.yaml_implicit_resolvers = {
    sign: [(tag, expression) for tag, expression in rows if tag != "tag:yaml.org,2002:timestamp"]
    for sign, rows in _Loader.yaml_implicit_resolvers.items()
}
