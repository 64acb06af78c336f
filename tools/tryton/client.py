"""Tryton 8.2 over its REST application, as one of its own users: what the adapters ask, and its answers as Python values.

Tryton answers 400 to what its rules or rights forbid, 409 where a person must accept a warning, 423 where someone else
is at the same record, 401 to a key it does not know, 404 to a database it does not have, 500 to a field it has never
heard of. Fields the user may not read are left out of an answer without a word.
"""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tools.errors import Declined, Rejected, Unavailable
from tools.http_client import HttpSystem, Limits

NAME = "Tryton"
Domain = Sequence[Any]
"""A Tryton domain: [["number", "=", "1051"], ["party.code", "=", "c-001"]]; "OR" in front joins by or."""
Order = Sequence[tuple[str, str]]
Row = TypeVar("Row", bound=BaseModel)

_REMEDIES = {
    401: "Set MAYAK_TRYTON_KEY to a key of the bot's user for the application “rest”, validated in Tryton.",
    403: "Let the bot's user do this in Tryton: the groups it needs are in docs/systems.md.",
    404: "Look at MAYAK_TRYTON_URL and MAYAK_TRYTON_DATABASE: there is no such database there.",
}
_RIGHTS = "Give the bot's user the groups that docs/systems.md names, and install the modules it names."


class Tryton:
    """One database of a Tryton server. `close` it at the end."""

    def __init__(self, url: str, *, database: str, key: str, limits: Limits = Limits()) -> None:
        headers = {"Authorization": f"bearer {key}"}
        self.url = url.rstrip("/")
        self.system = HttpSystem(NAME, f"{self.url}/{database}/rest/model/", headers=headers, limits=limits)
        self._context: dict[str, Any] | None = None
        self._known: dict[tuple[str, str], bool] = {}
        self._once = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        await self.system.close()

    async def search(
        self,
        row: type[Row],
        model: str,
        domain: Domain,
        *,
        fields: Sequence[str],
        order: Order = (),
        limit: int = 100,
        language: str = "ru",
        context: Mapping[str, Any] | None = None,
    ) -> tuple[Row, ...]:
        """Return the records of `domain` as `row`s, at most `limit`. Raises `Unavailable`."""
        parameters = [("d", _packed(domain)), ("s", str(limit)), *(("f", field) for field in fields)]
        if order:
            parameters.append(("o", _packed(order)))
        headers = {
            "Accept-Language": language,
            "X-Tryton-Context": _packed({**await self.context(), **(context or {})}),
        }
        try:
            found = await self.system.read(model, parameters=parameters, headers=headers)
        except Declined as refusal:
            raise _unavailable(refusal) from refusal
        return _rows(row, found, model=model)

    async def create(self, model: str, values: Mapping[str, Any]) -> int:
        """Create a record and return its id. Raises as `press`."""
        made = await self._changed("POST", model, values)
        if not isinstance(made, dict) or not isinstance(made.get("id"), int):
            raise Unavailable(f"{NAME} did not say what it created in {model}")
        return int(made["id"])

    async def update(self, model: str, id: int, values: Mapping[str, Any]) -> None:
        """Write fields of a record. Raises as `press`."""
        await self._changed("PUT", f"{model}/{id}", values)

    async def press(self, model: str, id: int, button: str) -> None:
        """Press a button of a record. `Rejected("changed")` where its state no longer has that button, or other
        rules or rights forbid it; `Rejected("not_offered")` where a person must accept a warning; `Unsent` where
        nothing happened; `Unavailable` where nobody knows."""
        await self._changed("POST", f"{model}/{id}/{button}", {})

    async def context(self) -> Mapping[str, Any]:
        """Return the context of the bot's own user; prices and languages of parties hang on its company."""
        async with self._once:
            if self._context is None:
                try:
                    found = await self.system.read("res.user/get_preferences", body={"context_only": True})
                except Declined as refusal:
                    raise _unavailable(refusal) from refusal
                company = found.get("company") if isinstance(found, dict) else None
                if not isinstance(company, int):
                    raise Unavailable(f"{NAME}'s bot user has no company", remedy=_RIGHTS)
                self._context = {"company": company}
            return self._context

    async def knows(self, model: str, field: str) -> bool:
        """Say whether this Tryton has the field; modules that add it are optional."""
        if (model, field) not in self._known:
            asked = [["model", "=", model], ["name", "=", field]]
            found = await self.search(_Named, "ir.model.field", asked, fields=["name"], limit=1)
            self._known[model, field] = bool(found)
        return self._known[model, field]

    async def _changed(self, method: str, path: str, values: Mapping[str, Any]) -> Any:
        headers = {"X-Tryton-Context": _packed(await self.context())}
        try:
            return await self.system.write(method, f"{path}?f=id", body=values, headers=headers)
        except Declined as refusal:
            if refusal.status == 409:
                raise Rejected("not_offered") from refusal
            if refusal.status in (400, 423):
                raise Rejected("changed") from refusal
            raise _unavailable(refusal) from refusal


class _Named(BaseModel):
    name: str


def plain(value: Any) -> Any:
    """Return a value of Tryton's JSON as Python's: decimals, dates and moments (UTC) at any depth."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    if kind in _PYTHON:
        return _PYTHON[kind](value)
    return {name: plain(item) for name, item in value.items()}


_MOMENT = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def _moment(raw: Mapping[str, Any]) -> datetime:
    year, month, day, hour, minute, second, micro = (int(raw[part]) for part in _MOMENT)
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)


_PYTHON: Mapping[Any, Callable[[Mapping[str, Any]], Any]] = {
    "Decimal": lambda raw: Decimal(raw["decimal"]),
    "date": lambda raw: date(int(raw["year"]), int(raw["month"]), int(raw["day"])),
    "datetime": _moment,
}


def _rows(row: type[Row], found: Any, *, model: str) -> tuple[Row, ...]:
    if not isinstance(found, list):
        raise Unavailable(f"{NAME} answered no list of {model}")
    try:
        return tuple(row.model_validate(plain(item)) for item in found)
    except ValidationError as wrong:
        # The values are a customer's: only the places are named.
        places = sorted({".".join(str(part) for part in fault["loc"]) for fault in wrong.errors()})[:5]
        raise Unavailable(f"{NAME}'s {model} cannot be read: {', '.join(places)}", remedy=_RIGHTS) from None
    except (ArithmeticError, KeyError, TypeError, ValueError) as wrong:
        raise Unavailable(f"{NAME}'s {model} holds a value that is none") from wrong


def _unavailable(refusal: Declined) -> Unavailable:
    # Tryton's own words may quote a record; they stay out of the message.
    return Unavailable(str(refusal), remedy=_REMEDIES.get(refusal.status, _RIGHTS))


def _packed(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value, default=_told).encode()).decode()


def _told(value: Any) -> Any:
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    raise TypeError(f"{type(value).__name__} has no form in Tryton's JSON")
