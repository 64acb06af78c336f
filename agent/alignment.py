"""Which word of the evidence stands for which word of a sentence: same stem, same sense, or a value of one matter. Pure.

```
Курьер привезёт посылку утром        1.0  the same stem, a form of it, a synonym of the tables, a name in another script
Заказ доставляют вечером             0…1  closeness of the two words by the encoder
      └ привезёт ~ доставляют        0.2  two values of one matter (`apart.toml`): «утром» is not «вечером»
```
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent import lexicon
from agent.clauses import Clause, clauses
from agent.language import is_function, sentences, stem, words
from agent.ports import Encoder
from knowledge.text.quantities import Quantity, quantities, words_masked

DATA = Path(__file__).with_name("apart.toml")
Floats = NDArray[np.float64]
Relation = Literal["same", "apart", "none"]

SAME = 0.999
"""From here on two words are one."""
ALIKE = 0.9
"""Closeness of two words that `apart.toml` puts in one cell."""
APART = 0.2
"""The most that two values of one matter are close, however near the encoder puts them."""
LONG_ENOUGH = 3
"""Consonants a name must share with its spelling in the other script."""
READ = 256
"""Pieces of evidence kept as they were read."""


class Word(NamedTuple):
    """A meaningful word as written, lower-case, and the stem it is compared by."""

    text: str
    stem: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """A piece of evidence as it is compared: its parts, their words, and the direction of each.

    `columns` of a part are the places of its words in `words`; `titled` those of the title.
    """

    text: str
    units: tuple[str, ...]
    clauses: tuple[Clause, ...]
    words: tuple[Word, ...]
    vectors: NDArray[np.float32]
    unit_columns: tuple[tuple[int, ...], ...]
    clause_columns: tuple[tuple[int, ...], ...]
    titled: tuple[int, ...]
    unit_vectors: NDArray[np.float32]
    clause_vectors: NDArray[np.float32]
    title_numbers: tuple[Quantity, ...]
    starts: Mapping[str, tuple[int, ...]]
    """Places of words by how their stems begin."""
    bones: Mapping[str, tuple[int, ...]]
    """Places of words by what their spellings in two scripts share."""


@lru_cache(maxsize=8192)
def meaningful(text: str) -> tuple[Word, ...]:
    """Return the words of a text that carry meaning, each once, in order, without its numbers."""
    return tuple(dict.fromkeys(word for word, light in every_word(text) if not light))


@lru_cache(maxsize=4096)
def every_word(text: str) -> tuple[tuple[Word, bool], ...]:
    """Return all words of a text in order, numbers left out, and of each whether it carries no meaning of its own."""
    found = []
    for word in words(lexicon.levelled(words_masked(text))):
        if any(mark.isdigit() for mark in word):
            continue
        root = stem(word)
        found.append((Word(word, lexicon.synonym(root)), is_function(word) or lexicon.is_silent(root)))
    return tuple(found)


@lru_cache(maxsize=READ)
def read(text: str, title: str, encoder: Encoder) -> Reading:
    """Return a piece of evidence as it is compared. Encodes each of its words and parts once."""
    units = tuple(sentences(text)) or (text.strip() or ".",)
    parts = tuple(clause for clause in clauses(text))
    of_units, of_parts = [meaningful(unit) for unit in units], [meaningful(part.text) for part in parts]
    named = meaningful(title)
    known = tuple(dict.fromkeys([word for group in (*of_units, *of_parts, named) for word in group]))
    place = {word: n for n, word in enumerate(known)}

    def columns(groups: Sequence[Sequence[Word]]) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(place[word] for word in group) for group in groups)

    return Reading(
        text=text,
        units=units,
        clauses=parts,
        words=known,
        vectors=encoder.vectors([word.text for word in known]),
        unit_columns=columns(of_units),
        clause_columns=columns(of_parts),
        titled=columns([named])[0],
        unit_vectors=encoder.vectors(units),
        clause_vectors=encoder.vectors([part.text for part in parts]),
        title_numbers=quantities(title),
        starts=_places(word.stem[: lexicon.LONG_ENOUGH] for word in known),
        bones=_places(lexicon.skeleton(word.stem) for word in known),
    )


def _places(keys: Iterable[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for n, key in enumerate(keys):
        found[key] = (*found.get(key, ()), n)
    return found


def aligned(said: Sequence[Word], given: Reading, encoder: Encoder) -> Floats:
    """Return how far each word of the sentence is each word of the evidence: `[said, given.words]`, 0..1.

    A word that is there as it is stands for nothing else.
    """
    out = np.zeros((len(said), max(1, len(given.words))))
    far = []
    for row, word in enumerate(said):
        same = _same(word, given)
        out[row, same] = 1.0
        if not same:
            far.append(row)
    if not far or not given.words:
        return out
    close = np.clip(encoder.vectors([said[row].text for row in far]) @ given.vectors.T, 0.0, 1.0)
    for n, row in enumerate(far):
        out[row] = [
            _bounded(float(score), relation(said[row], other))
            for score, other in zip(close[n], given.words, strict=True)
        ]
    return out


def strange(said: Sequence[Word], given: Reading) -> list[str]:
    """Return the words of the sentence that the evidence does not have, which only the encoder can compare."""
    return [word.text for word in said if not _same(word, given)]


def _same(word: Word, given: Reading) -> list[int]:
    """Return where the evidence has the word: by stem, by form, by the tables of synonyms, or as a name in two scripts."""
    able = [n for n in given.starts.get(word.stem[: lexicon.LONG_ENOUGH], ()) if _one(word, given.words[n])]
    bones = lexicon.skeleton(word.stem)
    if able or len(bones) < LONG_ENOUGH:
        return able
    return [n for n in given.bones.get(bones, ()) if given.words[n].text.isascii() != word.text.isascii()]


def _one(one: Word, other: Word) -> bool:
    return one.stem == other.stem or bool(lexicon.covered((one.stem,), (other.stem,)))


@lru_cache(maxsize=65_536)
def relation(one: Word, other: Word) -> Relation:
    """Return whether two words are one value of a matter, two of its values, or neither."""
    ours, theirs = _cells(one), _cells(other)
    if ours & theirs:
        return "same"
    return "apart" if {row for row, _ in ours} & {row for row, _ in theirs} else "none"


def _bounded(score: float, how: Relation) -> float:
    if how == "same":
        return max(score, ALIKE)
    return min(score, APART) if how == "apart" else score


@lru_cache(maxsize=16_384)
def _cells(word: Word) -> frozenset[tuple[int, int]]:
    table = _matters()
    return table.get(stem(word.text), frozenset()) | table.get(word.stem, frozenset())


@cache
def _matters() -> dict[str, frozenset[tuple[int, int]]]:
    """Map each stem to the cells it stands in: row and place."""
    found: dict[str, frozenset[tuple[int, int]]] = {}
    for row, cells in enumerate(tomllib.loads(DATA.read_text("utf-8"))["matters"]):
        for place, cell in enumerate(cells):
            for word in str(cell).split():
                root = stem(word.replace("ё", "е"))
                found[root] = found.get(root, frozenset()) | {(row, place)}
    return found
