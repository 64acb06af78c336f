"""Desk, a made-up register of customers and their cases behind HTTP: it keeps what is written, and misbehaves to order."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.listening import listening
from tests.tools.shop import ANNA, BORIS, SHOP
from tools.crm.port import Customer
from tools.folding import folded

KEY = "desk-key"
Answer = tuple[int, Any]


@dataclass
class Desk:
    """What it holds, what it was asked, and how it behaves.

    `filters`: whether it keeps to a filter by customer; `lose`: writes that are done and never answered;
    `instead`: what it answers in place of the truth.
    """

    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    filters: bool = True
    takes_keys: bool = True
    lose: int = 0
    refuse: int = 0
    forbidden: bool = False
    instead: Callable[[str], Answer | None] = lambda asked: None
    address: str = ""

    def open(self, customer: str, subject: str, **more: Any) -> dict[str, Any]:
        case = {
            "number": len(self.cases) + 101,
            "subject": subject,
            "state": "open",
            "opened": "2026-11-20T09:30:00+03:00",
            "closed": None,
            "answer": None,
            "reference": None,
            "customer": {"id": customer},
            **more,
        }
        self.cases.append(case)
        return case

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any, key: str) -> Answer:
        steps = [unquote(step) for step in path.strip("/").split("/")]
        match (method, *steps):
            case ("GET", "customers"):
                return self._customers(query)
            case ("GET", "customers", one):
                return (200, self.customers[one]) if one in self.customers else (404, None)
            case ("GET", "cases"):
                return self._listed(query)
            case ("POST", "cases"):
                return self._opened(body, key)
            case ("GET", "cases", number):
                return self._one(number)
            case ("POST", "cases", number, "close"):
                status, found = self._one(number)
                if found:
                    found["case"].update(state="closed", closed="2026-11-21T12:00:00+03:00")
                return status, found
            case ("GET", "rooms"):
                return 200, [{"street": f"{query['city']}, Мира 7", "hours": "9–18"}]
        return 404, None

    def _customers(self, query: Mapping[str, str]) -> Answer:
        fields = {"email": "email", "login": "login", "mobile": "mobile", "name": "full_name"}
        wanted = {fields[name]: value for name, value in query.items() if name in fields}
        found = [
            each
            for each in self.customers.values()
            # Like many a register it knows of likeness: part of a value is enough.
            if all(folded(value) in folded(each[name] or "") for name, value in wanted.items())
        ]
        size, page = int(query.get("per_page", 100)), int(query.get("page", 1))
        return 200, {"items": found[(page - 1) * size : page * size], "total": len(found)}

    def _listed(self, query: Mapping[str, str]) -> Answer:
        asked = query.get("customer_id")
        found = [
            each
            for each in reversed(self.cases)
            if not self.filters or asked in (None, each["customer"]["id"])
        ]
        start, size = int(query.get("cursor", 0)), int(query.get("limit", 50))
        further = str(start + size) if start + size < len(found) else None
        return 200, {"cases": found[start : start + size], "next_cursor": further}

    def _one(self, number: str) -> Answer:
        for case in self.cases:
            if str(case["number"]) == number:
                return (403, None) if self.forbidden else (200, {"case": case})
        return 404, None

    def _opened(self, body: Any, key: str) -> Answer:
        if self.takes_keys and key in self.keys:
            return 201, {"case": next(c for c in self.cases if c["number"] == self.keys[key])}
        case = self.open(body["customer_id"], body["subject"], reference=body.get("reference"))
        if key:
            self.keys[key] = case["number"]
        return 201, {"case": case}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request a connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (row.partition(":") for row in lines[1:])
        }
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = lines[0].split(" ")
        self.asked.append(f"{method} {target}")
        self.heads.append(head)
        body = json.loads(raw) if raw else None
        self.sent.append(body)
        status, answer = self._behave(method, target, body, headers)
        if status == 0:
            return
        content = b"" if answer is None else json.dumps(answer, ensure_ascii=False).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode()
            + content
        )
        await writer.drain()

    def _behave(self, method: str, target: str, body: Any, headers: Mapping[str, str]) -> Answer:
        if headers.get("authorization") != f"Bearer {KEY}":
            return 401, {"error": "who are you?"}
        instead = self.instead(f"{method} {target}")
        if instead is not None:
            return instead
        if method != "GET" and self.refuse:
            self.refuse -= 1
            return 503, None
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        found = self.answer(
            method, parts.path.removeprefix("/api"), query, body, headers.get("idempotency-key", "")
        )
        if method != "GET" and self.lose:
            self.lose -= 1
            return 0, None
        return found


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """Run it on a free port with the demo shop's customers, and two cases of Anna's and one of Boris's."""
    found = Desk(customers={each.id: _as_kept(each) for each in SHOP.customers})
    found.open(ANNA, "Не горит фонарь")
    found.open(BORIS, "Возврат гирлянды")
    found.open(
        ANNA, "Счёт для бухгалтерии", state="closed", closed="2026-11-21T12:00:00+03:00", answer="Отправили."
    )
    async with listening(found.serve) as port:
        found.address = f"http://127.0.0.1:{port}/api"
        yield found


def _as_kept(customer: Customer) -> dict[str, Any]:
    home, level = customer.address, customer.level
    return {
        "id": customer.id,
        "login": customer.login,
        "full_name": customer.name,
        "email": customer.email or None,
        "mobile": customer.phone or None,
        "locale": "ru_RU" if customer.language == "ru" else "en_GB",
        "points": customer.points or 0,
        "level": {"ru": level.ru, "en": level.en} if level else {},
        "home": None if home is None else {"city": customer.city, "zip": home.postcode, "street": home.line},
    }
