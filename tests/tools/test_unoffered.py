"""A system that cannot do a write says so, and who a customer is comes from what they know."""

import inspect
from typing import Any

import pytest

from tests.tools.shop import ANNA, PHRASES, SHOP
from tools.address import Address
from tools.assurance import KNOWLEDGE, ByEmail, ByName, Refused, Verified, verify
from tools.crm.fake import FakeCRM
from tools.crm.port import CRM
from tools.crm.unoffered import Unoffered as UnofferedCRM
from tools.errors import NotFound, Rejected, Unavailable, Unconfirmed
from tools.orders.port import Orders
from tools.orders.unoffered import Unoffered

PROPOSALS = sorted(name for name in vars(Orders) if name.startswith("propose_"))


def arguments(method: Any) -> dict[str, Any]:
    return {name: "x" for name in inspect.signature(method).parameters if name != "self"}


@pytest.mark.parametrize("name", PROPOSALS)
async def test_a_write_of_orders_that_is_not_offered_is_refused_in_words(name: str) -> None:
    method = getattr(Unoffered(), name)
    assert inspect.signature(method) == inspect.signature(getattr(Orders, name).__get__(Unoffered()))
    with pytest.raises(Rejected) as wrong:
        await method(**arguments(method))
    assert PHRASES.has(f"fault.rejected.{wrong.value.reason}", "ru")
    assert await Unoffered().methods(owner=ANNA) == ()


async def test_a_register_that_only_reads_finds_nobody_and_changes_nothing() -> None:
    crm = UnofferedCRM()
    for found in (crm.find_by_email("anna@example.com"), crm.find_by_name("Анна", postcode="1")):
        with pytest.raises(NotFound):
            await found
    with pytest.raises(Rejected, match="not_offered"):
        await crm.propose_address(owner=ANNA, new_address=Address(line="Бор, Новая ул., 1"))
    fake: CRM = FakeCRM(SHOP.customers)
    proposal = await fake.propose_address(owner=ANNA, new_address=Address(line="Бор, Новая ул., 1"))
    with pytest.raises(Unconfirmed):
        await crm.execute(proposal, owner=ANNA, key="k")


async def test_a_claim_is_verified_only_when_it_is_true_of_exactly_one() -> None:
    crm = FakeCRM(SHOP.customers)
    home = (await crm.customer(ANNA)).address
    assert home is not None
    name = ByName(name="АННА Соколова", postcode=home.postcode)
    for claim in (ByEmail(email="Anna@Example.com"), name):
        assert await verify(claim, crm=crm, factors=KNOWLEDGE) == Verified(customer=ANNA)
    for lie in (ByEmail(email=""), ByEmail(email="x"), ByName(name="Анна Соколова", postcode="1")):
        assert await verify(lie, crm=crm, factors=KNOWLEDGE) == Refused(reason="wrong")
    assert await verify(name, crm=crm) == Refused(reason="off"), "nothing counts unless the company says so"
    crm.fail_with = Unavailable("down")
    with pytest.raises(Unavailable):
        await verify(name, crm=crm, factors=KNOWLEDGE)
