"""`mayak bench turn --peers`: whole turns of other agents beside Mayak's: one stub, one machine, one after another.

```
prepare: pack imported, passages found ─► each agent in a process of its own ─┬─ stub of 0 ms: alone
                                                                              └─ stub of 500 ms: many at once
```
What counts is the ratio within one run: the machine, its load and the stub are the same for all. No agent but Mayak
checks what it says, asks for consent or keeps what a crash would take; the ratios say what that costs.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console

from api.bench.agents.passages import K
from api.bench.agents.port import Asked, Job
from api.bench.agents.prepare import prepared
from api.bench.figures import quantile
from api.bench.process import machine
from api.bench.search import BenchFailed
from api.bench.stub.server import running_stub
from api.settings import ROOT, Settings, inherited

OWN = "mayak"
AGENTS: Mapping[str, str] = {
    OWN: "Mayak",
    "langchain:search": "create_agent, search tool",
    "langchain:given": "create_agent, passages given",
    "langchain:checkpoints": "create_agent, passages given, SQLite checkpoints",
    "openai:search": "OpenAI client loop, search tool",
    "openai:given": "OpenAI client loop, passages given",
    "parlant": "Parlant",
}
FLIGHT_MS = 500.0
"""Delay of the stub while many turns are in flight."""
SECONDS = 1800
COLUMNS = ("cpu_ms", "p50_ms", "p95_ms", "per_second", "flight_cpu_ms", "flight_p95_ms", "failed")
_QUIET = {"OMP_NUM_THREADS": "1", "LANGSMITH_TRACING": "false", "ANONYMIZED_TELEMETRY": "False"}


async def compare_turns(
    settings: Settings, questions: Sequence[tuple[str, str]], *, in_flight: int, parlant: str = ""
) -> dict[str, Any]:
    """Return `machine`, and for each agent its row of `COLUMNS` or why there is none, and Mayak's ratios to it.

    `parlant` is the Python of an environment that has it. Raises `BenchFailed` when Mayak itself fails.
    """
    with tempfile.TemporaryDirectory(prefix="mayak-agents-") as folder:
        data = Path(folder) / "data"
        asked = await prepared(replace(settings, data=data), questions, k=K)
        rows = {name: _row(settings, name, asked, Path(folder), in_flight, parlant) for name in AGENTS}
    if "missing" in rows[OWN]:
        raise BenchFailed(
            f"Mayak's own run failed: {rows[OWN]['missing']}", remedy="Look at its error above."
        )
    return {
        "machine": machine(),
        "embedder": settings.embedder,
        "questions": len(asked),
        "in_flight": in_flight,
        "agents": rows,
        "ratios": {name: ratios(rows[OWN], row) for name, row in rows.items() if name != OWN},
    }


def long_talk(told: Sequence[float]) -> dict[str, float]:
    """Return the median ms of the turns around the 10th, of the last ten, and their ratio."""
    early, late = quantile(told[5:15], 0.5), quantile(told[-10:], 0.5)
    return {"turn_10_ms": early, "turn_last_ms": late, "ratio": round(late / early, 2) if early else 0.0}


async def bench_long(
    settings: Settings, questions: Sequence[tuple[str, str]], *, turns: int
) -> dict[str, Any]:
    """Hold one talk of so many turns with Mayak on a stub of 0 ms; return `machine`, `turns` and `long_talk`."""
    with tempfile.TemporaryDirectory(prefix="mayak-long-") as folder:
        asked = await prepared(replace(settings, data=Path(folder) / "data"), questions, k=K)
        with running_stub(delay_ms=0) as url:
            told = _run(OWN, _job(settings, asked, Path(folder), url, long=turns), sys.executable)
    if "missing" in told:
        raise BenchFailed(f"The talk failed: {told['missing']}", remedy="Look at its error above.")
    return {"machine": machine(), "turns": turns, **long_talk(told["long_ms"])}


def rated(alone: Mapping[str, Any], flight: Mapping[str, Any]) -> dict[str, float]:
    """Return the columns of one agent from what its two runs told."""
    row = {
        "cpu_ms": alone["cpu_ms"],
        "p50_ms": round(quantile(alone["ms"], 0.5), 1),
        "p95_ms": round(quantile(alone["ms"], 0.95), 1),
        "answered": alone["answered"],
    }
    if flight:
        row |= {
            "per_second": flight["per_second"],
            "flight_cpu_ms": flight["flight_cpu_ms"],
            "flight_p95_ms": round(quantile(flight["flight_ms"], 0.95), 1),
            "failed": flight["failed"],
        }
    return row


def ratios(own: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, float]:
    """Return Mayak's figure over the other's for each column both have; nothing where the other's is 0."""
    shared = [name for name in COLUMNS if name != "failed" and own.get(name) and other.get(name)]
    return {name: round(own[name] / other[name], 2) for name in shared}


