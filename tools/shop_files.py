"""A shop's JSON files, read into frozen things.

Days in the files are offsets from the day of loading, so that a demo shop is always fresh.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

from tools.address import Address
from tools.bilingual import Bilingual
from tools.context import CustomerId, MethodId, OrderId
from tools.crm.port import Customer
from tools.errors import UnreadableShop
from tools.orders.money import returned
from tools.orders.port import (
    Fulfilment,
    Order,
    OrderItem,
    Payment,
    PaymentMethod,
    Product,
    Refund,
    Review,
    SavedMethod,
    Transaction,
    Variant,
)
from tools.orders.rules import RefundDays, RefundTerms

FILES = ("customers.json", "products.json", "orders.json")
T = TypeVar("T")

_NOON = time(12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """All of a shop: what the fakes take and what `load_shop` writes."""

    customers: tuple[Customer, ...]
    products: tuple[Product, ...]
    orders: tuple[Order, ...]
    terms: RefundTerms
    methods: Mapping[CustomerId, tuple[SavedMethod, ...]] = field(default_factory=dict)
    return_days: int | None = None


def read_shop(folder: Path | str, *, now: datetime | None = None) -> Shop:
    """Read customers.json, products.json and orders.json; `UnreadableShop` names the file and the place."""
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    people, catalogue, sales = (_parsed(Path(folder) / name) for name in FILES)
    categories = _table(catalogue, "categories", FILES[1], lambda raw: Bilingual(**raw))
    customers = _each(people, "customers", FILES[0], _customer)
    products = _each(
        catalogue, "products", FILES[1], lambda raw: _product(raw, categories=categories, today=today)
    )
    kinds = {variant.code: product.code for product in products for variant in product.variants}
    orders = _each(sales, "orders", FILES[2], lambda raw: _order(raw, kinds=kinds, today=today))
    kept = _each(people, "customers", FILES[0], _saved)
    _once(FILES[0], [customer.id for customer in customers])
    _once(FILES[1], [variant.code for product in products for variant in product.variants])
    _once(FILES[1], [product.code for product in products])
    _once(FILES[2], [order.id for order in orders])
    strangers = {order.owner for order in orders} - {customer.id for customer in customers}
    if strangers:
        raise UnreadableShop(f"{FILES[2]}: owners that are no customers: {', '.join(sorted(strangers))}")
    return Shop(
        customers=tuple(customers),
        products=tuple(products),
        orders=tuple(orders),
        terms=cast(RefundTerms, _table(sales, "refund_days", FILES[2], lambda raw: RefundDays(**raw))),
        methods={c.id: saved for c, saved in zip(customers, kept, strict=True) if saved},
        return_days=sales.get("return_days"),
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    except FileNotFoundError as absent:
        raise UnreadableShop(f"{path} is absent") from absent
    except (ValueError, UnicodeDecodeError) as broken:
        raise UnreadableShop(f"{path}: {broken}") from broken
    if not isinstance(raw, dict):
        raise UnreadableShop(f"{path}: an object was expected at the top")
    return raw


def _each(raw: Mapping[str, Any], name: str, file: str, build: Callable[[Mapping[str, Any]], T]) -> list[T]:
    entries = enumerate(raw.get(name, ()), start=1)
    return [_built(entry, f"{file}: {name} entry {n}", build) for n, entry in entries]


def _table(
    raw: Mapping[str, Any], name: str, file: str, build: Callable[[Mapping[str, Any]], T]
) -> dict[str, T]:
    return {key: _built(entry, f"{file}: {name} {key}", build) for key, entry in raw.get(name, {}).items()}


def _built(entry: Mapping[str, Any], place: str, build: Callable[[Mapping[str, Any]], T]) -> T:
    try:
        return build(entry)
    except (KeyError, TypeError, ValueError, ArithmeticError) as wrong:
        raise UnreadableShop(f"{place}: {type(wrong).__name__}: {wrong}") from wrong


def _once(file: str, names: Sequence[str]) -> None:
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise UnreadableShop(f"{file}: named twice: {', '.join(twice[:5])}")


def _customer(raw: Mapping[str, Any]) -> Customer:
    fields = {"login": None, **{name: value for name, value in raw.items() if name != "methods"}}
    home = Address(**raw["address"]) if "address" in raw else None
    level = Bilingual(**raw["level"])
    return Customer(**{**fields, "id": CustomerId(raw["id"]), "level": level, "address": home})


def _saved(raw: Mapping[str, Any]) -> tuple[SavedMethod, ...]:
    return tuple(
        SavedMethod(
            **{
                **one,
                "id": MethodId(one["id"]),
                "balance": Decimal(one["balance"]) if "balance" in one else None,
            }
        )
        for one in raw.get("methods", ())
    )


def _product(raw: Mapping[str, Any], *, categories: Mapping[str, Bilingual], today: date) -> Product:
    variants = [
        Variant(code=v["code"], title=Bilingual(**v["title"]), price=Decimal(v["price"]), stock=v["stock"])
        for v in raw["variants"]
    ]
    if not variants:
        raise ValueError(f"{raw['code']} has no variants")
    reviews = [
        Review(**{**{k: v for k, v in r.items() if k != "day"}, "day": today + timedelta(days=r["day"])})
        for r in raw.get("reviews", ())
    ]
    return Product(
        code=raw["code"],
        category=raw["category"],
        title=Bilingual(**raw["title"]),
        category_title=categories[raw["category"]],
        attributes={k: float(v) if isinstance(v, Decimal) else v for k, v in raw["attributes"].items()},
        variants=tuple(variants),
        reviews=tuple(reviews),
    )


def _order(raw: Mapping[str, Any], *, kinds: Mapping[str, str], today: date) -> Order:
    def moment(day: int | None) -> datetime | None:
        return datetime.combine(today + timedelta(days=day), _NOON) if day is not None else None

    paid, parcel = raw["payment"], raw["fulfilment"]
    placed = datetime.combine(
        today + timedelta(days=raw["placed_day"]), time.fromisoformat(raw["placed_at"]), UTC
    )
    eta = parcel.get("eta_day")
    delivered = moment(parcel.get("delivered_day"))
    paid_at = delivered if paid["method"] == "cash" else placed
    if paid["state"] == "due":
        paid_at = None
    payment = Payment(
        method=paid["method"],
        state=paid["state"],
        amount=Decimal(paid["amount"]),
        masked=paid.get("masked", ""),
        at=paid_at,
        saved=paid.get("saved"),
    )
    refunds = tuple(_refund(refund, today=today) for refund in raw.get("refunds", ()))
    return Order(
        id=OrderId(raw["id"]),
        owner=CustomerId(raw["owner"]),
        status=raw["status"],
        placed=placed,
        version="1",
        items=tuple(_item(item, kinds=kinds) for item in raw["items"]),
        delivery_price=Decimal(raw["delivery_price"]),
        total=Decimal(raw["total"]),
        currency=raw["currency"],
        payment=payment,
        fulfilment=Fulfilment(
            method=parcel["method"],
            carrier=parcel["carrier"],
            tracking=parcel.get("tracking"),
            shipped=moment(parcel.get("shipped_day")),
            eta=today + timedelta(days=eta) if eta is not None else None,
            delivered=delivered,
        ),
        address=Address(**raw["address"]),
        refunds=refunds,
        history=_history(payment, refunds),
    )


def _history(paid: Payment, refunds: Sequence[Refund]) -> tuple[Transaction, ...]:
    """Return what moved, as the payment and its refunds tell it."""
    came = Transaction(
        kind="payment",
        amount=paid.amount,
        method=paid.method,
        masked=paid.masked,
        saved=paid.saved,
        at=paid.at,
    )
    return (*([came] if paid.state != "due" else []), *map(returned, refunds))


def _item(raw: Mapping[str, Any], *, kinds: Mapping[str, str]) -> OrderItem:
    return OrderItem(
        code=raw["code"],
        title=Bilingual(**raw["title"]),
        quantity=raw["quantity"],
        price=Decimal(raw["price"]),
        # An old order may hold what left the catalogue.
        product=kinds.get(raw["code"], ""),
    )


def _refund(raw: Mapping[str, Any], *, today: date) -> Refund:
    method: PaymentMethod = raw["method"]
    return Refund(
        amount=Decimal(raw["amount"]),
        method=method,
        masked=raw.get("masked", ""),
        state=raw["state"],
        created=datetime.combine(today + timedelta(days=raw["day"]), _NOON),
        days_min=raw["days_min"],
        days_max=raw["days_max"],
        saved=raw.get("saved"),
    )
