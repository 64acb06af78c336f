"""A Bitrix24 of the tests' own: it keeps what is written, over real HTTP, and every call and answer of it is held against
the vendor's published description (`bitrix24_spec`). What has not been published it does not do.

Like the real one it takes filters by prefix, answers lists by fifty, writes an empty object as `[]`, reads batches as PHP
reads queries, forgets the properties of an order that a change does not name, and takes no idempotency key.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from tests.listening import listening
from tests.systems.bitrix24_spec import wrong_call, wrong_result

KEY = "s3cretw3bh00k"
PAGE = 50
Rows = list[dict[str, Any]]
Told = tuple[int, dict[str, Any]]


class Refused(Exception):
    """A method's own error: its status and its code."""

    def __init__(self, code: str, *, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass(slots=True, kw_only=True)
class Portal:
    """What it holds, who asks, and how it misbehaves next."""

    contacts: Rows = field(default_factory=list)
    deals: Rows = field(default_factory=list)
    bindings: Rows = field(default_factory=list)
    orders: Rows = field(default_factory=list)
    properties: Rows = field(default_factory=list)
    catalogs: Rows = field(default_factory=list)
    sections: Rows = field(default_factory=list)
    goods: Rows = field(default_factory=list)
    skus: Rows = field(default_factory=list)
    offers: Rows = field(default_factory=list)
    prices: Rows = field(default_factory=list)
    price_types: Rows = field(default_factory=list)
    scopes: set[str] = field(default_factory=lambda: {"crm", "sale", "catalog"})
    admin: bool = True
    address: str = ""
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """Every method and what it was asked, those inside batches too."""
    requests: list[str] = field(default_factory=list)
    """The methods of the HTTP requests."""
    faults: list[str] = field(default_factory=list)
    """What the published description has against calls or answers: a test fails by it."""
    busy: int = 0
    """How many further requests are turned away for too many of them."""
    losing: set[str] = field(default_factory=set)
    """Methods that are carried out and whose answer gets lost."""
    refusing: dict[str, Told] = field(default_factory=dict)
    """Methods that are refused so."""

    @property
    def webhook(self) -> str:
        return f"{self.address}/rest/1/{KEY}/"

    def changes(self) -> list[str]:
        """Return the methods asked that change something, in order."""
        return [method for method, _ in self.asked if method.endswith((".update", ".modify"))]

    def order(self, number: str) -> dict[str, Any]:
        """Return an order by its number, as its people see it."""
        (found,) = [one for one in self.orders if one["accountNumber"] == number]
        return found

    # Answering. ---------------------------------------------------------------------------------------------

    def request(self, method: str, params: Mapping[str, Any]) -> Told:
        """Answer one HTTP request."""
        self.requests.append(method)
        if self.busy:
            self.busy -= 1
            return 503, {"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}
        return self._batch(params) if method == "batch" else self._call(method, params)

    def _call(self, method: str, params: Mapping[str, Any]) -> Told:
        self.asked.append((method, params))
        if method in self.refusing:
            return self.refusing[method]
        try:
            result, more = self._answer(method, params)
        except Refused as refused:
            return refused.status, {"error": refused.code, "error_description": "Sorry about Anna"}
        return 200, {"result": result, **more, "time": {"start": 1.5, "finish": 1.75, "operating": 0}}

    def _answer(self, method: str, params: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        if method in _BARE:
            return {
                "scope": sorted(self.scopes),
                "profile": {"ID": "1", "ADMIN": self.admin, "NAME": "Вадим"},
            }[method], {}
        self.faults += wrong_call(method, params)
        if method.partition(".")[0] not in self.scopes:
            raise Refused("insufficient_scope", status=403)
        result, more = _METHODS[method](self, params)
        self.faults += wrong_result(method, json.loads(json.dumps(result)))
        return result, more

    def _batch(self, params: Mapping[str, Any]) -> Told:
        if len(params["cmd"]) > PAGE:
            return 400, {"error": "ERROR_BATCH_LENGTH_EXCEEDED", "error_description": ""}
        parts: dict[str, dict[str, Any]] = {name: {} for name in _PARTS}
        for name, command in params["cmd"].items():
            method, _, query = command.partition("?")
            status, told = self._call(method, _from_query(query))
            if status != 200:
                parts["result_error"][name] = told
                continue
            for part, key in (("result", "result"), ("result_total", "total"), ("result_next", "next")):
                if key in told:
                    parts[part][name] = told[key]
        return 200, {"result": {name: part or [] for name, part in parts.items()}, "time": {"start": 1.5}}

    # Over HTTP. ---------------------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request a connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [line[15:] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
        body = await reader.readexactly(int(lengths[0])) if lengths else b"{}"
        status, told = self._request_of(head.split(" ")[1], json.loads(body))
        if status:
            data = json.dumps(told, ensure_ascii=True).encode()
            top = f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json; charset=UTF-8\r\n"
            writer.write(f"{top}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data)
            await writer.drain()

    def _request_of(self, path: str, params: Mapping[str, Any]) -> Told:
        start, _, method = path.rpartition("/")
        if start != f"/rest/1/{KEY}":
            return 401, {"error": "NO_AUTH_FOUND", "error_description": "Wrong authorization data"}
        told = self.request(method, params)
        return (0, {}) if method in self.losing else told


@asynccontextmanager
async def served(portal: Portal) -> AsyncIterator[Portal]:
    """Run it on a free port of the loopback; at the end nothing of what was said may be unpublished."""
    async with listening(portal.serve) as port:
        portal.address = f"http://127.0.0.1:{port}"
        yield portal
    assert sorted(set(portal.faults)) == []


_BARE = frozenset({"scope", "profile"})
_PARTS = ("result", "result_error", "result_total", "result_next", "result_time")


def _from_query(query: str) -> dict[str, Any]:
    """Return what PHP makes of a query: `filter[@id][0]=7` is a list in a mapping, and every value a string."""
    found: dict[str, Any] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        name, *inner = key.replace("]", "").split("[")
        here = found
        for last, following in zip([name, *inner], [*inner, None], strict=True):
            if following is None:
                here[last] = value
            else:
                here = here.setdefault(last, {})
    return {name: _as_list(value) for name, value in found.items()}


def _as_list(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _as_list(part) for name, part in value.items()}
    return list(inner.values()) if all(name.isdecimal() for name in inner) else inner


# Methods. ---------------------------------------------------------------------------------------------------


def _fits(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_fit(row, key, value) for key, value in wanted.items())


def _fit(row: Mapping[str, Any], key: str, value: Any) -> bool:
    name = key.lstrip("@%=")
    told = row[name]
    told = told["value"] if isinstance(told, dict) else told
    match key.removesuffix(name):
        case "@":
            assert isinstance(value, list), "IN takes a list"
            return str(told) in map(str, value)
        case "%":
            return str(value).casefold() in str(told or "").casefold()
        case "" | "=":
            return str(told) in map(str, value) if isinstance(value, list) else str(told) == str(value)
    raise AssertionError(f"no such filter here: {key}")


def _page(
    rows: Iterable[Mapping[str, Any]], params: Mapping[str, Any], within: str
) -> tuple[Any, dict[str, Any]]:
    """Return a page of the rows that fit, in order, with the fields that were chosen."""
    fitting = [row for row in rows if _fits(row, params.get("filter") or {})]
    for name, way in reversed((params.get("order") or {}).items()):
        fitting.sort(key=lambda row: row[name], reverse=way.lower() == "desc")
    begin = int(params.get("start") or 0)
    select = params.get("select") or ["*"]
    chosen = [
        row if "*" in select else {name: part for name, part in row.items() if name in (*select, "id")}
        for row in fitting[begin : begin + PAGE]
    ]
    more = {"next": begin + PAGE} if begin + PAGE < len(fitting) else {}
    return {within: deepcopy(chosen)}, {"total": len(fitting), **more}


def _listing(table: str, within: str) -> Callable[[Portal, Mapping[str, Any]], tuple[Any, dict[str, Any]]]:
    return lambda portal, params: _page(getattr(portal, table), params, within)


def _orders(portal: Portal, params: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    if not portal.admin:
        raise Refused("200040300010")
    inner = {
        "basketItems",
        "clients",
        "payments",
        "propertyValues",
        "requisiteLink",
        "shipments",
        "tradeBindings",
    }
    rows = [{name: part for name, part in one.items() if name not in inner} for one in portal.orders]
    return _page(rows, params, "orders")


def _order(portal: Portal, params: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    return {"order": deepcopy(_known(portal, params["id"]))}, {}


def _known(portal: Portal, id: Any) -> dict[str, Any]:
    found = [one for one in portal.orders if str(one["id"]) == str(id)]
    if not portal.admin:
        raise Refused("200040300010")
    if not found:
        raise Refused("200540400001")
    return found[0]


def _update(portal: Portal, params: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    order = _known(portal, params["id"])
    for name, value in params["fields"].items():
        assert name in _WRITABLE, f"an update of an order does not take {name}"
        order[name] = value
    if params["fields"].get("canceled") == "Y":
        order["dateCanceled"] = _now()
    _written(order)
    shown = {name for name in order if name not in ("basketItems", "payments", "propertyValues", "shipments")}
    return {"order": {name: order[name] for name in shown - {"tradeBindings"}}}, {}


_WRITABLE = frozenset({"canceled", "reasonCanceled", "statusId", "comments"})


def _modify(portal: Portal, params: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    changed = params["fields"]["order"]
    order = _known(portal, changed["id"])
    given = {int(one["orderPropsId"]): one["value"] for one in changed["propertyValues"]}
    for one in order["propertyValues"]:
        # Whatever is not named is forgotten.
        one["value"] = given.get(one["orderPropsId"])
    _written(order)
    return {"propertyValues": deepcopy(order["propertyValues"])}, {}


def _written(order: dict[str, Any]) -> None:
    order["version"] += 1
    order["dateUpdate"] = _now()


def _now() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def _elements(portal: Portal, params: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    kind = int(params["entityTypeId"])
    assert kind in (2, 3), "deals and contacts are kept here"
    rows = portal.contacts if kind == 3 else portal.deals
    own = params.get("useOriginalUfNames") == "Y"
    return rows if own else [{n: v for n, v in row.items() if not n.startswith("UF_")} for row in rows]


def _item(portal: Portal, params: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    found = [one for one in _elements(portal, params) if str(one["id"]) == str(params["id"])]
    if not found:
        raise Refused("NOT_FOUND")
    return {"item": deepcopy(found[0])}, {}


def _item_fields(portal: Portal, params: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    rows = _elements(portal, params)
    return {"fields": {name: {"title": name} for row in rows[:1] for name in row}}, {}


def _duplicates(portal: Portal, params: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    assert params["entity_type"] == "CONTACT"
    wanted = {_bare(value) for value in params["values"]}
    ids = [
        one["id"]
        for one in portal.contacts
        if any(fm["typeId"] == params["type"] and _bare(fm["value"]) in wanted for fm in one["fm"])
    ]
    return ({"CONTACT": ids[:20]} if ids else []), {}


def _bare(value: str) -> str:
    return value.casefold() if "@" in value else "".join(c for c in value if c.isdigit())


_METHODS: Mapping[str, Callable[[Portal, Mapping[str, Any]], tuple[Any, dict[str, Any]]]] = {
    "crm.item.get": _item,
    "crm.item.fields": _item_fields,
    "crm.item.list": lambda portal, params: _page(_elements(portal, params), params, "items"),
    "crm.duplicate.findbycomm": _duplicates,
    "crm.orderentity.list": _listing("bindings", "orderEntity"),
    "sale.order.list": _orders,
    "sale.order.get": _order,
    "sale.order.update": _update,
    "sale.property.list": _listing("properties", "properties"),
    "sale.propertyvalue.modify": _modify,
    "catalog.catalog.list": _listing("catalogs", "catalogs"),
    "catalog.priceType.list": _listing("price_types", "priceTypes"),
    "catalog.section.list": _listing("sections", "sections"),
    "catalog.product.list": _listing("goods", "products"),
    "catalog.product.sku.list": _listing("skus", "units"),
    "catalog.product.offer.list": _listing("offers", "offers"),
    "catalog.price.list": _listing("prices", "prices"),
}
