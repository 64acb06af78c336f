"""How long a sentence that a model has finished takes to reach the customer, over real sockets at both ends.

    OMP_NUM_THREADS=1 python scripts/measure_first_sentence.py --asked 60

A real `mayak serve` with the demo company asks a provider on the loopback that writes word by word; a customer follows
the events. A time is from just before the provider writes what closes its first sentence to the arrival of the event
`sentence`. `early`: answers whose first sentence left before the provider had written the last one.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx

from agent.policy.consent import EXTERNAL_MODEL
from api.bench.asking import open_customer, questions
from api.bench.figures import spread
from api.bench.process import machine
from api.bench.server import running
from api.door import Visit
from api.settings import Settings, read_settings
from tests.api.dictation import Dictation, dictation

WARM_UP = 5
BATCH = 10


@dataclass(slots=True)
class Times:
    """What was seen, in milliseconds; `silent` counts answers of which no sentence was streamed."""

    early: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    silent: int = 0

    def add(self, arrived: float | None, own: Sequence[tuple[str, float]], turn: Mapping[str, Any]) -> None:
        """Add one answer; `own` is what the provider finished for it."""
        if arrived is None or len(own) < 2:
            self.silent += 1
        elif arrived < own[-1][1]:
            self.early.append(1000 * (arrived - own[0][1]))
            self.inside.append(turn["ms"]["first"] - turn["ms"]["first_sentence_model"])
        else:
            self.late.append(1000 * (arrived - own[0][1]))


async def measure(asked: int, *, pace: float) -> dict[str, Any]:
    """Ask so many questions of the demo company; `pace` is the provider's, in seconds a word."""
    times = Times()
    async with dictation(pace=pace) as provider:
        settings = replace(
            read_settings({}),
            model="openai:dictation",
            model_url=provider.url,
            model_key="none",
            embedder="use",
            quiet_ms=0,
        )
        with tempfile.TemporaryDirectory(prefix="mayak-measure-") as folder:
            data, log = Path(folder) / "data", Path(folder) / "log"
            async with running(settings, data, log=log) as server:
                asking = questions(settings.company, asked + WARM_UP)
                await _ask_all(server.address, settings, asking, provider, times)
    return {
        "machine": machine(),
        "asked": asked,
        "pace_ms": 1000 * pace,
        "early": len(times.early),
        "whole_draft": len(times.late),
        "nothing_streamed": times.silent,
        "early_sentence_ms": spread(times.early),
        "of_it_inside_the_turn_ms": spread(times.inside),
        "whole_draft_sentence_ms": spread(times.late),
    }


async def _ask_all(
    address: str, settings: Settings, asking: Sequence[tuple[str, str]], provider: Dictation, times: Times
) -> None:
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as client:
        visit: Visit | None = None
        for n, (text, language) in enumerate(asking):
            if visit is None or n % BATCH == 0:
                visit = await open_customer(client, settings, customer="c-001", language=language)
                await visit.post("/consents", {"purpose": EXTERNAL_MODEL, "granted": True})
            begun = len(provider.finished)
            arrived, turn = await ask(visit, text)
            visit = None if turn["handoff"] else visit
            if n >= WARM_UP:
                times.add(arrived, provider.finished[begun:], turn)


async def ask(visit: Visit, text: str) -> tuple[float | None, dict[str, Any]]:
    """Return when the first sentence arrived and the turn."""
    last = int((await visit.get("/messages"))["event"])
    arrived: list[float] = []

    async def watch() -> None:
        async for _, kind, _ in visit.events(after=last):
            if kind == "sentence":
                arrived.append(perf_counter())
                return

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0.05)
    turn = await visit.turn_after(await visit.send(text))
    await asyncio.sleep(0.05)
    watcher.cancel()
    return (arrived[0] if arrived else None), turn


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--asked", type=int, default=60)
    parser.add_argument("--pace", type=float, default=0.02, help="seconds a word")
    given = parser.parse_args()
    print(json.dumps(asyncio.run(measure(given.asked, pace=given.pace)), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
