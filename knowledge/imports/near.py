"""Documents that are almost the same, found by MinHash over word shingles. Pure.

A signature is the least of each of 128 hashes over all runs of four words; the share of equal places is about the
share of runs that two texts have in common. Bands of four places find the candidates without comparing all with all.
"""

import re
import zlib
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from knowledge.types import DocumentId

Signature = NDArray[np.uint32]

ALIKE = 0.8
"""Share of common runs from which two documents are called almost the same."""
_PLACES, _ROWS, _WORDS, _FEWEST = 128, 4, 4, 20
_CHUNK = 4_096
_WORD = re.compile(r"\w+")
_lot = np.random.default_rng(20261122)
_TIMES = _lot.integers(1, 2**63, size=_PLACES, dtype=np.uint64) | np.uint64(1)
_PLUS = _lot.integers(0, 2**63, size=_PLACES, dtype=np.uint64)


def signature(text: str) -> Signature | None:
    """Return the signature of a text, uint32 `[128]`; None for fewer than 20 words."""
    words = _WORD.findall(text.casefold().replace("ё", "е"))
    if len(words) < _FEWEST:
        return None
    runs = {" ".join(words[i : i + _WORDS]).encode() for i in range(len(words) - _WORDS + 1)}
    hashes = np.array(sorted(zlib.crc32(run) for run in runs), dtype=np.uint64)
    least = np.full(_PLACES, 2**32 - 1, dtype=np.uint64)
    for i in range(0, len(hashes), _CHUNK):
        # Overflow is the point: multiplication modulo 2⁶⁴ spreads, the upper half is kept.
        mixed = (hashes[i : i + _CHUNK, None] * _TIMES + _PLUS) >> np.uint64(32)
        least = np.minimum(least, mixed.min(axis=0))
    return least.astype(np.uint32)


class Near:
    """Signatures of known documents; `known` are those of earlier imports."""

    def __init__(self, known: Mapping[DocumentId, Signature] | None = None) -> None:
        self._signatures: dict[DocumentId, Signature] = {}
        self._bands: dict[tuple[int, bytes], set[DocumentId]] = defaultdict(set)
        for document, places in (known or {}).items():
            self.add(document, places)

    def add(self, document: DocumentId, places: Signature) -> None:
        """Keep a document's signature; an earlier one is forgotten."""
        before = self._signatures.get(document)
        if before is not None:
            for band in _bands(before):
                self._bands[band].discard(document)
        self._signatures[document] = places
        for band in _bands(places):
            self._bands[band].add(document)

    def like(self, document: DocumentId, places: Signature) -> list[tuple[DocumentId, float]]:
        """Return other documents that are almost the same, the most alike first, with the share in common."""
        found = {other for band in _bands(places) for other in self._bands.get(band, ())} - {document}
        shares = [(other, float((self._signatures[other] == places).mean())) for other in found]
        return sorted((one for one in shares if one[1] >= ALIKE), key=lambda one: (-one[1], one[0]))


def _bands(places: Signature) -> list[tuple[int, bytes]]:
    return [(i, places[i : i + _ROWS].tobytes()) for i in range(0, _PLACES, _ROWS)]
