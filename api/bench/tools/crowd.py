"""Rows of a large shop: customers, and orders that follow each other in number, dealt out unevenly. Deterministic.

A few customers have hundreds of orders, most have a handful. A row is what the table of the same name takes, amounts in
kopecks, moments as text of the database's own kind.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tools.context import CustomerId, OrderId
from tools.folding import folded
from tools.orders.port import ACTIVE, OrderStatus, Product

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""Rows by table, parents before children."""

FIRST_ORDER = 1_000_000
UNEVEN = 1.5
"""The greater, the more orders the first customers have; 1 deals them out evenly."""
STATUSES: Sequence[tuple[OrderStatus, int]] = (
    ("pending", 2),
    ("paid", 6),
    ("packed", 3),
    ("shipped", 4),
    ("delivered", 80),
    ("cancelled", 5),
)
GIFTED = 5
"""Every so many customers have a gift card beside their bank card."""
DELIVERY = 29_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """One order of the crowd, enough to ask for it."""

    id: OrderId
    owner: CustomerId
    status: OrderStatus


class Crowd:
    """`customers` customers of these products; `now` is aware, `zone` is written behind every moment."""

    def __init__(
        self, products: Sequence[Product], *, customers: int, now: datetime, zone: str, seed: int = 1
    ) -> None:
        self._kinds = [(p, v, int(v.price * 100)) for p in products for v in p.variants]
        self._customers = customers
        self._now = now
        self._zone = zone
        self._lot = Random(f"{seed}:{customers}")
        self._drawn = [status for status, share in STATUSES for _ in range(share)]

    def people(self, *, batch: int) -> Iterator[Rows]:
        """Give the customers with their addresses and ways to pay, `batch` customers at a time."""
        for first in range(0, self._customers, batch):
            rows: Rows = {name: [] for name in ("customers", "addresses", "homes", "saved")}
            for n in range(first, min(first + batch, self._customers)):
                self._customer(rows, n)
            yield rows

    def sales(self, count: int, *, batch: int) -> Iterator[tuple[Rows, list[Sold]]]:
        """Give the orders with all that belongs to them, `batch` orders at a time."""
        names = ("addresses", "orders", "items", "payments", "history", "fulfilments", "refunds", "events")
        for first in range(0, count, batch):
            rows: Rows = {name: [] for name in names}
            yield rows, [self._order(rows, n) for n in range(first, min(first + batch, count))]

    def _customer(self, rows: Rows, n: int) -> None:
        owner = customer_id(n)
        name, email = f"Customer Number{n}", f"customer{n}@example.com"
        row: Row = {"id": owner, "login": None, "name": name, "email": email, "phone": f"+7900{n:07}"}
        row |= {"language": "ru" if n % 3 else "en", "city": f"City {n % 500}", "points": n % 3_000}
        row |= {"level_ru": "1", "level_en": "1", "version": 1}
        rows["customers"].append(row | {"email_key": folded(email), "name_key": folded(name)})
        rows["addresses"].append(_address(f"{owner}-home", owner, n))
        rows["homes"].append({"owner": owner, "address": f"{owner}-home"})
        card = {"owner": owner, "method": "card", "brand": "visa", "masked": f"··{n % 100:02}"}
        rows["saved"].append({"id": f"m-{n}", **card, "balance": None})
        if n % GIFTED == 0:
            gift = {"owner": owner, "method": "gift_card", "brand": "", "masked": "", "balance": 100_000}
            rows["saved"].append({"id": f"g-{n}", **gift})

    def _order(self, rows: Rows, n: int) -> Sold:
        number, draw = str(FIRST_ORDER + n), self._lot.random
        who = int(self._customers * draw() ** UNEVEN)
        owner, status = customer_id(who), self._drawn[int(draw() * len(self._drawn))]
        active = status in ACTIVE
        placed = self._now - timedelta(minutes=int(draw() * (14 if active else 1_800) * 1_440) + 60)
        total = self._lines(rows, number) + DELIVERY
        rows["addresses"].append(_address(f"{number}-address", owner, who))
        head: Row = {"id": number, "owner": owner, "status": status, "active": int(active)}
        head |= {"placed": self._text(placed), "version": 1, "delivery_price": DELIVERY, "total": total}
        head |= {"currency": "RUB", "address": f"{number}-address", "cancel_reason": ""}
        rows["orders"].append(head)
        self._money(rows, number, who, status, total, placed)
        self._way(rows, number, status, placed)
        return Sold(id=OrderId(number), owner=owner, status=status)

    def _lines(self, rows: Rows, number: str) -> int:
        total = 0
        for n in range(1, 2 + int(self._lot.random() * 2.5)):
            product, kind, price = self._kinds[int(self._lot.random() * len(self._kinds))]
            row: Row = {"id": f"{number}#{n}", "order_id": number, "n": n, "code": kind.code, "quantity": 1}
            row |= {"title_ru": product.title.ru, "title_en": product.title.en, "price": price}
            rows["items"].append(row | {"product": product.code, "options": "{}"})
            total += price
        return total

    def _money(
        self, rows: Rows, number: str, who: int, status: OrderStatus, total: int, placed: datetime
    ) -> None:
        paid_at = None if status == "pending" else self._text(placed)
        state = {"pending": "due", "cancelled": "refunded"}.get(status, "paid")
        card: Row = {"method": "card", "masked": f"··{who % 100:02}", "saved": f"m-{who}"}
        rows["payments"].append({"order_id": number, "state": state, "amount": total, "at": paid_at, **card})
        if paid_at is None:
            return
        entry: Row = {"order_id": number, "amount": total, **card}
        rows["history"].append({**entry, "n": 1, "kind": "payment", "at": paid_at})
        if status == "cancelled":
            rows["history"].append({**entry, "n": 2, "kind": "refund", "at": paid_at})
            back: Row = {"id": f"{number}-refund-1", "state": "done", "created": paid_at}
            rows["refunds"].append({**entry, **back, "days_min": 3, "days_max": 10})

    def _way(self, rows: Rows, number: str, status: OrderStatus, placed: datetime) -> None:
        shipped = placed + timedelta(days=1) if status in ("shipped", "delivered") else None
        delivered = placed + timedelta(days=4) if status == "delivered" else None
        known = {"placed": placed, "shipped": shipped, "delivered": delivered}
        told = {kind: self._text(at) for kind, at in known.items() if at is not None}
        row: Row = {"order_id": number, "method": "courier", "carrier": "Courier", "eta": None}
        row |= {"tracking": f"TR{number}" if shipped else None}
        rows["fulfilments"].append(row | {k: told.get(k) for k in ("shipped", "delivered")})
        rows["events"] += [
            {"id": f"{number}-{kind}", "order_id": number, "at": at, "kind": kind, "note": ""}
            for kind, at in told.items()
        ]

    def _text(self, moment: datetime) -> str:
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f") + self._zone


def customer_id(n: int) -> CustomerId:
    """Return the id of the n-th customer of a crowd, from 0."""
    return CustomerId(f"c-{n:07}")


def _address(name: str, owner: CustomerId, n: int) -> Row:
    row: Row = {"id": name, "owner": owner, "line": f"{n % 300} Lighthouse street", "city": f"City {n % 500}"}
    return row | {"postcode": f"{100_000 + n % 899_999}", "extra": "", "region": "", "country": ""}
