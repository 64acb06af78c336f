"""The reranker for tests: the share of the question's words that a text has."""

from collections.abc import Sequence

import numpy as np

from knowledge.rerank.port import Marks
from knowledge.text.words import stems


class FakeReranker:
    """Counts words; notes every question with the texts it was shown."""

    def __init__(self) -> None:
        self.read: list[tuple[str, tuple[str, ...]]] = []

    @property
    def name(self) -> str:
        return "fake"

    def scores(self, question: str, texts: Sequence[str]) -> Marks:
        self.read.append((question, tuple(texts)))
        asked = set(stems(question))
        shares = [len(asked & set(stems(text))) / max(1, len(asked)) for text in texts]
        return np.array(shares, dtype=np.float32)
