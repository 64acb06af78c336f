"""The customer register of a company that uses Bitrix24: contacts of its CRM.

Two contacts with one e-mail or phone are nobody: the portal's index of duplicates finds candidates, and what was asked
is compared again with what the only one bears.
"""

from collections.abc import Callable, Sequence

from tools.bitrix24.client import Bitrix24, Call
from tools.bitrix24.customers import ContactLink, Known
from tools.bitrix24.rows import ContactRow
from tools.contacts import dialled, mailbox
from tools.context import CustomerId, Language
from tools.crm.port import Customer
from tools.crm.unoffered import Unoffered
from tools.errors import NotFound, Unavailable

_SHORTEST_PHONE = 10


class Bitrix24CRM(Unoffered):
    """`CRM` over one portal; contacts name no language, so `language` is spoken with all of them."""

    def __init__(self, portal: Bitrix24, *, link: ContactLink, language: Language = "ru") -> None:
        self._portal, self._link, self._language = portal, link, language

    async def customer(self, customer_id: CustomerId) -> Customer:
        known = await self._link.ask(self._portal, customer_id)
        if known is None:
            raise NotFound()
        return self._customer(known)

    async def find_by_login(self, login: str) -> Customer:
        """See the port: nobody signs in as a contact of the CRM."""
        raise NotFound()

    async def find_by_email(self, email: str) -> Customer:
        wanted = mailbox(email)
        if "@" not in wanted:
            raise NotFound()
        return await self._bearing("EMAIL", [wanted], wanted=wanted, read=mailbox)

    async def find_by_phone(self, phone: str) -> Customer:
        wanted = dialled(phone)
        if len(wanted) < _SHORTEST_PHONE:
            raise NotFound()
        at_home = [f"8{wanted[1:]}"] if wanted.startswith("7") else []
        return await self._bearing("PHONE", [f"+{wanted}", wanted, *at_home], wanted=wanted, read=dialled)

    async def _bearing(
        self, kind: str, spelled: Sequence[str], *, wanted: str, read: Callable[[str], str]
    ) -> Customer:
        params = {"type": kind, "values": list(spelled), "entity_type": "CONTACT"}
        told = (await self._portal.ask(Call(method="crm.duplicate.findbycomm", params=params))).value
        # Nothing found is an empty list, as PHP writes an empty object.
        ids = told.get("CONTACT", []) if isinstance(told, dict) else told
        if not isinstance(ids, list) or not all(isinstance(id, int | str) for id in ids):
            raise Unavailable("Bitrix24 answered no list of contacts")
        if len(set(map(str, ids))) != 1:
            raise NotFound()
        known = await self._link.by_id(self._portal, int(ids[0]))
        if known is None or wanted not in map(read, _of(kind, known.contact)):
            raise NotFound()
        return self._customer(known)

    def _customer(self, known: Known) -> Customer:
        contact = known.contact
        emails, phones = _of("EMAIL", contact), _of("PHONE", contact)
        return Customer(
            id=known.customer,
            login=None,
            name=" ".join(part for part in (contact.name, contact.last_name) if part),
            email=emails[0] if emails else "",
            phone=phones[0] if phones else "",
            language=self._language,
            city="",
        )


def _of(kind: str, contact: ContactRow) -> list[str]:
    return [one.value for one in contact.fm if one.type_id == kind and one.value]
