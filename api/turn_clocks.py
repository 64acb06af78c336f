"""What a turn costs before it begins and after its record is written: only the worker around it can see that."""

from collections.abc import Mapping
from time import perf_counter

from tools.context import TurnId


class TurnClocks:
    """The moments of the turns in work in this process. A turn it knows nothing of waited 0 ms."""

    def __init__(self) -> None:
        self._closed: dict[TurnId, float] = {}
        self._began: dict[TurnId, float] = {}
        self._committing: dict[TurnId, float] = {}

    def closed(self, turn: TurnId, at: float) -> None:
        """The turn's quiet window closed `at` this reading of `time.perf_counter`."""
        self._closed[turn] = at

    def waited(self, turn: TurnId) -> float:
        """The turn begins now: return how long that took since its window closed, in ms."""
        self._began[turn] = now = perf_counter()
        return 1000 * (now - self._closed.pop(turn, now))

    def committed(self, turn: TurnId, ms: Mapping[str, float]) -> None:
        """The turn ended now; what it took beyond its own account `ms` was the commit of that account."""
        began = self._began.pop(turn, None)
        if began is not None:
            own = ms.get("total", 0.0) - ms.get("queue", 0.0)
            self._committing[turn] = max(0.0, 1000 * (perf_counter() - began) - own)

    def committing(self, turn: TurnId) -> float | None:
        """Take what the commit of the turn took, in ms; None when it was not seen. The turn is forgotten."""
        self._closed.pop(turn, None)
        self._began.pop(turn, None)
        return self._committing.pop(turn, None)
