"""Recorded calls done again: what counts as the same, whose trace it is, and what a broken recording costs."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evals.commands import app
from evals.tau import registry
from evals.tau.domain import Domain
from evals.tau.fake import NOTES
from evals.tau.registry import domain
from evals.tau.replay import figures, replay_all
from evals.tau.traces import Outcome, digest, read_traces
from knowledge.errors import BadRecords

DATABASE: dict[str, Any] = {"users": {"anna": {"notes": ["чай"]}, "boris": {"notes": []}}}
READ = {"name": "read_notes", "arguments": {"user_id": "anna"}, "result": ["чай"]}
ADD = {"name": "add_note", "arguments": {"user_id": "anna", "text": "x"}, "result": ["чай", "x"]}
AFTER = {"users": {"anna": {"notes": ["чай", "x"]}, "boris": {"notes": []}}}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(registry.PLACES, "notes", "evals.tau.fake:NOTES")
    (tmp_path / "db.json").write_text(json.dumps(DATABASE), "utf-8")
    return tmp_path


def trace(task: str, steps: Sequence[object], **more: object) -> str:
    return json.dumps({"task_id": task, "steps": steps, **more}, ensure_ascii=False)


def run(folder: Path, *lines: str, args: Sequence[str] = ("--json",), name: str = "notes") -> Any:
    (folder / "traces.jsonl").write_text("\n".join(lines), "utf-8")
    where = ["--db", str(folder / "db.json"), "--traces", str(folder / "traces.jsonl")]
    return CliRunner().invoke(app, ["tools", "--domain", name, *where, *args])


async def played(folder: Path, *lines: str, business: Domain = NOTES) -> list[Any]:
    path = folder / "traces.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return await replay_all(business, DATABASE, read_traces(path).traces)


def test_the_digest_is_of_sorted_compact_json_with_its_letters_kept() -> None:
    assert (
        digest({"б": [1.0, None], "a": "é"})
        == hashlib.sha256('{"a":"é","б":[1.0,null]}'.encode()).hexdigest()
    )


@pytest.mark.parametrize("pair", [(1, 1.0), (1, True), ("1", 1), (None, "null"), ([1, 2], [2, 1])])
def test_results_of_another_type_or_order_are_not_the_same(pair: tuple[Any, Any]) -> None:
    one, other = pair
    assert Outcome(value=one).same(Outcome(value=one))
    assert not Outcome(value=one).same(Outcome(value=other))


def test_an_error_is_not_a_result_of_the_same_words() -> None:
    assert not Outcome(value="ValueError: no", refused=True).same(Outcome(value="ValueError: no"))


async def test_a_trace_is_done_as_the_customer_it_names_and_ends_in_the_recorded_state(
    tmp_path: Path,
) -> None:
    (one,) = await played(tmp_path, trace("1", [READ, ADD], final_db_sha256=digest(AFTER)))
    assert (one.matched, one.misses, one.final_ok, one.cross_customer) == (2, (), True, False)


async def test_every_trace_has_a_database_of_its_own(tmp_path: Path) -> None:
    both = await played(tmp_path, trace("1", [ADD]), trace("2", [READ]))
    assert figures(both)["matched"] == 2


async def test_a_trace_that_verifies_is_not_bound_before(tmp_path: Path) -> None:
    wrong = {"name": "who_am_i", "arguments": {"name": "nobody"}, "error": "ValueError: User not found"}
    early = {**READ, "error": "ValueError: User not found"}
    verified = {"name": "who_am_i", "arguments": {"name": "anna"}, "result": "anna"}
    del early["result"]
    (one,) = await played(tmp_path, trace("1", [wrong, early, verified, READ]))
    assert one.matched == 4


async def test_a_trace_of_two_customers_is_counted_apart_and_never_passes(tmp_path: Path) -> None:
    foreign = {"name": "read_notes", "arguments": {"user_id": "boris"}, "result": []}
    (one,) = await played(tmp_path, trace("1", [READ, foreign], final_db_sha256=digest(DATABASE)))
    assert one.final_ok is True
    assert figures([one]) == {
        "steps": 2,
        "matched": 1,
        "traces": 1,
        "final_state_ok": 0,
        "cross_customer": 1,
    }
    assert one.misses[0].got == Outcome(value="ValueError: User not found", refused=True)


def test_the_command_prints_the_figures_and_writes_a_row_for_each_trace(files: Path) -> None:
    bare = {name: value for name, value in ADD.items() if name != "result"}
    refused = {"name": "read_notes", "arguments": {"user_id": "absent"}}
    out = files / "out.jsonl"
    told = run(files, trace("7", [bare, refused]), args=["--json", "--results", str(out)])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout) == {
        "steps": 2,
        "matched": 0,
        "traces": 1,
        "final_state_ok": 0,
        "cross_customer": 0,
    }
    assert [json.loads(line) for line in out.read_text("utf-8").splitlines()] == [
        {
            "task_id": "7",
            "results": [["чай", "x"], "ValueError: User not found"],
            "final_db_sha256": digest(AFTER),
        }
    ]


def test_the_table_shows_what_was_recorded_and_what_came_instead(files: Path) -> None:
    wrong = {**READ, "result": ["кофе"]}
    told = run(files, trace("7", [wrong], final_db_sha256="0"), args=())
    assert told.exit_code == 0
    assert "task 7, step 1: read_notes" in told.stdout
    assert "кофе" in told.stdout
    assert "чай" in told.stdout
    assert "the database ends otherwise" in told.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "traces.jsonl:1 is not JSON"),
        ("[]", "traces.jsonl:1 has no task_id"),
        ('{"task_id": "1"}', "traces.jsonl:1 has no task_id or no list of steps"),
        (trace("1", [{"arguments": {}}]), "traces.jsonl:1, step 1 has no name"),
        (trace("1", [{"name": "a", "arguments": "b"}]), "step 1: arguments are not an object"),
        (trace("1", [{"name": "a", "requestor": "boss"}]), "nobody is called 'boss'"),
        (trace("1", [], initial_state="new"), "traces.jsonl:1: initial_state is not an object"),
        (trace("1", [{"name": "fly"}]), "traces.jsonl:1, step 1 (fly): no tool 'fly'"),
    ],
)
def test_a_broken_trace_is_named_and_does_not_stop_the_rest(files: Path, line: str, said: str) -> None:
    told = run(files, line, trace("2", [READ]))
    assert told.exit_code == 1
    assert json.loads(told.stdout)["matched"] == 1
    assert said in told.stderr
    assert told.stderr.count("Error:") == 1
    assert "What to do:" in told.stderr


@pytest.mark.parametrize("broken", ["", "{", "[]"])
def test_a_database_that_cannot_be_read_is_one_clear_fault(files: Path, broken: str) -> None:
    (files / "db.json").write_text(broken, "utf-8")
    told = run(files, trace("1", []))
    assert told.exit_code == 1
    assert "db.json" in json.loads(told.stdout)["error"]


def test_an_absent_file_and_an_unknown_domain_are_one_clear_fault(files: Path) -> None:
    (files / "db.json").unlink()
    absent = run(files, trace("1", []))
    assert absent.exit_code == 1
    assert "cannot be read" in absent.stdout
    unknown = run(files, trace("1", []), name="bakery")
    assert unknown.exit_code == 1
    assert "No domain 'bakery'" in unknown.stdout


def test_a_domain_without_its_folder_is_one_clear_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.PLACES, "bakery", "evals.tau.bakery:BAKERY")
    with pytest.raises(BadRecords, match="no folder evals/tau/bakery"):
        domain("bakery")


def test_an_empty_file_of_traces_is_a_fault(files: Path) -> None:
    told = run(files, "")
    assert told.exit_code == 1
    assert "holds no traces" in told.stdout


def test_what_a_task_begins_with_is_read_from_the_file_beside_its_trace_or_from_the_trace(
    files: Path,
) -> None:
    vera = {"initialization_data": {"agent_data": {"users": {"vera": {"notes": ["лес"]}}}}}
    step = {"name": "read_notes", "arguments": {"user_id": "vera"}, "result": ["лес"]}
    told = run(files, trace("1", [step], initial_state=vera), trace("2", [READ]))
    assert json.loads(told.stdout)["matched"] == 2
    (files / "tasks.jsonl").write_text(json.dumps({"id": "1", "initial_state": vera}), "utf-8")
    (files / "traces.jsonl").write_text(trace("1", [step]), "utf-8")
    (files / "traces.jsonl").rename(files / "gold_traces.jsonl")
    where = ["--db", str(files / "db.json"), "--traces", str(files / "gold_traces.jsonl"), "--json"]
    beside = CliRunner().invoke(app, ["tools", "--domain", "notes", *where])
    assert json.loads(beside.stdout)["matched"] == 1
    (files / "tasks.jsonl").write_text("[]", "utf-8")
    broken = CliRunner().invoke(app, ["tools", "--domain", "notes", *where])
    assert broken.exit_code == 1
    assert "tasks.jsonl:1 is no task" in broken.stdout
