"""Whether two questions are the same one, so that the answer approved for one may be given to the other. Pure.

```
«Подскажите, сколько дней на возврат?»      asks: how long   numbers: –   marks: –   words: день, возврат
«За сколько дней можно вернуть товар?»      asks: how long   numbers: –   marks: –   words: день, возврат, товар
«Сколько дней на возврат без чека?»         asks: how long   numbers: –   marks: without …                ─► another
```
Everything that turns a question into another one must be alike: what it asks for, its numbers, denials, conditions,
directions and whether it is about the customer's own things. Of the words nearly nothing may be left over on either
side. Nothing here understands; a question that is not surely the same goes the usual way.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from agent import lexicon
from agent.closeness import closeness
from agent.language import content, dictionary, readable, stem, words
from agent.likeness import SAME_ROOT, SLIP, alike
from agent.ports import Similarity
from agent.wording import forms
from knowledge.text.quantities import Quantity, agree, quantities, words_masked

DATA = Path(__file__).with_name("sameness.toml")
FUNCTION = 0.25
"""What a function word weighs when it is left over: less than one that carries meaning, but it may turn a question."""
ENOUGH = 2
"""Meaningful words a question needs to be compared at all; with fewer it is the same only word for word."""
FAR = 2.0
"""Weight left over from which two questions are about different things and need no closer look."""
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much two questions may differ; see `[thresholds]` of sameness.toml."""

    extra: float
    missing: float
    close: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A question as it is compared. `said` is all its words in order, openings left out; `meant` its stems with weights."""

    said: tuple[str, ...]
    asks: str
    numbers: tuple[Quantity, ...]
    marks: frozenset[int]
    denials: int
    own: bool
    ways: Mapping[str, str]
    meant: Mapping[str, float]

    @property
    def kind(self) -> object:
        """What two questions share whenever they are one, whatever their words are."""
        return self.asks, self.marks, self.denials, len(self.numbers)

    @property
    def compared(self) -> bool:
        """Whether there is enough of it to be compared word by word: a statement, or a word or two, is the same only as
        it stands."""
        return bool(self.asks) and sum(weight == 1.0 for weight in self.meant.values()) >= ENOUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How two questions differ: what makes them two ("" for nothing), and the weight of words left over on each side."""

    apart: str = ""
    extra: float = 0.0
    missing: float = 0.0

    def within(self, limits: Limits) -> bool:
        """Whether the words leave it open that the questions are one."""
        return not self.apart and self.extra <= limits.extra and self.missing <= limits.missing


def limits() -> Limits:
    """Return the thresholds in use."""
    return Limits(**_data()["thresholds"])


class Known:
    """Questions that were answered before, laid out so that a question meets only those it can be."""

    def __init__(self, questions: Sequence[str]) -> None:
        self.questions = tuple(questions)
        self._word_for_word: dict[tuple[str, ...], list[int]] = {}
        self._alike: dict[object, list[int]] = {}
        for n, question in enumerate(self.questions):
            here = read(question)
            self._word_for_word.setdefault(here.said, []).append(n)
            if here.compared:
                self._alike.setdefault(here.kind, []).append(n)

    def like(
        self, asked: str, *, similarity: Similarity | None = None, within: Limits | None = None
    ) -> list[int]:
        """Return the places of those known questions that are the one asked: word for word, or else as near as allowed."""
        allowed, here = within or limits(), read(asked)
        if not here.said:
            return []
        exact = self._word_for_word.get(here.said, [])
        if exact:
            return exact
        near = self._alike.get(here.kind, []) if here.compared else []
        found = [n for n in near if difference(asked, self.questions[n]).within(allowed)]
        if similarity is None or not found:
            return found
        scores = closeness(asked, [self.questions[n] for n in found], similarity=similarity)
        return (
            [n for n, score in zip(found, scores, strict=True) if score >= allowed.close] if scores else found
        )


def difference(asked: str, known: str) -> Difference:
    """Return how the question asked differs from a known one."""
    here, there = read(asked), read(known)
    if here.said == there.said:
        return Difference()
    for name, differ in (
        ("asks", here.asks != there.asks),
        ("number", not _same_numbers(here.numbers, there.numbers)),
        ("negation", here.denials != there.denials),
        ("condition", here.marks != there.marks),
        ("own", here.own and not there.own),
        ("direction", any(there.ways.get(word, way) != way for word, way in here.ways.items())),
    ):
        if differ:
            return Difference(apart=name)
    found = Difference(extra=_left(here.meant, there.meant), missing=_left(there.meant, here.meant))
    if found.extra + found.missing <= FAR and lexicon.opposed(asked, known):
        return Difference(apart="opposite")
    return found


