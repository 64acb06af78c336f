"""The knowledge room's own search over passages from a file: indexes in memory, vectors kept between runs."""

import hashlib
import random
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from knowledge.embed.port import Embedder, Vectors
from knowledge.index.memory import MemoryIndex
from knowledge.lexical import Lexical
from knowledge.rank.confidence import Calibration
from knowledge.rank.mix import FIELDS, field_text, mix
from knowledge.rerank.port import Reranker
from knowledge.search import Dense, Sample, Search
from knowledge.types import Passage, PassageId

_BATCH = 16
Tell = Callable[[int, int], None]


class Remembered:
    """An embedder whose vectors are kept in a file by content, so that the next run is quick.

    Questions are embedded anew every time, so that milliseconds stay honest, unless `questions` says otherwise.
    """

    def __init__(self, embedder: Embedder, *, folder: Path, questions: bool = False) -> None:
        self._embedder = embedder
        self._questions = questions
        folder.mkdir(parents=True, exist_ok=True)
        # Searches run in worker threads, one at a time.
        self._file = sqlite3.connect(folder / "vectors.db", timeout=60, check_same_thread=False)
        self._file.execute("CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL)")

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dim(self) -> int:
        return self._embedder.dim

    def queries(self, texts: Sequence[str]) -> Vectors:
        if not self._questions:
            return self._embedder.queries(texts)
        return self._rows("query", texts, self._embedder.queries)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._rows("passage", texts, self._embedder.passages)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rows(self, kind: str, texts: Sequence[str], embed: Callable[[Sequence[str]], Vectors]) -> Vectors:
        keys = [hashlib.sha256(f"{self.name}\0{kind}\0{text}".encode()).hexdigest() for text in texts]
        rows: dict[str, Vectors] = {}
        for key in keys:
            found = self._file.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
            if found:
                rows[key] = np.frombuffer(found[0], dtype=np.float32)
        todo = {key: text for key, text in zip(keys, texts, strict=True) if key not in rows}
        if todo:
            fresh = embed(list(todo.values()))
            rows.update(zip(todo, fresh, strict=True))
            values = [(key, rows[key].tobytes()) for key in todo]
            with self._file:
                self._file.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", values)
        return np.stack([rows[key] for key in keys]) if keys else np.zeros((0, self.dim), dtype=np.float32)


def search_over(
    passages: Sequence[Passage],
    *,
    embedders: Sequence[Embedder],
    calibration: Calibration | None = None,
    reranker: Reranker | None = None,
    tell: Tell = lambda done, total: None,
) -> Search:
    """Return the room's `Search` over these passages, all of them live; `tell(done, total)` counts embedded texts."""
    dense: list[Dense] = []
    total, done = len(passages) * len(embedders) * len(FIELDS), 0
    for rank, embedder in enumerate(embedders[:2]):
        for field in FIELDS:
            index = MemoryIndex(dim=embedder.dim)
            named = [passage for passage in passages if field_text(passage, field)]
            for i in range(0, len(named), _BATCH):
                part = named[i : i + _BATCH]
                rows = embedder.passages([field_text(passage, field) for passage in part])
                index.upsert([passage.id for passage in part], rows, [{"hash": ""} for _ in part])
                done += len(part)
                tell(done, total)
            dense.append(
                Dense(
                    embedder=embedder,
                    index=index,
                    field=field,
                    rank=rank,
                    sample=_sample(embedder, field, named),
                )
            )
    tell(total, total)
    by_id = {passage.id: passage for passage in passages}

    async def live(ids: Sequence[PassageId], now: datetime, audience: str) -> Mapping[PassageId, Passage]:
        return {name: by_id[name] for name in ids if name in by_id}

    return Search(
        dense=dense, lexical=Lexical(passages), live=live, calibration=calibration, reranker=reranker
    )


def _sample(embedder: Embedder, field: str, named: Sequence[Passage]) -> Sample | None:
    settings = mix()
    if len(named) <= settings.exact:
        return None
    drawn = random.Random(len(named)).sample(list(named), settings.sample)
    rows = embedder.passages([field_text(passage, field) for passage in drawn])
    return Sample(vectors=rows, languages=[passage.language for passage in drawn])
