"""An embedder for corpora too big to embed: the first texts in earnest, every other vector mixed from two of theirs.

Questions are always embedded in earnest, so what a search costs stays true; what it finds by meaning does not.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from knowledge.embed.port import Embedder, Vectors, unit

_NOISE = 0.3


class Mixed:
    """`embedder` for questions and for the first `real` texts. The same text gives the same vector as long as the
    same texts came before it."""

    def __init__(self, embedder: Embedder, *, real: int) -> None:
        self._embedder = embedder
        self._real = real
        self._kept = np.zeros((0, embedder.dim), dtype=np.float32)

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dim(self) -> int:
        return self._embedder.dim

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.queries(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        wanted = max(0, self._real - len(self._kept))
        rows = self._embedder.passages(texts[:wanted])
        self._kept = np.concatenate([self._kept, rows])
        return np.concatenate([rows, *(self._mixed(text) for text in texts[wanted:])])

    def _mixed(self, text: str) -> Vectors:
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        lot = np.random.default_rng(int.from_bytes(digest))
        one, other = self._kept[lot.integers(len(self._kept), size=2)]
        share = lot.uniform(0.5, 1.0)
        noise = lot.standard_normal(self.dim, dtype=np.float32) * (_NOISE / np.sqrt(self.dim))
        return unit(share * one + (1 - share) * other + noise)
