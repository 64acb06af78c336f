"""Numbers as people write them: groups of digits and number words that follow each other. Pure.

```
"8 (916) 123-45-67"                        ─►  8 · 916 · 123 · 45 · 67
"восемь девятьсот шестнадцать сто двадцать"  ─►  8 · 916 · 120          spoken
"заказ 1045, сумма 30 000"                 ─►  1045     30 · 000
```
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from agent.privacy.lore import table, words

MOST_DIGITS = 24
"""Digits of the longest number that is looked for."""
_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_DATE = re.compile(
    r"(?<![\d.-])(?:(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|1[0-2])[./-](?:19|20)\d\d|"
    r"(?:19|20)\d\d[./-](?:0[1-9]|1[0-2])[./-](?:0[1-9]|[12]\d|3[01]))(?![\d-])|(?<!\d)\d{1,2}:\d\d(?::\d\d)?(?!\d)"
)
_GAP = re.compile(r"[ \t().,/№#*+_-]{0,4}")
SHORTEST_MENDED = 5


@dataclass(frozen=True, slots=True)
class Group:
    """One group of digits; `spoken` where it was written in words, `plus` where a sign of a country code stands before."""

    digits: str
    start: int
    end: int
    spoken: bool = False
    plus: bool = False


Run = list[Group]


def runs(text: str) -> Iterator[Run]:
    """Yield groups that follow each other with no more between them than people put there."""
    dates = [found.span() for found in _DATE.finditer(text)]
    run: Run = []
    signs = 0  # where the last word that stands for a sign ended
    for found in _TOKEN.finditer(text):
        while dates and dates[0][1] <= found.start():
            dates.pop(0)
        if dates and dates[0][0] <= found.start():
            continue
        word = found.group()
        if not word[0].isdigit() and word.lower() in words("spoken_signs", "words"):
            signs = found.end()
            continue
        group = _group(text, found, plus=_plus(text, found.start(), signs))
        if group is None:
            continue
        if run and not _follows(text, run[-1], group, signs):
            yield run
            run = []
        _add(run, group)
    if run:
        yield run


def _group(text: str, found: re.Match[str], *, plus: bool) -> Group | None:
    word = found.group()
    if word[0].isdigit():
        # Digits glued to letters are a code of something.
        if _letter(text, found.start() - 1) or _letter(text, found.end()):
            return None
        return Group(word, found.start(), found.end(), plus=plus)
    digits = _spoken(word.lower())
    return Group(digits, found.start(), found.end(), spoken=True, plus=plus) if digits else None


def _letter(text: str, place: int) -> bool:
    return 0 <= place < len(text) and (text[place].isalpha() or text[place] == "_")


def _plus(text: str, start: int, signs: int) -> bool:
    before = text[max(0, start - 2) : start]
    return "+" in before or (signs > 0 and text[signs:start].isspace())


def _follows(text: str, last: Group, group: Group, signs: int) -> bool:
    since = signs if signs > last.end else last.end
    gap = text[since : group.start]
    if group.plus and not group.spoken and "+" in gap:
        return False
    if gap.count(",") and not (last.spoken and group.spoken):
        return False
    return "\n" not in gap and _GAP.fullmatch(gap) is not None


def _add(run: Run, group: Group) -> None:
    """Add a group; words that are spoken together become one: 900 and 16 are 916."""
    if run and group.spoken and run[-1].spoken:
        last = run[-1]
        zeros = len(last.digits) - len(last.digits.rstrip("0"))
        if last.digits != "0" and 0 < len(group.digits) <= zeros and group.digits != "0":
            joined = last.digits[: -len(group.digits)] + group.digits
            run[-1] = Group(joined, last.start, group.end, spoken=True, plus=last.plus)
            return
    run.append(group)


@cache
def _spoken(word: str) -> str:
    """Return the digits a word stands for, forgiving one letter left out or put in; empty for other words."""
    known = table("spoken")
    if word in known:
        return str(known[word])
    if len(word) < SHORTEST_MENDED:
        return ""
    slips = _slips()
    if word in slips:
        return slips[word]
    return next(
        (str(known[less]) for less in _shorter(word) if less in known and len(less) >= SHORTEST_MENDED), ""
    )


@cache
def _slips() -> dict[str, str]:
    known = table("spoken")
    return {
        less: str(digits)
        for word, digits in known.items()
        if len(word) > SHORTEST_MENDED
        for less in _shorter(word)
        if less not in known
    }


def _shorter(word: str) -> Iterator[str]:
    return (word[:n] + word[n + 1 :] for n in range(len(word)))
