"""Words by which statements are compared: one meaning in two languages, marks of a matter, denials; data in `conflicts.toml`."""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from knowledge.text.words import folded, stems

DATA = Path(__file__).with_name("conflicts.toml")
_ROOT = 5
_ENDING = 3
_SOUNDS = 3
_VERB = "~"
# A verb says less of what a value is of than a noun does: «удерживается комиссия 8 %».
_VERBAL = re.compile(r"[а-я]{3}(?:[еиуюая]т(?:ся)?|[аяуе]ем(?:ся)?|им|ся|[аяиеу]ть|ите|ете)$")
_ALIKE = str.maketrans("cqz", "kks")
_SHORT_NOT = re.compile(r"\b(\w+)n['’]t\b")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_ROMAN = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True))
    | {"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch"}
    | {"ъ": "", "ь": "", "ю": "yu", "я": "ya"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A kind of words that tell one matter from another; `alone` is what it costs when only one side has such a word."""

    name: str
    alone: float
    members: tuple[tuple[str, re.Pattern[str]], ...]


def plain(text: str) -> str:
    """Return the text lower-case, «ё» as «е», white space single, set phrases as one word, "n't" written out."""
    lower = " ".join(folded(text).split())
    lower = _SHORT_NOT.sub(lambda m: f"{ {'ca': 'can', 'wo': 'will'}.get(m[1], m[1]) } not", lower)
    lower = lower.replace("cannot", "can not")
    for name, pattern in _phrases():
        lower = pattern.sub(name, lower)
    return lower


@lru_cache(maxsize=20_000)
def concepts(text: str) -> tuple[str, ...]:
    """Return what a `plain` text without numbers speaks of, each once, in order; `=name` where both languages know it."""
    found = (concept(word) for word in _WORD.findall(text) if word not in _empty())
    return tuple(dict.fromkeys(one for one in found if one))


@lru_cache(maxsize=50_000)
def concept(word: str) -> str:
    """Return the meaning of a lower-case word: the name of its group, or its stem, marked when it looks like a verb."""
    parts = stems(word)
    stem = parts[0] if len(parts) == 1 else "".join(parts[:1])
    known = _groups().get(word) or _groups().get(stem)
    return known or (f"{_VERB}{stem}" if _VERBAL.search(word) else stem)


def among(one: str, others: Collection[str], *, across: bool = False) -> bool:
    """Whether a concept is there, as it is or in another form: «доставить» beside «доставка»; `across` alphabets too."""
    if one in others:
        return True
    if one.startswith("=") or len(one) < _SOUNDS:
        return False
    one, others = one.lstrip(_VERB), [other.lstrip(_VERB) for other in others]
    if one in others:
        return True
    root = one[:_ROOT] if len(one) >= _ROOT else "\0"
    if any(other.startswith(root) and abs(len(other) - len(one)) <= _ENDING for other in others):
        return True
    if not across:
        return False
    sounds = _sounds(one)
    return len(sounds) >= _SOUNDS and any(
        sounds == _sounds(other) for other in others if _cyrillic(other) != _cyrillic(one)
    )


@lru_cache(maxsize=50_000)
def _sounds(one: str) -> str:
    """Return the consonants of a word as they sound in both alphabets: «плейлист», "playlist" → pllst."""
    spelled = romanised(one).replace("ck", "k").replace("ph", "f").replace("x", "ks").translate(_ALIKE)
    return re.sub(r"[aeiouyjhw=]", "", spelled)


def _cyrillic(one: str) -> bool:
    return any("а" <= letter <= "я" for letter in one)


def shared(one: str) -> bool:
    """Whether a concept is known in both languages."""
    return one.startswith("=")


@lru_cache(maxsize=50_000)
def weight(one: str) -> float:
    """Return how much a concept tells, 0..1."""
    if one in _listed("light"):
        return threshold("light")
    return threshold("common") if one in _listed("common") or one.startswith(_VERB) else 1.0


@lru_cache(maxsize=20_000)
def marks(text: str) -> Mapping[str, frozenset[str]]:
    """Return the marks that a `plain` text bears: name of the kind to its members."""
    out = {}
    for mark in mark_kinds():
        found = frozenset(name for name, pattern in mark.members if pattern.search(text))
        if found:
            out[mark.name] = found
    return out


@lru_cache(maxsize=20_000)
def denials(text: str) -> int:
    """Return how often a `plain` text denies something."""
    return len(_pattern("polarity", "negative").findall(_pattern("polarity", "ignored").sub(" ", text)))


def sides(text: str) -> Mapping[int, int]:
    """Return for each pair of opposites that a `plain` text names: 0 or 1 for the side it is on."""
    out = {}
    for n, (one, other) in enumerate(_opposites()):
        here = bool(one.search(text)), bool(other.search(text))
        if here[0] != here[1]:
            out[n] = 0 if here[0] else 1
    return out


def without_sides(text: str) -> str:
    """Return a `plain` text without words of the opposites."""
    for pair in _opposites():
        for side in pair:
            text = side.sub(" ", text)
    return text


def says(kind: str, text: str) -> bool:
    """Whether a `plain` text has a word of `[reading]` of this kind."""
    return bool(_pattern("reading", kind).search(text))


def without(kind: str, text: str) -> str:
    """Return the text without the words of `[reading]` of this kind."""
    return _pattern("reading", kind).sub(" ", text)


def found(kind: str, text: str) -> Iterable[re.Match[str]]:
    """Return where words of `[reading]` of this kind stand."""
    return _pattern("reading", kind).finditer(text)


def starts_with(kind: str, text: str) -> bool:
    """Whether a `plain` text begins with a word of `[reading]` of this kind."""
    return bool(_pattern("reading", kind).match(text.lstrip('«"( ')))


def romanised(word: str) -> str:
    """Return a lower-case word in Latin letters."""
    return word.translate(_ROMAN)


def limits() -> frozenset[str]:
    """Return concepts of which a bound is the thing itself."""
    return frozenset(f"={name}" for name in _data()["reading"]["limit"])


def threshold(name: str) -> float:
    """Return a number of `[thresholds]`."""
    return float(_data()["thresholds"][name])


@cache
def mark_kinds() -> tuple[Mark, ...]:
    """Return every kind of marks, in order."""
    return tuple(
        Mark(
            name=row["name"],
            alone=row["alone"],
            members=tuple((name, _whole(pattern)) for name, pattern in row["members"].items()),
        )
        for row in _data()["mark"]
    )


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(DATA.read_text("utf-8"))


@cache
def _pattern(table: str, key: str) -> re.Pattern[str]:
    return _whole("|".join(sorted(_data()[table][key], key=len, reverse=True)))


@cache
def _phrases() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, _whole(pattern)) for name, pattern in _data()["phrases"].items())


@cache
def _opposites() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    return tuple((_whole(one), _whole(other)) for one, other in _data()["polarity"]["opposites"])


@cache
def _empty() -> frozenset[str]:
    return frozenset(_data()["words"]["empty"])


@cache
def _groups() -> Mapping[str, str]:
    """Map words and stems to their group; one of two groups stays with the first."""
    out: dict[str, str] = {}
    for group in _data()["words"]["groups"]:
        for word in group:
            out.setdefault(folded(word), f"={group[0]}")
    for group in _data()["words"]["groups"]:
        for word in group:
            out.setdefault(stems(word)[0], f"={group[0]}")
    return out | {name: f"={name}" for name in _data()["phrases"]}


@cache
def _listed(name: str) -> frozenset[str]:
    return frozenset(concept(folded(word)) for word in _data()["words"][name])
