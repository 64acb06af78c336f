"""Vectors in one numpy matrix: exact, in this process only. For evals, tests and small companies."""

from collections.abc import Sequence

import numpy as np

from knowledge.embed.port import Vectors
from knowledge.index.port import Index, Metadata
from knowledge.types import PassageId


class MemoryIndex:
    """Rows live in insertion order; a deleted row's place is taken by the last one."""

    def __init__(self, *, dim: int) -> None:
        self._rows = np.zeros((0, dim), dtype=np.float32)
        self._ids: list[PassageId] = []
        self._at: dict[PassageId, int] = {}
        self._hashes: dict[PassageId, str] = {}

    def upsert(self, ids: Sequence[PassageId], vectors: Vectors, metadata: Sequence[Metadata]) -> None:
        fresh: dict[PassageId, int] = {}
        for i, name in enumerate(ids):
            self._hashes[name] = str(metadata[i].get("hash", ""))
            if name in self._at:
                self._rows[self._at[name]] = vectors[i]
            else:
                fresh[name] = i
        for name in fresh:
            self._at[name] = len(self._ids)
            self._ids.append(name)
        if fresh:
            self._rows = np.concatenate([self._rows, vectors[list(fresh.values())]]).astype(np.float32)

    def delete(self, ids: Sequence[PassageId]) -> None:
        gone = {name for name in ids if name in self._at}
        if not gone:
            return
        keep = [i for i, name in enumerate(self._ids) if name not in gone]
        self._rows = self._rows[keep]
        self._ids = [self._ids[i] for i in keep]
        self._at = {name: i for i, name in enumerate(self._ids)}
        for name in gone:
            del self._hashes[name]

    def query(self, vector: Vectors, k: int) -> list[tuple[PassageId, float]]:
        if not self._ids or k <= 0:
            return []
        scores = self._rows @ np.asarray(vector, dtype=np.float32).reshape(-1)
        best = np.argsort(-scores, kind="stable")[:k]
        return [(self._ids[i], float(scores[i])) for i in best]

    def count(self) -> int:
        return len(self._ids)

    def digest(self) -> dict[PassageId, str]:
        return dict(self._hashes)


class MemoryIndexes:
    """Opens memory indexes and remembers them by name, as a folder would."""

    def __init__(self) -> None:
        self._open: dict[str, MemoryIndex] = {}

    def __call__(self, name: str, *, dim: int) -> Index:
        return self._open.setdefault(name, MemoryIndex(dim=dim))

    def close(self) -> None:
        """Nothing is held outside; the rows stay."""
