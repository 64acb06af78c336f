"""Whether a message asks what answers here, a program or a person; and what it asks beside. Pure, well under 1 ms.

```
"Привет, ты робот? Где мой заказ?"
   └ words by class ─► runs of up to four classes ─► fitted weights ─► how surely, 0..1, sentence by sentence
   ├ "Привет"            nothing but politeness
   ├ "ты робот?"         surely the question, and nothing else in it: "yes, a program"
   └ "Где мой заказ?"    the rest: answered beside the honest line
```
Classes are written in `frank.toml`, weights in `frank_fit.json`; `mayak eval disclosure --fit` fits them. A sentence
counts by itself and together with the one before it ("I like people. Are you one?"). "Are you human?" is the same
question from its other side: what it names decides whether a "yes" or a "no" stands before the truth.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import exp
from pathlib import Path
from typing import Literal

from agent.cues import plain, slips

CLASSES = Path(__file__).with_name("frank.toml")
WEIGHTS = Path(__file__).with_name("frank_fit.json")
RUN = 4
"""Classes in a row that are one feature."""
READ = 60
"""Words of a sentence that are read."""
SENTENCES = 12
"""Sentences from either end of a message that are read: what is asked stands there."""
OTHER = "x"
COLOUR = frozenset({"hedge", "polite", "a", "an"})
"""Classes a question is the same without; so is "real" before "human"."""
NOTHING = frozenset({"polite", "hedge", "here", "or", "not", "yes", "right", ".", "?"})
ANSWER = frozenset({"yes", "right", "not"})
MOST_OTHER = 1
"""Words of no class in a sentence that asks nothing else."""
ASKS_ELSE = frozenset(
    ("где", "когда", "сколько", "почему", "зачем", "какая", "какие", "how", "why", "when", "where")
)
SHORTEST_FORGIVEN, LONGEST_WORD = 4, 20

Named = Literal["machine", "human", "either"]
"""What is asked for: a program (“yes” fits), a person (“no” fits); `either` where neither word surely fits."""
MACHINE, HUMAN = frozenset({"machine", "auto"}), frozenset({"human", "gender"})
OPEN = frozenset({"or", "not", "who", "seems", "like", "как", "prove"})
"""Classes and words of a question that a yes or a no does not surely answer: a choice, a denial, a comparison."""

_SENTENCE = re.compile(r"[^.!?…;\n]+[.!?…;\n]*")
_PIECE = re.compile(r"[^.!?…;,:\n—]+[.!?…;,:\n—]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """`asks`: what answers here is asked, `surely` beyond doubt, by what it is `named`; `rest`: what is said beside."""

    asks: bool
    surely: bool = False
    named: Named = "either"
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What a run of classes adds; `asks` and `surely` are probabilities from which the line is due, and alone enough."""

    bias: float
    runs: Mapping[str, float]
    asks: float
    surely: float

    def chance(self, classes: Sequence[str]) -> float:
        """Return how surely words of these classes ask it, 0..1."""
        return 1 / (1 + exp(-self.bias - sum(self.runs.get(run, 0.0) for run in features(classes))))


@cache
def fitted() -> Weights:
    """Return the weights that were fitted, read once."""
    return Weights(**json.loads(WEIGHTS.read_text("utf-8")))


def heard(text: str, *, weights: Weights | None = None) -> Heard:
    """Return whether the message asks what answers here, and the rest of it; where in doubt, all of it."""
    weights = weights or fitted()
    chance = max((weights.chance(unit) for unit in units(text)), default=0.0)
    if chance < weights.asks:
        return Heard(asks=False, rest=text)
    rest = (_beside(sentence, weights) for sentence in _SENTENCE.findall(text))
    said = " ".join(filter(None, rest))
    return Heard(asks=True, surely=chance >= weights.surely, named=_named(text, weights), rest=said)


def _named(text: str, weights: Weights) -> Named:
    """Return what the sentences that ask it name, by themselves; `either` where they differ or only two together ask."""
    asking = [
        said for said in map(classes_of, _SENTENCE.findall(text)) if weights.chance(said) >= weights.asks
    ]
    found = {_side(said) for said in asking}
    return found.pop() if len(found) == 1 else "either"


def _side(said: Sequence[str]) -> Named:
    """Return which word a sentence asks for, where it asks for one and a yes or a no answers it."""
    words = frozenset(said)
    machine, human = bool(words & MACHINE), bool(words & HUMAN)
    if machine == human or words & (OPEN | ASKS_ELSE) or _of_oneself(said):
        return "either"
    return "machine" if machine else "human"


def _of_oneself(said: Sequence[str]) -> bool:
    """Tell whether somebody says what they are themselves: "I'm human, and you?"."""
    named = any(one == "me" and before != "tell" for before, one in pairwise(("", *said)))
    return named and not {"talk", "say", "writes"} & set(said)


