"""Figures of the turn, taken from outside: a real server process, a real socket, a fresh data folder.

```
cold start (migrate, import the pack) ─► stop ─► second start ─► warm-up ─► n questions, one after another
```
Every time is taken by the client. The clock of a turn starts when the message was accepted (202); with a
quiet window of 0 ms that is the window's close, a little early. `outside` is what is left of the time to
the final message after the stages that belong to the model, to embedding and search, and to tools.
"""

import asyncio
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import yaml
from rich.console import Console
from rich.progress import track

from api.door import Visit, open_visit
from api.identity import sign
from api.settings import PREFIX, Settings, inherited

SECRET = "0123456789abcdef" * 4
"""Signs identities on the throw-away data folder of a bench, nothing else."""
START_SECONDS = 600
TURN_SECONDS = 30
WARM_UP = 5
BATCH = 10
"""Questions a conversation; a fresh one keeps histories short and rate limits out of the way."""


async def bench_turn(settings: Settings, *, questions: int) -> dict[str, Any]:
    """Return the figures: milliseconds, seconds and MiB, with the machine's size."""
    asked = _questions(settings.company, questions)
    with tempfile.TemporaryDirectory(prefix="mayak-bench-") as folder:
        data = Path(folder)
        async with _server(settings, data) as (_process, cold, _address):
            pass
        async with _server(settings, data) as (process, warm, address):
            turns = await _ask_all(address, asked, settings)
            resident = _resident(process.pid)
    return {
        "machine": _machine(),
        "questions": len(turns),
        "cold_start_s": round(cold, 1),
        "second_start_s": round(warm, 1),
        "resident_mib": resident,
        "help_s": _help_seconds(),
        "first_status_ms": _spread([t["status"] for t in turns if t["status"] is not None]),
        "first_sentence_ms": _spread([t["sentence"] for t in turns if t["sentence"] is not None]),
        "whole_answer_ms": _spread([t["message"] for t in turns]),
        "retrieval_ms": _spread([t["retrieval"] for t in turns if t["retrieval"]]),
        "writer_ms": _spread([t["writer"] for t in turns if t["writer"]]),
        "outside_ms": _spread([t["outside"] for t in turns]),
        "outcomes": {
            name: sum(t["outcome"] == name for t in turns) for name in sorted({t["outcome"] for t in turns})
        },
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


@asynccontextmanager
async def _server(
    settings: Settings, data: Path
) -> AsyncIterator[tuple[subprocess.Popen[bytes], float, str]]:
    """Run `mayak serve` until the block ends; yields process, seconds until ready, address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {
        **{name: value for name, value in inherited().items() if not name.startswith(PREFIX)},
        "MAYAK_DATA": str(data),
        "MAYAK_PORT": str(port),
        "MAYAK_COMPANY": str(settings.company.resolve()),
        "MAYAK_EMBEDDER": settings.embedder,
        "MAYAK_MODEL": settings.model,
        "MAYAK_MODEL_URL": settings.model_url,
        "MAYAK_MODEL_KEY": settings.model_key,
        "MAYAK_IDENTITY_SECRET": SECRET,
        "MAYAK_QUIET_MS": "0",
        "MAYAK_LOG_LEVEL": "warning",
    }
    began = perf_counter()
    log = (data / "bench.log").open("ab")
    process = subprocess.Popen(  # noqa: ASYNC220 – starting takes a millisecond, and nothing else runs yet
        [sys.executable, "-m", "api.cli", "serve"], env=environment, stdout=log, stderr=log
    )
    try:
        await _ready(address, process, log=data / "bench.log")
        yield process, perf_counter() - began, address
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


async def _ready(address: str, process: subprocess.Popen[bytes], *, log: Path) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        deadline = perf_counter() + START_SECONDS
        while perf_counter() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"The server ended: {log.read_text('utf-8', 'replace')[-2000:]}")
            try:
                if (await client.get(f"{address}/readyz")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise TimeoutError(f"The server was not ready within {START_SECONDS} s.")


async def _ask_all(
    address: str, asked: Sequence[tuple[str, str]], settings: Settings
) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=TURN_SECONDS) as client:
        visit: Visit | None = None
        for n, (text, language) in enumerate(
            track(
                [*asked[:WARM_UP], *asked], description="Asking", console=Console(stderr=True), transient=True
            )
        ):
            if visit is None or n % BATCH == 0:
                identity = sign("c-001", secret=SECRET, audience=settings.identity_audience)
                visit = await open_visit(
                    client, language="en" if language == "en" else "ru", identity=identity
                )
                await visit.post("/consents", {"purpose": "orders:read", "granted": True})
            measured = await asyncio.wait_for(_one(visit, text), TURN_SECONDS)
            if measured["holder"] != "ai":
                visit = None
            if n >= min(WARM_UP, len(asked)):
                turns.append(measured)
    return turns


async def _one(visit: Visit, text: str) -> dict[str, Any]:
    """Send one message and time what comes back, in ms after it was accepted."""
    last = int((await visit.get("/messages"))["event"])
    seen: dict[str, float] = {}

    async def watch() -> None:
        async for _, kind, data in visit.events(after=last):
            at = perf_counter()
            if kind == "message":
                if data.get("author") != "customer":
                    seen["answer"] = at
                    return
            else:
                seen.setdefault(kind, at)

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0.02)
    seq = await visit.send(text)
    began = perf_counter()
    await watcher
    answer = await visit.turn_after(seq)
    ms = {kind: max(0.0, 1000 * (at - began)) for kind, at in seen.items()}
    own = sum(float(answer["ms"].get(stage, 0.0)) for stage in ("retrieval", "model", "tools"))
    return {
        "status": ms.get("status"),
        "sentence": ms.get("sentence"),
        "message": ms["answer"],
        "retrieval": float(answer["ms"].get("retrieval", 0.0)),
        "writer": float(answer["ms"].get("model", 0.0)),
        "outside": max(0.0, ms["answer"] - own),
        "outcome": answer["outcome"],
        "holder": "queued" if answer["handoff"] else "ai",
    }


def _questions(company: Path, n: int) -> list[tuple[str, str]]:
    """Return n questions of the pack's own list, with a look at an order after every fourth."""
    rows = yaml.safe_load((company / "questions.yaml").read_text("utf-8"))
    rows = rows if isinstance(rows, list) else rows["questions"]
    own = [(str(row["q"]), str(row["language"])) for row in rows if row.get("document")]
    mixed: list[tuple[str, str]] = []
    for i, question in enumerate(own):
        mixed.append(question)
        if i % 4 == 3:
            mixed.append(("1045-A?", question[1]))
    return [mixed[i % len(mixed)] for i in range(n)]


def _spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    if not ordered:
        return {}
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"p50": round(statistics.median(ordered), 1), "p95": round(p95, 1), "max": round(ordered[-1], 1)}


def _resident(pid: int) -> int:
    """Return resident memory in MiB, from the kernel's own account."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


def _help_seconds() -> float:
    times = []
    for _ in range(3):
        began = perf_counter()
        subprocess.run([sys.executable, "-m", "api.cli", "--help"], capture_output=True, check=True)
        times.append(perf_counter() - began)
    return round(min(times), 2)


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return f"{os.cpu_count()} cores, {memory} GiB, Python {platform.python_version()}"
