"""A failing provider rests, then one call tries whether it is back; pure but for the clock it is given.

```
closed ──2 failures running, or told to wait──► open ──time is up──► half-open: one probe
   ▲                                              ▲                     │        │
   └──────────────── it answers ──────────────────┼─────────────────────┘        │
                                                  └── it fails: twice the rest ──┘
```
So an outage costs one customer a timeout and not every one, and a provider that comes back is not
overrun by everybody who waited.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "half_open", "open"]

FAILURES_BEFORE_REST = 2
LONGEST_REST = 600.0
"""Seconds; however often it failed, and whatever a provider asks for, it is tried again after this."""


@dataclass(slots=True, kw_only=True)  # mutable: counts failures of one provider
class Breaker:
    """State of one provider. `rest` is in seconds, `clock` in seconds of any steady origin."""

    rest: float
    clock: Callable[[], float]
    failures: int = 0
    until: float = 0.0
    rests: int = 0
    probing: bool = False

    @property
    def state(self) -> State:
        """Return what a call would meet now."""
        if self.clock() < self.until:
            return "open"
        return "half_open" if self.rests else "closed"

    @property
    def seconds_left(self) -> float:
        """Return how long it still rests."""
        return max(0.0, self.until - self.clock())

    def admit(self) -> bool:
        """Return whether a call may be made now; after a rest only one at a time may."""
        match self.state:
            case "closed":
                return True
            case "open":
                return False
        if self.probing:
            return False
        self.probing = True
        return True

    def passed(self) -> None:
        """A call was answered."""
        self.failures, self.rests, self.probing, self.until = 0, 0, False, 0.0

    def failed(self, *, wait: float = 0.0) -> None:
        """A call failed; `wait` is how long the provider asked to be left alone, 0 when it did not say."""
        self.failures += 1
        probed, self.probing = self.probing, False
        if wait > 0:
            self._rest(wait)
        elif probed or self.failures >= FAILURES_BEFORE_REST:
            self._rest(self.rest * 2**self.rests)

    def cancelled(self) -> None:
        """A call was given up for a reason of our own: that says nothing about the provider."""
        self.probing = False

    def _rest(self, seconds: float) -> None:
        self.until = self.clock() + min(seconds, LONGEST_REST)
        self.rests += 1
