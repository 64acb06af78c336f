"""The runner on a scripted house: order, isolation, faults, gates, and the reports made of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
import typer
from typer.testing import CliRunner

from evals.case import read_cases
from evals.report import as_html, as_json, as_junit, explained
from evals.run import Gate, NoSuite, SuiteRun, chosen, gate, run_suite
from evals.run_command import lint, new, run
from tests.evals.fake_house import FakeHouse, answer, button

LIMITS = Gate(pass_rate=1.0, seconds=5)
CASES = """
suite: smoke
cases:
  - id: consent-first
    language: ru
    customer: anna
    consent: [orders:read]
    world: {orders: {"77": {owner: boris, status: shipped}}}
    says:
      - "Отмените 1051"
      - then: {outcome: waiting, buttons: ["Да"]}
      - press: "да, подтв"
      - then: {says: ["отменён"]}
      - press: "Да, подтверждаю"
      - withdraw: orders:read
      - "Спасибо"
    always: {never_says: ["Борис"]}
    expect: {outcome: answered}
    why: A confirmed write happens once.
  - id: returns-en
    language: en
    says: ["returns?"]
    expect: {outcome: answered, says: ["14 days"]}
    why: The answer is in the documents.
"""
SCRIPT: dict[str, Any] = {
    "orders:read": answer("Спасибо."),
    "Отмените 1051": answer(
        "Отменить?", outcome="waiting", buttons=[button("Да, подтверждаю", kind="confirm", target="p-1")]
    ),
    "p-1": answer("Заказ отменён."),
    "returns?": answer("You have 14 days.", language="en"),
}


def run_on(house: FakeHouse, folder: Path, text: str = CASES, **how: Any) -> SuiteRun:
    (folder / "made.yaml").write_text(text, "utf-8")
    how = {"suite": "smoke", "limits": LIMITS} | how
    return asyncio.run(run_suite(house, read_cases(folder), **how))


def test_a_suite_runs_in_one_sandbox_with_a_conversation_for_each_case(tmp_path: Path) -> None:
    house = FakeHouse(SCRIPT)
    result = run_on(house, tmp_path)
    assert result.ok
    assert result.cases == result.passed == ("consent-first", "returns-en")
    assert len(house.worlds) == house.closed == 1
    assert list(house.worlds[0]["orders"]) == ["77"]
    assert [call["conversation"] for call in house.asked] == ["c1"] * 5 + ["c2"]
    assert {call["customer"] for call in house.asked[:5]} == {"anna"}
    assert (house.asked[5]["customer"], house.asked[5]["language"]) == (None, "en")


def test_consents_are_given_first_and_by_their_button(tmp_path: Path) -> None:
    house = FakeHouse(SCRIPT)
    run_on(house, tmp_path)
    assert house.asked[0]["action"] == {"kind": "consent", "target": "orders:read", "yes": True}


def test_a_customer_is_left_without_the_consents_of_the_case(tmp_path: Path) -> None:
    asked = answer("Разрешаете?", outcome="waiting", waiting={"what": "consent", "target": "profile:read"})
    house = FakeHouse(SCRIPT | {"Спасибо": asked, "returns?": asked})
    run_on(house, tmp_path)
    withdrawn_in_the_case, *at_its_end = house.consents
    assert withdrawn_in_the_case == ("c1", "orders:read", False)
    assert at_its_end == [("c1", "orders:read", False), ("c1", "profile:read", False)]


def test_an_old_button_can_be_pressed_again(tmp_path: Path) -> None:
    house = FakeHouse(SCRIPT)
    run_on(house, tmp_path)
    assert [call["action"]["target"] for call in house.asked if call["action"]] == [
        "orders:read",
        "p-1",
        "p-1",
    ]


def test_what_always_holds_is_looked_at_in_every_answer(tmp_path: Path) -> None:
    result = run_on(FakeHouse(SCRIPT | {"p-1": answer("Заказ отменён. Борис рад.")}), tmp_path)
    assert not result.ok
    failed = [[verdict.name for verdict in exchange.failed] for exchange in result.runs[0].exchanges]
    assert failed == [[], ["never_says"], ["never_says"], [], []]


def test_a_broken_answer_fails_its_case_and_the_next_one_still_runs(tmp_path: Path) -> None:
    result = run_on(FakeHouse(SCRIPT | {"Отмените 1051": RuntimeError("the house is on fire")}), tmp_path)
    assert result.runs[0].fault == "RuntimeError: the house is on fire"
    assert [run.ok for run in result.runs] == [False, True]
    assert result.rate == 0.5


def test_an_answer_that_does_not_come_fails_its_case(tmp_path: Path) -> None:
    async def never() -> dict[str, Any]:
        await asyncio.sleep(60)
        return answer()

    result = run_on(
        FakeHouse(SCRIPT | {"returns?": never}), tmp_path, limits=Gate(pass_rate=1.0, seconds=0.05)
    )
    assert result.runs[1].fault == "BrokenCase: no answer within 0.05 s"


def test_a_button_that_was_never_shown_fails_the_case(tmp_path: Path) -> None:
    result = run_on(FakeHouse(SCRIPT | {"Отмените 1051": answer("Не могу.")}), tmp_path)
    assert "no answer of this case showed a button “да, подтв”" in result.runs[0].fault


def test_a_case_must_hold_in_every_repetition(tmp_path: Path) -> None:
    spoken = [answer("You have 14 days."), answer("You have 7 days.")]

    async def one_after_the_other() -> dict[str, Any]:
        return spoken.pop(0)

    house = FakeHouse(SCRIPT | {"returns?": one_after_the_other})
    result = run_on(house, tmp_path, repeats=2)
    assert [run.ok for run in result.runs] == [True, True, True, False]
    assert result.passed == ("consent-first",)
    assert len(house.worlds) == 2


def test_a_gate_below_one_lets_a_share_fail(tmp_path: Path) -> None:
    house = FakeHouse(SCRIPT | {"returns?": answer("No.")})
    assert run_on(house, tmp_path, limits=Gate(pass_rate=0.5, seconds=5)).ok
    assert not run_on(house, tmp_path, limits=Gate(pass_rate=0.6, seconds=5)).ok


def test_the_smoke_gate_lets_nothing_fail() -> None:
    assert gate("smoke").pass_rate == 1.0
    with pytest.raises(NoSuite, match="has no gate"):
        gate("absent")


def test_a_filter_that_fits_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "made.yaml").write_text(CASES, "utf-8")
    cases = read_cases(tmp_path)
    assert [case.id for case in chosen(cases, suite="smoke", wanted="returns")] == ["returns-en"]
    assert len(chosen(cases, suite="smoke", wanted="made")) == 2
    with pytest.raises(NoSuite, match="no case of suite “golden”"):
        chosen(cases, suite="golden")
    with pytest.raises(NoSuite, match="matches “nothing”"):
        chosen(cases, suite="smoke", wanted="nothing")


def broken_run(folder: Path) -> SuiteRun:
    hostile = "<script>alert(1)</script> \x00\x1b ёж"
    script = SCRIPT | {"returns?": answer(hostile, confidence=0.4, reasons=["low_match"])}
    return run_on(FakeHouse(script | {"p-1": RuntimeError("gone & lost")}), folder)


def test_a_failure_is_explained_by_both_sides_and_the_reasons(tmp_path: Path) -> None:
    told = "\n".join(explained(broken_run(tmp_path).runs[1]))
    assert "returns-en (" in told
    assert "The answer is in the documents." in told
    assert "customer: returns?" in told
    assert "answered, confidence 0.40, reasons: low_match" in told
    assert "says: expected 14 days" in told


def test_the_json_holds_the_verdicts_and_survives_the_round_trip(tmp_path: Path) -> None:
    body = json.loads(json.dumps(as_json(broken_run(tmp_path)), ensure_ascii=False))
    assert (body["ok"], body["cases"], body["passed"], body["failed"]) == (
        False,
        2,
        0,
        ["consent-first", "returns-en"],
    )
    assert body["groups"] == [{"group": "made", "cases": 2, "passed": 0}]
    assert body["runs"][1]["exchanges"][0]["verdicts"][1]["ok"] is False


def test_junit_is_well_formed_whatever_was_said(tmp_path: Path) -> None:
    suite = Xml.fromstring(as_junit(broken_run(tmp_path)))
    assert suite.attrib | {"time": ""} == {
        "name": "mayak.smoke", "tests": "2", "failures": "1", "errors": "1", "time": "",
    }  # fmt: skip
    assert "gone & lost" in (suite[0][0].text or "")
    assert "<script>" in (suite[1][0].text or "")


def test_the_page_escapes_what_was_said_and_needs_nothing_from_outside(tmp_path: Path) -> None:
    page = as_html(broken_run(tmp_path))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "ёж" in page
    assert "0 of 2" in page
    assert "src=" not in page
    assert "href=" not in page


class Desk:
    """Stands for the command context."""

    def __init__(self, house: FakeHouse) -> None:
        self._house = house

    @asynccontextmanager
    async def house(self) -> AsyncIterator[FakeHouse]:
        yield self._house


def cli() -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)
    for command in (run, lint, new):
        app.command()(command)
    return app


def test_the_command_exits_with_one_below_the_gate_and_writes_its_reports(tmp_path: Path) -> None:
    (tmp_path / "made.yaml").write_text(CASES, "utf-8")
    options = ["run", "smoke", "--cases", str(tmp_path)]
    junit, page = tmp_path / "out.xml", tmp_path / "out.html"
    good = CliRunner().invoke(cli(), [*options, "--json"], obj=Desk(FakeHouse(SCRIPT)))
    assert good.exit_code == 0
    assert json.loads(good.stdout)["ok"] is True
    house = FakeHouse(SCRIPT | {"returns?": answer("No.")})
    bad = CliRunner().invoke(cli(), [*options, "--junit", str(junit), "--html", str(page)], obj=Desk(house))
    assert bad.exit_code == 1
    assert "says: expected 14 days" in bad.stdout
    assert "1 of 2 cases held" in bad.stdout
    assert Xml.parse(junit).getroot().get("failures") == "1"
    assert "returns-en" in page.read_text("utf-8")


def test_lint_tells_clashes_and_suites_without_a_gate(tmp_path: Path) -> None:
    assert CliRunner().invoke(cli(), ["lint"]).exit_code == 0
    clash = (
        CASES.replace("consent-first", "other")
        .replace("owner: boris", "owner: anna")
        .replace("returns-en", "third")
    )
    (tmp_path / "a.yaml").write_text(CASES, "utf-8")
    (tmp_path / "b.yaml").write_text(clash.replace("suite: smoke", "suite: wild"), "utf-8")
    told = CliRunner().invoke(cli(), ["lint", "--cases", str(tmp_path), "--json"])
    assert told.exit_code == 1
    faults = json.loads(told.stdout)["faults"]
    assert len(faults) == 2
    assert "differs from the one at" in faults[0]
    assert "“wild” has no gate" in faults[1]


def test_a_case_is_begun_from_the_command_line(tmp_path: Path) -> None:
    arguments = [
        "new",
        "fresh-case",
        "How much?",
        "--why",
        "Prices are told.",
        "--language",
        "en",
        "--cases",
        str(tmp_path),
    ]
    assert CliRunner().invoke(cli(), arguments).exit_code == 0
    assert read_cases(tmp_path)[0].id == "fresh-case"
