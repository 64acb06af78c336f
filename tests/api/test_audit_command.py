"""`mayak audit` and what the doctor says of the chain, beside a server or before the first start."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from click.testing import Result
from sqlalchemy import text
from typer.testing import CliRunner

from agent.records.audit import SqlAudit
from agent.records.chain import Entry, customer
from agent.records.engine import connect
from api.commands.audit import app
from api.container import SystemClock
from api.health import examine_audit
from api.settings import Settings


def run(settings: Settings, *arguments: str) -> Result:
    context = SimpleNamespace(settings=lambda: settings)
    return CliRunner().invoke(app, list(arguments), obj=context)


def within(settings: Settings, *entries: Entry, sql: str = "") -> None:
    async def work() -> None:
        engine = connect(settings.database_url)
        await SqlAudit(engine, clock=SystemClock()).write(*entries)
        async with engine.begin() as connection:
            if sql:
                await connection.execute(text(sql))
        await engine.dispose()

    asyncio.run(work())


def read(who: str) -> Entry:
    return Entry(act="read", actor="olga", target="c", about=customer(who), detail={"messages": 3})


def verified(settings: Settings, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = run(settings, "verify", "--json", *arguments)
    return result.exit_code, json.loads(result.output)


def test_the_audit_is_listed_verified_and_found_wanting_by_command_and_doctor(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    settings.data.mkdir()
    fresh = asyncio.run(examine_audit(settings))
    assert (fresh.ok, "not begun" in fresh.detail) == (True, True)
    assert verified(settings)[1]["lines"] == 0
    within(settings, read("anna"), read("boris"), read("anna"))
    listed = json.loads(run(settings, "list", "--customer", "anna", "--json").output)
    assert [(row["n"], row["actor"], row["about"]) for row in listed] == [
        (3, "olga", "customer:anna"),
        (1, "olga", "customer:anna"),
    ]
    assert len(run(settings, "list", "--act", "read", "--last", "1").output.splitlines()) == 1
    code, told = verified(settings)
    assert (code, told["holds"], told["lines"], told["erased"]) == (0, True, 3, 0)
    assert asyncio.run(examine_audit(settings)).detail == "3 lines hold, 0 of them erased"
    within(settings, sql="UPDATE audit SET actor = 'nobody' WHERE n = 2")
    code, told = verified(settings)
    assert (code, told["faults"]) == (1, ["line 2 is not as it was written"])
    ill = asyncio.run(examine_audit(settings))
    assert (ill.ok, "line 2" in ill.detail, "mayak audit verify" in ill.remedy) == (False, True, True)


def test_a_head_that_was_kept_elsewhere_shows_a_chain_that_was_written_anew(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    run(settings, "verify")
    within(settings, read("anna"), read("boris"))
    head = verified(settings)[1]["head"]
    within(settings, read("anna"))
    assert verified(settings, "--known", head)[0] == 0
    within(settings, sql="DELETE FROM audit")
    within(settings, sql="UPDATE audit_head SET n = 0, link = ''")
    within(settings, read("anna"), read("anna"), read("anna"))
    assert verified(settings)[0] == 0, "by itself it looks whole"
    code, told = verified(settings, "--known", head)
    assert code == 1
    assert "written anew" in told["faults"][0]
    assert run(settings, "verify", "--known", "nonsense").exit_code == 1
