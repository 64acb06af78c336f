"""Which systems a house stands on is told by settings; wrong ones are refused with a remedy, secrets are not told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from api import house
from api.settings import BadSetting, Settings, read_settings
from api.systems import tryton

GOOD = {
    "MAYAK_ORDERS": "tryton",
    "MAYAK_TRYTON_URL": "https://erp.example.com",
    "MAYAK_TRYTON_DATABASE": "shop",
    "MAYAK_TRYTON_KEY": "k3y-of-the-bot",
}


async def test_tryton_is_opened_where_it_keeps_something() -> None:
    assert tryton(read_settings({})) is None
    for name in ("MAYAK_ORDERS", "MAYAK_CRM"):
        found = tryton(read_settings({**GOOD, "MAYAK_ORDERS": "embedded", name: "tryton"}))
        assert found is not None
        assert found.url == "https://erp.example.com"
        await found.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAYAK_ORDERS", "sap"),
        ("MAYAK_CRM", "Tryton"),
        ("MAYAK_TRYTON_URL", ""),
        ("MAYAK_TRYTON_URL", "erp.example.com"),
        ("MAYAK_TRYTON_DATABASE", ""),
        ("MAYAK_TRYTON_KEY", ""),
        ("MAYAK_TRYTON_CUSTOMER", "name"),
        ("MAYAK_TRYTON_DONE", "gone"),
        ("MAYAK_SYSTEM_TIMEOUT", "0"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_a_remedy(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as wrong:
        tryton(read_settings({**GOOD, name: value}))
    assert name in str(wrong.value)
    assert wrong.value.remedy
    assert "k3y" not in f"{wrong.value} {wrong.value.remedy}"


def test_the_key_is_in_no_account_of_the_settings() -> None:
    assert "k3y" not in repr(read_settings(GOOD))


async def test_a_sandbox_never_reaches_the_companys_systems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[Settings] = []

    @asynccontextmanager
    async def kept(settings: Settings, prepare: object = None) -> AsyncIterator[None]:
        opened.append(settings)
        yield None

    monkeypatch.setattr(house, "_in_process", kept)
    settings = read_settings({**GOOD, "MAYAK_CRM": "tryton", "MAYAK_DATA": str(tmp_path / "data")})
    async with house.open_sandbox(settings, {}):
        pass
    assert [(one.orders, one.crm) for one in opened] == [("embedded", "embedded")]
