"""Where the time of a search goes: stopwatches around named functions of the knowledge room, for the length of a block.

Each moment of a thread belongs to the innermost watched function that runs in it, so within a thread the stages never
overlap; an embedder that works beside the rest makes the shares come to more than one. Only these functions are
wrapped: a profiler that sees every call would make loops look dearer than they are.
"""

import inspect
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from time import perf_counter
from typing import Any

STAGES: Mapping[tuple[str, str, str], str] = {
    ("knowledge.index.chroma", "ChromaIndex", "query"): "vector index",
    ("knowledge.index.chroma", "ChromaIndex", "count"): "vector index, count",
    ("knowledge.lexical", "Lexical", "read"): "words and letters (BM25)",
    ("knowledge.lexical", "Lexical", "_told_by_titles"): "what titles tell",
    ("knowledge.lexical", "Lexical", "understood"): "layout and transliteration",
    ("knowledge.rank.groups", "Groups", "of"): "rows by language",
    ("knowledge.rank.groups", "Groups", "standard"): "standardising",
    ("knowledge.rank.groups", "Groups", "standard_by"): "standardising",
    ("knowledge.search", "Search", "_dense_part"): "candidates to rows",
    ("knowledge.search", "Search", "_fused"): "fusing",
    ("knowledge.search", "Search", "_rank"): "ranking (mask, sort, list)",
    ("knowledge.search", "Search", "_signals"): "confidence signals",
    ("knowledge.catalogue", "Catalogue", "live"): "SQL, live passages",
    ("knowledge.catalogue", "Catalogue", "changes"): "SQL, changes",
}
"""Module, class and function → stage. A function that is gone falls into the stage around it."""
EMBEDDING = "embedding"
REST = "threads and the rest"


class Watch:
    """Sums seconds by stage over all threads. `calls` counts how often each was entered."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: defaultdict[str, int] = defaultdict(int)
        self._thread = threading.local()
        self._lock = threading.Lock()

    @contextmanager
    def over(self, embedders: Sequence[object] = ()) -> Iterator[None]:
        """Wrap the functions of `STAGES` and `queries` of these embedders' classes until the block ends."""
        places = [
            (_class(module, name), function, stage) for (module, name, function), stage in STAGES.items()
        ]
        places += [(kind, "queries", EMBEDDING) for kind in {type(one) for one in embedders}]
        before: list[tuple[type, str, Any]] = []
        try:
            for owner, function, stage in places:
                if owner is not None and function in vars(owner):
                    before.append((owner, function, vars(owner)[function]))
                    setattr(owner, function, self._wrapped(vars(owner)[function], stage))
            yield
        finally:
            for owner, function, found in reversed(before):
                setattr(owner, function, found)

    def _wrapped(self, found: Any, stage: str) -> Any:
        if isinstance(found, classmethod):
            return classmethod(self._timed(found.__func__, stage))
        if inspect.iscoroutinefunction(found):
            return self._awaited(found, stage)
        return self._timed(found, stage)

    def _awaited(self, call: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @wraps(call)
        async def timed(*args: Any, **named: Any) -> Any:
            began = perf_counter()
            try:
                return await call(*args, **named)
            finally:
                self._add(stage, perf_counter() - began)

        return timed

    def _timed(self, call: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @wraps(call)
        def timed(*args: Any, **named: Any) -> Any:
            inside = getattr(self._thread, "inside", 0.0)
            self._thread.inside = 0.0
            began = perf_counter()
            try:
                return call(*args, **named)
            finally:
                whole = perf_counter() - began
                self._add(stage, whole - self._thread.inside)
                self._thread.inside = inside + whole

        return timed

    def _add(self, stage: str, seconds: float) -> None:
        with self._lock:
            self.seconds[stage] += seconds
            self.calls[stage] += 1


def account(watch: Watch, *, searches: int, wall: float) -> dict[str, dict[str, float]]:
    """Return ms a search and the share of the whole for each stage, dearest first; `wall` is seconds in all."""
    seconds = dict(watch.seconds)
    seconds[REST] = max(0.0, wall - sum(seconds.values()))
    return {
        stage: {
            "ms": round(1000 * spent / max(1, searches), 2),
            "share": round(spent / wall, 3) if wall else 0.0,
        }
        for stage, spent in sorted(seconds.items(), key=lambda item: -item[1])
    }


def _class(module: str, name: str) -> type | None:
    found = getattr(import_module(module), name, None)
    return found if isinstance(found, type) else None
