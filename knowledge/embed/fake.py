"""The embedder for tests: hashed character n-grams, deterministic on every machine, no model."""

import zlib
from collections.abc import Sequence

import numpy as np

from knowledge.embed.port import Vectors, unit


class FakeEmbedder:
    """Texts that share letters are near each other. Counts its calls so that tests can ask what was embedded."""

    def __init__(self, *, dim: int = 256, name: str = "fake") -> None:
        self._dim = dim
        self._name = name
        self.embedded: list[str] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def dim(self) -> int:
        return self._dim

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._rows(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.embedded.extend(texts)
        return self._rows(texts)

    def _rows(self, texts: Sequence[str]) -> Vectors:
        out = np.zeros((len(texts), self._dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for gram in _grams(text):
                digest = zlib.crc32(gram.encode())
                out[row, digest % self._dim] += 1.0 if digest >> 31 else -1.0
        return unit(out) if len(texts) else out


def _grams(text: str) -> list[str]:
    folded = f" {' '.join(text.casefold().replace('ё', 'е').split())} "
    return [folded[i : i + size] for size in (3, 4) for i in range(len(folded) - size + 1)]
