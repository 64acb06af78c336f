"""Figures of the company's systems for Prometheus: made at the moment they are asked for, from what the calls left."""

from collections.abc import Callable, Iterable, Iterator
from typing import get_args

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from tools.breaker import State
from tools.calls import BOUNDS, KINDS, RESULTS, Calls, Kind
from tools.http_client import HttpSystem


class SystemFigures(Collector):
    """Shows every open system by its name, which is Mayak's own or the pack's, and nothing of what was asked."""

    def __init__(self, systems: Callable[[], Iterable[HttpSystem]]) -> None:
        self._systems = systems

    def describe(self) -> Iterable[Metric]:
        """Promise nothing: which systems there are is known only when they are open."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the figures as they are now."""
        counts = CounterMetricFamily(
            "mayak_system_calls",
            "Calls of the company's systems: answered, declined, unsent, failed, resting (not even asked).",
            labels=["system", "kind", "result"],
        )
        seconds = HistogramMetricFamily(
            "mayak_system_seconds", "Seconds of a call, all its attempts together.", labels=["system", "kind"]
        )
        states = GaugeMetricFamily(
            "mayak_system_state",
            "State of a system's circuit breaker: 1 for the one it is in.",
            labels=["system", "state"],
        )
        known: dict[str, list[HttpSystem]] = {}
        for system in self._systems():
            known.setdefault(system.name, []).append(system)
        for name, systems in sorted(known.items()):
            for kind in KINDS:
                for result in RESULTS:
                    counts.add_metric(
                        [name, kind, result], sum(one.calls.counts[kind, result] for one in systems)
                    )
                buckets, total = _histogram([one.calls for one in systems], kind)
                seconds.add_metric([name, kind], buckets=buckets, sum_value=total)
            worst = _worst(systems)
            for state in get_args(State):
                states.add_metric([name, state], float(worst == state))
        yield from (counts, seconds, states)


def _histogram(calls: list[Calls], kind: Kind) -> tuple[list[tuple[str, float]], float]:
    """Return cumulated steps with their upper bounds, and the sum, as the exposition wants them."""
    buckets: list[tuple[str, float]] = []
    count = 0.0
    for n, bound in enumerate([*map(str, BOUNDS), "+Inf"]):
        count += sum(one.steps[kind][n] for one in calls)
        buckets.append((bound, count))
    return buckets, sum(one.seconds[kind] for one in calls)


def _worst(systems: list[HttpSystem]) -> State:
    """Return the state that most needs a look; doors to one system have breakers of their own."""
    states = {one.breaker.state for one in systems}
    return "open" if "open" in states else "half_open" if "half_open" in states else "closed"
