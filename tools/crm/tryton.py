"""The customer register of a company that runs Tryton: its parties, and those of its web shop's users."""

from pydantic import BaseModel

from tools.context import CustomerId, Language
from tools.crm.port import Customer
from tools.crm.unoffered import Unoffered
from tools.errors import NotFound
from tools.tryton.client import Domain, Tryton
from tools.tryton.customers import Party, PartyLink
from tools.tryton.rows import AddressRow, Coded

_FIELDS = ("name", "lang.code", "email", "phone", "mobile", "addresses.city")


class _PartyRow(Party):
    name: str | None = None
    lang: Coded | None = None
    email: str | None = None
    phone: str | None = None
    mobile: str | None = None
    addresses: tuple[AddressRow, ...] = ()


class _WebUser(BaseModel):
    email: str | None = None
    party: Party | None = None


class TrytonCRM(Unoffered):
    """`CRM` over one Tryton; `language` is spoken with those whose party names another or none."""

    def __init__(self, tryton: Tryton, *, link: PartyLink, language: Language = "ru") -> None:
        self._tryton, self._link, self._language = tryton, link, language

    async def customer(self, customer_id: CustomerId) -> Customer:
        if not customer_id:
            raise NotFound()
        party = await self._party(self._link.domain(customer_id))
        if not self._link.is_of(customer_id, party):
            raise NotFound()
        return self._customer(customer_id, party, login=None)

    async def find_by_login(self, login: str) -> Customer:
        """See the port: the e-mail address a user of Tryton's web shop signs in with; nobody, without that module."""
        if not login or not await self._tryton.knows("web.user", "email"):
            raise NotFound()
        users = await self._tryton.search(
            _WebUser,
            "web.user",
            [["email", "=", login], ["party", "!=", None]],
            fields=["email", *self._link.fields("party.")],
            limit=2,
        )
        if len(users) != 1 or users[0].email != login or users[0].party is None:
            raise NotFound()
        found = users[0].party
        customer_id = self._id_of(found)
        if customer_id is None or not self._link.is_of(customer_id, found):
            raise NotFound()
        party = await self._party([["id", "=", found.id]])
        return self._customer(customer_id, party, login=login)

    async def _party(self, domain: Domain) -> _PartyRow:
        fields = [*_FIELDS, *self._link.fields()]
        found = await self._tryton.search(_PartyRow, "party.party", domain, fields=fields, limit=2)
        # One identifier on two parties tells nothing of either.
        if len(found) != 1:
            raise NotFound()
        return found[0]

    def _id_of(self, party: Party) -> CustomerId | None:
        if self._link.by == "code":
            return CustomerId(party.code) if party.code else None
        own = [one.code for one in party.identifiers if self._link.type in (None, one.type)]
        return CustomerId(own[0]) if len(own) == 1 else None

    def _customer(self, customer_id: CustomerId, party: _PartyRow, *, login: str | None) -> Customer:
        code = (party.lang.code or "") if party.lang else ""
        cities = [address.city for address in party.addresses if address.city]
        language: Language = "en" if code.startswith("en") else "ru" if code == "ru" else self._language
        return Customer(
            id=customer_id,
            login=login,
            name=party.name or "",
            email=party.email or "",
            phone=party.mobile or party.phone or "",
            language=language,
            city=cities[0] if cities else "",
        )
