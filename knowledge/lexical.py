"""The index of words and letters: BM25 over stems and over groups of letters, in memory, built from SQL passages.

Four fields, each scored on its own: `words` (title and body), `words_title`, `letters_title`, `letters_body`.
Rows are only appended; a row that died is marked. A lock keeps a change out of a search. A field reads the postings of
the rarest terms first and stops at a budget, so that time grows slower than the collection.
"""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from knowledge.text.repair import Letters
from knowledge.text.subjects import Subjects
from knowledge.text.words import grams, grams_of, plain_words, stems
from knowledge.types import LANGUAGES, DocumentId, Passage, PassageId, title_of

Scores = NDArray[np.float32]
PARTS = ("words", "words_title", "letters_title", "letters_body")
_K1 = 1.2
_B = 0.75
_WORN = 0.3
_BUDGET = 400_000
_ROW_BITS = np.uint64(32)
_ROW = np.uint64(2**32 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One query against the index at one moment: arrays are `[rows]`, `scores` has one for each part.

    `languages` holds places in `LANGUAGES`. `told` is what the title of each row tells it apart by, 0..1: one over the
    living passages under that title, 0 for none.
    """

    ids: Sequence[PassageId]
    alive: NDArray[np.bool_]
    languages: NDArray[np.uint8]
    scores: Mapping[str, Scores]
    told: Scores


class _Field:
    """Postings of one field; a row that died keeps its postings until the index is built again.

    A posting is one number, the count above the row: half the work of two arrays where millions are added.
    """

    def __init__(self) -> None:
        self._postings: dict[str, array[int]] = {}
        self._lengths = array("f")
        self._damp: Scores | None = None
        self._whole: Scores | None = None

    def add(self, terms: Sequence[str]) -> None:
        row = len(self._lengths)
        self._lengths.append(float(len(terms)))
        self._damp = self._whole = None
        postings = self._postings
        for term, n in Counter(terms).items():
            known = postings.get(term)
            if known is None:
                known = postings[term] = array("Q")
            known.append(n << 32 | row)

    def scores(self, terms: Iterable[str]) -> Scores:
        """Return BM25 of every row, dead ones too, `[rows]`."""
        out = np.zeros(len(self._lengths), dtype=np.float32)
        damp, left = self._damping(), _BUDGET
        asked = [(term, n) for term, n in Counter(terms).items() if term in self._postings]
        for term, n in sorted(asked, key=lambda one: len(self._postings[one[0]])):
            rows, counts = self._of(term)
            left -= len(rows)
            if left < 0:
                break
            out[rows] += n * self.rarity(term) * (_K1 + 1) * (counts / (counts + damp[rows]))
        return out

    def _of(self, term: str) -> tuple[NDArray[np.intp], Scores]:
        """Return the rows of a term, in the type that indexes arrays, and how often each has it."""
        packed = np.frombuffer(self._postings[term], dtype=np.uint64)
        return (packed & _ROW).astype(np.intp), (packed >> _ROW_BITS).astype(np.float32)

    def _damping(self) -> Scores:
        if self._damp is None:
            lengths = np.frombuffer(self._lengths, dtype=np.float32)
            mean = max(1.0, float(lengths.mean()) if len(lengths) else 1.0)
            self._damp = _K1 * (1 - _B + _B * lengths / mean)
        return self._damp

    def said(self, terms: Iterable[str]) -> Scores:
        """Return the share of each row's terms, by rarity, that is among `terms`, `[rows]` 0..1."""
        out = np.zeros(len(self._lengths), dtype=np.float32)
        for term in set(terms) & self._postings.keys():
            out[self._of(term)[0]] += self.rarity(term)
        if self._whole is None:
            self._whole = np.zeros(len(self._lengths), dtype=np.float32)
            for term in self._postings:
                self._whole[self._of(term)[0]] += self.rarity(term)
        return np.asarray(out / np.maximum(self._whole, np.float32(1e-6)), dtype=np.float32)

    def rarity(self, term: str) -> float:
        """Return the inverse document frequency, highest for a term never seen."""
        seen = len(self._postings.get(term, ()))
        return math.log(1 + (len(self._lengths) - seen + 0.5) / (seen + 0.5))

    def __contains__(self, term: str) -> bool:
        return term in self._postings


class Lexical:
    """What the passages say, letter by letter. `ids[row]` names a row until the index is built again.

    `terms` makes words of a text: stems, or something plainer to see what stems are worth.
    """

    def __init__(
        self, passages: Iterable[Passage] = (), *, terms: Callable[[str], list[str]] = stems
    ) -> None:
        self._terms = terms
        self._lock = RLock()
        self._fields = {part: _Field() for part in PARTS}
        self._ids: list[PassageId] = []
        self._languages = array("B")
        self._titles: list[str] = []
        self._alive = array("B")
        self._of: dict[DocumentId, list[int]] = {}
        self._row: dict[PassageId, int] = {}
        self._under: Counter[str] = Counter()
        self._told: Scores | None = None
        self._subjects = Subjects(rarity=self._fields["words_title"].rarity, terms=terms)
        self._letters = Letters(known=self.knows)
        for passage in passages:
            self._add(passage)

    def copy(self) -> "Lexical":
        """Return one that changes on its own: much quicker than reading every passage again."""
        with self._lock:
            # A lock cannot be copied; the copy has its own.
            return deepcopy(self, {id(self._lock): RLock()})

    def replace(self, document: DocumentId, passages: Sequence[Passage]) -> None:
        """Make these the passages of a document; none to forget it."""
        with self._lock:
            for row in self._of.pop(document, []):
                self._alive[row] = 0
                self._row.pop(self._ids[row], None)
                self._titled(self._titles[row], more=-1)
            for passage in passages:
                self._add(passage)

    def read(self, query: str) -> Reading:
        """Score every row for a query; rows of forgotten passages are there too, not alive."""
        words, letters = self._terms(query), grams(query)
        with self._lock:
            scores = {
                part: self._fields[part].scores(words if part.startswith("words") else letters)
                for part in PARTS
            }
            return Reading(
                ids=self._ids,
                alive=np.frombuffer(self._alive, dtype=np.uint8).astype(np.bool_),
                languages=np.frombuffer(self._languages, dtype=np.uint8).copy(),
                scores=scores,
                told=self._told_by_titles(),
            )

    def subject(self, messages: Sequence[str]) -> Scores | None:
        """Return how much each row is about what the messages (oldest first) name, `[rows]` 0..1; None for nothing."""
        with self._lock:
            alive = np.frombuffer(self._alive, dtype=np.uint8).astype(np.bool_)
            return self._subjects.scores(messages, titles=self._titles, alive=alive)

    def titles_said(self, text: str) -> Scores:
        """Return how much of each row's title a text says, `[rows]` 0..1; rare words weigh more."""
        with self._lock:
            return self._fields["words_title"].said(self._terms(text))

    def coverage(self, query: str, body: str) -> float:
        """Return how much of the query's weight `body` covers, 0..1; rare words weigh more."""
        inside = set(self._terms(body))
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
        found = self._terms(word)
        return bool(found) and all(stem in self._fields["words"] for stem in found)

    def row_of(self, passage: PassageId) -> int | None:
        """Return the row of a live passage."""
        return self._row.get(passage)

    def rows_of(self, passages: Sequence[PassageId]) -> NDArray[np.intp]:
        """Return the row of each passage, -1 for one that is not live."""
        known = self._row
        return np.array([known.get(name, -1) for name in passages], dtype=np.intp)

    @property
    def worn(self) -> bool:
        """Say whether so many rows died that a rebuild pays."""
        return len(self._ids) > 100 and len(self._row) < (1 - _WORN) * len(self._ids)

    def __len__(self) -> int:
        return len(self._row)

    def _share(self, query: str, has: Callable[[str], bool]) -> float:
        field = self._fields["words"]
        with self._lock:
            weights = {stem: field.rarity(stem) for stem in set(self._terms(query))}
        total = sum(weights.values())
        return sum(weight for stem, weight in weights.items() if has(stem)) / total if total else 0.0

    def _told_by_titles(self) -> Scores:
        if self._told is None:
            shares = {title: 1.0 / among for title, among in self._under.items() if title}
            found = (shares.get(title, 0.0) for title in self._titles)
            self._told = np.fromiter(found, dtype=np.float32, count=len(self._titles))
        return self._told

    def _titled(self, title: str, *, more: int) -> None:
        self._under[title] += more
        if not self._under[title]:
            del self._under[title]
        self._told = None
        self._subjects.forget()

    def _add(self, passage: Passage) -> None:
        title = title_of(passage)
        said, written = plain_words(title), plain_words(passage.text)
        terms = {
            "words": self._terms(f"{title} {passage.text}"),
            "words_title": self._terms(title),
            "letters_title": grams_of(said),
            "letters_body": grams_of(written),
        }
        row = len(self._ids)
        for part, found in terms.items():
            self._fields[part].add(found)
        self._ids.append(passage.id)
        self._languages.append(LANGUAGES.index(passage.language))
        self._titles.append(title)
        self._alive.append(1)
        self._row[passage.id] = row
        self._of.setdefault(passage.document, []).append(row)
        self._titled(title, more=1)
        self._letters.learn(said + written)
