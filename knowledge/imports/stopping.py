"""Asking an import to end: what is being read is given up, what is in the library stays."""

import threading
from collections.abc import Callable


class Stop:
    """Given to an import; `ask` may be called at any time and from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._also: list[Callable[[], None]] = []

    @property
    def asked(self) -> bool:
        """Whether the import is to end."""
        return self._event.is_set()

    def ask(self) -> None:
        """End soon: the reader is closed, and the report tells what was done until now."""
        with self._lock:
            self._event.set()
            acts, self._also = self._also, []
        for act in acts:
            act()

    def also(self, act: Callable[[], None]) -> None:
        """Do this, too, when asked; at once if that was before."""
        with self._lock:
            if not self._event.is_set():
                self._also.append(act)
                return
        act()
