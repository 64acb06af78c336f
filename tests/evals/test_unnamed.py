"""Reports of runs name nobody."""

import json
from pathlib import Path

from evals.measured import Findings, Measured, Miss
from evals.report import as_html, as_json, as_junit
from evals.run import CaseRun, SuiteRun
from evals.scorers import Verdict
from evals.talk import Exchange
from evals.unnamed import unnamed, unnamed_misses
from tests.evals.test_run import broken_run

PERSON = "Анна Петрова, 8 916 123-45-67"


def named(folder: Path) -> SuiteRun:
    """A run in which a person is named wherever somebody may be."""
    broken = broken_run(folder)
    (run, *_) = broken.runs
    exchange = Exchange(
        said=f"Это {PERSON}",
        answer={
            **(broken.runs[1].exchanges[0].answer or {}),
            "text": f"Здравствуйте, {PERSON}",
            "buttons": [{"label": PERSON}],
        },
        verdicts=(Verdict(name="says", ok=False, expected="заказ", got=f"нет: {PERSON}"),),
    )
    changed = CaseRun(case=run.case, repeat=1, exchanges=(exchange,), fault=f"stopped at {PERSON}")
    return SuiteRun(
        **{name: getattr(broken, name) for name in broken.__dataclass_fields__ if name != "runs"},
        runs=(changed,),
    )


def test_no_report_names_who_was_talked_to(tmp_path: Path) -> None:
    result = named(tmp_path)
    assert "Петров" in json.dumps(as_json(result), ensure_ascii=False)
    kept = unnamed(result)
    for report in (json.dumps(as_json(kept), ensure_ascii=False), as_junit(kept), as_html(kept)):
        assert "Петров" not in report
        assert "916" not in report
        assert "•••" in report


def test_a_run_that_names_nobody_is_told_as_it_was(tmp_path: Path) -> None:
    result = broken_run(tmp_path)
    assert as_json(unnamed(result)) == as_json(result)


def test_rows_that_fell_short_are_told_without_names() -> None:
    misses = (Miss(id="1", wanted="supported", got=f"из {PERSON}", about="about nobody"),)
    shown = unnamed_misses(
        Measured(suite="x", findings=Findings(figures=(), misses=misses), bounds={}, seconds=1.0)
    )
    assert shown.findings.misses == (
        Miss(id="1", wanted="supported", got="из •••, •••", about="about nobody"),
    )
