"""`mayak knowledge`: what people type, what they see, and how it ends."""

import json
import sqlite3
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from api.commands.knowledge import app
from knowledge.errors import IndexUnavailable
from tests.knowledge.shelf import opened, sqlite, write


class Door:
    """Opens the library on one folder, as the installation does on its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def library(self):
        async with opened(sqlite(self._folder)) as library:
            yield library


class Shut:
    @asynccontextmanager
    async def library(self):
        raise IndexUnavailable("The store is shut.", remedy="Open it.")
        yield


@pytest.fixture
def run(tmp_path):
    def call(*words: str, door: object = None):
        return CliRunner().invoke(app, [*words], obj=door or Door(tmp_path))

    return call


@pytest.fixture
def imported(run, tmp_path):
    assert run("import", str(write(tmp_path / "kb"))).exit_code == 0


def test_an_import_says_what_became_of_every_file(run, tmp_path):
    folder = write(tmp_path / "kb")
    report = json.loads(run("import", str(folder), "--json").stdout)
    assert report["counts"] == {"imported": 5, "unchanged": 0, "skipped": 0}
    assert {row["document"] for row in report["rows"]} == {
        "returns",
        "delivery",
        "lamps",
        "returns.en",
        "gift-cards.en",
    }
    assert "5 unchanged" in run("import", str(folder)).stdout


def test_an_import_with_a_bad_file_keeps_the_good_ones_and_ends_with_one(run, tmp_path):
    folder = write(tmp_path / "kb")
    (folder / "broken.pdf").write_bytes(b"%PDF-broken")
    result = run("import", str(folder))
    assert result.exit_code == 1
    assert "broken.pdf" in result.stdout
    assert "5 imported" in result.stdout


@pytest.mark.usefixtures("imported")
def test_a_search_shows_passages_scores_and_how_the_query_was_read(run):
    shown = run("search", "rfr dthyenm njdfh", "--lang", "ru")
    assert "Read as: как вернуть товар" in shown.stdout
    found = json.loads(
        run("search", "за сколько дней вернуть товар", "--lang", "ru", "-k", "2", "--json").stdout
    )
    assert found["hits"][0]["passage"]["id"] == "returns#1"
    assert len(found["hits"]) == 2
    assert 0 <= found["confidence"] <= 1


@pytest.mark.usefixtures("imported")
def test_a_document_is_retired_and_published_again(run):
    assert json.loads(run("retire", "returns", "--json").stdout)["status"] == "retired"
    assert "returns " in run("list", "--status", "retired").stdout
    found = json.loads(run("search", "вернуть товар", "-k", "20", "--json").stdout)
    assert not any(hit["passage"]["document"] == "returns" for hit in found["hits"])
    assert run("publish", "returns").stdout == "returns: published, version 1.\n"
    assert run("rollback", "returns", "1").exit_code == 0


@pytest.mark.usefixtures("imported")
def test_reindex_and_check_agree(run):
    assert json.loads(run("reindex", "--json").stdout)["passages"] > 0
    assert json.loads(run("check", "--json").stdout)["ok"] is True


@pytest.mark.parametrize(
    "words",
    [
        ("import", "/nowhere/at/all"),
        ("retire", "nothing"),
        ("search", "x", "--lang", "de"),
        ("list", "--status", "lost"),
        ("rollback", "x", "3"),
    ],
)
def test_what_cannot_be_done_ends_with_one_and_says_what_to_do(run, words):
    result = run(*words)
    assert result.exit_code == 1
    assert "Error: " in result.stderr
    assert "What to do: " in result.stderr
    answer = json.loads(run(*words, "--json").stdout)
    assert answer["error"]
    assert answer["remedy"]


def test_a_store_that_cannot_be_opened_is_told_with_its_remedy(run):
    result = run("list", door=Shut())
    assert result.exit_code == 1
    assert "Open it." in result.stderr


def test_a_locked_database_and_a_full_disk_are_told_without_a_trace(run, tmp_path):
    class Fails:
        def __init__(self, fault: Exception) -> None:
            self.fault = fault

        @asynccontextmanager
        async def library(self):
            raise self.fault
            yield

    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    for fault, word in (
        (OperationalError("INSERT", {}, busy), "database is locked"),
        (OSError(28, "No space left on device"), "no space left"),
    ):
        result = run("list", door=Fails(fault))
        assert result.exit_code == 1
        assert word in result.stderr
        assert "What to do: " in result.stderr
        assert json.loads(run("list", "--json", door=Fails(fault)).stdout)["remedy"]


def test_a_folder_with_nothing_to_read_is_not_a_success(run, tmp_path):
    (tmp_path / "empty").mkdir()
    assert run("import", str(tmp_path / "empty")).exit_code == 1


@pytest.mark.usefixtures("imported")
def test_a_text_is_reviewed_published_ahead_and_its_history_told(run, tmp_path):
    file = tmp_path / "kb" / "ru" / "returns.md"
    file.write_text(
        "# Возврат товара\n\nВернуть можно за 30 дней, с 1 декабря 2099 года.\n", encoding="utf-8"
    )
    assert run("import", str(tmp_path / "kb")).exit_code == 0
    assert run("comment", "returns", "Сверить с юристом.", "--version", "2").stdout == "returns: noted.\n"
    assert "-Вернуть товар можно" in run("diff", "returns", "1", "2").stdout
    assert json.loads(run("diff", "returns", "--json").stdout)["new"] == 2
    assert run("rollback", "returns", "1", "--why", "рано").exit_code == 0
    ahead = json.loads(run("publish", "returns", "--from", "2099-12-01", "--why", "тариф", "--json").stdout)
    assert ahead["version"] == 1
    assert ahead["next_from"].startswith("2099-12-01")
    assert run("withdraw", "returns", "2").exit_code == 0
    assert run("submit", "returns", "--why", "готово").exit_code == 0
    assert run("reject", "returns", "--why", "нет срока").exit_code == 0
    assert run("owner", "returns", "vera").exit_code == 0
    told = json.loads(run("history", "returns", "--json").stdout)
    assert [one["state"] for one in told["versions"]] == ["draft", "published"]
    assert [(one["action"], one["why"]) for one in told["events"]][:7] == [
        ("assigned", ""),
        ("rejected", "нет срока"),
        ("submitted", "готово"),
        ("withdrawn", ""),
        ("scheduled", "тариф"),
        ("rolled_back", "рано"),
        ("commented", "Сверить с юристом."),
    ]
    assert all(one["by"] for one in told["events"])
    assert "rolled back" in run("history", "returns").stdout


@pytest.mark.usefixtures("imported")
def test_the_dates_a_text_names_are_suggested_with_its_words(run, tmp_path):
    file = tmp_path / "kb" / "ru" / "returns.md"
    file.write_text("# Акция\n\nС 1 по 15 января 2027 года. Цена — до конца акции.\n", encoding="utf-8")
    run("import", str(tmp_path / "kb"))
    found = json.loads(run("dates", "returns", "--json").stdout)
    assert [(one["quote"], one["begins"], one["ends"]) for one in found] == [
        ("С 1 по 15 января 2027 года", "2027-01-01", "2027-01-15"),
        ("до конца акции", None, None),
    ]
    assert "ask for one" in run("dates", "returns").stdout
    assert "names no days" in run("dates", "gift-cards.en").stdout


@pytest.mark.usefixtures("imported")
def test_the_last_day_of_a_version_counts_whole(run):
    run("publish", "returns", "--from", "2026-11-01", "--until", "2099-12-31")
    newest = json.loads(run("history", "returns", "--json").stdout)["versions"][0]
    assert newest["effective_until"].startswith("2100-01-01 00:00")


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize(
    "words",
    [
        ("publish", "returns", "--from", "soon"),
        ("publish", "returns", "--until", "2020-01-01"),
        ("reject", "returns", "--why", "нет"),
        ("diff", "returns", "1", "9"),
        ("history", "nothing"),
        ("comment", "nothing", "Что?"),
        ("withdraw", "returns", "1"),
    ],
)
def test_a_step_that_cannot_be_taken_says_what_to_do(run, words):
    result = run(*words)
    assert result.exit_code == 1
    assert "What to do: " in result.stderr


@pytest.mark.usefixtures("imported")
def test_what_left_the_folder_is_told_and_pruned_when_asked(run, tmp_path):
    (tmp_path / "kb" / "ru" / "lamps.md").unlink()
    assert "gone from the source  lamps: ru/lamps.md" in run("import", str(tmp_path / "kb")).stdout
    assert "retired  lamps: ru/lamps.md" in run("import", str(tmp_path / "kb"), "--prune").stdout
    assert "lamps" in run("list", "--status", "retired").stdout


@pytest.mark.usefixtures("imported")
def test_check_repairs_when_asked(run):
    assert json.loads(run("check", "--repair", "--json").stdout)["ok"] is True
