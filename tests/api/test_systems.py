"""Which systems a house stands on is told by settings; wrong ones are refused with a remedy, secrets are not told."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from agent.pack import load_pack
from api import house
from api.container import SystemClock
from api.health import examine_keepers
from api.settings import BadSetting, Settings, read_settings
from api.systems.choose import SYSTEMS, TRIAL, named, opened, systems
from tests.systems.bitrix24 import KEY, served
from tests.systems.bitrix24_seed import SITE_ID, portal
from tools.crm.bitrix24 import Bitrix24CRM
from tools.crm.embedded import EmbeddedCRM
from tools.crm.tryton import TrytonCRM
from tools.orders.bitrix24 import Bitrix24Orders
from tools.orders.embedded import EmbeddedOrders
from tools.orders.tryton import TrytonOrders
from tools.trial.systems import Lines

TRYTON = {
    "MAYAK_TRYTON_URL": "https://erp.example.com",
    "MAYAK_TRYTON_DATABASE": "shop",
    "MAYAK_TRYTON_KEY": "k3y-of-the-bot",
}
BITRIX24 = {"MAYAK_BITRIX24_WEBHOOK": "https://lamp.bitrix24.ru/rest/1/k3y0fth3b0t/"}
GOOD = {"tryton": TRYTON, "bitrix24": BITRIX24}
ADAPTERS = {
    "embedded": (EmbeddedOrders, EmbeddedCRM),
    "tryton": (TrytonOrders, TrytonCRM),
    "bitrix24": (Bitrix24Orders, Bitrix24CRM),
}


def settings_of(orders: str, crm: str, **more: str) -> Settings:
    return read_settings({**TRYTON, **BITRIX24, "MAYAK_ORDERS": orders, "MAYAK_CRM": crm, **more})


def test_every_system_of_the_table_is_tried_here() -> None:
    assert {"embedded", *SYSTEMS} == ADAPTERS.keys()


@pytest.mark.parametrize("orders", ADAPTERS)
@pytest.mark.parametrize("crm", ADAPTERS)
async def test_orders_and_customers_are_kept_where_the_settings_say(orders: str, crm: str) -> None:
    settings, pack = settings_of(orders, crm), load_pack(Settings().company)
    engine = create_async_engine("sqlite+aiosqlite://")
    async with AsyncExitStack() as stack:
        found = systems(
            settings, {}, engine=engine, pack=pack, clock=SystemClock(), stack=stack, trial=Lines()
        )
        assert [type(one) for one in found] == [ADAPTERS[orders][0], ADAPTERS[crm][1]]
    await engine.dispose()


def test_a_system_that_keeps_both_is_opened_once() -> None:
    assert named(settings_of("tryton", "tryton")) == ("tryton",)
    assert named(settings_of("tryton", "bitrix24")) == ("tryton", "bitrix24")
    for none in ("embedded", TRIAL):
        assert named(settings_of(none, none)) == ()
    assert named(settings_of("embedded", "http:desk")) == ()


@pytest.mark.parametrize(
    ("system", "name", "value"),
    [
        ("sap", "MAYAK_ORDERS", "sap"),
        ("Tryton", "MAYAK_CRM", "Tryton"),
        ("tryton", "MAYAK_TRYTON_URL", ""),
        ("tryton", "MAYAK_TRYTON_URL", "erp.example.com"),
        ("tryton", "MAYAK_TRYTON_DATABASE", ""),
        ("tryton", "MAYAK_TRYTON_KEY", ""),
        ("tryton", "MAYAK_TRYTON_CUSTOMER", "name"),
        ("tryton", "MAYAK_TRYTON_DONE", "gone"),
        ("tryton", "MAYAK_SYSTEM_TIMEOUT", "0"),
        ("bitrix24", "MAYAK_BITRIX24_WEBHOOK", ""),
        ("bitrix24", "MAYAK_BITRIX24_WEBHOOK", "https://lamp.bitrix24.ru/rest/k3y0fth3b0t/"),
        ("bitrix24", "MAYAK_BITRIX24_CUSTOMER", "email"),
        ("bitrix24", "MAYAK_BITRIX24_DONE", "gone"),
        ("bitrix24", "MAYAK_BITRIX24_STATES", "PK=packed,DT"),
        ("bitrix24", "MAYAK_SYSTEM_TIMEOUT", "-1"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_a_remedy(system: str, name: str, value: str) -> None:
    settings = read_settings({**GOOD.get(system, {}), name: value})
    with pytest.raises(BadSetting) as wrong:
        opened(system, settings)
    assert name in str(wrong.value)
    assert wrong.value.remedy
    assert "k3y" not in f"{wrong.value!r} {wrong.value.remedy} {wrong.value.__cause__!r}"


def test_no_key_is_in_any_account_of_the_settings() -> None:
    assert "k3y" not in repr(settings_of("tryton", "bitrix24"))


async def test_the_doctor_asks_each_system_and_tells_what_is_wrong_with_it() -> None:
    async with served(portal()) as company:
        well = settings_of(
            "bitrix24",
            "bitrix24",
            MAYAK_BITRIX24_WEBHOOK=company.webhook,
            MAYAK_BITRIX24_CUSTOMER=f"field:{SITE_ID}",
        )
        (found,) = await examine_keepers(well)
        assert (found.name, found.ok, found.detail) == ("bitrix24", True, "scopes crm, sale, catalog")
        company.scopes.remove("sale")
        (found,) = await examine_keepers(well)
        assert not found.ok
        assert "sale" in found.detail
        assert found.remedy
        assert KEY not in str(found)
    (unreached,) = await examine_keepers(well)
    assert not unreached.ok
    assert KEY not in str(unreached)


async def test_a_wrong_setting_of_one_system_leaves_the_others_examined() -> None:
    wrong = settings_of("sap", "bitrix24", MAYAK_BITRIX24_WEBHOOK="")
    assert [(one.name, one.ok) for one in await examine_keepers(wrong)] == [
        ("sap", False),
        ("bitrix24", False),
    ]


async def test_a_sandbox_never_reaches_the_companys_systems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list[Settings] = []

    @asynccontextmanager
    async def keeping(settings: Settings, prepare: object = None) -> AsyncIterator[None]:
        kept.append(settings)
        yield None

    monkeypatch.setattr(house, "_in_process", keeping)
    settings = settings_of("tryton", "bitrix24", MAYAK_DATA=str(tmp_path / "data"))
    async with house.open_sandbox(settings, {}):
        pass
    assert [(one.orders, one.crm) for one in kept] == [(TRIAL, TRIAL)]
