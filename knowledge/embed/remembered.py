"""An embedder that remembers what it was asked lately: one turn compares the same question many times."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from knowledge.embed.port import Embedder, Vectors

MOST = 4_096
"""Vectors kept, the least recently asked for going first: 8 MB at 512 numbers each."""


class Remembered:
    """`embedder`, encoding each query once as long as it is remembered. Passages are never kept.

    Texts are held as digests only, so nothing a customer wrote outlives the turn here.
    """

    def __init__(self, embedder: Embedder, *, most: int = MOST) -> None:
        self._embedder = embedder
        self._most = most
        self._kept: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dim(self) -> int:
        return self._embedder.dim

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.passages(texts)

    def queries(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        wanted = {_key(text): text for text in texts}
        known = self._recalled(wanted)
        new = [(key, text) for key, text in wanted.items() if key not in known]
        if new:
            fresh = self._embedder.queries([text for _, text in new])
            known |= {key: row for (key, _), row in zip(new, fresh, strict=True)}
            self._keep({key: known[key] for key, _ in new})
        return np.stack([known[_key(text)] for text in texts])

    def _recalled(self, wanted: dict[bytes, str]) -> dict[bytes, Vectors]:
        with self._lock:
            found = {key: self._kept[key] for key in wanted if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        return found

    def _keep(self, rows: dict[bytes, Vectors]) -> None:
        with self._lock:
            # A row of a batch would keep the whole batch alive.
            self._kept.update({key: row.copy() for key, row in rows.items()})
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
