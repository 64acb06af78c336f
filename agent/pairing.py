"""A sentence beside a piece of evidence, and how much of it parts of the evidence have. Pure but for the encoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from agent import lexicon
from agent.alignment import Floats, Reading, Word, aligned, meaningful
from agent.ports import Encoder
from knowledge.text.quantities import Quantity, agree, quantities

Signs = dict[str, float]

WEAK, FAIR = 0.5, 0.72
"""Closeness of a word to its best counterpart below which it is counted as missing, and as doubtful."""
TITLE = 0.85
"""How much a word counts that stands in the title only."""
WIDER = 0.02
"""What a neighbouring sentence must add before the neighbourhood is preferred."""
WIDEST = 3
NOTHING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """A sentence beside a piece of evidence, each read once."""

    said: str
    title: str
    given: Reading
    encoder: Encoder

    @cached_property
    def words(self) -> tuple[Word, ...]:
        return meaningful(self.said)

    @cached_property
    def numbers(self) -> tuple[Quantity, ...]:
        return quantities(self.said)

    @cached_property
    def weights(self) -> Floats:
        return np.array([lexicon.weight(word.stem) for word in self.words], dtype=np.float64)

    @cached_property
    def close(self) -> Floats:
        return aligned(self.words, self.given, self.encoder)

    @cached_property
    def titled(self) -> Floats:
        return self.best(self.given.titled)

    def best(self, columns: Sequence[int]) -> Floats:
        """Return how near each word of the sentence is to its best counterpart among the columns."""
        if not self.words or not len(columns):
            return np.zeros(len(self.words))
        return np.asarray(self.close[:, list(columns)].max(axis=1))

    def found(self, given: Sequence[Quantity], numbers: Sequence[Quantity] | None = None) -> float:
        """Return the share of the sentence's numbers that stand among the given ones or in the title."""
        wanted = self.numbers if numbers is None else numbers
        there = (*given, *self.given.title_numbers)
        return sum(any(agree(one, two) for two in there) for one in wanted) / len(wanted) if wanted else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Part of the evidence beside the sentence: the share found, each word's counterpart, its numbers."""

    first: int
    last: int
    share: float
    words: Floats
    numbers: tuple[Quantity, ...]


def singles(pair: Pair) -> list[Scope]:
    return [scope_of(pair, n, n) for n in range(len(pair.given.units))]


def scope_of(pair: Pair, first: int, last: int, *, title_counts: float = TITLE) -> Scope:
    given = pair.given
    columns = [column for n in range(first, last + 1) for column in given.unit_columns[n]]
    numbers = tuple(number for n in range(first, last + 1) for number in quantities(given.units[n]))
    words = np.maximum(pair.best(columns), title_counts * pair.titled)
    whole = pair.weights.sum() + len(pair.numbers) + NOTHING
    share = ((pair.weights * words).sum() + len(pair.numbers) * pair.found(numbers)) / whole
    return Scope(first=first, last=last, share=float(share), words=words, numbers=numbers)


def window_of(pair: Pair, single: Sequence[Scope], home: Scope) -> Scope:
    """Return the neighbourhood of the best sentence that has most of what is said, the narrower of two alike."""
    able = [home]
    for width in range(2, WIDEST + 1):
        starts = range(max(0, home.first - width + 1), min(home.first, len(single) - width) + 1)
        able += [scope_of(pair, first, first + width - 1) for first in starts]
    return max(able, key=lambda scope: scope.share - WIDER * (scope.last - scope.first))


def coverage(pair: Pair, scope: Scope, name: str) -> Signs:
    heavy = scope.words[pair.weights >= 1.0]
    ranked = np.sort(heavy if len(heavy) else scope.words)
    signs = {
        "share": scope.share,
        "numbers": pair.found(scope.numbers),
        "least": ranked[0] if len(ranked) else 1.0,
        "second": ranked[1] if len(ranked) > 1 else 1.0,
        "missing": (ranked < WEAK).sum(),
        "doubtful": (ranked < FAIR).sum(),
        "short": (1.0 - ranked).sum(),
        "exact": (ranked >= 0.999).mean() if len(ranked) else 1.0,
    }
    return {f"{name}_{sign}": float(value) for sign, value in signs.items()}
