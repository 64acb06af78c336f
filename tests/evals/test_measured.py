"""Suites that measure: bounds, verdicts, reports, and the command."""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner

import evals.measured
from evals.commands import app
from evals.measured import (
    SUITES,
    Bound,
    Figure,
    Findings,
    Line,
    Measured,
    Miss,
    Plot,
    Setting,
    Tell,
    bounds_of,
    measure_of,
)
from evals.measured_report import measured_html, measured_junit
from evals.run import NoSuite

FOUND = Findings(
    figures=(
        Figure(name="f1", value=0.93, of=400, interval=(0.9, 0.95)),
        Figure(name="passed", value=0.03, of=100),
    ),
    misses=(Miss(id="row<7>", wanted="refused", got="sent", about="a & b"),),
    plots=(
        Plot(
            title="Risk and coverage",
            x="coverage",
            y="risk",
            lines=(Line(name="demo", points=((0, 0), (0.5, 0.1), (1, 0.4))),),
            diagonal=True,
        ),
    ),
)


def held(**bounds: Bound) -> Measured:
    return Measured(suite="made_up", findings=FOUND, bounds=bounds, seconds=1.5)


@pytest.mark.parametrize(
    ("bound", "value", "interval", "ok"),
    [
        (Bound(least=0.9), 0.9, None, True),
        (Bound(least=0.9), 0.89, (0.8, 0.95), False),
        (Bound(least=0.9, inside=True), 0.89, (0.8, 0.95), True),
        (Bound(least=0.96, inside=True), 0.89, (0.8, 0.95), False),
        (Bound(most=0.02), 0.021, None, False),
        (Bound(most=0.02, inside=True), 0.03, (0.01, 0.05), True),
        (Bound(least=0.1, most=0.2), 0.3, None, False),
    ],
)
def test_a_bound_is_kept_by_the_figure_or_where_it_says_so_by_its_interval(
    bound: Bound, value: float, interval: tuple[float, float] | None, ok: bool
) -> None:
    assert bound.holds(value, interval=interval) is ok


def test_a_figure_that_falls_short_fails_the_suite_and_one_without_a_bound_does_not() -> None:
    assert held(f1=Bound(least=0.9)).ok
    short = held(f1=Bound(least=0.9), passed=Bound(most=0.02))
    assert not short.ok
    assert [one.name for one in short.short] == ["passed"]


def test_a_bound_nobody_measured_fails_unless_a_set_was_left_out() -> None:
    missing = held(ece=Bound(most=0.05))
    assert missing.unmeasured == ("ece",)
    assert not missing.ok
    there = Findings(figures=FOUND.figures, left_out=("xquad: not on this machine",))
    assert Measured(suite="made_up", findings=there, bounds={"ece": Bound(most=0.05)}, seconds=1).ok


def test_the_page_shows_figures_curves_and_misses_escaped() -> None:
    page = measured_html(held(f1=Bound(least=0.9), passed=Bound(most=0.02)))
    assert "bounds NOT kept" in page
    assert "0.930 [0.900–0.950], n = 400" in page
    assert "row&lt;7&gt;" in page
    assert "a &amp; b" in page
    assert (
        '<polyline class="plot-0" fill="none" stroke="currentColor" stroke-width="2" points="50.0,280.0 225.0,254.0 400.0,176.0'
        in page
    )


def test_junit_has_a_case_for_each_bound() -> None:
    xml = Xml.fromstring(
        measured_junit(held(f1=Bound(least=0.9), passed=Bound(most=0.02), ece=Bound(most=0.05)))
    )
    assert [case.get("name") for case in xml] == ["f1", "passed", "ece"]
    assert [[part.tag for part in case] for case in xml] == [[], ["failure"], ["skipped"]]


async def measure(setting: Setting, tell: Tell) -> Findings:
    tell("Measuring", 1, 1)
    return FOUND if setting.evaldata else Findings(figures=(), left_out=("everything",))


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(evals.measured, "SUITES", {**SUITES, "made_up": f"{__name__}:measure"})
    gates = tmp_path / "gates.toml"
    gates.write_text("[made_up.bounds]\nf1 = {least = 0.9}\npassed = {most = 0.02}\n", "utf-8")
    monkeypatch.setattr(evals.measured.bounds_of, "__kwdefaults__", {"path": gates})
    return tmp_path


def test_the_command_measures_writes_its_reports_and_ends_with_one_below_a_bound(made_up: Path) -> None:
    page, junit = made_up / "report.html", made_up / "junit.xml"
    options = ["run", "made_up", "--evaldata", str(made_up), "--html", str(page), "--junit", str(junit)]
    told = CliRunner().invoke(app, [*options, "--json"])
    assert told.exit_code == 1
    body = json.loads(told.stdout)
    assert body["ok"] is False
    assert body["figures"]["passed"] == {
        "value": 0.03,
        "of": 100,
        "interval": None,
        "bound": "≤ 0.02",
        "ok": False,
    }
    assert "<polyline" in page.read_text("utf-8")
    assert Xml.parse(junit).getroot().get("failures") == "1"
    worded = CliRunner().invoke(app, options)
    assert "FALLS SHORT" in worded.stdout
    assert "row<7>: wanted refused, got sent. a & b" in worded.stdout


def test_without_the_public_sets_what_cannot_be_measured_is_said_and_held_against_nobody(
    made_up: Path,
) -> None:
    told = CliRunner().invoke(app, ["run", "made_up", "--evaldata", str(made_up / "nowhere")])
    assert told.exit_code == 0
    assert "Left out: everything" in told.stdout
    assert "Not measured: f1" in told.stdout


def test_every_measured_suite_can_be_loaded_and_has_bounds() -> None:
    for name in SUITES:
        assert measure_of(name) is not None
        assert bounds_of(name)


def test_a_suite_without_bounds_is_refused_with_a_remedy() -> None:
    with pytest.raises(NoSuite) as refused:
        bounds_of("smoke")
    assert "smoke.bounds" in refused.value.remedy
