"""A full disk and a locked database while Mayak runs: told with a remedy, nothing lost, nothing answered twice.

Two real ways to fill a disk: SQLite's own page limit in this process, the kernel's limit on a server's files.
"""

import asyncio
import json
import resource
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from agent.records import engine
from api.commands.context import Context
from api.commands.knowledge import app as knowledge
from api.faults import told
from api.identity import SECRET_FILE, identity_secret
from api.outage import outage_of
from api.settings import ROOT, Settings
from tests.api.console_house import console, form_token, signed_in
from tests.api.desk import open_door, settings_in
from tests.api.killing import Forge, arrive, call, forge, foundry, prepared, ready, settled  # noqa: F401

PLENTY = 2**30
LITTLE = 32 * 1024
"""Bytes a file of the server may have while its disk is full; its databases have more."""
DOCUMENT = "# Gift wrapping\n\nWe wrap any present in paper for five euros. Ask for it in the basket.\n"


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another program has the database for itself."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


class Disk:
    """The room that SQLite has; every connection is told when it is taken from the pool."""

    def __init__(self, shared: AsyncEngine, path: Path) -> None:
        self.path = path
        self.pages = PLENTY
        event.listen(shared.sync_engine, "checkout", self._tell)

    def _tell(self, connection: Any, record: Any, proxy: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={self.pages}")
        cursor.close()

    def fill(self) -> None:
        with sqlite3.connect(self.path) as base:
            (self.pages,) = base.execute("PRAGMA page_count").fetchone()
        base.close()

    def free(self) -> None:
        self.pages = PLENTY


def refusal(work: Any, *arguments: Any) -> BaseException:
    with pytest.raises((sqlite3.Error, OSError, DBAPIError)) as refused:
        work(*arguments)
    return refused.value


def test_only_what_passes_is_an_outage(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    base = sqlite3.connect(path, isolation_level=None, timeout=0)
    base.execute("CREATE TABLE t (a)")
    with held(path):
        locked = outage_of(refusal(base.execute, "INSERT INTO t VALUES (1)"))
    base.execute("PRAGMA max_page_count=2")
    full = outage_of(refusal(base.execute, "INSERT INTO t VALUES (zeroblob(90000))"))
    wrong = refusal(base.execute, "INSERT INTO t (no_such_column) VALUES (1)")
    base.execute("PRAGMA query_only=1")
    closed = outage_of(refusal(base.execute, "INSERT INTO t VALUES (1)"))
    base.close()
    nowhere = refusal(sqlite3.connect, tmp_path / "no" / "x.sqlite")
    assert locked is not None
    assert "Another program holds the database" in locked.what
    assert full is not None
    assert "database or disk is full" in full.what
    assert closed is not None
    assert outage_of(nowhere) is not None
    assert all(each.remedy for each in (locked, full, closed))
    assert outage_of(wrong) is None
    assert outage_of(ValueError("x")) is None
    assert outage_of(refusal((tmp_path / "absent").read_text)) is None


def test_a_command_tells_what_it_expects_and_leaves_the_rest_to_its_trace(tmp_path: Path) -> None:
    what, remedy = told(refusal((tmp_path / "absent").read_text)) or ("", "")
    assert "absent" in what
    assert remedy
    assert "does not answer" in (told(httpx.ConnectError("refused")) or ("",))[0]
    assert told(ValueError("x")) is None


async def test_a_message_a_full_disk_refused_is_sent_again_with_its_key_and_answered_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_door(settings_in(tmp_path)) as door:
        visit = await door.visit()
        disk = Disk(door.house.building.engine, tmp_path / "mayak.sqlite")
        disk.fill()
        for n in range(30):
            body = {"key": f"k{n}", "text": f"{n} " + "long " * 1500}
            refused = await visit.post("/messages", body)
            if refused.status_code != 202:
                break
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"] == "urn:mayak:problem:storage_unavailable"
        assert refused.json()["remedy"]
        assert "disk is full" in caplog.text
        assert (await door.client.get("/healthz")).status_code == 200
        disk.free()
        accepted = await visit.post("/messages", body)
        assert (await visit.post("/messages", body)).json() == accepted.json()
        assert str(n) in (await visit.answered(accepted.json()["seq"]))["text"]
        said = [text for author, text in await visit.lines() if author == "customer"]
        assert len(said) == n + 1


@asynccontextmanager
async def curated(folder: Path) -> AsyncIterator[tuple[Any, httpx.AsyncClient, str]]:
    """A console in which a curator has saved a draft; its address."""
    async with console(folder) as house, signed_in(house, "kirill") as browser:
        form = {"title": "Gift wrapping", "text": DOCUMENT, "language": "en", "audience": "customer"}
        token = await form_token(browser)
        answer = await browser.post("/console/draft", data={"form_token": token, **form})
        assert answer.status_code == 303, answer.text
        yield house, browser, answer.headers["Location"].partition("?")[0]


async def test_the_console_says_that_nothing_is_saved_and_publishes_when_the_database_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_MS", 100)
    async with curated(tmp_path) as (house, browser, address):
        form = {"form_token": await form_token(browser)}
        with held(tmp_path / "mayak.sqlite"):
            refused = await browser.post(f"{address}/publish", data=form)
        assert refused.status_code == 503
        assert "be saved right now" in refused.text
        assert (await house.building.library.catalogue.documents())[0].status == "draft"
        assert (await browser.post(f"{address}/publish", data=form)).status_code == 303
        assert (await house.building.library.catalogue.documents())[0].status == "published"


async def test_the_console_says_that_nothing_is_saved_while_the_disk_is_full(tmp_path: Path) -> None:
    async with curated(tmp_path) as (house, browser, _):
        disk = Disk(house.building.engine, tmp_path / "mayak.sqlite")
        disk.fill()
        long = {"title": "Long", "text": "One more line of text.\n\n" * 9000, "language": "en"}
        form = {"form_token": await form_token(browser), "audience": "customer", **long}
        refused = await browser.post("/console/draft", data=form)
        assert refused.status_code == 503
        assert "be saved right now" in refused.text
        disk.free()
        assert (await browser.post("/console/draft", data=form)).status_code == 303


class Here(Context):
    """Commands of this process on one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def settings(self) -> Settings:
        return Settings(data=self.data, embedder="fake")

    def run(self, *words: str) -> Any:
        return CliRunner().invoke(knowledge, words, obj=self)


def limited(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `mayak` in a process of its own, no file of which may grow beyond `LITTLE`."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LITTLE, resource.RLIM_INFINITY))

    return subprocess.run(
        [sys.executable, "-m", "api.cli", *words],
        cwd=ROOT,
        env={
            "PATH": "",
            "HOME": str(data),
            "MAYAK_DATA": str(data),
            "MAYAK_EMBEDDER": "fake",
            # Bytecode cut off at the limit would stay and break whoever reads it next.
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.heavy
def test_an_import_that_filled_the_disk_says_so_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    here, shelf = Here(tmp_path / "data"), tmp_path / "shelf"
    shelf.mkdir()
    for n in range(3):
        (shelf / f"gift-{n}.md").write_text(DOCUMENT.replace("five", str(n)), "utf-8")
    assert here.run("list").exit_code == 0
    refused = limited(here.data, "knowledge", "import", str(shelf))
    assert refused.returncode == 1
    assert "The disk does not take what is written" in refused.stderr
    assert "What to do: Free some space" in refused.stderr
    assert "Traceback" not in refused.stderr
    counts = json.loads(here.run("import", str(shelf), "--json").stdout)["counts"]
    assert counts["imported"] + counts["unchanged"] == 3
    assert json.loads(here.run("check", "--json").stdout)["ok"] is True


def test_a_command_on_a_locked_database_ends_with_one_and_a_remedy(tmp_path: Path) -> None:
    here = Here(tmp_path)
    assert here.run("list").exit_code == 0
    with held(tmp_path / "mayak.sqlite"):
        refused = here.run("publish", "gift", "--json")
    assert refused.exit_code == 1
    assert "database is locked" in json.loads(refused.stdout)["error"]
    assert "Close what has the database file open" in json.loads(refused.stdout)["remedy"]


@pytest.mark.heavy
async def test_a_server_on_a_full_disk_stays_up_refuses_in_words_and_takes_the_message_later(
    forge: Forge,  # noqa: F811
) -> None:
    forge.start()
    async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=20) as client:
        await ready(forge, client)
        who = await arrive(client)
        url, headers = f"/v1/conversations/{who.id}/messages", {"Authorization": f"Bearer {who.token}"}
        body = {"key": "once", "text": "За сколько дней можно вернуть товар?"}
        resource.prlimit(forge.pid, resource.RLIMIT_FSIZE, (LITTLE, resource.RLIM_INFINITY))
        refused = await client.post(url, json=body, headers=headers)
        assert refused.status_code == 503
        assert refused.json()["remedy"]
        assert refused.headers["retry-after"]
        assert (await client.get("/healthz")).status_code == 200
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(forge.pid, resource.RLIMIT_FSIZE, unlimited)
        accepted = await client.post(url, json=body, headers=headers)
        assert accepted.status_code == 202
        assert (await settled(client, who, accepted.json()["seq"]))["outcome"] == "answered"
        lines = (await call(client, who, "GET", "/messages"))["messages"]
        assert [line["author"] for line in lines] == ["ai", "customer", "ai"]
    assert "The disk does not take what is written" in forge.tail()


def test_a_secret_that_a_full_disk_left_empty_is_never_signed_with(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).touch()
    made = identity_secret(Settings(data=tmp_path))
    assert len(made) >= 32
    assert identity_secret(Settings(data=tmp_path)) == made
    assert (tmp_path / SECRET_FILE).stat().st_mode & 0o077 == 0
    assert asyncio.run(_looked(tmp_path))


async def _looked(folder: Path) -> bool:
    from api.health import _disk

    return "free" in await _disk(Settings(data=folder))
