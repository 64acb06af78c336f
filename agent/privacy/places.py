"""Addresses and dates of birth in Russian and English texts. Pure.

```
101000, г. Москва, ул. Ленина, д. 5, корп. 2, кв. 13        12 Baker Street, Apt 4, London NW1 6XE
└ index ┘└─ town ─┘└ street ─┘└────── house ────────┘
```
A town alone is not an address: that somebody asks about delivery to Tula tells nothing about who they are.
"""

import re
from collections.abc import Iterator
from functools import cache

from agent.privacy.lore import pattern, table
from agent.privacy.spans import Span

_NAMED = r"[А-ЯЁ0-9][\w-]{0,30}"
_LETTERS = r"[А-ЯЁ][а-яё-]{2,30}"
_COMMA = r"[\s,;]{1,3}"
_NUMBER = r"\d{1,4}\s?(?:[а-яА-Яa-zA-Z](?![\w]))?(?:\s?[/-]\s?\d{1,4}[а-яА-Я]?(?!\w))?"
_DATE = (
    r"\d{1,2}[\s./-]{1,2}\d{1,2}[\s./-]{1,2}(?:19|20)?\d\d(?!\d)|(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}|"
    r"\d{1,2}(?:-?(?:го|е|st|nd|rd|th))?\s+(?:of\s+)?(?:MONTHS)\.?,?\s+(?:19|20)\d\d|(?:MONTHS)\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+(?:19|20)\d\d"
)


def places(text: str) -> Iterator[Span]:
    """Yield addresses and dates of birth."""
    for expression in _addresses():
        for found in expression.finditer(text):
            group = "what" if "what" in expression.groupindex else 0
            start, end = found.span(group)
            yield Span(kind="address", start=start, end=start + len(text[start:end].rstrip(" ,.;\n")))
    yield from _births(text)


def _births(text: str) -> Iterator[Span]:
    for found in _dates().finditer(text):
        before = text[max(0, found.start() - 48) : found.start()]
        after = text[found.end() : found.end() + 20]
        if pattern("birth", "before").search(before) or pattern("birth", "after").match(after):
            yield Span(kind="birth_date", start=found.start(), end=found.end())
    for found in _spoken_births().finditer(text):
        yield Span(kind="birth_date", start=found.start("what"), end=found.end("what"))


@cache
def _dates() -> re.Pattern[str]:
    return re.compile(
        r"(?<![\d.])(?:" + _DATE.replace("MONTHS", table("birth")["months"]) + ")", re.IGNORECASE
    )


@cache
def _spoken_births() -> re.Pattern[str]:
    """A date of birth in words: the ordinal, the month, the words of the year."""
    known = table("birth")
    before = known["before"].removesuffix(r"[^\d\n]{0,24}$")
    day = rf"(?:{known['spoken']}\s+){{1,2}}"
    year = rf"(?:(?:тысяча|две|девятьсот|тысячи)\s+){{1,3}}(?:[а-яё]+\s+){{0,2}}{known['spoken']}"
    return re.compile(rf"{before}\W{{1,3}}(?P<what>{day}(?:{known['months']})\s+{year})", re.IGNORECASE)


@cache
def _addresses() -> tuple[re.Pattern[str], ...]:
    known = table("places")
    street, house, part = known["street"], known["house"], known["part"]
    number = rf"(?:{house}\s?)?(?:№\s?)?{_NUMBER}(?:[\s,]{{0,2}}(?:{part})\s?{_NUMBER}){{0,2}}"
    flat = rf"(?:[\s,]{{1,3}}(?:{known['flat']})\s?№?\s?{_NUMBER}){{0,4}}"
    town = rf"(?:\d{{6}}{_COMMA})?(?:(?:(?:{known['town']})\s?{_NAMED}(?:[ -]{_NAMED})?|{_NAMED}(?:[ -]{_NAMED})?(?:\s(?:{known['town']}))?){_COMMA}){{0,3}}"
    named = rf"(?-i:{_NAMED}|[а-яё]{{3,30}})(?:[\s-](?-i:{_NAMED}|[а-яё]{{3,30}})){{0,3}}?"
    first = rf"(?<![\w-])(?-i:{town})(?:{street})\s?{named}[\s,]{{1,3}}{number}{flat}(?!\w)"
    after = rf"(?<![\w-])(?-i:{town}{_NAMED}(?:[ -]{_NAMED})?)\s(?:{street})[\s,]{{1,3}}{number}{flat}(?!\w)"
    at_home = (
        rf"{known['home']}[^\n.!?]{{0,40}}?(?<![\w-])(?P<what>(?-i:{town}{_LETTERS}(?:\s{_LETTERS})?){_COMMA}(?:{number}){flat}"
        rf"|(?-i:{_LETTERS})\s\d{{1,3}}\s?-\s?\d{{1,4}})(?![\w-])"
    )
    written = (first, after, at_home, *_english())
    return tuple(re.compile(expression, re.IGNORECASE) for expression in written)


def _english() -> Iterator[str]:
    known = table("places")
    word = r"(?-i:[A-Z]\w?\.|[A-Z0-9][\w'’-]{0,30})"
    flat = rf"(?:[\s,]{{1,3}}(?:{known['english_flat']})\.?\s?(?-i:[A-Z]?\d{{0,5}}[A-Z]?)\b)?"
    town = rf"(?:,\s?{word}(?:\s{word}){{0,3}}){{0,3}}(?:,?\s(?-i:[A-Z]{{1,2}}\d{{1,2}}[A-Z]?\s?\d[A-Z]{{2}}|\d{{5}}(?:-\d{{4}})?))?"
    yield rf"(?<![\w-])\d{{1,5}}[A-Za-z]?\s{word}(?:\s{word}){{0,3}}?\s(?-i:{_capital(known['english'])})\b\.?{flat}{town}"
    yield rf"\bP\.?\s?O\.?\s?Box\s\d{{1,6}}{town}"
    yield rf"{known['live']}(?P<what>\d{{1,5}}\s{word}(?:\s{word}){{0,4}}{flat}{town})"
    yield rf"\b(?:{known['english_flat']})\.?\s(?-i:[A-Z]?\d{{1,5}}[A-Z]?),?\s\d{{1,5}}\s{word}(?:\s{word}){{0,3}}"


def _capital(words: str) -> str:
    """Return the words in small letters and with a capital: a street's name has one where a verb has none."""
    return "|".join(form for word in words.split("|") for form in (word.capitalize(), word.upper(), word))
