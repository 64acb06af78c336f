"""The arguments of one call as the operation takes them: path, query, headers, body. Checked before anything is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tools.errors import Rejected
from tools.openapi.document import Operation, Parameter

LONGEST = 1000
"""Characters of one value in an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent."""

    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: Mapping[str, Any] | None


def request_of(operation: Operation, arguments: Mapping[str, Any]) -> Request:
    """Return the call. Raises `Rejected("wrong_value")` for arguments the document does not allow."""
    given = {name: value for name, value in arguments.items() if value is not None}
    if operation.takes.fault(given):
        raise Rejected("wrong_value")
    path, query, headers = operation.path, list[tuple[str, str]](), dict[str, str]()
    for parameter in operation.parameters:
        if parameter.name not in given:
            continue
        values = _texts(given[parameter.name])
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", _step(",".join(values)))
        elif parameter.place == "header":
            headers[parameter.name] = _line(",".join(values))
        else:
            query += [(parameter.name, value) for value in _spread(parameter, values)]
    body = {name: given[name] for name in given if name in operation.body}
    return Request(
        method=operation.method,
        path=path,
        parameters=tuple(query),
        headers=headers,
        body=body if operation.body else None,
    )


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        raise Rejected("wrong_value")
    return [_text(each) for each in value] if isinstance(value, list | tuple) else [_text(value)]


def _text(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if len(text) > LONGEST:
        raise Rejected("wrong_value")
    return text


def _spread(parameter: Parameter, values: list[str]) -> list[str]:
    return values if parameter.explode else [",".join(values)]


def _step(text: str) -> str:
    """Return one step of a path: nothing in it can lead to another one."""
    if text.strip() in ("", ".", ".."):
        raise Rejected("wrong_value")
    return quote(text, safe="")


def _line(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise Rejected("wrong_value")
    return text
