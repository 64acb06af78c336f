"""Where the time of a turn goes: every moment belongs to exactly one stage, so that the stages sum to the total.

```
window closes ─ queue ─ situation ─ decide ─ retrieval ─ writer, model, tools ─ check ─ send ─ close ─ commit ─► done
```
`model` and `tools` are the calls themselves, `writer` is what assembles and records them. Stages that a turn did not
pass are absent; one that it passed twice is added up.
"""

from collections.abc import Callable, Mapping
from time import perf_counter

STAGES = (
    "queue",
    "situation",
    "decide",
    "retrieval",
    "writer",
    "model",
    "tools",
    "check",
    "send",
    "close",
    "commit",
)
"""In the order of a turn. `commit` is added after the record was written, see `Intake.release`."""
OUTSIDE = "model"
"""What a turn waits for and Mayak cannot make quicker."""


class Watch:
    """The running account of one turn. `waited` is what it had cost before it began, in ms."""

    def __init__(self, *, waited: float = 0.0, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self.began = self._last = clock()
        self._ms: dict[str, float] = {"queue": waited} if waited else {}

    def end(self, stage: str, **parts: float) -> None:
        """Give the time since the last end to `stage`, but for `parts` of it that belong to other stages, in ms."""
        now = self._clock()
        spent = 1000 * (now - self._last)
        self._last = now
        for name, ms in parts.items():
            # A part that was measured by another clock, or in an earlier life of the turn, cannot be all there is.
            part = min(ms, spent)
            spent -= part
            self._add(name, part)
        self._add(stage, spent)

    @property
    def so_far(self) -> float:
        """Milliseconds since the turn began."""
        return round(1000 * (self._clock() - self.began), 2)

    def ms(self) -> Mapping[str, float]:
        """Return the stages in ms and their `total`."""
        return totalled(self._ms)

    def _add(self, stage: str, ms: float) -> None:
        if ms > 0:
            self._ms[stage] = self._ms.get(stage, 0.0) + ms


def totalled(ms: Mapping[str, float]) -> dict[str, float]:
    """Return `ms` with the stages rounded and summed up as `total`; what is no stage stays as it is."""
    rounded = {name: round(value, 2) for name, value in ms.items() if name != "total"}
    return {**rounded, "total": round(sum(value for name, value in rounded.items() if name in STAGES), 2)}


def outside_model(ms: Mapping[str, float]) -> float:
    """Return what a turn took besides waiting for the model, in ms."""
    return max(0.0, ms.get("total", 0.0) - ms.get(OUTSIDE, 0.0))