def agents_table(figures: Mapping[str, Any]) -> str:
    """Return the figures for a terminal: a line an agent, then Mayak's ratios to each."""
    lines = [
        f"{figures['machine']}; {figures['embedder']}; {figures['questions']} questions, "
        f"{figures['in_flight']} in flight on a stub of {FLIGHT_MS:g} ms"
    ]
    lines.append(_line("a turn", COLUMNS))
    for name, row in figures["agents"].items():
        missing = row.get("missing")
        lines.append(f"{AGENTS[name]:<50}{missing}" if missing else _line(AGENTS[name], _cells(row)))
    lines += ["", "Mayak ÷ the other"]
    for name, row in figures["ratios"].items():
        if row:
            lines.append(_line(AGENTS[name], _cells(row)))
    return "\n".join(lines)


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:<50}" + "".join(f"{cell:>14}" for cell in cells)


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [f"{row[name]:g}" if name in row else "–" for name in COLUMNS]


def _row(
    settings: Settings, name: str, asked: tuple[Asked, ...], folder: Path, in_flight: int, parlant: str
) -> dict[str, Any]:
    python = parlant if name == "parlant" else sys.executable
    if missing := _missing(name, parlant):
        return {"missing": missing}
    screen = Console(stderr=True)
    screen.print(f"{AGENTS[name]}: one after another")
    with running_stub(delay_ms=0) as url:
        alone = _run(name, _job(settings, asked, folder, url, alone=True), python)
    flight: dict[str, Any] = {}
    if in_flight and "missing" not in alone:
        screen.print(f"{AGENTS[name]}: {in_flight} at once")
        with running_stub(delay_ms=FLIGHT_MS) as url:
            flight = _run(name, _job(settings, asked, folder, url, in_flight=in_flight), python)
    return alone if "missing" in alone else flight if "missing" in flight else rated(alone, flight)


def _missing(name: str, parlant: str) -> str:
    if name == "langchain:checkpoints" and not _there("langgraph.checkpoint.sqlite"):
        return "not installed: langgraph-checkpoint-sqlite, in the extra `peers`"
    if name == "parlant" and not parlant:
        return "not installed: give --parlant-python"
    return ""


def _job(settings: Settings, asked: tuple[Asked, ...], folder: Path, url: str, **what: Any) -> Job:
    scratch = Path(tempfile.mkdtemp(dir=folder))
    return Job(
        url=url,
        company=settings.company.resolve(),
        data=folder / "data",
        scratch=scratch,
        embedder=settings.embedder,
        asked=asked,
        **what,
    )


def _run(name: str, job: Job, python: str) -> dict[str, Any]:
    """Run one agent in its own process; what it told, or `missing` with the reason."""
    try:
        done = subprocess.run(
            [python, "-m", "api.bench.agents.race", name],
            input=job.to_json(),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            cwd=job.scratch,
            env={**inherited(), **_QUIET, "PYTHONPATH": str(ROOT)},
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        return {"missing": f"did not run: {type(fault).__name__}"}
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        return {"missing": f"ended with code {done.returncode}"}
    return dict(json.loads(lines[-1]))


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
