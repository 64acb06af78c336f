"""`mayak staff`: accounts from the command line, beside a server or before the first start."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result
from typer.testing import CliRunner

from agent.records.staff import LoginTaken
from api.commands.staff import app
from api.settings import Settings
from api.staff import BadAccount


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def run(data: Path, *arguments: str, typed: str = "") -> Result:
    context = SimpleNamespace(settings=lambda: Settings(data=data))
    return CliRunner().invoke(app, list(arguments), input=typed, obj=context)


def test_who_was_added_is_listed_and_no_password_is_stored_as_typed(data: Path) -> None:
    added = run(
        data,
        "add",
        "ivan",
        "--name",
        "Иван",
        "--role",
        "operator",
        "--department",
        "returns",
        typed="long enough\n",
    )
    assert added.exit_code == 0, added.output
    assert "/console" in added.output
    listed = run(data, "list", "--json")
    assert json.loads(listed.output) == [
        {"login": "ivan", "name": "Иван", "roles": ["operator"], "department": "returns", "disabled": False}
    ]
    assert b"long enough" not in b"".join(path.read_bytes() for path in data.iterdir())


def test_what_somebody_answers_is_said_by_a_command_and_taken_back_by_it(data: Path) -> None:
    run(data, "add", "ivan", "--name", "Иван", "--role", "operator", typed="long enough\n")
    set_up = run(data, "desk", "ivan", "--language", "en", "--capacity", "3", "--json")
    assert json.loads(set_up.output) == {"login": "ivan", "languages": ["en"], "capacity": 3}
    assert "department" in run(data, "desk", "ivan").output
    assert isinstance(run(data, "desk", "nobody").exception, BadAccount)
    assert isinstance(run(data, "desk", "ivan", "--language", "de").exception, BadAccount)


def test_a_password_can_be_made_and_is_printed_once(data: Path) -> None:
    made = run(
        data,
        "add",
        "vera",
        "--name",
        "Вера",
        "--role",
        "curator",
        "--role",
        "operator",
        "--generate",
        "--json",
    )
    told = json.loads(made.output)
    assert len(told["password"]) >= 20
    assert told["roles"] == ["curator", "operator"]
    assert told["password"] not in run(data, "list", "--json").output


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (("ivan", "--name", "Иван", "--role", "boss"), "long enough\n"),
        (("ivan", "--name", "Иван", "--role", "operator", "--department", "moon"), "long enough\n"),
        (("ivan", "--name", "Иван", "--role", "operator"), "short\n"),
        (("ivan", "--name", "Иван", "--role", "operator"), ""),
        (("Иван", "--name", "Иван", "--role", "operator"), "long enough\n"),
    ],
)
def test_a_wrong_account_is_refused_with_a_remedy(data: Path, arguments: tuple[str, ...], typed: str) -> None:
    refused = run(data, "add", *arguments, typed=typed)
    assert refused.exit_code != 0
    assert isinstance(refused.exception, BadAccount)
    assert refused.exception.remedy


def test_a_login_is_given_once(data: Path) -> None:
    again = ("add", "ivan", "--name", "Иван", "--role", "operator", "--generate")
    assert run(data, *again).exit_code == 0
    assert isinstance(run(data, *again).exception, LoginTaken)


def test_an_empty_list_says_how_to_begin(data: Path) -> None:
    assert "mayak staff add" in run(data, "list").output


def test_how_far_suggestions_are_changed_is_told_in_figures(data: Path) -> None:
    assert "No answers were suggested in 30 days." in run(data, "suggestions").output
    figures = json.loads(run(data, "suggestions", "--days", "7", "--json").output)
    assert figures == {
        "days": 7,
        "suggested": 0,
        "kept": 0,
        "edited": 0,
        "discarded": 0,
        "median_distance": None,
        "unchanged": None,
    }
