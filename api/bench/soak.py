"""A soak: several customers keep asking one real server for some minutes; what grows, what slows down, what is lost.

```
start on a fresh folder ─► warm-up ─┬─ customer 1: a conversation of ten questions, read back, the next one …
                                    ├─ customer n
                                    └─ a sample each minute: memory, descriptors, data folder, latency
```
It stops by itself, at most one turn's patience after its time, and ends only the server it started.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from api.bench.asking import BATCH, TURN_SECONDS, WARM_UP, ask_one, open_customer, questions
from api.bench.figures import fifths, quantile, slope, spread
from api.bench.process import descriptors, folder_mib, machine, resident_mib
from api.bench.server import Server, running
from api.door import DoorClosed, Visit
from api.settings import Settings

SAMPLES = 10
"""At least so many a run, even one shorter than ten minutes."""
PAUSE = 1.0
"""Seconds a customer waits after a fault, so that a dead server is not hammered."""
GAUGES = ("resident_mib", "descriptors", "data_mib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The server at one moment: seconds since the start, turns so far, its costs, ms of the turns since the last one."""

    seconds: float
    turns: int
    resident_mib: float
    descriptors: int
    data_mib: float
    p50_ms: float
    p95_ms: float


@dataclass(slots=True)  # mutable: grows while the customers ask
class Tally:
    """What the customers saw. `times` are ms of answered turns in the order they ended."""

    times: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    conversations: int = 0
    unanswered: int = 0
    duplicates: int = 0


async def bench_soak(settings: Settings, *, minutes: float, customers: int) -> dict[str, Any]:
    """Return slopes, latencies at both ends, errors, turns without an answer and answers given twice."""
    tally, samples = Tally(), list[Sample]()
    with tempfile.TemporaryDirectory(prefix="mayak-soak-") as folder:
        data, log = Path(folder) / "data", Path(folder) / "server.log"
        async with running(settings, data, log=log) as server:
            await _warmed(server, settings)
            stop = perf_counter() + 60 * minutes
            asking = [_customer(server, settings, n, stop, tally) for n in range(customers)]
            sampling = asyncio.create_task(_sampled(server, data, minutes, tally, samples))
            await asyncio.gather(*asking)
            await sampling
            alive = server.process.poll() is None
    return {
        "machine": machine(),
        "embedder": settings.embedder,
        "model": settings.model,
        "minutes": minutes,
        "customers": customers,
        **summary(tally, samples),
        "server_alive": alive,
        "samples": [asdict(one) for one in samples],
    }


