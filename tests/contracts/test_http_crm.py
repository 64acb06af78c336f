"""The contract of customers kept by a system that the pack describes: Desk, over its real HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contracts import test_crm
from tests.tools.desk_server import Desk, desk
from tests.tools.desks import asking, described
from tests.tools.shop import ANNA, BORIS
from tools.address import Address
from tools.context import CustomerId
from tools.crm.http import HttpCRM
from tools.crm.port import ByPhone
from tools.errors import NotFound, Rejected, Unavailable


@pytest.fixture
async def server() -> AsyncIterator[Desk]:
    async with desk() as running:
        yield running


@pytest.fixture
async def crm(server: Desk, tmp_path: Path) -> AsyncIterator[HttpCRM]:
    async with asking(server) as asked:
        yield HttpCRM(described(tmp_path), asked)


class TestCustomers(test_crm.TestCustomers):
    async def test_another_than_was_asked_for_is_nobody(self, crm: HttpCRM, server: Desk) -> None:
        server.instead = lambda asked: (200, server.customers[BORIS])
        with pytest.raises(NotFound):
            await crm.customer(ANNA)

    async def test_a_customer_of_another_shape_is_not_believed(self, crm: HttpCRM, server: Desk) -> None:
        for broken in ({"full_name": 7}, {"locale": "xx"}, {"home": []}, {"points": -1}):
            server.instead = lambda asked, broken=broken: (200, {**server.customers[ANNA], **broken})  # type: ignore[misc]
            with pytest.raises(Unavailable):
                await crm.customer(ANNA)

    async def test_a_customer_without_contacts_has_none(self, crm: HttpCRM, server: Desk) -> None:
        server.customers[ANNA].update(email=None, mobile=None, home=None, login=None)
        anna = await crm.customer(ANNA)
        assert (anna.email, anna.phone, anna.address, anna.login) == ("", "", None, None)

    async def test_an_id_leads_to_no_other_address(self, crm: HttpCRM, server: Desk) -> None:
        for id in ("..", ".", "c-001/../c-002", "c-001?x=", "../cases/101", "x" * 50, "%2e%2e"):
            with pytest.raises(NotFound):
                await crm.customer(CustomerId(id))
        assert all(asked.startswith("GET /api/customers/") for asked in server.asked)
        assert not any("/cases" in asked.split("?")[0] for asked in server.asked)


class TestVerifying(test_crm.TestVerifying):
    async def test_one_is_found_by_phone_however_it_is_written(self, crm: HttpCRM, server: Desk) -> None:
        assert isinstance(crm, ByPhone)
        mobile = server.customers[ANNA]["mobile"]
        assert (await crm.find_by_phone(mobile)).id == ANNA

    async def test_two_who_fit_are_as_good_as_none(self, crm: HttpCRM, server: Desk) -> None:
        server.customers[BORIS]["email"] = server.customers[ANNA]["email"]
        with pytest.raises(NotFound):
            await crm.find_by_email("anna@example.com")

    async def test_a_namesake_on_a_page_that_was_not_read_counts(self, crm: HttpCRM, server: Desk) -> None:
        like = server.customers[ANNA]
        for n in range(40):
            server.customers[f"x-{n}"] = {**like, "id": f"x-{n}", "full_name": f"Анна Соколова {n}"}
        with pytest.raises(NotFound):
            await crm.find_by_name("Анна Соколова", postcode=like["home"]["zip"])


async def test_a_profile_is_not_changed_there(crm: HttpCRM) -> None:
    with pytest.raises(Rejected, match="not_offered"):
        await crm.propose_address(owner=ANNA, new_address=Address(line="Садовая ул., 5"))
