"""What a message is about, learned from labelled examples, and whether it is about any of it. Pure numpy over encoders.

text ─┬─ words, pairs, letter groups; hashed ─┐
      └─ each encoder, centred ───────────────┴─ one vector ─┬─ nearest example of each label ─┐
                                                             └─ ridge regression on labels ────┴─ a score for each label

The best label is the guess; its score says how surely the message belongs to any label. A far message scores low even
where one label stands out, which a probability over labels cannot say. Examples marked as out of scope pull it down.
"""

import itertools
import math
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.embed.port import Embedder, Vectors
from knowledge.errors import BadRecords
from knowledge.text.words import grams, stems

Encoder = Callable[[Sequence[str]], Vectors]
_WIDTH = 2_048
_RIDGE = 1.0
_REGRESSION = 0.5
_OUTSIDE = 0.5
_BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """`label` fits best; `in_scope` is higher the more surely the message is about any label (about -1 … 1.5)."""

    label: str
    in_scope: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The letters of a text as a vector: logarithmic counts times rarity, hashed with a sign into `_WIDTH` numbers."""

    seen: Counter[str]
    texts: int

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Wording":
        """Count in how many texts each term stands."""
        return cls(seen=Counter(term for text in texts for term in set(_terms(text))), texts=len(texts))

    def rows(self, texts: Sequence[str]) -> Vectors:
        """Return `[n, _WIDTH]`, each row of length one or zero."""
        out = np.zeros((len(texts), _WIDTH), dtype=np.float32)
        for row, text in enumerate(texts):
            for term, n in Counter(_terms(text)).items():
                digest = zlib.crc32(term.encode())
                sign = 1.0 if digest & 1 else -1.0
                out[row, (digest >> 1) % _WIDTH] += sign * (1 + math.log(n)) * self._rarity(term)
        return _scaled(out)

    def _rarity(self, term: str) -> float:
        return math.log((1 + self.texts) / (1 + self.seen.get(term, 0))) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Intents:
    """Labels learned from examples; `guess` reads messages. Rows of `examples` are sorted by label."""

    labels: tuple[str, ...]
    wording: Wording
    encoders: tuple[tuple[Encoder, Vectors], ...]
    examples: Vectors
    starts: NDArray[np.intp]
    outside: Vectors
    weights: Vectors
    base: Vectors

    @classmethod
    def learn(
        cls, texts: Sequence[str], labels: Sequence[str | None], *, embedders: Sequence[Embedder]
    ) -> "Intents":
        """Learn from examples; the label None marks an example that is out of scope.

        Raises `BadRecords` when no example has a label.
        """
        if not any(label is not None for label in labels):
            raise BadRecords("No example has a label.", remedy="Give examples of at least one intent.")
        order = sorted(range(len(texts)), key=lambda n: (labels[n] is None, labels[n] or ""))
        texts, marks = [texts[n] for n in order], [labels[n] for n in order]
        names = sorted({mark for mark in marks if mark is not None})
        wording = Wording.of(texts)
        raw = [embedder.queries(texts) for embedder in embedders]
        encoders = tuple(
            (embedder.queries, np.asarray(rows.mean(axis=0)))
            for embedder, rows in zip(embedders, raw, strict=True)
        )
        middles = [middle for _, middle in encoders]
        rows = _joined(wording.rows(texts), raw, middles)
        place = {name: n for n, name in enumerate(names)}
        # Out of scope is one more column: what is typical of it is learned like a label.
        columns = np.array([len(names) if mark is None else place[mark] for mark in marks])
        weights, base = _ridge(rows, np.eye(len(names) + 1, dtype=np.float32)[columns])
        inside = int((columns < len(names)).sum())
        return cls(
            labels=tuple(names),
            wording=wording,
            encoders=encoders,
            examples=rows[:inside],
            starts=np.searchsorted(columns[:inside], np.arange(len(names))),
            outside=rows[inside:],
            weights=weights,
            base=base,
        )

    def guess(self, texts: Sequence[str]) -> list[Guess]:
        """Return a guess for each text, in order."""
        out: list[Guess] = []
        for start in range(0, len(texts), _BATCH):
            part = texts[start : start + _BATCH]
            fits, scope = self._scores(self._rows(part))
            out += [
                Guess(label=self.labels[best], in_scope=float(sure))
                for best, sure in zip(fits.argmax(axis=1), scope, strict=True)
            ]
        return out

    def _rows(self, texts: Sequence[str]) -> Vectors:
        raw = [encode(texts) for encode, _ in self.encoders]
        return _joined(self.wording.rows(texts), raw, [middle for _, middle in self.encoders])

    def _scores(self, rows: Vectors) -> tuple[Vectors, Vectors]:
        """Return how well each label fits `[n, labels]`, and how surely any does `[n]`."""
        nearest = np.maximum.reduceat(rows @ self.examples.T, self.starts, axis=1)
        learned = rows @ self.weights + self.base
        fits = nearest + _REGRESSION * learned[:, : len(self.labels)]
        scope = fits.max(axis=1)
        if len(self.outside):
            near = (rows @ self.outside.T).max(axis=1)
            scope = scope - _OUTSIDE * (near + _REGRESSION * learned[:, -1])
        return fits, scope


def _terms(text: str) -> list[str]:
    """Return groups of letters, stems, and pairs of neighbouring stems; the three kinds cannot be confused."""
    words = stems(text)
    pairs = [f"{one} {other}" for one, other in itertools.pairwise(words)]
    return [*grams(text), *(f"={word}" for word in words), *(f"={pair}" for pair in pairs)]


def _joined(wording: Vectors, encoded: Sequence[Vectors], middles: Sequence[Vectors]) -> Vectors:
    # Cosines of one encoder crowd together; centred, each part speaks with the same voice.
    parts = [wording, *(_scaled(rows - middle) for rows, middle in zip(encoded, middles, strict=True))]
    return np.asarray(np.concatenate(parts, axis=1) / math.sqrt(len(parts)), dtype=np.float32)


def _scaled(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)


def _ridge(rows: Vectors, wanted: Vectors) -> tuple[Vectors, Vectors]:
    """Return `[dim, columns]` and `[columns]` of a ridge regression, solved in the smaller of both spaces."""
    middle, level = rows.mean(axis=0), wanted.mean(axis=0)
    centred, aims = rows - middle, wanted - level
    if len(rows) < rows.shape[1]:
        gram = centred @ centred.T + _RIDGE * np.eye(len(rows), dtype=np.float32)
        weights = centred.T @ np.linalg.solve(gram, aims)
    else:
        spread = centred.T @ centred + _RIDGE * np.eye(rows.shape[1], dtype=np.float32)
        weights = np.linalg.solve(spread, centred.T @ aims)
    return np.asarray(weights, dtype=np.float32), np.asarray(level - middle @ weights, dtype=np.float32)
