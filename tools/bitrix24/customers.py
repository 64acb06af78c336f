"""Which contact of Bitrix24's CRM a customer is: by the contact's own id, or by a field the company keeps their ids in."""

import re
from dataclasses import dataclass
from typing import Any

from tools.bitrix24.client import Bitrix24, Call, listed, read_as
from tools.bitrix24.rows import CONTACT, ClientRow, ContactRow
from tools.context import CustomerId
from tools.errors import Unavailable

_FIELD = re.compile(r"UF_CRM_[A-Z0-9_]{1,40}")
_ID = re.compile(r"[1-9]\d{0,17}")
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A contact and the customer it is."""

    customer: CustomerId
    contact: ContactRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLink:
    """How customers' ids stand in the CRM: `field` is the contact's field that holds them, None for the contact's id.

    A contact that was deleted is nobody, and so are those merged into another: Bitrix24 deletes them. Two contacts with
    the same id in the field are nobody either: who of them asks, only the company can say.
    """

    field: str | None = None

    @classmethod
    def read(cls, text: str) -> "ContactLink":
        """Return the link "contact" or "field:UF_CRM_…" names; `ValueError` otherwise."""
        by, colon, field = text.strip().partition(":")
        if (by, colon) == ("contact", ""):
            return cls()
        if by == "field" and _FIELD.fullmatch(field):
            return cls(field=field)
        raise ValueError(text)

    def names(self, customer: CustomerId) -> bool:
        """Say whether the id can be a customer's at all: nothing is asked about any other."""
        if self.field:
            return 0 < len(customer) <= _LONGEST
        return _ID.fullmatch(customer) is not None

    def call(self, customer: CustomerId) -> Call:
        """Return the question for the customer's contact."""
        if self.field is None:
            params: dict[str, Any] = {"entityTypeId": CONTACT, "id": int(customer)}
            return Call(method="crm.item.get", params=params, within="item")
        return _listing({f"={self.field}": customer}, select=["*", self.field])

    def found(self, customer: CustomerId, answer: Any) -> Known | None:
        """Return whom the answer to `call` shows; asked again of whatever the portal found. None for nobody."""
        if answer is None:
            return None
        rows = [answer] if self.field is None else listed(answer, "crm.item.list")
        if len(rows) != 1:
            return None
        known = self.customer_of(rows[0])
        return known if known is not None and known.customer == customer else None

    def customer_of(self, row: Any) -> Known | None:
        """Return whose contact a record is, by this link; None for nobody's."""
        contact = read_as(ContactRow, row, what="contact")
        if self.field is None:
            return Known(customer=CustomerId(str(contact.id)), contact=contact)
        if self.field not in row:
            raise _no_field(self.field)
        told = row[self.field]
        if not isinstance(told, str | int) or isinstance(told, bool) or told == "":
            return None
        return Known(customer=CustomerId(str(told)), contact=contact)

    async def ask(self, portal: Bitrix24, customer: CustomerId) -> Known | None:
        """Return the customer's contact, None for nobody. Raises `Unavailable`."""
        if not self.names(customer):
            return None
        return self.found(customer, (await portal.ask(self.call(customer))).value)

    async def examined(self, portal: Bitrix24) -> None:
        """Look whether contacts can be read and have the field. Raises `Unavailable`."""
        params = {"entityTypeId": CONTACT, "useOriginalUfNames": "Y"}
        fields = (await portal.ask(Call(method="crm.item.fields", params=params, within="fields"))).value
        if self.field and (not isinstance(fields, dict) or self.field not in fields):
            raise _no_field(self.field)
        await portal.ask(_listing({}, select=["id"]))

    async def by_id(self, portal: Bitrix24, contact: int) -> Known | None:
        """Return whose the contact with this id is, None for nobody's. Raises `Unavailable`."""
        if self.field is None:
            return await self.ask(portal, CustomerId(str(contact)))
        listing = _listing({"=id": contact}, select=["*", self.field])
        rows = listed((await portal.ask(listing)).value, "crm.item.list")
        known = self.customer_of(rows[0]) if len(rows) == 1 else None
        # The field may be another contact's too.
        return await self.ask(portal, known.customer) if known is not None else None


def is_client(contact: int, clients: tuple[ClientRow, ...]) -> bool:
    """Say whether the contact is the main one of an order's clients: a further one did not order."""
    main = {one.entity_id for one in clients if one.entity_type_id == CONTACT and one.is_primary == "Y"}
    return main == {contact}


def _no_field(field: str) -> Unavailable:
    remedy = "Look at MAYAK_BITRIX24_CUSTOMER: the field must be one of contacts."
    return Unavailable(f"Bitrix24's contacts have no {field}", remedy=remedy)


def _listing(found_by: dict[str, Any], *, select: list[str]) -> Call:
    params = {
        "entityTypeId": CONTACT,
        "select": select,
        "filter": found_by,
        "order": {"id": "ASC"},
        # Fields of the company's own are named as its administrator sees them.
        "useOriginalUfNames": "Y",
    }
    return Call(method="crm.item.list", params=params, within="items")
