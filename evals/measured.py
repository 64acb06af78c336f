"""Suites that measure: figures with bounds, what fell short of them, and curves to look at.

```
gates.toml [grounding.bounds] ─┐
measure(setting, tell) ─► Findings ─► Measured ─► words | JSON | JUnit | HTML
```
A suite of cases asks whether each promise holds; a measured suite asks how well, over a set too large to read.
"""

import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from agent.curves import Line as Line
from agent.curves import Plot as Plot
from evals.run import GATES, NoSuite

SUITES: Mapping[str, str] = {
    "approved": "evals.approved:measure",
    "calibration": "evals.calibrate_answers:measure",
    "disclosure": "evals.disclosure:measure",
    "grounding": "evals.grounding:measure",
    "injection": "evals.injection:measure",
    "language": "evals.language:measure",
    "pii": "evals.pii.command:measure",
    "redteam": "evals.redteam:measure",
}
"""Measured suites by name: `module:function` of its `Measure`, loaded when the suite runs."""

Tell = Callable[[str, int, int], None]
"""How far a measurement is: what is being done, how many are done, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a figure must keep to; where it has a 95 % interval, `inside` lets the bound lie within that interval."""

    least: float | None = None
    most: float | None = None
    inside: bool = False

    def holds(self, value: float, *, interval: tuple[float, float] | None = None) -> bool:
        """Say whether a figure keeps to it."""
        low, high = interval if self.inside and interval is not None else (value, value)
        return (self.least is None or high >= self.least) and (self.most is None or low <= self.most)

    def __str__(self) -> str:
        parts = [f"≥ {self.least:g}"] if self.least is not None else []
        parts += [f"≤ {self.most:g}"] if self.most is not None else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number; `of` is how many rows it was computed from."""

    name: str
    value: float
    of: int
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A row that went wrong, to be read: its id, what was wanted and what came."""

    id: str
    wanted: str
    got: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a measurement found; `left_out` names sets that are not on this machine."""

    figures: tuple[Figure, ...]
    misses: tuple[Miss, ...] = ()
    plots: tuple[Plot, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a measurement takes place: `context.house()` opens the real house; None where there are no public sets."""

    context: Any
    evaldata: Path | None = None
    wanted: str = ""
    """A part of the suite to measure alone, in the suite's own words; empty for all of it."""


Measure = Callable[[Setting, Tell], Awaitable[Findings]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Findings held against the suite's bounds."""

    suite: str
    findings: Findings
    bounds: Mapping[str, Bound]
    seconds: float

    @property
    def short(self) -> tuple[Figure, ...]:
        """Figures that do not keep to their bounds."""
        return tuple(one for one in self.findings.figures if not self.holds(one))

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """Bounds no figure was measured for: a gate that cannot be read is not reached."""
        known = {one.name for one in self.findings.figures}
        return tuple(name for name in self.bounds if name not in known)

    @property
    def ok(self) -> bool:
        """Whether everything that could be measured here holds; what needs a set left out is not held against it."""
        return not self.short and (not self.unmeasured or bool(self.findings.left_out))

    def holds(self, figure: Figure) -> bool:
        """Say whether a figure keeps to its bound."""
        bound = self.bounds.get(figure.name)
        return bound is None or bound.holds(figure.value, interval=figure.interval)


def measure_of(suite: str) -> Measure | None:
    """Return how a suite is measured; None for a suite of cases."""
    if suite not in SUITES:
        return None
    module, _, name = SUITES[suite].partition(":")
    found: Measure = getattr(import_module(module), name)
    return found


def bounds_of(suite: str, *, path: Path = GATES) -> dict[str, Bound]:
    """Return a measured suite's bounds by figure. Raises `NoSuite`."""
    known = tomllib.loads(path.read_text("utf-8"))
    if "bounds" not in known.get(suite, {}):
        raise NoSuite(f"Suite “{suite}” has no bounds.", remedy=f"Add [{suite}.bounds] to {path}.")
    return {name: Bound(**row) for name, row in known[suite]["bounds"].items()}


def as_json(result: Measured) -> dict[str, Any]:
    """Return the whole result as JSON types."""
    return {
        "suite": result.suite,
        "ok": result.ok,
        "seconds": round(result.seconds, 2),
        "figures": {one.name: _figure(one, result) for one in result.findings.figures},
        "unmeasured": list(result.unmeasured),
        "left_out": list(result.findings.left_out),
        "misses": [
            {"id": one.id, "wanted": one.wanted, "got": one.got, "about": one.about}
            for one in result.findings.misses
        ],
        "plots": [
            {"title": plot.title, "lines": {line.name: line.points for line in plot.lines}}
            for plot in result.findings.plots
        ],
    }


def worst(misses: Sequence[Miss], *, most: int = 20) -> Sequence[Miss]:
    """Return the first misses, as many as a person reads."""
    return misses[:most]


def _figure(one: Figure, result: Measured) -> dict[str, Any]:
    bound = result.bounds.get(one.name)
    return {
        "value": round(one.value, 4),
        "of": one.of,
        "interval": list(one.interval) if one.interval else None,
        "bound": str(bound) if bound else None,
        "ok": result.holds(one),
    }