def summary(tally: Tally, samples: Sequence[Sample]) -> dict[str, Any]:
    """Return what a soak shows; pure. Slopes are least squares, without the first fifth: pools and caches still fill."""
    settled = samples[len(samples) // 5 :]
    first, last = fifths(tally.times)
    return {
        "turns": len(tally.times),
        "conversations": tally.conversations,
        "whole_answer_ms": spread(tally.times),
        "p95_first_fifth_ms": round(quantile(first, 0.95), 1),
        "p95_last_fifth_ms": round(quantile(last, 0.95), 1),
        "growth": {gauge: _growth(settled, gauge) for gauge in GAUGES},
        "outcomes": dict(sorted(tally.outcomes.items())),
        "errors": dict(tally.errors),
        "unanswered": tally.unanswered,
        "duplicates": tally.duplicates,
    }


def faults(figures: Mapping[str, Any]) -> list[str]:
    """Return what must not be, in words; empty when the soak passed."""
    out = [f"{figures[name]} {name}" for name in ("unanswered", "duplicates") if figures[name]]
    out += [f"{n} × {name}" for name, n in figures["errors"].items()]
    if not figures["turns"]:
        out.append("no turn was finished")
    return out if figures["server_alive"] else [*out, "the server ended"]


def soak_table(figures: Mapping[str, Any]) -> str:
    """Return the figures for a terminal."""
    lines = [
        f"{figures['machine']}; {figures['customers']} customers for {figures['minutes']:g} min, "
        f"{figures['turns']} turns in {figures['conversations']} conversations",
        f"{'min':>6} {'turns':>7} {'MiB':>8} {'files':>6} {'data MiB':>9} {'p50 ms':>8} {'p95 ms':>8}",
    ]
    lines += [
        f"{one['seconds'] / 60:>6.1f} {one['turns']:>7} {one['resident_mib']:>8.1f} {one['descriptors']:>6} "
        f"{one['data_mib']:>9.2f} {one['p50_ms']:>8.1f} {one['p95_ms']:>8.1f}"
        for one in figures["samples"]
    ]
    for gauge, rise in figures["growth"].items():
        lines.append(
            f"{gauge:<14} {rise['per_hour']:+.2f} an hour, {rise['per_1000_turns']:+.3f} a 1,000 turns"
        )
    lines.append(
        f"p95 of the first fifth {figures['p95_first_fifth_ms']} ms, of the last {figures['p95_last_fifth_ms']} ms"
    )
    lines.append(f"outcomes {figures['outcomes']}")
    wrong = faults(figures)
    lines.append("WRONG: " + "; ".join(wrong) if wrong else "every question has one answer; no error")
    return "\n".join(lines)


def _growth(samples: Sequence[Sample], gauge: str) -> dict[str, float]:
    values = [float(getattr(one, gauge)) for one in samples]
    by_time = slope([(one.seconds / 3600, value) for one, value in zip(samples, values, strict=True)])
    by_turns = slope([(one.turns / 1000, value) for one, value in zip(samples, values, strict=True)])
    return {"per_hour": round(by_time, 3), "per_1000_turns": round(by_turns, 3)}


async def _warmed(server: Server, settings: Settings) -> None:
    async with _client(server) as client:
        for text, language in questions(settings.company, WARM_UP):
            visit = await open_customer(client, settings, customer="c-001", language=language)
            await ask_one(visit, text, quiet_ms=settings.quiet_ms)


async def _customer(server: Server, settings: Settings, n: int, stop: float, tally: Tally) -> None:
    """Ask until the time is over; a fault is counted, and a new conversation opened after a pause."""
    mine = questions(settings.company, 400)
    at = 37 * n
    async with _client(server) as client:
        while perf_counter() < stop and server.process.poll() is None:
            try:
                language = mine[at % len(mine)][1]
                visit = await open_customer(client, settings, customer=f"c-{n + 1:03}", language=language)
                tally.conversations += 1
                texts = [mine[(at + i) % len(mine)][0] for i in range(BATCH)]
                at += await _conversation(visit, texts, stop, tally, quiet_ms=settings.quiet_ms)
            except (DoorClosed, httpx.HTTPError, TimeoutError) as fault:
                tally.errors[f"{type(fault).__name__}: {fault}"[:200]] += 1
                await asyncio.sleep(PAUSE)


async def _conversation(
    visit: Visit, asked: Sequence[str], stop: float, tally: Tally, *, quiet_ms: int
) -> int:
    """Ask these one after another, then read the transcript back; return how many were asked."""
    turns: list[str] = []
    for text in asked:
        if perf_counter() >= stop and turns:
            break
        try:
            one = await ask_one(visit, text, quiet_ms=quiet_ms)
        except TimeoutError:
            tally.unanswered += 1
            raise
        turns.append(one.turn)
        tally.times.append(one.message)
        tally.outcomes[one.outcome] += 1
        if one.handed_over:
            break
    lost, twice = compared((await visit.get("/messages"))["messages"], turns)
    tally.unanswered += lost
    tally.duplicates += twice
    return len(turns)


def compared(transcript: Sequence[Mapping[str, Any]], turns: Sequence[str]) -> tuple[int, int]:
    """Return how many of these turns the transcript has no answer to, and how many lines or turns came twice."""
    answers = Counter(
        (str(line["turn"]), str(line["text"]))
        for line in transcript
        if line["author"] == "ai" and line.get("turn")
    )
    answered = {turn for turn, _ in answers}
    lost = sum(turn not in answered for turn in turns)
    questions_twice = max(0, sum(line["author"] == "customer" for line in transcript) - len(turns))
    answers_twice = sum(n - 1 for n in answers.values())
    strangers = len(answered - set(turns))
    return lost, questions_twice + answers_twice + strangers


async def _sampled(server: Server, data: Path, minutes: float, tally: Tally, samples: list[Sample]) -> None:
    began, every = perf_counter(), min(60.0, 60 * minutes / SAMPLES)
    seen, number = 0, 0
    with _bar() as bar:
        task = bar.add_task("Soaking", total=60 * minutes, turns=0)
        while server.process.poll() is None:
            fresh = tally.times[seen:]
            seen += len(fresh)
            samples.append(
                Sample(
                    seconds=round(perf_counter() - began, 1),
                    turns=seen,
                    resident_mib=round(resident_mib(server.process.pid), 1),
                    descriptors=descriptors(server.process.pid),
                    data_mib=round(await asyncio.to_thread(folder_mib, data), 2),
                    p50_ms=round(quantile(fresh, 0.5), 1),
                    p95_ms=round(quantile(fresh, 0.95), 1),
                )
            )
            number += 1
            due = began + number * every
            if due > began + 60 * minutes + 0.5:
                break
            while perf_counter() < due:
                await asyncio.sleep(min(1.0, max(0.0, due - perf_counter())))
                bar.update(task, completed=perf_counter() - began, turns=len(tally.times))


def _client(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.address, trust_env=False, timeout=TURN_SECONDS)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[turns]} turns"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
