"""Figures of the turn, taken from outside: a real server process, a real socket, a fresh data folder.

```
cold start (migrate, import the pack) ─► stop ─► second start ─► warm-up ─► n questions, one after another
```
Every time is taken by the client. The clock of a turn starts when the message was accepted (202); with a
quiet window of 0 ms that is the window's close, a little early. `outside` is what is left of the time to
the final message after the stages that belong to the model, to embedding and search, and to tools.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
from rich.console import Console
from rich.progress import track

from api.bench.asking import BATCH, TURN_SECONDS, WARM_UP, Asked, ask_one, open_customer, questions
from api.bench.figures import spread
from api.bench.process import machine, resident_mib
from api.bench.server import running
from api.door import Visit
from api.settings import Settings


async def bench_turn(settings: Settings, *, asked: int) -> dict[str, Any]:
    """Ask so many questions and return the figures: milliseconds, seconds and MiB, with the machine's size."""
    with tempfile.TemporaryDirectory(prefix="mayak-bench-") as folder:
        data, log = Path(folder) / "data", Path(folder) / "server.log"
        async with running(settings, data, log=log) as first:
            cold = first.started_s
        async with running(settings, data, log=log) as second:
            turns = await _ask_all(second.address, questions(settings.company, asked), settings)
            resident = round(resident_mib(second.process.pid))
            warm = second.started_s
    return {
        "machine": machine(),
        "questions": len(turns),
        "cold_start_s": round(cold, 1),
        "second_start_s": round(warm, 1),
        "resident_mib": resident,
        "help_s": _help_seconds(),
        "first_status_ms": spread([t.status for t in turns if t.status is not None]),
        "first_sentence_ms": spread([t.sentence for t in turns if t.sentence is not None]),
        "whole_answer_ms": spread([t.message for t in turns]),
        "retrieval_ms": spread([t.retrieval for t in turns if t.retrieval]),
        "writer_ms": spread([t.writer for t in turns if t.writer]),
        "outside_ms": spread([t.outside for t in turns]),
        "outcomes": dict(sorted(Counter(t.outcome for t in turns).items())),
    }


def table(figures: dict[str, Any]) -> str:
    """Return the figures for a terminal."""
    lines = [f"{figures['machine']}; {figures['questions']} questions, one after another"]
    for name, value in figures.items():
        if isinstance(value, dict) and "p50" in value:
            lines.append(f"{name:<20} p50 {value['p50']:>8}   p95 {value['p95']:>8}   max {value['max']:>8}")
        elif name not in ("machine", "questions"):
            lines.append(f"{name:<20} {value}")
    return "\n".join(lines)


async def _ask_all(address: str, asked: Sequence[tuple[str, str]], settings: Settings) -> list[Asked]:
    turns: list[Asked] = []
    screen = Console(stderr=True)
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=TURN_SECONDS) as client:
        visit: Visit | None = None
        every = [*asked[:WARM_UP], *asked]
        for n, (text, language) in enumerate(
            track(every, description="Asking", console=screen, transient=True)
        ):
            if visit is None or n % BATCH == 0:
                visit = await open_customer(client, settings, customer="c-001", language=language)
            one = await ask_one(visit, text, quiet_ms=settings.quiet_ms)
            if one.handed_over:
                visit = None
            if n >= min(WARM_UP, len(asked)):
                turns.append(one)
    return turns


def _help_seconds() -> float:
    times = []
    for _ in range(3):
        began = perf_counter()
        subprocess.run([sys.executable, "-m", "api.cli", "--help"], capture_output=True, check=True)
        times.append(perf_counter() - began)
    return round(min(times), 2)
