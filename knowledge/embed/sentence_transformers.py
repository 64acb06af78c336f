"""Any sentence-transformers model, by hub name or folder. Needs the extra `models` (torch)."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge.embed.port import Vectors, unit
from knowledge.errors import EmbedderUnavailable

_BATCH = 16


class SentenceTransformers:
    """`model` is a hub name or a folder; e5 models get the prefixes they were trained with."""

    def __init__(self, model: str) -> None:
        self._where = model
        self._model: Any = None
        self._dim: int | None = None
        self._lock = threading.Lock()
        folded = model.casefold()
        self._prefixes = ("query: ", "passage: ") if "e5" in folded else ("", "")

    @property
    def name(self) -> str:
        return f"sentence-transformers:{self._where}"

    @property
    def dim(self) -> int:
        with self._lock:
            self._loaded()
        assert self._dim is not None
        return self._dim

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, prefix=self._prefixes[0])

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, prefix=self._prefixes[1])

    def _encode(self, texts: Sequence[str], *, prefix: str) -> Vectors:
        with self._lock:
            model = self._loaded()
            if not texts:
                return np.zeros((0, self._dim or 0), dtype=np.float32)
            rows = model.encode(
                [prefix + text for text in texts],
                batch_size=_BATCH,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return unit(np.asarray(rows, dtype=np.float32))

    def _loaded(self) -> Any:
        if self._model is None:
            try:
                from sentence_transformers import SentenceTransformer

                # Half precision is slow on a CPU; weights stored so are widened once.
                model = SentenceTransformer(self._where, device="cpu", model_kwargs={"dtype": "float32"})
            except ImportError as fault:
                raise EmbedderUnavailable(
                    "sentence-transformers is not installed.",
                    remedy="Install it: pip install 'mayak[models]'.",
                ) from fault
            except (OSError, ValueError, RuntimeError) as fault:
                raise EmbedderUnavailable(
                    f"The model {self._where!r} did not load: {fault}.",
                    remedy="Give the folder of a downloaded model, or allow access to the model hub.",
                ) from fault
            self._model = model
            self._dim = len(model.encode(["dim"], show_progress_bar=False)[0])
        return self._model
