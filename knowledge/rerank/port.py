"""What the room needs from a model that reads a question and a passage together."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Marks = NDArray[np.float32]


class Reranker(Protocol):
    """Says how well each text answers a question. Blocking and safe to call from several threads.

    `name` identifies model and settings: a confidence is fitted for it. `scores` returns float32 `[n]` in the order of
    the texts, higher is better, on a scale of its own; no texts give `[0]`.
    It raises `EmbedderUnavailable` when the model cannot be loaded.
    """

    @property
    def name(self) -> str: ...

    def scores(self, question: str, texts: Sequence[str]) -> Marks:
        """Read each text with the question."""
        ...
