"""What a conversation is about: the things that titles name, found again in the messages before.

Titles that begin alike share a name: "Acorn House: parking", "Acorn House: pets" and "Acorn House, reviews" are about
Acorn House, "Доставка › Курьер" and "Доставка › Сроки" about «Доставка». No list of names: whatever several titles begin
with is one. The last message that names something counts most.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.text.words import stems

_LONGEST = 8
_MESSAGES = 8
_NAMED = 0.6
_OLDER = 0.8


@dataclass(frozen=True, slots=True)
class _Name:
    """The words that several titles begin with, what each weighs, and how much the name tells, 0..1."""

    words: Mapping[str, float]
    tells: float
    rows: NDArray[np.int64]


class Subjects:
    """Names in titles; found when first asked for, and again after `forget`.

    `terms` makes words of a text, `rarity` weighs one of them.
    """

    def __init__(self, *, rarity: Callable[[str], float], terms: Callable[[str], list[str]] = stems) -> None:
        self._rarity = rarity
        self._terms = terms
        self._names: list[_Name] | None = None
        self._holding: dict[str, list[int]] = {}

    def forget(self) -> None:
        """Find the names anew next time: titles have changed."""
        self._names = None

    def scores(
        self, messages: Sequence[str], *, titles: Sequence[str], alive: NDArray[np.bool_]
    ) -> NDArray[np.float32] | None:
        """Return for each title how much the messages, oldest first, are about it, `[titles]` 0..1; None for nothing."""
        if self._names is None:
            beginnings = _beginnings(titles, alive, self._terms)
            self._names = _names(beginnings, living=int(alive.sum()), rarity=self._rarity)
            self._holding = {}
            for n, name in enumerate(self._names):
                for word in name.words:
                    self._holding.setdefault(word, []).append(n)
        out = np.zeros(len(titles), dtype=np.float32)
        for age, message in enumerate(reversed(messages[-_MESSAGES:])):
            said = set(self._terms(message))
            for n in {n for word in said for n in self._holding.get(word, ())}:
                name = self._names[n]
                share = sum(weight for word, weight in name.words.items() if word in said)
                if share >= _NAMED:
                    out[name.rows] = np.maximum(out[name.rows], _OLDER**age * share**2 * name.tells)
        best = float(out.max()) if len(out) else 0.0
        return out / best if best > 0 else None


def _names(
    beginnings: Sequence[tuple[tuple[str, ...], int]], *, living: int, rarity: Callable[[str], float]
) -> list[_Name]:
    rows: dict[tuple[str, ...], list[int]] = {}
    for words, row in beginnings:
        rows.setdefault(words, []).append(row)
    living = max(2, living)
    out: list[_Name] = []
    for words, found in rows.items():
        weights = {word: rarity(word) for word in words}
        total = sum(weights.values())
        # What most titles begin with ("how to") names nothing.
        tells = math.log(living / len(found)) / math.log(living)
        if total > 0 and tells > 0:
            shares = {word: weight / total for word, weight in weights.items()}
            out.append(_Name(shares, tells, np.array(found)))
    return out


def _beginnings(
    titles: Sequence[str], alive: NDArray[np.bool_], terms: Callable[[str], list[str]]
) -> list[tuple[tuple[str, ...], int]]:
    """Return (beginning, row) for every beginning at which titles part, found on their sorted list."""
    known = {title: tuple(terms(title)[:_LONGEST]) for title in dict.fromkeys(titles)}
    living = [int(row) for row in np.flatnonzero(alive)]
    ordered = sorted((known[titles[row]], row) for row in living if known[titles[row]])
    shared = [0] * (len(ordered) + 1)
    for i in range(1, len(ordered)):
        shared[i] = _alike(ordered[i - 1][0], ordered[i][0])
    lengths = _parting(ordered, shared)
    return [(words[:n], row) for (words, row), sizes in zip(ordered, lengths, strict=True) for n in sizes]


def _parting(ordered: Sequence[tuple[tuple[str, ...], int]], shared: Sequence[int]) -> list[set[int]]:
    """Return for each title the lengths of its beginnings that a neighbour shares."""
    out: list[set[int]] = [set() for _ in ordered]
    for step in (1, -1):
        open_: list[int] = []
        for i in range(len(ordered)) if step == 1 else range(len(ordered) - 1, -1, -1):
            here = shared[i] if step == 1 else shared[i + 1]
            open_ = [n for n in open_ if n <= here]
            if here and here not in open_:
                open_.append(here)
            out[i].update(open_)
    return out


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
