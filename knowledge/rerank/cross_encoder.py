"""Any cross-encoder that sentence-transformers reads, by hub name or folder. Needs the extra `models` (torch)."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge.errors import EmbedderUnavailable
from knowledge.rerank.port import Marks

_BATCH = 16


class CrossEncoderReranker:
    """`model` is a hub name or a folder."""

    def __init__(self, model: str) -> None:
        self._where = model
        self._model: Any = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return f"sentence-transformers:{self._where}"

    def scores(self, question: str, texts: Sequence[str]) -> Marks:
        if not texts:
            return np.zeros(0, dtype=np.float32)
        with self._lock:
            rows = self._loaded().predict(
                [(question, text) for text in texts], batch_size=_BATCH, show_progress_bar=False
            )
        return np.asarray(rows, dtype=np.float32).reshape(-1)

    def _loaded(self) -> Any:
        if self._model is None:
            try:
                from sentence_transformers import CrossEncoder

                # Half precision is slow on a CPU; one number a pair, or there is nothing to rank by.
                self._model = CrossEncoder(
                    self._where, num_labels=1, device="cpu", model_kwargs={"dtype": "float32"}
                )
            except ImportError as fault:
                raise EmbedderUnavailable(
                    "sentence-transformers is not installed.",
                    remedy="Install it: pip install 'mayak[models]', or leave MAYAK_RERANKER empty.",
                ) from fault
            except (OSError, ValueError, RuntimeError) as fault:
                raise EmbedderUnavailable(
                    f"The reranker {self._where!r} did not load: {fault}.",
                    remedy="Give the folder of a downloaded cross-encoder, or leave MAYAK_RERANKER empty.",
                ) from fault
        return self._model
