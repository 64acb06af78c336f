"""What calls of one system of the company came to: counted where they are made, read by whoever shows figures.

```
call ─► the breaker is open ─► resting
     └► asked ─┬─► answered, or declined by its own rules
               ├─► unsent   surely did not happen
               ├─► failed   too slow, cut off, broken: nobody knows
               └─► given up by us: not counted, it says nothing about the system
```
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, get_args

Kind = Literal["read", "write"]
Result = Literal["answered", "declined", "unsent", "failed", "resting"]
KINDS: tuple[Kind, ...] = get_args(Kind)
RESULTS: tuple[Result, ...] = get_args(Result)
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram's steps, seconds."""


@dataclass(slots=True)  # mutable: counts calls of one system
class Calls:
    """Counts by kind and result, and how long calls lasted, all their attempts together; a rest takes no time."""

    counts: Counter[tuple[Kind, Result]] = field(default_factory=Counter)
    steps: dict[Kind, list[int]] = field(
        default_factory=lambda: {kind: [0] * (len(BOUNDS) + 1) for kind in KINDS}
    )
    seconds: dict[Kind, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))

    def note(self, kind: Kind, result: Result, *, seconds: float = 0.0) -> None:
        """Count one call."""
        self.counts[kind, result] += 1
        if result != "resting":
            self.steps[kind][bisect_left(BOUNDS, seconds)] += 1
            self.seconds[kind] += seconds
