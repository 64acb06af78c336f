"""The customer register of a system that the pack describes with an OpenAPI document and a mapping."""

from collections.abc import Mapping
from typing import Any

from tools.address import Address
from tools.bilingual import Bilingual
from tools.contacts import dialled
from tools.context import CustomerId, Language
from tools.crm.port import Customer
from tools.crm.unoffered import Unoffered
from tools.errors import NotFound, Rejected, Unavailable
from tools.folding import folded
from tools.openapi.asking import Asking
from tools.openapi.mapping import Sought
from tools.openapi.system import Finder, System


class HttpCRM(Unoffered):
    """`CRM` over one system; what comes back is held against what was sought. `language` is that of who names none."""

    def __init__(self, system: System, asking: Asking, *, language: Language = "ru") -> None:
        self._finders, self._asking, self._language = system.customers, asking, language

    async def customer(self, customer_id: CustomerId) -> Customer:
        if not customer_id:
            raise NotFound()
        found = await self._found("by_id", {"id": customer_id})
        if found.id != customer_id:
            raise NotFound()
        return found

    async def find_by_login(self, login: str) -> Customer:
        found = await self._found("by_login", {"login": login})
        if not login or found.login != login:
            raise NotFound()
        return found

    async def find_by_email(self, email: str) -> Customer:
        return await self._found("by_email", {"email": email.strip()})

    async def find_by_phone(self, phone: str) -> Customer:
        return await self._found("by_phone", {"phone": phone.strip()})

    async def find_by_name(self, name: str, *, postcode: str) -> Customer:
        return await self._found("by_name", {"name": name.strip(), "postcode": postcode.strip()})

    async def _found(self, way: str, sought: Mapping[Sought, str]) -> Customer:
        finder = self._finders.get(way)
        if finder is None or not all(sought.values()):
            raise NotFound()
        rows = await self._rows(finder, sought)
        # A search may know more of likeness than we allow: only what is told exactly counts, and only once.
        fitting = [row for row in rows if _fits(row, way, sought)]
        if len(fitting) != 1:
            raise NotFound()
        return self._customer(fitting[0])

    async def _rows(self, finder: Finder, sought: Mapping[Sought, str]) -> tuple[Mapping[str, Any], ...]:
        reading = finder.reading
        sent = {argument: sought[kind] for argument, kind in reading.takes.items() if kind in sought}
        arguments = {**reading.fixed, **sent}
        if not reading.rows:
            return (await self._asking.one(reading, finder.operation, arguments, owner=None),)
        try:
            found = await self._asking.many(reading, finder.operation, arguments, owner=None)
        except Rejected as wrong:
            # What the system cannot even be asked for is nobody's.
            raise NotFound() from wrong
        if found.more:
            # Somebody else who fits may stand on a page that was not read.
            raise NotFound()
        return found.rows

    def _customer(self, row: Mapping[str, Any]) -> Customer:
        id, city = _text(row.get("id")), _text(row.get("city"))
        if not id:
            raise Unavailable("a customer has no id", remedy="Look at `fields.id` of the mapping.")
        spoken, points = _text(row.get("language")).lower()[:2], row.get("points")
        language: Language = "en" if spoken == "en" else "ru" if spoken == "ru" else self._language
        levels = _text(row.get("level_ru")), _text(row.get("level_en"))
        address = Address(line=_text(row.get("street")), city=city, postcode=_text(row.get("postcode")))
        return Customer(
            id=CustomerId(id),
            login=_text(row.get("login")) or None,
            name=_text(row.get("name")),
            email=_text(row.get("email")),
            phone=_text(row.get("phone")),
            language=language,
            city=city,
            level=Bilingual(ru=levels[0] or levels[1], en=levels[1] or levels[0]) if any(levels) else None,
            points=points if isinstance(points, int) and not isinstance(points, bool) else None,
            address=address if address.line or address.postcode else None,
        )


def _fits(row: Mapping[str, Any], way: str, sought: Mapping[Sought, str]) -> bool:
    if way == "by_id":
        return _text(row.get("id")) == sought["id"]
    if way == "by_login":
        return _text(row.get("login")) == sought["login"]
    if way == "by_email":
        return folded(_text(row.get("email"))) == folded(sought["email"])
    if way == "by_phone":
        wanted = dialled(sought["phone"])
        return bool(wanted) and dialled(_text(row.get("phone"))) == wanted
    named = folded(_text(row.get("name"))) == folded(sought["name"])
    return named and _text(row.get("postcode")) == sought["postcode"]


def _text(value: object) -> str:
    """Return a value of a row as text; what is no text or number is as good as absent."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
