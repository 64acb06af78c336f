"""A customer register in memory, for tests and evals."""

from collections.abc import Iterable

from tools.context import CustomerId
from tools.crm.port import Customer
from tools.errors import NotFound


class FakeCRM:
    """`CRM` over what it is given; `fail_with` makes every call raise it."""

    def __init__(self, customers: Iterable[Customer] = ()) -> None:
        self.fail_with: Exception | None = None
        self._customers = {customer.id: customer for customer in customers}

    async def customer(self, customer_id: CustomerId) -> Customer:
        self._answer()
        if customer_id not in self._customers:
            raise NotFound()
        return self._customers[customer_id]

    async def find_by_login(self, login: str) -> Customer:
        self._answer()
        for customer in self._customers.values():
            if customer.login == login:
                return customer
        raise NotFound()

    def _answer(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with
