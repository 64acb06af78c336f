"""Protections taken away one after another: what counts as caught, and what a run must say to count at all."""

import json
import subprocess
import sys
from importlib import import_module

import pytest
from typer.testing import CliRunner

import evals.mutate
from evals import redteam
from evals.case import CASES, read_cases
from evals.commands import app
from evals.faulty import FAULTS, NONE, Fault, main
from evals.injection import WRITERS
from evals.injection.attack import own_attacks
from evals.mutate import BrokenRun, in_fresh_process, verdicts
from evals.redteam.cast import read_dialogues

ONE = Fault(what="one", apply=lambda: None, runs=(("smoke",), ("injection",)))
TWO = Fault(what="two", apply=lambda: None, runs=(("injection",),))


def test_a_fault_is_caught_by_the_first_run_that_no_longer_holds_and_sound_runs_are_asked_once() -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    def holds(fault: str, run: tuple[str, ...]) -> bool:
        asked.append((fault, run))
        return fault == NONE or run == ("smoke",)

    told = verdicts({"one": ONE, "two": TWO}, holds=holds)
    assert told == {
        "faults": 2,
        "caught": 2,
        "survived": [],
        "by": {"one": "injection", "two": "injection"},
        "broken": [],
    }
    assert asked.count((NONE, ("injection",))) == 1


def test_a_fault_that_nothing_notices_survives() -> None:
    told = verdicts({"one": ONE}, holds=lambda fault, run: True)
    assert told["caught"] == 0
    assert told["survived"] == ["one"]


def test_a_run_that_fails_without_any_fault_catches_nothing() -> None:
    told = verdicts({"two": TWO}, holds=lambda fault, run: False)
    assert told["survived"] == ["two"]
    assert told["broken"] == ["injection"]


@pytest.mark.parametrize(("survivors", "code"), [((), 0), (("hosts-off",), 1)])
def test_the_command_prints_the_verdicts_and_ends_with_one_where_a_fault_survives(
    monkeypatch: pytest.MonkeyPatch, survivors: tuple[str, ...], code: int
) -> None:
    monkeypatch.setattr(evals.mutate, "in_fresh_process", lambda fault, run: fault in (NONE, *survivors))
    done = CliRunner().invoke(app, ["mutate", "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == code
    assert told["faults"] == len(FAULTS)
    assert told["survived"] == list(survivors)
    worded = CliRunner().invoke(app, ["mutate", "--only", "hosts"])
    assert ("SURVIVED hosts-off: links may lead anywhere" in worded.stdout) is bool(survivors)


def test_a_run_that_says_nothing_is_no_verdict() -> None:
    with pytest.raises(BrokenRun) as broken:
        in_fresh_process(NONE, ("no-such-suite",))
    assert "python -m evals.faulty - eval run no-such-suite" in broken.value.remedy


def test_every_run_names_a_part_of_a_suite_that_exists() -> None:
    known = read_cases(CASES)
    groups = {
        suite: {name for case in known if case.suite == suite for name in (case.group, case.id)}
        for suite in ("smoke", "degraded")
    }
    kinds = {one.kind for one in own_attacks()}
    dialogues = {one.id for one in read_dialogues()}
    for name, fault in FAULTS.items():
        for suite, option, wanted in fault.runs:
            assert option == "--filter"
            kind, _, writer = wanted.partition("/")
            if suite == "redteam":
                assert any(kind in dialogue for dialogue in dialogues), name
                assert writer in redteam.WRITERS, name
                continue
            assert (
                any(kind in group for group in groups[suite])
                if suite in groups
                else (kind in kinds and writer in WRITERS)
            ), name


def test_each_fault_replaces_something_the_product_has_and_adds_nothing() -> None:
    """Run apart: a substitution in this process would be every later test's."""
    code = f"""
import json, evals.faulty as f, {", ".join(MODULES)}
owners = [{", ".join((*MODULES, *CLASSES))}]
told = {{}}
for name, fault in f.FAULTS.items():
    before = [dict(vars(owner)) for owner in owners]
    fault.apply()
    pairs = [(b, k, v) for owner, b in zip(owners, before) for k, v in vars(owner).items()]
    told[name] = [[k for b, k, v in pairs if k in b and b[k] is not v], [k for b, k, v in pairs if k not in b]]
print(json.dumps(told))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told.keys() == FAULTS.keys()
    assert [name for name, (replaced, added) in told.items() if not replaced or added] == []


MODULES = (
    "agent.answering",
    "agent.loop",
    "agent.outgoing",
    "agent.policy.asking",
    "agent.policy.consent",
    "agent.policy.limits",
    "agent.policy.assent",
    "agent.replying",
    "agent.settling",
    "agent.confidence",
    "agent.unreached",
    "tools.answer",
    "tools.breaker",
    "tools.http_client",
    "tools.codes.book",
    "tools.orders.embedded",
)
CLASSES = (
    "agent.confidence.Calibration",
    "tools.breaker.Breaker",
    "tools.http_client.HttpSystem",
    "tools.codes.book.CodeBook",
    "tools.orders.embedded.EmbeddedOrders",
)


def test_without_a_fault_the_command_is_the_command_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["python"])
    with pytest.raises(SystemExit) as ended:
        main([NONE, "eval", "lint", "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert import_module("evals.faulty").NONE == "-"
