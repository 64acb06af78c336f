"""One agent of the comparison in a process of its own: `python -m api.bench.agents.race NAME`, a job on stdin.

```
open ─► warm up ─┬─ alone: every question, one after another    ms and CPU of a turn
                 ├─ at once: many talks, two turns each         turns a second
                 └─ long: one talk                              ms of each turn
```
CPU is that of the whole process, all its threads; the stub is another process and not in it.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from time import perf_counter, process_time
from typing import Any

from api.bench.agents.port import Agent, Asked, Job
from api.bench.stub.saying import NOTHING

WARM_UP = 5
SECONDS = 90.0
"""After so long a turn has failed."""
EACH = 2
"""Turns each talk of those in flight takes, one after the other."""

Opening = Callable[[Job], AbstractAsyncContextManager[Agent]]


async def race(opening: Opening, job: Job) -> dict[str, Any]:
    """Return what the job asks for: `ms` and `cpu_ms` of turns alone, what turns at once came to, `long_ms`."""
    async with opening(job) as agent:
        await agent.begin("warm", language=job.asked[0].language)
        for n in range(WARM_UP):
            await agent.answer(job.asked[n % len(job.asked)].question, talk="warm")
        told: dict[str, Any] = {}
        if job.alone:
            told |= await _one_by_one(agent, job.asked)
        if job.in_flight:
            told |= await _at_once(agent, job.asked, job.in_flight)
        if job.long:
            told["long_ms"] = await _long(agent, job.asked, job.long)
        return told


async def _one_by_one(agent: Agent, asked: Sequence[Asked]) -> dict[str, Any]:
    ms: list[float] = []
    quoted = 0
    for n, one in enumerate(asked):
        await agent.begin(f"single-{n}", language=one.language)
    busy, began = process_time(), perf_counter()
    for n, one in enumerate(asked):
        at = perf_counter()
        answer = await agent.answer(one.question, talk=f"single-{n}")
        ms.append(round(1000 * (perf_counter() - at), 2))
        quoted += bool(answer.strip(f" {NOTHING}"))
    # What a turn leaves to be done after its answer belongs to its cost.
    await asyncio.sleep(0.5)
    cpu = 1000 * (process_time() - busy) / len(asked)
    return {
        "ms": ms,
        "cpu_ms": round(cpu, 2),
        "answered": quoted,
        "seconds": round(perf_counter() - began, 2),
    }


async def _at_once(agent: Agent, asked: Sequence[Asked], talks: int) -> dict[str, Any]:
    ms: list[float] = []
    faults: list[str] = []

    async def customer(n: int) -> None:
        for k in range(EACH):
            at = perf_counter()
            try:
                async with asyncio.timeout(SECONDS):
                    await agent.answer(asked[(n + k) % len(asked)].question, talk=f"flight-{n}")
            except Exception as fault:
                # A turn that fails under load is a figure of the comparison, not the end of it.
                faults.append(repr(fault)[:200])
            else:
                ms.append(round(1000 * (perf_counter() - at), 2))

    for n in range(talks):
        await agent.begin(f"flight-{n}", language=asked[n % len(asked)].language)
    busy, began = process_time(), perf_counter()
    await asyncio.gather(*(customer(n) for n in range(talks)))
    wall = perf_counter() - began
    return {
        "flight_ms": ms,
        "flight_cpu_ms": round(1000 * (process_time() - busy) / (EACH * talks), 2),
        "per_second": round(len(ms) / wall, 2),
        "faults": faults[:5],
        "failed": len(faults),
    }


async def _long(agent: Agent, asked: Sequence[Asked], turns: int) -> list[float]:
    ms: list[float] = []
    await agent.begin("long", language=asked[0].language)
    for n in range(turns):
        at = perf_counter()
        await agent.answer(asked[n % len(asked)].question, talk="long")
        ms.append(round(1000 * (perf_counter() - at), 2))
    return ms


def opening_of(name: str) -> Opening:
    """Return how the agent of this name is opened. Raises `ImportError` when its library is missing, `KeyError`."""
    kind, _, variant = name.partition(":")
    match kind:
        case "mayak":
            from api.bench.agents.own import own_agent

            return own_agent
        case "langchain":
            from api.bench.agents.langchain import langchain_agent

            return partial(langchain_agent, variant=variant)
        case "openai":
            from api.bench.agents.openai_loop import openai_agent

            return partial(openai_agent, variant=variant)
        case "parlant":
            from api.bench.agents.parlant import parlant_agent

            return parlant_agent
        case _:
            raise KeyError(name)


def main() -> None:
    """Run the agent that the first argument names."""
    job = Job.of_json(sys.stdin.read())
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        told = runner.run(race(opening_of(sys.argv[1]), job))
    print(json.dumps(told, ensure_ascii=False), flush=True)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the loop a server of each of them runs on: uvloop where it is installed, for all alike."""
    try:
        import uvloop
    except ImportError:
        return None
    made: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return made


if __name__ == "__main__":
    main()
