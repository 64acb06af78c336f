"""Mayak's own search as a peer: the code that serves customers, over the same passages, with its indexes in memory."""

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.embed.port import Embedder, Vectors
from knowledge.loose import search_over
from knowledge.search import Search
from knowledge.types import Language, Passage, Query


class Given:
    """An embedder whose passages were embedded before; questions go through the model."""

    def __init__(self, embedder: Embedder, *, vectors: Mapping[str, Vectors]) -> None:
        self._embedder = embedder
        self._vectors = vectors

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dim(self) -> int:
        return self._embedder.dim

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.queries(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vectors[text] for text in texts])


class Own:
    """The mix of all embedders, words and letters. Keeps one event loop, as a server does."""

    def __init__(self, embedders: Sequence[Embedder]) -> None:
        self._embedders = embedders
        self._search: Search | None = None
        self._loop = asyncio.Runner()

    def index(self, passages: Sequence[Passage], vectors: Vectors, *, language: Language) -> None:
        self._search = search_over(passages, embedders=self._embedders)

    def find(self, question: str, *, k: int) -> list[str]:
        assert self._search is not None, "index first"
        found = self._loop.run(self._search.search(Query(question, k=k)))
        return [str(hit.passage.id) for hit in found.hits]

    def close(self) -> None:
        """End the loop."""
        self._loop.close()
