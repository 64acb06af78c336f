"""One contract for every customer register: in memory, SQLite, PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from tests.tools.shop import ANNA, BORIS, JOHN, SHOP, Clock
from tools.address import Address
from tools.context import CustomerId
from tools.crm.embedded import EmbeddedCRM
from tools.crm.fake import FakeCRM
from tools.crm.port import CRM
from tools.errors import NotFound, Rejected, Unconfirmed


@pytest.fixture(params=["fake", "sqlite_shop", pytest.param("postgres_shop", marks=pytest.mark.postgres)])
async def crm(request: pytest.FixtureRequest) -> AsyncIterator[CRM]:
    if request.param == "fake":
        yield FakeCRM(SHOP.customers, now=Clock())
        return
    engine = create_async_engine(request.getfixturevalue(request.param))
    yield EmbeddedCRM(engine, now=Clock())
    await engine.dispose()


class TestCustomers:
    async def test_a_customer_is_found_by_id(self, crm: CRM) -> None:
        anna = await crm.customer(ANNA)
        assert (anna.name, anna.language, anna.city, anna.login) == (
            "Анна Соколова",
            "ru",
            "Нижний Новгород",
            "anna",
        )
        assert anna.level.said("en") == "Flame"
        assert anna.points >= 0

    async def test_the_sign_in_page_finds_a_customer_by_login(self, crm: CRM) -> None:
        assert (await crm.find_by_login("john")).id == JOHN

    async def test_who_is_not_there_is_not_found(self, crm: CRM) -> None:
        for absent in ("", "nobody", "ANNA", "' OR 1=1 --"):
            with pytest.raises(NotFound):
                await crm.customer(CustomerId(absent))
            with pytest.raises(NotFound):
                await crm.find_by_login(absent)


class TestVerifying:
    async def test_a_customer_is_found_by_what_they_know_however_it_is_written(self, crm: CRM) -> None:
        assert (await crm.find_by_email(" ANNA@example.com")).id == ANNA
        anna = await crm.customer(ANNA)
        assert anna.address is not None
        postcode = anna.address.postcode
        assert (await crm.find_by_name("анна  СОКОЛОВА", postcode=postcode)).id == ANNA

    async def test_what_fits_nobody_is_not_found(self, crm: CRM) -> None:
        for email in ("", " ", "nobody@example.com", "anna@example.co", "%"):
            with pytest.raises(NotFound):
                await crm.find_by_email(email)
        for name, postcode in (
            ("Анна Соколова", "000000"),
            ("", ""),
            ("Анна Соколова", ""),
            ("Анна", "603073"),
        ):
            with pytest.raises(NotFound):
                await crm.find_by_name(name, postcode=postcode)


ELSEWHERE = Address(line="Садовая ул., 5", city="Бор", postcode="606440", extra="кв. 17")


class TestMoving:
    async def test_the_profile_keeps_the_new_address_and_its_city(self, crm: CRM) -> None:
        proposal = await crm.propose_address(owner=ANNA, new_address=ELSEWHERE)
        assert (await crm.customer(ANNA)).address != ELSEWHERE
        effect = await crm.execute(proposal, owner=ANNA, key=proposal.id)
        anna = await crm.customer(ANNA)
        assert (effect.state, anna.address, anna.city, anna.version) == ("done", ELSEWHERE, "Бор", "2")
        assert effect.facts["new_address"] == "606440, Бор, Садовая ул., 5, кв. 17"

    async def test_a_useless_address_and_the_present_one_are_refused(self, crm: CRM) -> None:
        present = (await crm.customer(ANNA)).address
        assert present is not None
        for address, reason in (
            (Address(line=""), "bad_address"),
            (Address(line="", city="Бор", postcode="606440"), "bad_address"),
            (present, "same_home"),
            (Address(line=present.line.upper()), "same_home"),
        ):
            with pytest.raises(Rejected) as wrong:
                await crm.propose_address(owner=ANNA, new_address=address)
            assert wrong.value.reason == reason

    async def test_ten_at_once_have_one_effect(self, crm: CRM) -> None:
        proposal = await crm.propose_address(owner=ANNA, new_address=ELSEWHERE)
        effects = await asyncio.gather(*(crm.execute(proposal, owner=ANNA, key="k") for _ in range(10)))
        assert sorted(effect.state for effect in effects) == ["already_done"] * 9 + ["done"]
        assert (await crm.customer(ANNA)).version == "2"

    async def test_a_profile_that_changed_since_is_left_alone(self, crm: CRM) -> None:
        stale = await crm.propose_address(owner=ANNA, new_address=Address(line="Бор, Новая ул., 1"))
        move = await crm.propose_address(owner=ANNA, new_address=ELSEWHERE)
        await crm.execute(move, owner=ANNA, key=move.id)
        with pytest.raises(Rejected) as wrong:
            await crm.execute(stale, owner=ANNA, key=stale.id)
        assert wrong.value.reason == "changed"
        assert (await crm.customer(ANNA)).address == ELSEWHERE

    async def test_another_customer_cannot_do_it_nor_use_its_key(self, crm: CRM) -> None:
        proposal = await crm.propose_address(owner=ANNA, new_address=ELSEWHERE)
        with pytest.raises(NotFound):
            await crm.execute(proposal, owner=BORIS, key=proposal.id)
        with pytest.raises(Unconfirmed):
            await crm.execute(replace(proposal, owner=BORIS), owner=BORIS, key=proposal.id)
        await crm.execute(proposal, owner=ANNA, key="k")
        other = await crm.propose_address(owner=BORIS, new_address=ELSEWHERE)
        with pytest.raises(Rejected) as wrong:
            await crm.execute(other, owner=BORIS, key="k")
        assert wrong.value.reason == "key_reused"
        with pytest.raises(NotFound):
            await crm.propose_address(owner=CustomerId("nobody"), new_address=ELSEWHERE)
