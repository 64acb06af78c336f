"""What is held of a customer can be taken along: all of theirs, nothing of anybody else's."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from agent.records.chain import subject_of
from api.commands.context import Context
from api.commands.customer import app as customer_app
from api.durable import JsonSerializer
from api.rights.export import exported
from api.rights.page import FOLDER, page
from api.rights.registry import held
from api.rights.subject import UnknownCustomer, subject_named
from api.rights.wording import Wording
from api.settings import Settings
from tests.api.desk import SECRET
from tests.api.rights_desk import (
    AGATHA,
    BORIS,
    NAME,
    NOTE,
    PHONE,
    SAYS,
    STREET,
    Scene,
    furnished,
    premises_at,
)
from tools.context import Language
from tools.phrases import LANGUAGES, Phrases

ENGINE = frozenset(one.table for one in held() if one.room == "engine")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with premises_at(tmp_path) as premises:
        yield await furnished(premises)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    async with premises_at(tmp_path, url=url) as premises:
        yield await furnished(premises)


async def told_of(scene: Scene, id: str) -> dict[str, list[dict[str, object]]]:
    async with scene.premises.engine.connect() as connection:
        subject = await subject_named(connection, id)
    return await exported(scene.premises, subject)


async def test_whoever_restricts_lifts_and_corrects_is_in_the_audit(scene: Scene) -> None:
    await scene.records.freeze(AGATHA, known=True, by="vera", why="a dispute")
    await scene.records.freeze(AGATHA, known=True, by="olga", why="again")
    await scene.records.correct(AGATHA, "the name is Agafya", known=True, by="vera")
    await scene.records.thaw(AGATHA, known=True, by="olga")
    await scene.records.thaw(AGATHA, known=True, by="olga")
    lines = await scene.records.trail.listed(about=[subject_of("", AGATHA)], limit=3)
    told = [(line.fields.act, line.fields.actor, dict(line.fields.detail)) for line in lines if line.fields]
    assert told == [
        ("customer.thaw", "olga", {}),
        ("customer.rectify", "vera", {}),
        ("customer.freeze", "vera", {}),
    ]


async def test_an_export_has_rows_of_every_table_that_has_any_of_the_customers(either: Scene) -> None:
    await either.records.freeze(AGATHA, known=True, by="vera", why="a dispute")
    await either.records.correct(AGATHA, "the name is Agafya", known=True, by="vera")
    told = await told_of(either, AGATHA)
    text = json.dumps(told, ensure_ascii=False)
    for words in (NAME, PHONE, STREET, NOTE, SAYS):
        assert words in text
    empty = {name for name, rows in told.items() if not rows}
    returned = {"shop_history", "shop_refunds", "shop_parcels", "shop_requests"}
    # Nothing runs, nothing was ever erased.
    assert empty - ENGINE <= {"erasures", "consent_evidence", "forgotten", *returned}


async def test_an_export_tells_nothing_of_another_customer_nor_what_nobody_said(scene: Scene) -> None:
    text = json.dumps(await told_of(scene, AGATHA), ensure_ascii=False)
    assert "торшер" not in text
    assert BORIS not in text
    assert "Как вернуть люстру?" not in text
    assert "черновик" not in text
    assert "token_hash" not in text


async def test_a_conversation_of_nobody_known_is_exported_by_its_own_id_and_one_of_a_customer_is_not(
    scene: Scene,
) -> None:
    nobody = await scene.records.open_conversation(channel="widget", language="en")
    told = await told_of(scene, nobody.id)
    assert [row["id"] for row in told["conversations"]] == [nobody.id]
    for id in ("nobody-at-all", scene.talk):
        with pytest.raises(UnknownCustomer) as unknown:
            await told_of(scene, id)
        assert unknown.value.remedy


async def test_the_engines_rows_of_a_turn_under_way_are_told(tmp_path: Path) -> None:
    async with premises_at(tmp_path) as premises:
        scene = await furnished(premises)
        engine = sa.create_engine(premises.settings.durable_url)
        inputs = JsonSerializer().serialize({"args": [SAYS]})
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f"CREATE TABLE workflow_status ({', '.join(_columns('workflow_status'))})"
            )
            for table in ENGINE - {"workflow_status"}:
                connection.exec_driver_sql(f"CREATE TABLE {table} ({', '.join(_columns(table))})")
            connection.exec_driver_sql(
                "INSERT INTO workflow_status (workflow_uuid, inputs) VALUES (?, ?)",
                (f"{scene.turn}~2", inputs),
            )
        engine.dispose()
        told = await told_of(scene, AGATHA)
        assert [row["inputs"] for row in told["workflow_status"]] == [inputs]


def _columns(table: str) -> list[str]:
    (one,) = [one for one in held() if one.table == table]
    return [f'"{column}"' for column in sorted(one.columns)]


async def test_the_page_tells_the_same_and_runs_nothing(scene: Scene) -> None:
    await scene.records.accept(scene.talk, key="x", text="<script>alert(1)</script>")
    told = await told_of(scene, AGATHA)
    for language in LANGUAGES:
        html = page(told, language=language, company="Фонарь", timezone="Europe/Moscow")
        assert SAYS in html
        assert NOTE in html
        assert "&lt;script&gt;" in html
        assert "<script" not in html
        assert "http" not in html


async def test_the_page_begins_with_contents_that_lead_to_its_sections(scene: Scene) -> None:
    told = await told_of(scene, AGATHA)
    html = page(told, language="en", company="Fonar", timezone="Europe/Moscow")
    led = re.findall(r'<li><a href="#(\w+)">', html)
    assert led[:1] + led[-1:] == ["profile", "machinery"]
    assert set(led) >= {"talks", "consents", "notes", "orders"}
    assert re.findall(r'<h2 id="(\w+)">', html) == ["contents", *led]


async def test_no_json_stands_on_the_page_no_iso_moment_and_no_column_that_has_a_label(scene: Scene) -> None:
    told = await told_of(scene, AGATHA)
    for language in LANGUAGES:
        html = page(told, language=language, company="Фонарь", timezone="Europe/Moscow")
        shown = re.sub(r'datetime="[^"]*"|<style>.*?</style>', "", html, flags=re.DOTALL)
        assert re.findall(r"\\u[0-9a-f]{4}|\d{4}-\d\d-\d\dT\d\d:\d\d|&#34;:", shown) == []
        columns = {column for one in held() for column in one.told}
        assert columns & set(re.findall(r"<dt>([a-z_]+_[a-z_]+)</dt>", shown)) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_exported_column_has_a_label(language: Language) -> None:
    phrases = Phrases(FOLDER / "texts")
    unnamed = {
        f"{one.table}.{column}"
        for one in held()
        for column in one.told
        if not phrases.has(f"field.{column}", language)
    }
    assert unnamed == set()


@pytest.mark.parametrize(
    ("row", "table", "words"),
    [
        ({"at": "2026-11-30T22:30:00+00:00"}, "", "1 December 2026, 01:30"),
        ({"version": "2026-11-01"}, "consents", "1 November 2026"),
        ({"granted": False}, "consents", "no"),
        ({"channel": "channel"}, "conversations", "messenger"),
        ({"id": "7", "total": 614000}, "shop_orders", "RUB6,140.00"),
        ({"total": 614000}, "turns", "614000"),
        ({"status": "a word of theirs: Yes"}, "", "a word of theirs: Yes"),
        ({"document": "delivery"}, "kb_changes", "delivery"),
        ({"id": "7", "facts": {"products": []}}, "", "7"),
        ({"codes": ["A-1", "A-2"]}, "shop_parcels", "A-1, A-2"),
    ],
)
def test_values_are_told_in_the_customers_form(row: dict[str, Any], table: str, words: str) -> None:
    wording = Wording(
        Phrases(FOLDER / "texts"), language="en", timezone="Europe/Moscow", currencies={"7": "RUB"}
    )
    assert str(wording.entries(row, table=table)[-1].value).replace("\u00a0", " ") == words


def test_the_commands_write_two_private_files_forget_and_say_what_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fill() -> None:
        async with premises_at(tmp_path) as premises:
            await furnished(premises)

    asyncio.run(fill())
    settings = Settings(data=tmp_path, identity_secret=SECRET)
    monkeypatch.setattr(Context, "settings", lambda self: settings)
    run = CliRunner()
    out = tmp_path / "out"
    done = run.invoke(customer_app, ["export", AGATHA, "--out", str(out)], obj=Context())
    assert done.exit_code == 0, done.output
    assert SAYS in (out / "export.html").read_text("utf-8")
    assert json.loads((out / "export.json").read_text("utf-8"))["about"]["customer"] == AGATHA
    assert (out / "export.json").stat().st_mode & 0o077 == 0
    assert NAME in run.invoke(customer_app, ["export", AGATHA, "--json"], obj=Context()).output
    missing = run.invoke(customer_app, ["export", "who"], obj=Context())
    assert isinstance(missing.exception, UnknownCustomer)
    asked = run.invoke(customer_app, ["erase", AGATHA], input="n\n", obj=Context())
    assert asked.exit_code == 1
    done = run.invoke(customer_app, ["erase", AGATHA, "--yes", "--json"], obj=Context())
    assert json.loads(done.stdout)["counts"]["conversations"] == 1
    again = run.invoke(customer_app, ["erase", AGATHA, "--yes"], obj=Context())
    assert isinstance(again.exception, UnknownCustomer)
