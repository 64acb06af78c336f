"""`mayak bench turn --stub 0,200,1000`: where the time of a turn goes, stage by stage, with a model of known slowness.

```
for each delay:  stub model ─► a real server on a fresh data folder ─► questions, one after another ─► turn records
```
The stages are those of the turn records (`agent.stages`); `delivery` is what the customer's clock has beyond them.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import track

from agent.stages import STAGES, outside_model
from api.bench.asking import BATCH, TURN_SECONDS, WARM_UP, ask_one, open_customer, questions
from api.bench.figures import spread
from api.bench.process import machine
from api.bench.server import running
from api.bench.stub.server import MODEL, running_stub
from api.door import Visit
from api.settings import Settings

SHOWN = (*STAGES, "delivery", "total", "outside the model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One turn: `ms` of its record, and `whole` ms from the close of its window to the message at the customer's."""

    ms: Mapping[str, float]
    whole: float
    outcome: str


async def bench_budget(settings: Settings, *, delays: Sequence[float], asked: int) -> dict[str, Any]:
    """Return `machine`, and for each delay of the stub the spread of every stage, ms, and the outcomes."""
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="mayak-budget-") as folder:
        for delay in delays:
            with running_stub(delay_ms=delay) as url:
                served = stubbed(settings, url)
                async with running(served, Path(folder) / "data", log=Path(folder) / "log") as server:
                    rows[f"{delay:g}"] = account(await _turns(server.address, served, asked))
    return {"machine": machine(), "questions": asked, "stubs": rows}


def stubbed(settings: Settings, url: str) -> Settings:
    """Return the settings with the stub as the only remote model, inside the company."""
    return replace(settings, model=f"openai:{MODEL}", model_url=url, model_fallbacks=(), model_external=False)


def account(turns: Sequence[Taken]) -> dict[str, Any]:
    """Return the spread of each stage over the turns that asked the model; a stage not passed counts 0 ms."""
    asked = [turn for turn in turns if turn.ms.get("model")]
    told: dict[str, Any] = {
        name: spread([_shown(turn, name) for turn in asked])
        for name in SHOWN
        if any(_shown(turn, name) for turn in asked)
    }
    outcomes = [turn.outcome for turn in turns]
    return {
        "stages": told,
        "turns": len(asked),
        "outcomes": {o: outcomes.count(o) for o in sorted(set(outcomes))},
    }


def budget_table(figures: Mapping[str, Any]) -> str:
    """Return the figures for a terminal: a line a stage, p50 and p95 for each delay."""
    stubs = figures["stubs"]
    lines = [
        f"{figures['machine']}; {figures['questions']} questions a stub, one after another; ms, p50 / p95"
    ]
    lines.append(f"{'stub model answers after':<26}" + "".join(f"{delay + ' ms':>20}" for delay in stubs))
    for name in SHOWN:
        cells = [one["stages"].get(name) for one in stubs.values()]
        if any(cells):
            shown = [f"{cell['p50']:g} / {cell['p95']:g}" if cell else "–" for cell in cells]
            lines.append(f"{name:<26}" + "".join(f"{cell:>20}" for cell in shown))
    return "\n".join(lines)


def _shown(turn: Taken, name: str) -> float:
    match name:
        case "delivery":
            return max(0.0, turn.whole - turn.ms.get("total", 0.0))
        case "outside the model":
            # By the customer's clock where that ran longer: what they waited for besides the model.
            return max(outside_model(turn.ms), turn.whole - turn.ms.get("model", 0.0))
        case _:
            return turn.ms.get(name, 0.0)


async def _turns(address: str, settings: Settings, asked: int) -> list[Taken]:
    seen: list[tuple[Visit, str, float, str]] = []
    screen = Console(stderr=True)
    every = questions(settings.company, WARM_UP + asked)
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=TURN_SECONDS) as client:
        visit: Visit | None = None
        for n, (text, language) in enumerate(
            track(every, description="Asking", console=screen, transient=True)
        ):
            if visit is None or n % BATCH == 0:
                visit = await open_customer(client, settings, customer="c-001", language=language)
            one = await ask_one(visit, text, quiet_ms=settings.quiet_ms)
            seen.append((visit, one.turn, one.message, one.outcome))
            if one.handed_over:
                visit = None
        # Read at the end: what its commit took is added to a record after the answer has left.
        taken = [
            Taken(ms=(await visit.get(f"/receipts/{turn}"))["ms"], whole=whole, outcome=outcome)
            for visit, turn, whole, outcome in seen[WARM_UP:]
        ]
    return taken
