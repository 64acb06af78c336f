"""Bitrix24 over an incoming webhook: what the adapters ask, many questions in one request, and what its refusals mean.

A webhook's address holds its key: `Webhook` splits it, and the key goes before the path on the wire alone.

503 QUERY_LIMIT_EXCEEDED, 503 OVERLOAD_LIMIT and 429 OPERATION_TIME_LIMIT turn a call away before it is looked at; 401
and 403 refuse it for its key, its scopes or its user's rights; a method's own errors come as 400 with a code, or inside
a batch that is 200 itself. PHP knows one kind of array: an empty object arrives as `[]`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from tools.errors import Declined, Rejected, Unavailable, Unsent
from tools.http_client import HttpSystem, Json, Limits

NAME = "Bitrix24"
PAGE = 50
"""Rows in a page of any list, and questions in a batch: Bitrix24's own figures."""
Row = TypeVar("Row", bound=BaseModel)

_WEBHOOK = re.compile(r"(?P<address>https?://[^/?#\s@]+)(?P<path>(?:/[\w.-]+)*/rest/\d+/[A-Za-z0-9]+)/?")
_AT_DOOR = frozenset({"QUERY_LIMIT_EXCEEDED", "OVERLOAD_LIMIT", "OPERATION_TIME_LIMIT"})
_SCOPES = "Give the webhook the scopes docs/bitrix24.md names; it must be an administrator's."
_REMEDIES = {
    "NO_AUTH_FOUND": "Make a new incoming webhook and set MAYAK_BITRIX24_WEBHOOK to its address.",
    "expired_token": "The webhook has ended: make a new one and set MAYAK_BITRIX24_WEBHOOK.",
    "INVALID_REQUEST": "Write MAYAK_BITRIX24_WEBHOOK with https://.",
    "ERROR_METHOD_NOT_FOUND": "Give the webhook the scopes docs/bitrix24.md names, and switch the online store on.",
}
_GONE = frozenset({"200540400001", "201240400001", "NOT_FOUND"})
"""There is no such order or element; orders have two codes for it."""
_FORBIDDEN = frozenset({"200040300010", "200040300020", "ACCESS_DENIED", "insufficient_scope"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An incoming webhook: `address` is the portal's, `key` the path that nobody may read."""

    address: str
    key: str = field(repr=False)

    @classmethod
    def read(cls, text: str) -> "Webhook":
        """Return what Bitrix24 shows as the webhook's address; `ValueError`, without the text, when it is none."""
        found = _WEBHOOK.fullmatch(text.strip())
        if found is None:
            raise ValueError("no webhook")
        return cls(address=found["address"], key=found["path"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One question: a method, what it is asked, and the name under which its answer holds what was wanted."""

    method: str
    params: Mapping[str, Any]
    within: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call was answered: None where there is no such thing; `next` is where the next page starts."""

    value: Json
    next: int | None = None


class Bitrix24:
    """One portal, as the user who made the webhook. `close` it at the end."""

    def __init__(self, webhook: Webhook, *, limits: Limits = Limits()) -> None:
        self.address = webhook.address
        self.system = HttpSystem(
            NAME,
            f"{webhook.address}/",
            headers={"User-Agent": "mayak"},
            secret_path=webhook.key,
            turned_away=_turned_away,
            limits=limits,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.system.close()

    async def ask(self, call: Call) -> Answer:
        """Return the answer to one question. Raises `Unavailable`."""
        try:
            told = await self.system.read(call.method, body=dict(call.params))
        except Declined as refusal:
            code = _code(refusal.body)
            if refusal.status == 400 and code in _GONE:
                return Answer(value=None)
            raise _unavailable(str(refusal), code=code) from refusal
        if not isinstance(told, dict) or "result" not in told:
            raise Unavailable(f"{NAME} answered {call.method} without a result")
        return _answer(call, told["result"], told.get("next"))

    async def ask_all(self, calls: Sequence[Call]) -> tuple[Answer, ...]:
        """Return the answers in order, asked in one request for every `PAGE` questions. Raises `Unavailable`."""
        answers: list[Answer] = []
        for begin in range(0, len(calls), PAGE):
            answers += await self._batch(calls[begin : begin + PAGE])
        return tuple(answers)

    async def pages(self, call: Call, *, most: int) -> list[Json]:
        """Return the rows of a list, page by page, at most `most`. Raises `Unavailable`."""
        rows: list[Json] = []
        start: int | None = 0
        while start is not None and len(rows) < most:
            asked = Call(method=call.method, params={**call.params, "start": start}, within=call.within)
            answer = await self.ask(asked)
            rows += listed(answer.value, call.method)
            # A page that does not lead on would be asked for again and again.
            start = answer.next if answer.next is not None and answer.next > start else None
        return rows[:most]

    async def change(self, method: str, params: Mapping[str, Any]) -> None:
        """Make one change, once. `Unsent` where nothing happened, `Rejected("changed")` where the thing is gone,
        `Unavailable` where nobody knows: an error without a meaning of its own may come after the change."""
        try:
            await self.system.write("POST", method, body=dict(params))
        except Declined as refusal:
            code = _code(refusal.body)
            if code in _GONE:
                raise Rejected("changed") from refusal
            silent = _unavailable(str(refusal), code=code)
            if refusal.status in (401, 403) or code in _FORBIDDEN:
                raise Unsent(str(silent), remedy=silent.remedy) from refusal
            raise silent from refusal

    async def _batch(self, calls: Sequence[Call]) -> list[Answer]:
        named = {f"q{n}": call for n, call in enumerate(calls)}
        cmd = {name: f"{call.method}?{_query(call.params)}" for name, call in named.items()}
        told = (await self.ask(Call(method="batch", params={"halt": 0, "cmd": cmd}))).value
        if not isinstance(told, dict):
            raise Unavailable(f"{NAME} answered a batch without results")
        results, errors, following = (
            _mapping(told, name) for name in ("result", "result_error", "result_next")
        )
        answers: list[Answer] = []
        for name, call in named.items():
            if name in errors:
                code = _code(errors[name])
                if code not in _GONE:
                    raise _unavailable(f"{NAME} refused {call.method}", code=code)
                answers.append(Answer(value=None))
            elif name in results:
                answers.append(_answer(call, results[name], following.get(name)))
            else:
                raise Unavailable(f"{NAME} left {call.method} unanswered")
        return answers


def read_as(row: type[Row], value: Json, *, what: str) -> Row:
    """Return a record as `row`. Raises `Unavailable`, naming places and no values."""
    try:
        return row.model_validate(value)
    except (ValidationError, ArithmeticError) as wrong:
        faults = wrong.errors() if isinstance(wrong, ValidationError) else []
        places = sorted({".".join(str(part) for part in fault["loc"]) for fault in faults})[:5]
        # The values are a customer's, and the cause would carry them.
        raise Unavailable(f"{NAME}'s {what} cannot be read: {', '.join(places)}") from None


def listed(value: Json, what: str) -> list[Json]:
    """Return the rows of a list; `Unavailable` where it is none: an empty list is not made of a fault."""
    if not isinstance(value, list):
        raise Unavailable(f"{NAME} answered no list to {what}")
    return value


def _answer(call: Call, result: Json, following: Json) -> Answer:
    if call.within:
        if not isinstance(result, dict) or call.within not in result:
            raise Unavailable(f"{NAME} answered {call.method} without {call.within}")
        result = result[call.within]
    return Answer(value=result, next=following if isinstance(following, int) else None)


def _mapping(told: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    found = told.get(name, [])
    if found == []:
        return {}
    if isinstance(found, list):
        # Names that PHP takes for an order become a list.
        return {f"q{n}": value for n, value in enumerate(found)}
    if not isinstance(found, dict):
        raise Unavailable(f"{NAME} answered a batch with a {name} that is none")
    return found


def _query(params: Mapping[str, Any]) -> str:
    return urlencode(list(_pairs(params)))


def _pairs(value: Any, name: str = "") -> Sequence[tuple[str, str]]:
    """Return nested values as PHP reads them from a query: filter[@id][0]=7."""
    if isinstance(value, Mapping):
        parts = list(value.items())
    elif isinstance(value, list | tuple):
        parts = list(enumerate(value))
    else:
        return [(name, str(value))]
    return [pair for key, part in parts for pair in _pairs(part, f"{name}[{key}]" if name else str(key))]


def _code(body: Json) -> str:
    return str(body.get("error", "")) if isinstance(body, dict) else ""


def _turned_away(status: int, body: Json) -> bool:
    return status in (429, 503) and _code(body) in _AT_DOOR


def _unavailable(message: str, *, code: str) -> Unavailable:
    # Codes are words of the portal's program; its descriptions may quote a record and stay out.
    told = f" ({code})" if re.fullmatch(r"\w{1,40}", code) else ""
    kind = Unsent if code in _AT_DOOR else Unavailable
    return kind(f"{message}{told}", remedy=_REMEDIES.get(code, _SCOPES))
