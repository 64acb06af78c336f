"""What is written down of a run names nobody: customers' words and answers are masked in reports for files and machines.

Cases of this repository are invented, but suites run on a company's own conversations too. The terminal shows them as
they were: whoever sees it has run them.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.privacy.hiding import hidden
from evals.measured import Measured
from evals.run import CaseRun, SuiteRun
from evals.scorers import Answer
from evals.talk import Exchange


def unnamed(result: SuiteRun) -> SuiteRun:
    """Return a run without personal data in what was said, what came and what was found wrong."""
    return replace(result, runs=tuple(_run(run) for run in result.runs))


def unnamed_misses(result: Measured) -> Measured:
    """Return a measurement without personal data in the rows that fell short."""
    misses = tuple(replace(m, got=hidden(m.got), about=hidden(m.about)) for m in result.findings.misses)
    return replace(result, findings=replace(result.findings, misses=misses))


def _run(run: CaseRun) -> CaseRun:
    return replace(run, fault=hidden(run.fault), exchanges=tuple(_exchange(each) for each in run.exchanges))


def _exchange(exchange: Exchange) -> Exchange:
    return replace(
        exchange,
        said=hidden(exchange.said),
        answer=None if exchange.answer is None else _answer(exchange.answer),
        verdicts=tuple(replace(verdict, got=hidden(verdict.got)) for verdict in exchange.verdicts),
    )


def _answer(answer: Answer) -> dict[str, Any]:
    """Citations stay: they are documents, which everybody may read."""
    buttons = [
        {**button, "label": hidden(str(button["label"]))} if isinstance(button, Mapping) else button
        for button in answer.get("buttons", ())
    ]
    masked = dict(answer)
    if "text" in answer:
        masked["text"] = hidden(str(answer["text"]))
    return {**masked, "buttons": buttons} if "buttons" in answer else masked
