"""`mayak doctor` on texts of consents: one version names one text."""

import shutil
from pathlib import Path

import pytest

from agent.fake import FixedClock
from agent.pack import load_pack
from agent.policy.consent import change
from agent.records.engine import connect
from agent.records.sql import SqlRecords, create_tables
from api.health import _consents, finding
from api.settings import ROOT, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("company.toml", "policy.toml"):
        (tmp_path / "pack").mkdir(exist_ok=True)
        shutil.copy(ROOT / "demo" / name, tmp_path / "pack" / name)
    return Settings(company=tmp_path / "pack", data=tmp_path)


async def test_a_text_that_changed_under_its_version_is_a_finding_and_the_old_words_are_kept(
    settings: Settings,
) -> None:
    assert (
        await finding("consents", _consents, settings)
    ).detail == "no ledger here yet; the server makes it"
    purposes = load_pack(settings.company).purposes
    engine = connect(settings.database_url)
    await create_tables(engine)
    records = SqlRecords(engine, clock=FixedClock(), card=lambda *_: {}, purposes=purposes)
    id = (await records.open_conversation(channel="widget", language="en")).id
    await records.consent_outside(id, change(purposes["memory"], granted=True, language="en"))
    await engine.dispose()
    assert (await finding("consents", _consents, settings)).ok

    policy = settings.company / "policy.toml"
    policy.write_text(policy.read_text("utf-8").replace("Shall I remember?", "Shall I, for ever?"), "utf-8")
    found = await finding("consents", _consents, settings)
    assert not found.ok
    assert "memory" in found.detail
    assert "`version`" in found.remedy


async def test_a_broken_pack_is_said_where_the_pack_is_looked_at(settings: Settings) -> None:
    (settings.company / "policy.toml").write_text("[", "utf-8")
    assert (await finding("consents", _consents, settings)).ok
