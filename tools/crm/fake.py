"""A customer register in memory, for tests and evals."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from tools.address import Address
from tools.contacts import dialled
from tools.context import CustomerId
from tools.crm import rules
from tools.crm.port import Customer
from tools.errors import NotFound, Rejected
from tools.folding import folded
from tools.proposal import Effect, Proposal, admit, in_time, same_as_before


class FakeCRM:
    """`CRM` over what it is given; `fail_with` makes every call raise it."""

    def __init__(
        self,
        customers: Iterable[Customer] = (),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.fail_with: Exception | None = None
        self._customers = {customer.id: customer for customer in customers}
        self._now = now
        self._effects: dict[str, Effect] = {}

    async def customer(self, customer_id: CustomerId) -> Customer:
        self._answer()
        if customer_id not in self._customers:
            raise NotFound()
        return self._customers[customer_id]

    async def find_by_login(self, login: str) -> Customer:
        return self._only(lambda customer: customer.login == login)

    async def find_by_email(self, email: str) -> Customer:
        wanted = folded(email)
        return self._only(lambda customer: bool(wanted) and folded(customer.email) == wanted)

    async def find_by_phone(self, phone: str) -> Customer:
        wanted = dialled(phone)
        return self._only(lambda customer: bool(wanted) and dialled(customer.phone) == wanted)

    async def find_by_name(self, name: str, *, postcode: str) -> Customer:
        wanted = (folded(name), postcode)

        def fits(customer: Customer) -> bool:
            home = customer.address
            return home is not None and all(wanted) and (folded(customer.name), home.postcode) == wanted

        return self._only(fits)

    async def propose_address(self, *, owner: CustomerId, new_address: Address) -> Proposal:
        return rules.moving(await self.customer(owner), new_address=new_address, now=self._now())

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        self._answer()
        admit(proposal, owner=owner, kinds=rules.KINDS)
        earlier = self._effects.get(key)
        if earlier is not None:
            if earlier.proposal.owner != owner:
                raise Rejected("key_reused")
            same_as_before(proposal, digest=earlier.proposal.digest)
            return Effect(proposal=proposal, state="already_done", facts=earlier.facts)
        in_time(proposal, now=self._now())
        changed = rules.moved(await self.customer(owner), proposal)
        self._customers[owner] = replace(changed, version=str(int(changed.version) + 1))
        self._effects[key] = Effect(proposal=proposal, state="done", facts=dict(proposal.facts))
        return self._effects[key]

    def _only(self, fits: Callable[[Customer], bool]) -> Customer:
        self._answer()
        found = [customer for customer in self._customers.values() if fits(customer)]
        if len(found) != 1:
            raise NotFound()
        return found[0]

    def _answer(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with
