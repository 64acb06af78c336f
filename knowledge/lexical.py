"""The index of words and letters: BM25 over stems and over groups of letters, in memory, built from SQL passages.

Four fields, each scored on its own: `words` (title and body), `words_title`, `letters_title`, `letters_body`.
Rows are only appended; a row that died is marked. A lock keeps a change out of a search.
"""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from knowledge.repair import Letters
from knowledge.types import DocumentId, Language, Passage, PassageId, title_of
from knowledge.words import grams, plain_words, stems

Scores = NDArray[np.float32]
PARTS = ("words", "words_title", "letters_title", "letters_body")
_K1 = 1.2
_B = 0.75
_WORN = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One query against the index at one moment: arrays are `[rows]`, `scores` has one for each part.

    `distinct` is distinct titles per passage, 0..1: what a title can tell passages apart by.
    """

    ids: Sequence[PassageId]
    alive: NDArray[np.bool_]
    languages: Sequence[Language]
    scores: Mapping[str, Scores]
    distinct: float


class _Field:
    """Postings of one field; a row that died keeps its postings until the index is built again."""

    def __init__(self) -> None:
        self._rows: dict[str, array[int]] = {}
        self._counts: dict[str, array[float]] = {}
        self._lengths = array("f")

    def add(self, terms: Sequence[str]) -> None:
        row = len(self._lengths)
        self._lengths.append(float(len(terms)))
        for term, n in Counter(terms).items():
            if term not in self._rows:
                self._rows[term] = array("I")
                self._counts[term] = array("f")
            self._rows[term].append(row)
            self._counts[term].append(float(n))

    def scores(self, terms: Iterable[str]) -> Scores:
        """Return BM25 of every row, dead ones too, `[rows]`."""
        lengths = np.frombuffer(self._lengths, dtype=np.float32)
        out = np.zeros(len(lengths), dtype=np.float32)
        mean = max(1.0, float(lengths.mean()) if len(lengths) else 1.0)
        damp = _K1 * (1 - _B + _B * lengths / mean)
        for term, n in Counter(terms).items():
            if term in self._rows:
                rows = np.frombuffer(self._rows[term], dtype=np.uint32)
                counts = np.frombuffer(self._counts[term], dtype=np.float32)
                out[rows] += n * self.rarity(term) * counts * (_K1 + 1) / (counts + damp[rows])
        return out

    def rarity(self, term: str) -> float:
        """Return the inverse document frequency, highest for a term never seen."""
        seen = len(self._rows.get(term, ()))
        return math.log(1 + (len(self._lengths) - seen + 0.5) / (seen + 0.5))

    def __contains__(self, term: str) -> bool:
        return term in self._rows


class Lexical:
    """What the passages say, letter by letter. `ids[row]` names a row until the index is built again."""

    def __init__(self, passages: Iterable[Passage] = ()) -> None:
        self._lock = RLock()
        self._fields = {part: _Field() for part in PARTS}
        self._ids: list[PassageId] = []
        self._languages: list[Language] = []
        self._titles: list[str] = []
        self._alive = array("B")
        self._of: dict[DocumentId, list[int]] = {}
        self._row: dict[PassageId, int] = {}
        self._distinct: Counter[str] = Counter()
        self._letters = Letters(known=self.knows)
        for passage in passages:
            self._add(passage)

    def replace(self, document: DocumentId, passages: Sequence[Passage]) -> None:
        """Make these the passages of a document; none to forget it."""
        with self._lock:
            for row in self._of.pop(document, []):
                self._alive[row] = 0
                self._row.pop(self._ids[row], None)
                self._distinct[self._titles[row]] -= 1
            for passage in passages:
                self._add(passage)

    def read(self, query: str) -> Reading:
        """Score every row for a query; rows of forgotten passages are there too, not alive."""
        words, letters = stems(query), grams(query)
        with self._lock:
            scores = {
                part: self._fields[part].scores(words if part.startswith("words") else letters)
                for part in PARTS
            }
            return Reading(
                ids=self._ids,
                alive=np.frombuffer(self._alive, dtype=np.uint8).astype(np.bool_),
                languages=self._languages,
                scores=scores,
                distinct=self._distinct_titles(),
            )

    def coverage(self, query: str, body: str) -> float:
        """Return how much of the query's weight `body` covers, 0..1; rare words weigh more."""
        inside = set(stems(body))
        return self._share(query, inside.__contains__)

    def familiar(self, query: str) -> float:
        """Return how much of the query's weight the passages know at all, 0..1."""
        return self._share(query, self._fields["words"].__contains__)

    def understood(self, query: str) -> str:
        """Return the query as it was meant, when it came in another layout or alphabet."""
        with self._lock:
            return self._letters.understood(query)

    def knows(self, word: str) -> bool:
        """Say whether passages ever had all the stems of this word."""
        found = stems(word)
        return bool(found) and all(stem in self._fields["words"] for stem in found)

    def row_of(self, passage: PassageId) -> int | None:
        """Return the row of a live passage."""
        return self._row.get(passage)

    @property
    def worn(self) -> bool:
        """Say whether so many rows died that a rebuild pays."""
        return len(self._ids) > 100 and len(self._row) < (1 - _WORN) * len(self._ids)

    def __len__(self) -> int:
        return len(self._row)

    def _share(self, query: str, has: Callable[[str], bool]) -> float:
        field = self._fields["words"]
        with self._lock:
            weights = {stem: field.rarity(stem) for stem in set(stems(query))}
        total = sum(weights.values())
        return sum(weight for stem, weight in weights.items() if has(stem)) / total if total else 0.0

    def _distinct_titles(self) -> float:
        named = sum(1 for title, n in self._distinct.items() if n > 0 and title)
        return named / len(self._row) if self._row else 0.0

    def _add(self, passage: Passage) -> None:
        title = title_of(passage)
        terms = {
            "words": stems(f"{title} {passage.text}"),
            "words_title": stems(title),
            "letters_title": grams(title),
            "letters_body": grams(passage.text),
        }
        row = len(self._ids)
        for part, found in terms.items():
            self._fields[part].add(found)
        self._ids.append(passage.id)
        self._languages.append(passage.language)
        self._titles.append(title)
        self._alive.append(1)
        self._row[passage.id] = row
        self._of.setdefault(passage.document, []).append(row)
        self._distinct[title] += 1
        self._letters.learn(plain_words(f"{title} {passage.text}"))
