"""What the room needs from an embedding model."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into directions. Blocking and safe to call from several threads.

    `name` identifies model and settings: vectors are cached under it. `dim` is the width of every row.
    Both calls return float32 `[n, dim]`, each row of length one; no texts give `[0, dim]`.
    They raise `EmbedderUnavailable` when the model cannot be loaded or reached.
    """

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what people ask."""
        ...

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what documents say."""
        ...


def is_outside(embedder: Embedder) -> bool:
    """Return whether what it reads leaves the company; an encoder that does not say so runs here."""
    return bool(getattr(embedder, "outside", False))


def unit(rows: NDArray[np.floating]) -> Vectors:
    """Return the rows scaled to length one as float32; a zero row becomes the first axis."""
    out = np.array(rows, dtype=np.float32, ndmin=2)
    if not out.size:
        return out
    lengths = np.linalg.norm(out, axis=1, keepdims=True)
    flat = lengths[:, 0] < 1e-12
    out[flat, 0] = 1.0
    lengths[flat] = 1.0
    return np.asarray(out / lengths, dtype=np.float32)
