"""Vectors kept between runs."""

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from knowledge.embed.port import Embedder, Vectors


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
