"""What the agent may ask of a customer register. Consent records are not kept there: they are the agent's own."""

from dataclasses import dataclass
from typing import Protocol

from tools.bilingual import Bilingual
from tools.context import CustomerId, Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer. Contacts are in full, so they are masked before they leave the room; one that is not known is "".

    `level` and `points` are those of the loyalty programme, None where the register has no such thing.
    """

    id: CustomerId
    login: str | None
    name: str
    email: str
    phone: str
    language: Language
    city: str
    level: Bilingual | None = None
    points: int | None = None


class CRM(Protocol):
    """A customer register. Any call may raise `Unavailable`."""

    async def customer(self, customer_id: CustomerId) -> Customer:
        """Return the customer; `NotFound` if there is none."""

    async def find_by_login(self, login: str) -> Customer:
        """Return the customer who signs in as `login`; `NotFound` if there is none.

        For the demo shop's own sign-in page only: no tool offered to a model may call it.
        """
