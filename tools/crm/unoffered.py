"""What a customer register does not have: a base for adapters that only read, or cannot verify by what a person knows."""

from tools.address import Address
from tools.context import CustomerId
from tools.crm.port import Customer
from tools.errors import NotFound, Rejected, Unconfirmed
from tools.proposal import Effect, Proposal


class Unoffered:
    """Nobody is found by what a person knows, and no profile can be changed."""

    async def find_by_email(self, email: str) -> Customer:
        raise NotFound()

    async def find_by_name(self, name: str, *, postcode: str) -> Customer:
        raise NotFound()

    async def propose_address(self, *, owner: CustomerId, new_address: Address) -> Proposal:
        raise Rejected("not_offered")

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        raise Unconfirmed()
