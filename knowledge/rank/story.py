"""A long story with several needs in it: at most four searches, no model that writes, one ranking.

1 the story as a whole, fused like any query          3 its clauses by meaning, by the weaker embedder
2 its clauses by words and letters, and by titles      4 passages like the first five found: search by example

A clause speaks for a passage by its best match, so a need told in one sentence is not drowned by the other forty. What
search 4 brings is mostly what goes together with the rest: the second step of a procedure, the sister of a product.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.embed.port import Vectors
from knowledge.lexical import PARTS, Lexical, Reading, Scores
from knowledge.rank.groups import Groups
from knowledge.types import PassageId

SEARCHES = 4
EXAMPLES = 5
CLAUSES = 64
Ask = Callable[[Vectors], Sequence[tuple[PassageId, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much each search counts, in deviations: `words` and `titles` are both search 2."""

    whole: float
    words: float
    titles: float
    meaning: float
    example: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The rows a story is ranked over; every method gives a standardised score for each, `[rows]`."""

    lexical: Lexical
    reading: Reading
    groups: Groups

    def standard(self, scores: Scores) -> Scores:
        """Return scores in deviations; a row that is dead counts as the middle."""
        alive = self.reading.alive
        return self.groups.standard(np.where(alive, scores, np.float32(0.0)), alive)

    def by_words(self, clauses: Sequence[str], *, weights: Mapping[str, float]) -> Scores:
        """Return how well the best clause matches by words and letters; each part by its own best clause."""
        rows = len(self.reading.alive)
        best = {part: np.zeros(rows, dtype=np.float32) for part in PARTS}
        for clause in clauses:
            for part, scores in self.lexical.read(clause).scores.items():
                np.maximum(best[part], scores[:rows], out=best[part])
        out = np.zeros(rows, dtype=np.float32)
        for part, scores in best.items():
            titled = self.reading.told if part.endswith("title") else np.float32(1.0)
            out += np.float32(weights[part]) * titled * self.standard(scores)
        return self.standard(out)

    def by_titles(self, clauses: Sequence[str]) -> Scores:
        """Return how much of each title one clause says."""
        best = np.zeros(len(self.reading.alive), dtype=np.float32)
        for clause in clauses:
            np.maximum(best, self.lexical.titles_said(clause)[: len(best)], out=best)
        return self.standard(best)

    def by_vectors(self, vectors: Vectors, *, ask: Ask) -> Scores:
        """Return the similarity to the nearest of some vectors `[n, dim]`."""
        best = np.full(len(self.reading.alive), -np.inf, dtype=np.float32)
        for vector in vectors:
            for name, score in ask(vector):
                row = self.lexical.row_of(name)
                if row is not None and row < len(best):
                    best[row] = max(best[row], score)
        known = np.isfinite(best)
        # A row that no list holds is further away than every row that one holds.
        lowest = float(best[known].min()) if known.any() else 0.0
        return self.standard(np.where(known, best, np.float32(lowest)))
