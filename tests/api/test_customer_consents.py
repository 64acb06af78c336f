"""`mayak customer consents`: the state now and the whole history, for people and for programs."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.basis import digest
from agent.fake import FixedClock
from agent.pack import load_pack
from agent.policy.consent import change
from agent.records.engine import connect
from agent.records.sql import SqlRecords
from api.commands.context import Context
from api.commands.customer import app
from api.migrate import migrate
from api.rights.subject import UnknownCustomer
from api.settings import ROOT, Settings
from tools.context import CustomerId

PURPOSES = load_pack(ROOT / "demo").purposes


class Here(Context):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def settings(self) -> Settings:
        return self._settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data=tmp_path)
    migrate(settings.database_url)

    async def fill() -> None:
        engine = connect(settings.database_url)
        records = SqlRecords(engine, clock=FixedClock(), card=lambda *_: {}, purposes=PURPOSES)
        talk = await records.open_conversation(
            channel="telegram",
            external_id="77",
            language="ru",
            customer_id=CustomerId("anna"),
            assurance="verified",
        )
        given = [change(PURPOSES[name], granted=True, language="ru") for name in ("memory", "orders:read")]
        taken = change(PURPOSES["memory"], granted=False, language="ru")
        await records.consent_outside(talk.id, *given)
        await records.consent_outside(talk.id, taken, actor="olga")
        await engine.dispose()

    asyncio.run(fill())
    return settings


def run(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["consents", *arguments], obj=Here(settings), env={"COLUMNS": "300"})


def test_state_and_history_are_told_to_programs_and_people(settings: Settings) -> None:
    told = json.loads(run(settings, "anna", "--json").stdout)
    assert {row["purpose"] for row in told["now"] if row["live"]} == {"orders:read"}
    assert [(row["purpose"], row["granted"], row["actor"]) for row in told["history"]] == [
        ("memory", True, "customer"),
        ("orders:read", True, "customer"),
        ("memory", False, "olga"),
    ]
    last = told["history"][-1]
    assert last["text_sha256"] == digest(last["text"]) == digest(PURPOSES["memory"].text["ru"])
    assert (last["channel"], last["address"], last["version"]) == ("telegram", "77", "2026-11-01")
    assert next(row["row"] for row in told["now"] if row["purpose"] == "orders:read") == 2

    shown = run(settings, "anna").stdout
    assert "olga" in shown
    assert "telegram 77" in shown
    by_talk = json.loads(run(settings, last["conversation"], "--json").stdout)
    assert by_talk["history"] == told["history"]
    assert isinstance(run(settings, "nobody").exception, UnknownCustomer)
