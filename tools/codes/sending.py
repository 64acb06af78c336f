"""Identity by one-time code: finds the customer, writes the code down, sends it to the contact on file.

```
contact the customer typed ─► register ─┬─ exactly one ─► code in the book, letter to the contact ON FILE
                                        └─ nobody ──────► a row in the book that fits no code
```
"""

import secrets
from collections.abc import Mapping

from tools.assurance import verify
from tools.codes.book import CodeBook
from tools.codes.port import DIGITS, CodeRules, Sent
from tools.contacts import Contact
from tools.context import Caller, Language
from tools.crm.port import CRM, ByPhone, Customer
from tools.errors import NotFound
from tools.identity import ByCode, Factor, Refused, Verified
from tools.phrases import Phrases
from tools.sender.port import Letter
from tools.sender.post import Post

CODE: frozenset[Factor] = frozenset({"code"})


class OneTimeCodes:
    """Implements `Proofs`; `company` is the shop's name by language."""

    def __init__(
        self,
        *,
        crm: CRM,
        book: CodeBook,
        post: Post,
        rules: CodeRules,
        phrases: Phrases,
        company: Mapping[Language, str],
    ) -> None:
        self._crm = crm
        self._book = book
        self._post = post
        self._rules = rules
        self._phrases = phrases
        self._company = company

    async def send(self, contact: Contact | None, caller: Caller) -> Sent | Refused:
        customer = await self._customer(contact, caller)
        code = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
        refused = await self._book.issue(
            code,
            turn=caller.turn,
            conversation=caller.conversation,
            contact=_whom(contact, caller),
            customer=customer.id if customer is not None else None,
        )
        if refused is not None:
            return refused
        if customer is not None:
            self._post.hand(self._letter(customer, code))
        return Sent(minutes=self._rules.expires_minutes)

    async def check(self, code: str, caller: Caller) -> Verified | Refused:
        claim = ByCode(code=code, conversation=caller.conversation, turn=caller.turn)
        return await verify(claim, crm=self._crm, factors=CODE, codes=self._book)

    async def _customer(self, contact: Contact | None, caller: Caller) -> Customer | None:
        """Return whose code it will be. A conversation that belongs to somebody gets a code for nobody else."""
        try:
            if caller.customer_id is not None:
                found = await self._crm.customer(caller.customer_id)
            elif contact is None:
                return None
            elif contact.by == "email":
                found = await self._crm.find_by_email(contact.value)
            elif isinstance(self._crm, ByPhone):
                found = await self._crm.find_by_phone(contact.value)
            else:
                return None
        except NotFound:
            return None
        return found if self._on_file(found) else None

    def _on_file(self, customer: Customer) -> str:
        return customer.email if self._rules.by == "email" else customer.phone

    def _letter(self, customer: Customer, code: str) -> Letter:
        said = {
            "code": code,
            "company": self._company[customer.language],
            "minutes": self._rules.expires_minutes,
        }
        return Letter(
            by=self._rules.by,
            to=self._on_file(customer),
            subject=self._phrases.say("code.subject", customer.language, **said),
            text=self._phrases.say("code.text", customer.language, **said),
        )


def _whom(contact: Contact | None, caller: Caller) -> str:
    """Return what codes are counted by: a person where they are known, else what was typed."""
    if caller.customer_id is not None or contact is None:
        return f"customer:{caller.customer_id}"
    return f"{contact.by}:{contact.value}"
