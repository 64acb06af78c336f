"""An embedder that remembers what it was asked lately: one turn compares the same question many times."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np

from knowledge.embed.port import Embedder, Vectors, is_outside

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
        self._busy: set[bytes] = set()
        self._turn = threading.Condition()

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def outside(self) -> bool:
        """Whether what it reads leaves the company."""
        return is_outside(self._embedder)

    @property
    def dim(self) -> int:
        return self._embedder.dim

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.passages(texts)

    def queries(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        wanted = {_key(text): text for text in texts}
        with self._turn:
            # Somebody else may be encoding one of these at this moment: waiting is cheaper than doing it twice.
            self._turn.wait_for(lambda: self._busy.isdisjoint(wanted))
            known = self._recalled(wanted)
            new = [key for key in wanted if key not in known]
            self._busy.update(new)
        try:
            if new:
                rows = self._embedder.queries([wanted[key] for key in new])
                known |= dict(zip(new, rows, strict=True))
        finally:
            with self._turn:
                self._keep({key: known[key] for key in new if key in known})
                self._busy.difference_update(new)
                self._turn.notify_all()
        return np.stack([known[_key(text)] for text in texts])

    def _recalled(self, wanted: Iterable[bytes]) -> dict[bytes, Vectors]:
        found = {key: self._kept[key] for key in wanted if key in self._kept}
        for key in found:
            self._kept.move_to_end(key)
        return found

    def _keep(self, rows: dict[bytes, Vectors]) -> None:
        # A row of a batch would keep the whole batch alive.
        self._kept.update({key: row.copy() for key, row in rows.items()})
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
