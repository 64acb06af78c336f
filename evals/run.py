"""Runs cases against a built house: one sandbox for a suite, one conversation for each case, in a fixed order.

Knows the house by its Protocol alone; what runs is the composition customers talk to.
"""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from agent.ports import House
from evals.case import Case
from evals.marked import BadCases
from evals.talk import Exchange, talk_of
from evals.world import union

GATES = Path(__file__).with_name("gates.toml")


class NoSuite(Exception):
    """There is nothing to run; `remedy` says what to do."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a suite must reach; see gates.toml."""

    pass_rate: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRun:
    """One run of one case; `fault` says why it could not be finished, `repeat` counts from 1."""

    case: Case
    repeat: int
    exchanges: tuple[Exchange, ...]
    fault: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything expected held."""
        return not self.fault and not any(exchange.failed for exchange in self.exchanges)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """All runs of a suite."""

    suite: str
    gate: Gate
    runs: tuple[CaseRun, ...]
    seconds: float

    @property
    def cases(self) -> tuple[str, ...]:
        """Ids in the order they ran."""
        return tuple(dict.fromkeys(run.case.id for run in self.runs))

    @property
    def passed(self) -> tuple[str, ...]:
        """Ids of the cases that held in every repetition."""
        broken = {run.case.id for run in self.runs if not run.ok}
        return tuple(name for name in self.cases if name not in broken)

    @property
    def rate(self) -> float:
        """Share of cases that held, 0..1."""
        return len(self.passed) / len(self.cases) if self.cases else 0.0

    @property
    def ok(self) -> bool:
        """Whether the gate is reached."""
        return self.rate >= self.gate.pass_rate


def gate(suite: str, *, path: Path = GATES) -> Gate:
    """Return the suite's gate. Raises `NoSuite`."""
    known = tomllib.loads(path.read_text("utf-8"))
    if suite not in known:
        raise NoSuite(
            f"Suite “{suite}” has no gate.", remedy=f"Use one of {', '.join(known)}, or add it to {path}."
        )
    return Gate(**known[suite])


def chosen(cases: Sequence[Case], *, suite: str, wanted: str = "") -> tuple[Case, ...]:
    """Return the suite's cases whose id or group contains `wanted`. Raises `NoSuite` when none is left."""
    of_suite = [case for case in cases if case.suite == suite]
    if not of_suite:
        known = ", ".join(sorted({case.suite for case in cases}))
        raise NoSuite(f"There is no case of suite “{suite}”.", remedy=f"Suites with cases: {known}.")
    found = tuple(case for case in of_suite if wanted in case.id or wanted in case.group)
    if not found:
        groups = ", ".join(sorted({case.group for case in of_suite}))
        raise NoSuite(f"No case of “{suite}” matches “{wanted}”.", remedy=f"Its groups are: {groups}.")
    return found


def world_of(cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Return the union of the cases' worlds. Raises `BadCases` when two of them clash."""
    joint, faults = union(case.world for case in cases)
    if faults:
        raise BadCases(faults)
    return joint


async def run_suite(
    house: House,
    cases: Sequence[Case],
    *,
    suite: str,
    limits: Gate,
    repeats: int = 1,
    step: Callable[[CaseRun], None] = lambda run: None,
) -> SuiteRun:
    """Run every case `repeats` times, a fresh sandbox for each repetition; `step` hears of each finished run."""
    world = world_of(cases)
    began = perf_counter()
    runs: list[CaseRun] = []
    for repeat in range(1, repeats + 1):
        async with house.sandbox(world) as sandbox:
            for case in cases:
                run = await run_case(sandbox, case, seconds=limits.seconds, repeat=repeat)
                runs.append(run)
                step(run)
    return SuiteRun(suite=suite, gate=limits, runs=tuple(runs), seconds=perf_counter() - began)


async def run_case(house: House, case: Case, *, seconds: float, repeat: int = 1) -> CaseRun:
    """Run one case in a conversation of its own; what goes wrong in it becomes its fault, not the suite's."""
    talk = talk_of(house, case, seconds=seconds)
    began = perf_counter()
    fault = ""
    try:
        await talk.open()
        for step in case.steps:
            await talk.take(step.move, {**case.always, **step.expect})
        await talk.leave()
    except Exception as broken:  # a broken house fails its case with its reason; the other cases still run
        fault = f"{type(broken).__name__}: {broken}"
    return CaseRun(
        case=case, repeat=repeat, exchanges=tuple(talk.exchanges), fault=fault, seconds=perf_counter() - began
    )