def _beside(sentence: str, weights: Weights) -> str:
    """Return what of a sentence is still to be answered: nothing of politeness, and of one that only asks this."""
    pieces = [(piece.strip(), classes_of(piece)) for piece in _PIECE.findall(sentence)]
    if all(_polite(said) or _only_asks(said, weights) for _, said in pieces):
        return ""
    if _only_asks(classes_of(sentence), weights):
        return ""
    return " ".join(piece for piece, said in pieces if not _only_asks(said, weights))


def _only_asks(said: Sequence[str], weights: Weights) -> bool:
    """Tell whether these words surely ask what answers here, and nothing else."""
    alone = said.count(OTHER) <= MOST_OTHER and not ASKS_ELSE & set(said)
    return alone and weights.chance(said) >= weights.surely


def _polite(said: Sequence[str]) -> bool:
    """Tell whether the words say nothing: courtesy, or "yes or no?" asked back. A plain yes answers something."""
    if "?" not in said and ANSWER & set(said):
        return False
    return set(said) <= NOTHING


def units(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the classes of every sentence, of its last part after a comma, and of every two sentences in a row."""
    sentences = _ends(_SENTENCE.findall(text))
    said = [one for one in map(classes_of, sentences) if any(mark not in (".", "?") for mark in one)]
    yield from said
    yield from (before + after for before, after in pairwise(said))
    for sentence in sentences:
        _, comma, last = sentence.rpartition(",")
        if comma and last.strip(" .!?…;\n"):
            yield classes_of(last)


def _ends(sentences: Sequence[str]) -> Sequence[str]:
    if len(sentences) <= 2 * SENTENCES:
        return sentences
    return (*sentences[:SENTENCES], *sentences[-SENTENCES:])


def features(classes: Sequence[str]) -> frozenset[str]:
    """Return every run of up to four classes; `^` stands before the first.

    Once more (`~`) without what only colours, and (`=`) without words of no class either.
    """
    row = ("^", *classes)
    bare = tuple(_bare(row))
    known = tuple(one for one in bare if one != OTHER)
    return frozenset((*_runs(row, ""), *_runs(bare, "~"), *_runs(known, "=")))


def _runs(row: Sequence[str], mark: str) -> Iterator[str]:
    for size in range(1, RUN + 1):
        yield from (mark + " ".join(row[at : at + size]) for at in range(len(row) - size + 1))


def _bare(row: Sequence[str]) -> Iterator[str]:
    for one, after in zip(row, (*row[1:], ""), strict=True):
        if one not in COLOUR and (one, after) != ("real", "human"):
            yield one


def classes_of(text: str) -> tuple[str, ...]:
    """Return the class of each word, kept words as they are, `.` or `?` where a sentence ends."""
    tokens = plain(text[: READ * LONGEST_WORD]).split()[1 : READ + 1]
    return tuple(_classes(tokens))


def _classes(tokens: Sequence[str]) -> Iterator[str]:
    table = _table()
    at = 0
    while at < len(tokens):
        for size in range(min(table.longest, len(tokens) - at), 0, -1):
            found = table.of(" ".join(tokens[at : at + size]))
            if found:
                break
        yield found or OTHER
        at += size


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Classes of words and word groups; `beginnings` are those with a star, `meant` slips of known words."""

    known: Mapping[str, str]
    beginnings: tuple[tuple[str, str], ...]
    meant: Mapping[str, str]
    longest: int

    def of(self, words: str) -> str:
        if words in (".", "?"):
            return words
        if words in self.known:
            return self.known[words]
        for beginning, name in self.beginnings:
            if words.startswith(beginning) and " " not in words[len(beginning) :]:
                return name
        return "" if " " in words else self._slipped(words)

    def _slipped(self, word: str) -> str:
        if not SHORTEST_FORGIVEN <= len(word) <= LONGEST_WORD:
            return ""
        for slip in slips(word):
            meant = self.meant.get(slip)
            if meant is not None and (
                sorted(word) == sorted(meant) or (word[0], word[-1]) == (meant[0], meant[-1])
            ):
                return self.known[meant]
        return ""


@cache
def _table() -> _Table:
    raw = tomllib.loads(CLASSES.read_text("utf-8"))
    rows = [(word, name) for language in raw.values() for name, words in language.items() for word in words]
    known = {word: _class(word, name) for word, name in reversed(rows) if not word.endswith("*")}
    beginnings = tuple((word[:-1], _class(word[:-1], name)) for word, name in rows if word.endswith("*"))
    meant: dict[str, str] = {}
    for word in sorted(known):
        if len(word) > SHORTEST_FORGIVEN and " " not in word:
            for slip in slips(word):
                meant.setdefault(slip, word)
    return _Table(
        known=known, beginnings=beginnings, meant=meant, longest=max(len(word.split()) for word, _ in rows)
    )


def _class(word: str, name: str) -> str:
    return word if name == "kept" else name
