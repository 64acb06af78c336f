"""Questions that ask the same, in any language: how alike they are, and groups of them. Pure but for the encoders.

Alike are questions that point the same way in the space of each encoder, seen from the middle of what people ask at
all (of their own language, where enough is known of it), and that share letters. Groups are joined while their average
likeness stays above a threshold; both figures come from data (see docs/gaps.md).
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.embed.port import Vectors

Likeness = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Sequence[Vectors]]
"""Texts in, one matrix `[n, dim]` for each encoder out, strongest first; rows of length one."""

DATA = Path(__file__).with_name("gaps.toml")
_LONGEST = 400
_BATCH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each view counts, and the average likeness at which two groups are still one."""

    encoders: tuple[float, ...]
    letters: float
    join: float
    enough: int


@cache
def weights(path: Path = DATA) -> Weights:
    """Return the fitted weights."""
    data: Mapping[str, Any] = tomllib.loads(path.read_text("utf-8"))["clusters"]
    return Weights(
        encoders=tuple(map(float, data["encoders"])),
        letters=float(data["letters"]),
        join=float(data["join"]),
        enough=int(data["enough"]),
    )


class Space:
    """Questions laid out for comparing; `background` are further texts that show what is asked at all.

    Without a background a few questions about one thing have no middle to be seen from.

    `rows` are the questions, `[n]`; `alike(a, b)` compares places of rows.
    """

    def __init__(
        self,
        questions: Sequence[str],
        languages: Sequence[str],
        *,
        encode: Encode,
        background: Sequence[tuple[str, str]] = (),
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._weights = weights()
        texts = [question[:_LONGEST] for question in (*questions, *(text for text, _ in background))]
        spoken = [*languages, *(language for _, language in background)]
        self._n = len(questions)
        self._views = [
            _centred(matrix, spoken, enough=self._weights.enough)[: self._n]
            for matrix in _encoded(texts, encode, tell)
        ]
        self._letters = _letters(texts[: self._n]) if self._n else None

    def alike(self, rows: Sequence[int], others: Sequence[int]) -> Likeness:
        """Return how alike questions are, `[rows, others]`, about -1..1."""
        a, b = list(rows), list(others)
        if not a or not b:
            return np.zeros((len(a), len(b)), dtype=np.float32)
        shares = self._shares()
        total = np.zeros((len(a), len(b)), dtype=np.float32)
        for share, view in zip(shares, self._views, strict=True):
            total += share * (view[a] @ view[b].T)
        if self._letters is not None:
            total += self._weights.letters * (self._letters[a] @ self._letters[b].T).toarray()
        return np.asarray(total, dtype=np.float32)

    def groups(self, rows: Sequence[int]) -> list[list[int]]:
        """Return the rows in groups that ask the same, biggest first, each in the order given."""
        rows = list(rows)
        if len(rows) < 2:
            return [rows] if rows else []
        from sklearn.cluster import AgglomerativeClustering

        far = np.clip(1 - self.alike(rows, rows), 0, None)
        model = AgglomerativeClustering(
            n_clusters=None,
            metric="precomputed",
            linkage="average",
            distance_threshold=1 - self._weights.join,
        )
        found: dict[int, list[int]] = {}
        for row, label in zip(rows, model.fit_predict(far), strict=True):
            found.setdefault(int(label), []).append(row)
        return sorted(found.values(), key=lambda group: (-len(group), rows.index(group[0])))

    def middle(self, rows: Sequence[int]) -> int:
        """Return the row that is most like the others."""
        return list(rows)[int(self.alike(rows, rows).sum(axis=1).argmax())]

    def _shares(self) -> list[float]:
        """Return the encoders' weights; a single encoder gets all of them."""
        fitted = self._weights.encoders[: len(self._views)]
        return [one * sum(self._weights.encoders) / sum(fitted) for one in fitted]


def _encoded(texts: Sequence[str], encode: Encode, tell: Callable[[int], None]) -> list[Vectors]:
    parts: list[Sequence[Vectors]] = []
    for i in range(0, len(texts), _BATCH):
        parts.append(encode(texts[i : i + _BATCH]))
        tell(min(len(texts), i + _BATCH))
    return [np.concatenate([part[n] for part in parts]) for n in range(len(parts[0]))] if parts else []


def _centred(matrix: Vectors, languages: Sequence[str], *, enough: int) -> Vectors:
    """Move the middle of each language to the origin: what all questions share tells none of them apart."""
    out = matrix - matrix.mean(axis=0)
    spoken = np.array(languages)
    for language in set(languages):
        own = spoken == language
        if own.sum() >= enough:
            out[own] = matrix[own] - matrix[own].mean(axis=0)
    lengths = np.linalg.norm(out, axis=1, keepdims=True)
    return np.asarray(out / np.maximum(lengths, 1e-9), dtype=np.float32)


def _letters(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    plain = [text.casefold().replace("ё", "е") for text in texts]
    view = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True)
    try:
        return view.fit_transform(plain).astype(np.float32)
    except ValueError:
        # Nothing but marks: no letters to share.
        return None
