"""One contract for every customer register: in memory, SQLite, PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from tests.tools.shop import ANNA, JOHN, SHOP
from tools.context import CustomerId
from tools.crm.embedded import EmbeddedCRM
from tools.crm.fake import FakeCRM
from tools.crm.port import CRM
from tools.errors import NotFound


@pytest.fixture(params=["fake", "sqlite_shop", pytest.param("postgres_shop", marks=pytest.mark.postgres)])
async def crm(request: pytest.FixtureRequest) -> AsyncIterator[CRM]:
    if request.param == "fake":
        yield FakeCRM(SHOP.customers)
        return
    engine = create_async_engine(request.getfixturevalue(request.param))
    yield EmbeddedCRM(engine)
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
