"""What came of a suite: as JSON, as JUnit XML for CI, as one HTML page, and in words for a terminal."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evals.case import Case
from evals.run import CaseRun, SuiteRun
from evals.talk import Exchange

TEMPLATES = Path(__file__).with_name("templates")
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_json(result: SuiteRun) -> dict[str, Any]:
    """Return the whole result as JSON types; `runs` in the order they ran."""
    return {
        "suite": result.suite,
        "ok": result.ok,
        "rate": round(result.rate, 4),
        "gate": result.gate.pass_rate,
        "cases": len(result.cases),
        "passed": len(result.passed),
        "failed": [name for name in result.cases if name not in result.passed],
        "seconds": round(result.seconds, 2),
        "groups": groups(result),
        "runs": [_run(run) for run in result.runs],
    }


def groups(result: SuiteRun) -> list[dict[str, Any]]:
    """Return how many cases of each group held, in the order they ran."""
    passed = set(result.passed)
    first: dict[str, Case] = {}
    for run in result.runs:
        first.setdefault(run.case.id, run.case)
    table: dict[str, dict[str, Any]] = {}
    for case in first.values():
        row = table.setdefault(case.group, {"group": case.group, "cases": 0, "passed": 0})
        row["cases"] += 1
        row["passed"] += case.id in passed
    return list(table.values())


def as_junit(result: SuiteRun) -> str:
    """Return JUnit XML: one test case for each run; a case that could not be finished is an error."""
    suite = Xml.Element("testsuite", name=f"mayak.{result.suite}", tests=str(len(result.runs)))
    suite.set("failures", str(sum(1 for run in result.runs if not run.ok and not run.fault)))
    suite.set("errors", str(sum(1 for run in result.runs if run.fault)))
    suite.set("time", f"{result.seconds:.3f}")
    for run in result.runs:
        name = run.case.id if run.repeat == 1 else f"{run.case.id}#{run.repeat}"
        case = Xml.SubElement(
            suite, "testcase", classname=run.case.group, name=name, time=f"{run.seconds:.3f}"
        )
        if not run.ok:
            text = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", "\n".join(explained(run)))
            wrong = Xml.SubElement(case, "error" if run.fault else "failure", message=text.split("\n")[0])
            wrong.text = text
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True)


def as_html(result: SuiteRun) -> str:
    """Return one page that needs nothing else: a bar for each group, the transcript of every case."""
    page = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    ).get_template("report.html")
    return page.render(result=result, groups=groups(result))


def explained(run: CaseRun) -> Iterator[str]:
    """Yield why a run failed, in lines: its place and reason, then what was expected and what came."""
    yield f"{run.case.id} ({run.case.place}): {run.case.why}"
    for exchange in run.exchanges:
        if exchange.failed:
            yield f"  customer: {short(exchange.said)}"
            yield f"  answer:   {_described(exchange)}"
            for verdict in exchange.failed:
                yield f"    {verdict.name}: expected {short(verdict.expected)}"
                yield f"    {' ' * len(verdict.name)}       got {short(verdict.got)}"
    if run.fault:
        yield f"  stopped: {short(run.fault)}"


def short(text: str, *, length: int = 300) -> str:
    """Return the text on one line, cut to `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[:length]}…"


def _described(exchange: Exchange) -> str:
    answer = exchange.answer or {}
    confidence = answer.get("confidence")
    sure = "" if confidence is None else f", confidence {confidence:.2f}"
    reasons = f", reasons: {', '.join(answer['reasons'])}" if answer.get("reasons") else ""
    return f"{answer.get('outcome')}{sure}{reasons}"


def _run(run: CaseRun) -> dict[str, Any]:
    return {
        "id": run.case.id,
        "group": run.case.group,
        "language": run.case.language,
        "why": run.case.why,
        "place": str(run.case.place),
        "repeat": run.repeat,
        "ok": run.ok,
        "fault": run.fault,
        "seconds": round(run.seconds, 3),
        "exchanges": [_exchange(exchange) for exchange in run.exchanges],
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    verdicts = [{"name": v.name, "ok": v.ok, "expected": v.expected, "got": v.got} for v in exchange.verdicts]
    return {
        "said": exchange.said,
        "answer": exchange.answer,
        "ms": round(exchange.ms, 1),
        "verdicts": verdicts,
    }
