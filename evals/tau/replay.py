"""Recorded calls done again on Mayak's own tools, step by step, and what became of the database.

    trace ─► whose is it? ─► bind its customer, unless a step verifies them ─► each call ─► compare ─► hash

A trace that names two customers is done as the first of them and never counts as passed.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.tau.domain import Call, Domain, Json, Refused, Unplayable, World
from evals.tau.traces import Outcome, Trace, digest, merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A step that gave something else than was recorded; `n` counts from 1."""

    n: int
    call: Call
    wanted: Outcome
    got: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One trace done again.

    `matched` counts steps like the recorded ones; a step with nothing recorded is no match and no miss.
    `final_ok` is None where no final state was recorded; `unplayable` says which steps could not be read and why.
    """

    trace: Trace
    results: tuple[Json, ...]
    matched: int
    misses: tuple[Miss, ...]
    final: str
    cross_customer: bool
    unplayable: tuple[str, ...]

    @property
    def final_ok(self) -> bool | None:
        return None if self.trace.final is None else self.final == self.trace.final

    def as_row(self) -> dict[str, Json]:
        """Return the row for `--results`."""
        return {
            "task_id": self.trace.task_id,
            "results": list(self.results),
            "final_db_sha256": self.final,
        }


def figures(done: Sequence[Replayed]) -> dict[str, int]:
    """Return steps, matched steps, traces, traces with the recorded final state, traces of two customers."""
    return {
        "steps": sum(len(one.results) for one in done),
        "matched": sum(one.matched for one in done),
        "traces": len(done),
        "final_state_ok": sum(one.final_ok is True and not one.cross_customer for one in done),
        "cross_customer": sum(one.cross_customer for one in done),
    }


async def replay_all(
    domain: Domain,
    database: Mapping[str, Json],
    traces: Sequence[Trace],
    *,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> list[Replayed]:
    """Do every trace again, each over its own copy of the database."""
    out = []
    for n, trace in enumerate(traces, start=1):
        with tempfile.TemporaryDirectory(prefix="mayak-replay-") as folder:
            out.append(await replay(domain, database, trace, folder=Path(folder)))
        tell(n, len(traces))
    return out


async def replay(domain: Domain, database: Mapping[str, Json], trace: Trace, *, folder: Path) -> Replayed:
    """Do one trace again."""
    begun = merged(database, trace.initial) if trace.initial else database
    world = await domain.open(begun, folder=folder)
    try:
        owners = _owners(world, trace)
        if owners and not any(step.call.name in domain.verifies for step in trace.steps):
            await world.bind(owners[0])
        outcomes, unplayable = await _outcomes(world, trace)
        final = digest(await world.database())
    finally:
        await world.close()
    compared = [
        (Miss(n=n, call=step.call, wanted=step.expected, got=got), step.expected.same(got))
        for n, (step, got) in enumerate(zip(trace.steps, outcomes, strict=True), start=1)
        if step.expected is not None
    ]
    return Replayed(
        trace=trace,
        results=tuple(got.value for got in outcomes),
        matched=sum(same for _, same in compared),
        misses=tuple(miss for miss, same in compared if not same),
        final=final,
        cross_customer=len(owners) > 1,
        unplayable=tuple(unplayable),
    )


def _owners(world: World, trace: Trace) -> list[str]:
    """Return the customers the trace names, in the order of naming."""
    named = (world.owner_of(step.call) for step in trace.steps)
    return list(dict.fromkeys(owner for owner in named if owner is not None))


async def _outcomes(world: World, trace: Trace) -> tuple[list[Outcome], list[str]]:
    outcomes, unplayable = [], []
    for n, step in enumerate(trace.steps, start=1):
        try:
            outcomes.append(Outcome(value=await world.call(step.call)))
        except Refused as refusal:
            outcomes.append(Outcome(value=str(refusal), refused=True))
        except Unplayable as unreadable:
            outcomes.append(Outcome(value=f"Unplayable: {unreadable}", refused=True))
            unplayable.append(f"step {n} ({step.call.name}): {unreadable}")
    return outcomes, unplayable
