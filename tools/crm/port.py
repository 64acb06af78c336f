"""What the agent may ask of a customer register. Consent records are not kept there: they are the agent's own."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tools.address import Address
from tools.bilingual import Bilingual
from tools.context import CustomerId, Language
from tools.proposal import Effect, Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer. Contacts are in full, so they are masked before they leave the room; one that is not known is "".

    `level` and `points` are those of the loyalty programme, None where the register has no such thing; `address` is
    where orders go unless another is given. `version` changes with the profile.
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
    address: Address | None = None
    version: str = "1"


class CRM(Protocol):
    """A customer register. Any call may raise `Unavailable`.

    A record that was deleted, or merged into another, is nobody: `NotFound` by its id and by everything that found it.
    No adapter follows it to the record that is left: that one is found by a proof of its own.
    """

    async def customer(self, customer_id: CustomerId) -> Customer:
        """Return the customer; `NotFound` if there is none."""

    async def find_by_login(self, login: str) -> Customer:
        """Return the customer who signs in as `login`; `NotFound` if there is none.

        For the demo shop's own sign-in page only: no tool offered to a model may call it.
        """

    # For verification only (`tools.assurance.verify`): no tool offered to a model may call these two. Letter case and
    # accents do not count; two customers who fit are as good as none.

    async def find_by_email(self, email: str) -> Customer:
        """Return the customer with this e-mail; `NotFound` when it is not exactly one."""

    async def find_by_name(self, name: str, *, postcode: str) -> Customer:
        """Return the customer of this full name whose own address has this postcode; `NotFound` as above."""

    async def propose_address(self, *, owner: CustomerId, new_address: Address) -> Proposal:
        """Propose another address for the owner's profile; changes nothing, and no order.

        `NotFound`, `Rejected` with "bad_address", "same_home", or "not_offered" where the register has no such
        write.
        """

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        """Do what was proposed, once for each `key`; raises as `tools.orders.port.Orders.execute`."""


@runtime_checkable
class ByPhone(Protocol):
    """A customer register that also finds by phone; for verification only, as `CRM.find_by_email`."""

    async def find_by_phone(self, phone: str) -> Customer:
        """Return the customer with this phone, however it is written; `NotFound` when it is not exactly one."""
