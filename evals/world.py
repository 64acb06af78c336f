"""The world a case adds to the company pack: customers, orders, products, documents; one union for a suite.

```yaml
world:
  customers: {case-ivan: {name: "Иван П.", language: ru}}
  orders: {"3001": {owner: case-ivan, status: paid}}
  products: {FN-901: {category: headlamps, title: "Фонарь «Проба»", price: 990, reviews: [{rating: 5, text: "…"}]}}
  knowledge: {lamp-note: {title: "Заметка", text: "# Заметка …"}}
  faults: {case-ivan: {orders: [ok, slow], crm: refused}}   # how that customer's requests are met, the last word for good
```
A fault is one of `tools.trial.manners.MANNERS`; `{reads: …, writes: …}` tells them apart, `without: [delivery]` leaves that
part of the customer's orders unknown. Each customer has lines of their own: a fault of one case is none of another's.
Rows are completed from `world.toml` to the form of the pack's shop files, so that a house loads them as its own.
"""

import copy
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from evals.marked import Fault, Marked, Place
from tools.trial.manners import manners_of, parts_of

DEFAULTS = Path(__file__).with_name("world.toml")

ROW_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "customers": (("name",), ("login", "email", "phone", "language", "city", "level", "points")),
    "orders": (
        ("owner", "status"),
        (
            "items",
            "payment",
            "fulfilment",
            "address",
            "refunds",
            "delivery_price",
            "total",
            "placed_day",
            "placed_at",
        ),
    ),
    "products": (("category", "title"), ("price", "stock", "attributes", "variants", "reviews")),
    "faults": ((), ("orders", "crm", "without")),
    "knowledge": (("title", "text"), ("language", "audience", "status", "valid_from", "valid_until")),
}
"""By kind of row: the keys it must have, and those it may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One complete row, and the line and case it comes from."""

    kind: str
    key: str
    value: Mapping[str, Any]
    case: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The rows one case adds."""

    rows: tuple[Row, ...] = field(default=())


def read_world(marked: Marked, node: yaml.Node, *, case: str) -> World:
    """Return the case's world; faults go to `marked`."""
    kinds = marked.fields(node, known=tuple(ROW_KEYS))
    rows = [
        Row(kind=kind, key=key, value=_row(marked, kind, key, value), case=case, place=marked.place(value))
        for kind, listed in kinds.items()
        for key, value in marked.rows(listed).items()
    ]
    return World(rows=tuple(rows))


def union(worlds: Iterable[World]) -> tuple[dict[str, dict[str, Any]], tuple[Fault, ...]]:
    """Return all rows by kind and key, and a fault for every key that two cases describe differently."""
    joint: dict[str, dict[str, Any]] = {}
    first: dict[tuple[str, str], Row] = {}
    faults = []
    for row in (row for world in worlds for row in world.rows):
        known = first.setdefault((row.kind, row.key), row)
        if known.value != row.value:
            message = f"{row.kind} `{row.key}` of case `{row.case}` differs from the one at {known.place}"
            faults.append(Fault(place=row.place, message=message, remedy="Give one of them another key."))
        joint.setdefault(row.kind, {})[row.key] = known.value
    return joint, tuple(faults)


@cache
def _defaults() -> dict[str, Any]:
    return tomllib.loads(DEFAULTS.read_text("utf-8"))


def completed(kind: str, key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a world as the shop's files have it: what is given over the usual values of its kind."""
    usual = copy.deepcopy(_defaults()[kind])
    if kind == "orders":
        usual = _over(usual, _defaults()["status"].get(str(given.get("status", "")), {}))
    return COMPLETE[kind](key, _over(usual, given))


def _row(marked: Marked, kind: str, key: str, node: yaml.Node) -> dict[str, Any]:
    needed, allowed = ROW_KEYS[kind]
    fields = marked.fields(node, known=(*needed, *allowed), needed=needed)
    given = {name: marked.plain(value) for name, value in fields.items()}
    if "status" in fields and kind == "orders":
        marked.text(fields["status"], among=_defaults()["status"])
    if not set(needed) <= set(given):
        return given
    try:
        return completed(kind, key, given)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        marked.wrong(
            node,
            f"{kind} `{key}` cannot be completed: {wrong!r}",
            remedy="See the example in evals/world.py.",
        )
        return given


def _customer(key: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"id": key, "login": key, "email": f"{key}@example.com", **row}


def _order(key: str, row: dict[str, Any]) -> dict[str, Any]:
    items = [{"quantity": 1, **item, "title": _both(item["title"])} for item in row["items"]]
    goods = sum(item["quantity"] * item["price"] for item in items)
    total = row.get("total", goods + row["delivery_price"])
    payment = {"amount": total, **row["payment"]}
    return {"id": key, **row, "items": items, "total": total, "payment": payment}


def _product(key: str, row: dict[str, Any]) -> dict[str, Any]:
    title = _both(row["title"])
    price, stock = row.pop("price"), row.pop("stock")
    only = {"code": f"{key}-01", "title": title, "price": price, "stock": stock}
    usual = _defaults()["review"]
    reviews = [{**usual, "day": -n, **review} for n, review in enumerate(row["reviews"], start=1)]
    return {"code": key, "variants": [only], **row, "title": title, "reviews": reviews}


def _document(key: str, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": key,
        **row,
        "valid_from": row["valid_from"] or None,
        "valid_until": row["valid_until"] or None,
    }


def _fault(key: str, row: dict[str, Any]) -> dict[str, Any]:
    for system in ("orders", "crm"):
        if row[system]:
            manners_of(row[system])
    parts_of(row["without"])
    return row


COMPLETE = {
    "customers": _customer,
    "orders": _order,
    "products": _product,
    "knowledge": _document,
    "faults": _fault,
}


def _both(title: Any) -> Any:
    return {"ru": title, "en": title} if isinstance(title, str) else title


def _over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `under` with the values of `over`; mappings are joined, everything else is replaced."""
    joint = dict(under)
    for name, value in over.items():
        old = joint.get(name)
        joint[name] = _over(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return joint
