"""What grounding knows about words: negation, claims, opposites, synonyms; data in `grounding.toml`."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from agent.language import content, is_russian_noun, is_russian_predicate, stem

DATA = Path(__file__).with_name("grounding.toml")

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SHORT_NOT = re.compile(r"\b(\w+)n['’]t\b")
_NOT = re.compile(r"\b(?:не|not|never) ((?:[^\W\d_]+ ?){1,3})")
_CLAUSE = re.compile(r"[,;:()—–]|\s-\s|\b(?:и|and)\b")
_ROMAN = str.maketrans(
    {
        **dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True)),
        "ж": "zh",
        "х": "kh",
        "ц": "ts",
    }
    | {"ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": "", "ю": "yu", "я": "ya"}
)
_SOUNDS = (
    ("kh", "h"),
    ("th", "t"),
    ("ph", "f"),
    ("ck", "k"),
    ("c", "k"),
    ("q", "k"),
    ("w", "v"),
    ("x", "ks"),
)
_CAPITALS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LACKING = frozenset({"без", "without"})
_AGAINST = frozenset({((True, False), (False, True)), ((False, True), (True, False))})
LONG_ENOUGH = 5
"""Letters two stems must share from the start to be taken for forms of one word."""


def plain(text: str) -> str:
    """Return the text lower-case, «ё» as «е», white space single, contractions of "not" written out."""
    lower = " ".join(text.lower().replace("ё", "е").split())
    return _SHORT_NOT.sub(lambda m: f"{ {'ca': 'can', 'wo': 'will'}.get(m[1], m[1]) } not", lower)


def spelled(text: str) -> list[str]:
    """Return the words of a text, lower-case, as they are written."""
    return _WORD.findall(plain(text))


def is_predicate(word: str) -> bool:
    """Whether a lower-case word may be what a clause says of its subject: a verb, «можно», "is", "can"."""
    return word in _predicates() or is_russian_predicate(word)


@lru_cache(maxsize=4096)
def is_thing(text: str) -> bool:
    """Whether the first word of the text names a thing or a person, as far as its form tells."""
    first = spelled(text)[:1]
    return bool(first) and (
        is_russian_noun(first[0]) or (text.lstrip('«“"(')[:1] in _CAPITALS and first[0].isascii())
    )


@lru_cache(maxsize=4096)
def levelled(text: str) -> str:
    """Return the plain text with one wording where several say the same: "you pay nothing" is "free"."""
    said = plain(text).replace("cannot", "can not")
    for pattern, wording in _wordings():
        said = pattern.sub(wording, said)
    return said


@lru_cache(maxsize=4096)
def negations(text: str) -> int:
    """Return how often the text denies something."""
    left = _ignored().sub(" ", levelled(text))
    said = sum(1 for word in _WORD.findall(left) if _counts().fullmatch(word))
    if said:
        return said
    return 1 if any(_doubles().fullmatch(word) for word in _WORD.findall(left)) else 0


@lru_cache(maxsize=4096)
def denied_first(text: str) -> tuple[str, ...]:
    """Return the stem of the first meaningful word after each "not"."""
    found: list[str] = []
    for match in _NOT.finditer(_ignored().sub(" ", levelled(text))):
        found.extend(meaning(match[1])[:1])
    return tuple(found)


def denied_words(text: str) -> tuple[str, ...]:
    """Return the stems that stand right after a word such as "without", marked as denied."""
    found = (word for pair in _prepositions() for word in _after(plain(text), pair[1]) if pair[1] in _LACKING)
    return tuple(f"no {word}" for word in dict.fromkeys(found))


@lru_cache(maxsize=4096)
def has_exception(text: str) -> bool:
    """Whether the text takes something out of what it says."""
    return bool(_exceptions().search(plain(text)))


@lru_cache(maxsize=4096)
def claims(text: str) -> frozenset[int]:
    """Return which kinds of claims the text makes that evidence must make too, as numbers of their rows."""
    said = levelled(text)
    return frozenset(n for n, words in enumerate(_claims()) if words.search(said))


def says_none(text: str, *, unit: str) -> bool:
    """Whether the text says that there is nothing of the unit: free, at once."""
    words = _nothing().get(unit)
    return words is not None and bool(words.search(levelled(text)))


def opposed(said: str, given: str) -> bool:
    """Whether one text says one side of a matter and the other the opposite side of it."""
    one, other = levelled(said), levelled(given)
    for ours, theirs in zip(_sides(one), _sides(other), strict=True):
        if (ours, theirs) in _AGAINST:
            return True
    turned = (*_prepositions(), *((right, left) for left, right in _prepositions()))
    return any(
        word in _after(other, right) and word not in _after(other, left)
        for left, right in turned
        for word in _after(one, left)
    )


@lru_cache(maxsize=4096)
def meaning(text: str) -> tuple[str, ...]:
    """Return the stems of the words that carry meaning, each once, in order; synonyms fall together."""
    found = (word for word in content(levelled(text)) if not _digits(word) and word not in _silent())
    return tuple(dict.fromkeys(_synonyms().get(word, word) for word in found))


def synonym(root: str) -> str:
    """Return the stem that stands for a stem and its synonyms."""
    return _synonyms().get(root, root)


def is_silent(root: str) -> bool:
    """Whether the sense of a stem is told otherwise: as a denial, or as none."""
    return root in _silent()


def covered(said: Iterable[str], given: Iterable[str]) -> list[str]:
    """Return those of `said` that stand in `given`, in some form."""
    there = frozenset(given)
    heads = frozenset(word[:LONG_ENOUGH] for word in there if len(word) >= LONG_ENOUGH)
    return [word for word in said if word in there or (word[:LONG_ENOUGH] in heads and _form(word, there))]


@lru_cache(maxsize=8192)
def weight(word: str) -> float:
    """Return how much the absence of a stem (of `meaning`) from the evidence weighs, 0..1."""
    return threshold("light") if word in _light() else 1.0


def clauses(text: str) -> list[str]:
    """Return the parts of a sentence between commas, dashes and "and"."""
    return [part for part in _CLAUSE.split(text) if part.strip()]


@lru_cache(maxsize=8192)
def skeleton(word: str) -> str:
    """Return what two spellings of one name share, in whatever alphabet: its first letter, then its consonants.

    "Moscow" and «Москва» give "mskv", "Siberia" and «Сибирь» "sbr".
    """
    latin = word.translate(_ROMAN)
    for spelling, sound in _SOUNDS:
        latin = latin.replace(spelling, sound)
    return latin[:1] + re.sub(r"[aeiouyj]", "", latin[1:])


def is_ignored_name(word: str) -> bool:
    """Whether a capital letter here names nothing: «Вам», "I"."""
    return plain(word) in _ignored_names()


def threshold(name: str) -> float:
    """Return a number of `[thresholds]`."""
    return float(_data()["thresholds"][name])


def background() -> tuple[tuple[str, ...], ...]:
    """Return groups of sentences that have nothing in common, one group a language."""
    return tuple(tuple(group) for group in _data()["background"].values())


def _form(word: str, there: frozenset[str]) -> bool:
    return any(
        word[:LONG_ENOUGH] == other[:LONG_ENOUGH]
        and (word.startswith(other) or other.startswith(word) or word[:-2] == other[:-2])
        for other in there
    )


def _digits(word: str) -> bool:
    return any(mark.isdigit() for mark in word)


@lru_cache(maxsize=8192)
def _sides(text: str) -> tuple[tuple[bool, bool], ...]:
    """Return of each matter of `opposites` which of its two sides a levelled text has."""
    return tuple((bool(left.search(text)), bool(right.search(text))) for left, right in _opposites())


@lru_cache(maxsize=32_768)
def _after(text: str, preposition: str) -> list[str]:
    """Return the stems of the words that stand right after the preposition."""
    return [stem(word) for word in _following(preposition).findall(text)]


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(DATA.read_text("utf-8"))


@cache
def _counts() -> re.Pattern[str]:
    return re.compile("|".join(_data()["negation"]["counts"]))


@cache
def _doubles() -> re.Pattern[str]:
    return re.compile("|".join(_data()["negation"]["doubles"]))


@cache
def _wordings() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(rf"\b(?:{form})(?!\w)"), f"{to}") for form, to in _data()["wordings"]["same"])


@cache
def _nothing() -> Mapping[str, re.Pattern[str]]:
    return {
        unit: re.compile(rf"\b(?:{row['words']})\b")
        for row in _data()["nothing"]["of"]
        for unit in row["units"]
    }


@cache
def _silent() -> frozenset[str]:
    return frozenset(stem(word) for word in _data()["light"]["silent"])


@cache
def _predicates() -> frozenset[str]:
    return frozenset(_data()["predicates"]["en"])


@cache
def _ignored() -> re.Pattern[str]:
    forms: Sequence[str] = _data()["negation"]["ignored"]
    return re.compile("|".join(rf"\b(?:{form})\b" for form in forms))


@cache
def _claims() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"\b(?:{words})\b") for words in _data()["claims"]["words"])


@cache
def _exceptions() -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{form})\b" for form in _data()["negation"]["exceptions"]))


@cache
def _light() -> frozenset[str]:
    return frozenset(_synonyms().get(stem(word), stem(word)) for word in _data()["light"]["words"])


@cache
def _opposites() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    return tuple(
        (re.compile(rf"\b(?:{one})\b"), re.compile(rf"\b(?:{other})\b"))
        for one, other in _data()["opposites"]["pairs"]
    )


@cache
def _prepositions() -> tuple[tuple[str, str], ...]:
    return tuple((one, other) for one, other in _data()["opposites"]["before_a_word"])


@cache
def _following(preposition: str) -> re.Pattern[str]:
    return re.compile(rf"\b{preposition} ([^\W\d_]{{4,}})")


@cache
def _synonyms() -> Mapping[str, str]:
    """Map each stem to the first stem of its group; a stem of two groups stays with the first."""
    heads: dict[str, str] = {}
    for group in _data()["synonyms"]["groups"]:
        head = stem(group[0].split()[0])
        for word in group:
            for part in word.split():
                heads.setdefault(stem(part.replace("ё", "е")), head)
    return heads


@cache
def _ignored_names() -> frozenset[str]:
    return frozenset(_data()["names"]["ignored"])