@lru_cache(maxsize=20_000)
def read(question: str) -> Reading:
    """Read a question; one typed in other letters is read as it was meant."""
    text = lexicon.plain(readable(question))
    said = _without_openings(words(text))
    line = f" {' '.join(said)} "
    asks, form = next(((kind, form) for kind, own in _asks() for form in own if form in line), ("", " "))
    return Reading(
        said=tuple(word for word in said if word not in _polite()),
        asks=asks,
        numbers=quantities(text),
        marks=frozenset(n for n, own in enumerate(_marks()) if any(form in line for form in own)),
        denials=lexicon.negations(text),
        own=any(form in line for form in _own()),
        ways=_ways(said),
        meant=_meant(text, line.replace(form, " ", 1).split()),
    )


def _meant(text: str, said: Sequence[str]) -> Mapping[str, float]:
    """Return the question's stems with what each weighs; words of asking and marks are told otherwise."""
    numbered = set(words(words_masked(text)))
    carrying = set(content(" ".join(said)))
    out: dict[str, float] = {}
    for word in said:
        if word in _told() or word in _empty() or word not in numbered:
            continue
        own = stem(word)
        head = _synonyms().get(own, own)
        out[head] = max(out.get(head, 0.0), lexicon.weight(head) if own in carrying else FUNCTION)
    return out


def _left(here: Mapping[str, float], there: Mapping[str, float]) -> float:
    return round(sum(weight for word, weight in here.items() if not _found(word, there)), 3)


def _found(word: str, among: Iterable[str]) -> bool:
    for other in among:
        how = alike(word, other)
        if how >= SAME_ROOT or (how == SLIP and _misspelled(word, other)):
            return True
    return False


def _misspelled(one: str, other: str) -> bool:
    """Whether one of two words that differ by a letter is no word: «лента» and «рента» are two, «ленат» is a slip.

    Without a dictionary for English, its words are not taken for each other's slips.
    """
    if not _CYRILLIC.search(one + other):
        return False
    return any(not _known(word) for word in (one, other))


def _known(word: str) -> bool:
    return any(
        dictionary().word_is_known(word + end) for end in ("", "а", "о", "ь", "ы", "и", "е", "я", "й", "ть")
    )


def _same_numbers(here: Sequence[Quantity], there: Sequence[Quantity]) -> bool:
    if len(here) != len(there):
        return False
    left = list(there)
    for number in here:
        found = next((n for n, one in enumerate(left) if agree(number, one) and agree(one, number)), None)
        if found is None:
            return False
        left.pop(found)
    return True


def _ways(said: Sequence[str]) -> Mapping[str, str]:
    """Return for each stem which way the preposition before it points."""
    ways: Mapping[str, Sequence[str]] = _data()["ways"]
    known = {word: way for way, own in ways.items() for word in own}
    pairs = pairwise(said)
    return {stem(after): known[before] for before, after in pairs if before in known}


def _without_openings(said: list[str]) -> list[str]:
    """Leave out greetings and polite openings, one after another."""
    line = " ".join(said) + " "
    begun = True
    while begun:
        begun = False
        for opening in forms("openings"):
            if line.startswith(opening) and line != opening:
                line, begun = line.removeprefix(opening), True
        for word in ("а ", "и ", "ну ", "so ", "and "):
            if line.startswith(word) and line != word:
                line, begun = line.removeprefix(word), True
    return line.split()


def _forms(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(f" {' '.join(words(form))} " for form in found)


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text("utf-8"))


@cache
def _asks() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((row["kind"], _forms(row["forms"])) for row in _data()["asks"])


@cache
def _marks() -> tuple[tuple[str, ...], ...]:
    return tuple(_forms(group) for group in _data()["marks"]["groups"])


@cache
def _own() -> tuple[str, ...]:
    return _forms(_data()["own"]["forms"])


@cache
def _synonyms() -> Mapping[str, str]:
    """Return the first stem of its group for each stem that has one."""
    groups = [[stem(word) for word in group] for group in _data()["synonyms"]["groups"]]
    return {word: group[0] for group in reversed(groups) for word in group}


@cache
def _polite() -> frozenset[str]:
    return frozenset(_data()["polite"]["words"])


@cache
def _empty() -> frozenset[str]:
    return frozenset(_data()["empty"]["words"])


@cache
def _told() -> frozenset[str]:
    """Return single words that the kind of question, marks, denials and ownership speak for already."""
    rows = [*_asks(), *(("", group) for group in (*_marks(), _own()))]
    said = {form.strip() for _, own in rows for form in own if " " not in form.strip()}
    return frozenset(said | {"не", "нет", "not", "no"})
