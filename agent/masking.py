"""Questions without what would name who asked: e-mails, phones, long numbers, links' tails, names. Pure.

Patterns and a dictionary of Russian names, no model: a name in small letters, or a foreign one that nothing
introduces, is not recognised.
"""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

MASK = "•••"
"""Made of no letters, so that a search is not led astray by it."""
DATA = Path(__file__).with_name("masking.toml")

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_HANDLE = re.compile(r"(?<![\w/@])@[A-Za-z]\w{3,31}\b")
_LINK = re.compile(r"(https?://[^\s/?#]+)[^\s]*")
_PHONE = re.compile(
    r"(?<![\w-])(?:\+\d[\d\s().-]{8,18}\d|8[\s(-]+\d{3}[\s)-]*\d{3}[\s-]?\d{2}[\s-]?\d{2}|8\d{10})(?![\w-])"
)
_LONG = re.compile(r"(?<![\w-])(?!\d{4}-\d\d-\d\d\b)\d(?:[\s-]?\d){8,}(?![\w-])")
"""Cards, passports, СНИЛС, ИНН, account numbers: nine digits and more, however they are grouped."""
_WORD = re.compile(r"[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?")
_NAMES = ("Name", "Surn", "Patr")
_SURE = 0.4


def masked(text: str) -> str:
    """Return the text with `MASK` in place of what names or reaches a person."""
    for pattern in (_EMAIL, _HANDLE):
        text = pattern.sub(MASK, text)
    text = _LINK.sub(r"\1", text)
    for pattern in (_PHONE, _LONG):
        text = pattern.sub(MASK, text)
    return _without_names(_introduced(text))


def _introduced(text: str) -> str:
    for pattern in _introductions():
        text = pattern.sub(lambda found: found.group().replace(found["name"], MASK), text)
    return text


def _without_names(text: str) -> str:
    found = [match for match in _WORD.finditer(text) if _kind(match.group())]
    # A word that is also something else counts beside a name, or as a patronymic would stand.
    spans = [match.span() for match in found]
    out, last = [], 0
    for match in found:
        beside = any(
            text[min(match.end(), end) : max(match.start(), start)].isspace()
            for start, end in spans
            if (start, end) != match.span()
        )
        if _kind(match.group()) == "doubtful" and not beside:
            continue
        out += [text[last : match.start()], MASK]
        last = match.end()
    return re.sub(rf"{MASK}(?:\s+{MASK})+", MASK, "".join([*out, text[last:]]))


@cache
def _kind(word: str) -> str:
    """Return "name", "doubtful" or nothing for a capitalised Russian word."""
    parses = _dictionary().parse(word)
    if not parses or any("Geox" in parse.tag for parse in parses[:2]):
        return ""
    share = sum(parse.score for parse in parses if any(kind in parse.tag for kind in _NAMES))
    if share < _SURE:
        return ""
    return "doubtful" if parses[0].normal_form in _doubtful() else "name"


@cache
def _dictionary() -> Any:
    import pymorphy3

    return pymorphy3.MorphAnalyzer(lang="ru")


@cache
def _introductions() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(line, re.IGNORECASE) for line in _data()["introductions"])


@cache
def _doubtful() -> frozenset[str]:
    return frozenset(_data()["doubtful"])


@cache
def _data() -> dict[str, list[str]]:
    data: dict[str, list[str]] = tomllib.loads(DATA.read_text("utf-8"))
    return data
