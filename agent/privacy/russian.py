"""Russian names by the dictionary, in every case and number, with and without capitals. Pure.

```
"передайте Петрову Ивану"   a name by the dictionary, or a word beside one
"я мария петрова"           small letters: only what can hardly be anything else, or follows «меня зовут»
"Пупкин-Заде В. В."         initials make the word beside them a name
"люстра Вера", "Владимир"   also a thing, also a town: only beside a name
```
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from agent.privacy.lore import doubtful, patterns, surname_ends
from agent.privacy.spans import Span

Strength = Literal["none", "weak", "doubtful", "strong"]
_WORD = re.compile(r"[А-ЯЁа-яё]+(?:-[А-ЯЁа-яё]+)?")
_INITIALS = re.compile(
    r"(?<![\w.])(?:(?P<after>[А-ЯЁ][а-яё]{2,}(?:-[А-ЯЁ][а-яё]+)?)\s(?:[А-ЯЁ]\.\s?){1,2}|"
    r"(?:[А-ЯЁ]\.\s?){1,2}(?P<before>[А-ЯЁ][а-яё]{2,}(?:-[А-ЯЁ][а-яё]+)?))(?!\w)"
)
_NAMES = ("Name", "Surn", "Patr")
CAPITAL, SMALL, ANY = 0.4, 0.75, 0.04
"""Shares of a word's readings that are names: enough with a capital, enough without, and enough beside a name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the dictionary says of one word: the share of its readings that are names, and what speaks against it."""

    share: float
    patronymic: bool = False
    place: bool = False
    doubtful: bool = False
    unknown: bool = False
    surname_end: bool = False
    adjective: bool = False
    forms: frozenset[str] = frozenset()
    """First forms it may have as a name, and itself."""


def russian_names(text: str) -> Iterator[Span]:
    """Yield names of people in the Russian words of a folded text."""
    words = list(_WORD.finditer(text))
    accepted = _accepted(text, words)
    for first, last in _joined(text, words, accepted):
        yield Span(kind="name", start=words[first].start(), end=words[last].end())
    for start, end in _introduced(text):
        yield Span(kind="name", start=start, end=end)
    for found in _INITIALS.finditer(text):
        word = found["after"] or found["before"]
        if reading(word.lower()).share >= ANY or reading(word.lower()).unknown:
            yield Span(kind="name", start=found.start(), end=found.start() + len(found.group().rstrip()))


def _accepted(text: str, words: Sequence[re.Match[str]]) -> list[bool]:
    strengths = [_strength(word.group()) for word in words]
    accepted = [strength == "strong" for strength in strengths]
    beside = [_adjoin(text, left, right) for left, right in itertools.pairwise(words)]
    for n, strength in enumerate(strengths):
        if accepted[n] or strength == "none":
            continue
        neighbours = [m for m in (n - 1, n + 1) if 0 <= m < len(words) and beside[min(n, m)]]
        # Two that may be names beside each other are one name, unless both are in small letters.
        near = any(strengths[m] == "strong" for m in neighbours)
        both = any(strengths[m] in ("weak", "doubtful") and _pair(words[n], words[m]) for m in neighbours)
        accepted[n] = near or both
    return accepted


def _pair(one: re.Match[str], other: re.Match[str]) -> bool:
    first, second = reading(one.group().lower()), reading(other.group().lower())
    capitals = one.group()[0].isupper() and other.group()[0].isupper()
    return capitals and first.share >= ANY and second.share >= ANY and first.share + second.share >= CAPITAL


def _strength(word: str) -> Strength:
    """Return how much a word alone says that it is a name; `weak` and `doubtful` need a neighbour."""
    found = reading(word.lower())
    if found.patronymic:
        return "strong"
    if word[0].isupper():
        return _capital(found)
    if found.share >= SMALL and not found.place:
        return "doubtful" if found.doubtful else "strong"
    # In small letters ordinary words stand beside names all the time.
    return (
        "weak"
        if (found.share >= CAPITAL and not found.doubtful) or (found.unknown and found.surname_end)
        else "none"
    )


def _capital(found: Reading) -> Strength:
    if found.share >= CAPITAL and not found.place:
        return "doubtful" if found.doubtful else "strong"
    if found.share >= ANY or found.unknown:
        return "weak"
    return "none"


def _adjoin(text: str, left: re.Match[str], right: re.Match[str]) -> bool:
    between = text[left.end() : right.start()]
    return between.isspace() and "\n" not in between


def _joined(text: str, words: Sequence[re.Match[str]], accepted: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last word of each name."""
    first: int | None = None
    for n, yes in enumerate(accepted):
        if first is not None and (not yes or not _adjoin(text, words[n - 1], words[n])):
            yield first, n - 1
            first = None
        if yes and first is None:
            first = n
    if first is not None:
        yield first, len(words) - 1


def _introduced(text: str) -> Iterator[tuple[int, int]]:
    for expression in patterns("introductions"):
        for found in expression.finditer(text):
            if _may_be(found["name"]):
                yield found.span("name")
    for expression in patterns("introductions_small"):
        for found in expression.finditer(text):
            start, _end = found.span("name")
            words = list(_WORD.finditer(found["name"]))
            names = [n for n, word in enumerate(words) if _small(word.group())]
            # A miller may be called Miller: one ordinary word among names is one of them.
            if names and names[-1] + 1 - len(names) <= 1:
                yield start, start + words[names[-1]].end()


def _may_be(name: str) -> bool:
    """Whether an introduced Russian word may be a name; others are told by the words before them alone."""
    first = _WORD.match(name)
    return (
        first is None or reading(first.group().lower()).share >= ANY or reading(first.group().lower()).unknown
    )


def _small(word: str) -> bool:
    found = reading(word.lower())
    return found.share >= ANY or (found.surname_end and (found.unknown or found.adjective))


def surely_none(name: str) -> bool:
    """Whether a single word is in the dictionary, and not as a name."""
    found = reading(name.lower())
    return " " not in name and not found.unknown and found.share < ANY


@lru_cache(maxsize=20_000)
def reading(word: str) -> Reading:
    """Return what the dictionary says of a word in small letters."""
    # Of a word it has never seen the dictionary says at least that it is unknown.
    parses = dictionary().parse(word)
    share = sum(parse.score for parse in parses if any(kind in parse.tag for kind in _NAMES))
    named = next((p for p in parses if any(kind in p.tag for kind in _NAMES)), parses[0])
    known = any(dictionary().word_is_known(part) for part in (word, word.replace("-", "")))
    return Reading(
        share=share if known or "-" in word else 0.0,
        patronymic=known and sum(p.score for p in parses if "Patr" in p.tag) >= CAPITAL,
        place=any("Geox" in parse.tag for parse in parses[:2]),
        doubtful=parses[0].normal_form in doubtful() or named.normal_form in doubtful(),
        unknown=not known,
        surname_end=surname_ends().search(word) is not None,
        adjective="ADJF" in parses[0].tag,
        forms=frozenset((word, *(p.normal_form for p in parses if any(kind in p.tag for kind in _NAMES)))),
    )


@cache
def dictionary() -> Any:
    """The Russian dictionary, loaded once."""
    import pymorphy3

    return pymorphy3.MorphAnalyzer(lang="ru")
