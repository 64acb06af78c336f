"""Numbers said in words: «тысяча сорок пять А», "ten forty-five", "one oh four five". Pure; words in `texts/spoken.toml`.

```
text ─► runs of number words ─► not a price, an hour, a day, a telephone ─► digits, a letter
                                                                                    └─► meant: those of a known list
```
Numbers in words are also prices, hours, years and telephones, and no list of words tells them all apart. So what is said
is no number by itself: it picks among numbers that are known, such as those of somebody's own orders.
"""

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tools.texts import TEXTS

LONGEST_TEXT = 500
MOST_WORDS = 12
"""Words of one number; more is a telephone, or no number."""
MOST_DIGITS = 10
LEAST_DIGITS = 3
LEAST_MARKED = 2
"""Digits of a number by itself, and of one after «заказ» or "number"."""
NEAR = 3
"""Words before a number among which one may make it a telephone's or a card's."""
HUNDRED, THOUSAND = -100, -1000
_TOKEN = re.compile(r"[^\W_]+|[.!?;\n]+")
_KNOWN = re.compile(r"^\D*(?P<digits>\d+)\W*(?P<letter>[^\W\d_]?)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One number said in words, and the letter after it, if any; `marked`: after «заказ», "order", or all that is said."""

    digits: str
    letter: str = ""
    marked: bool = False


def spoken(text: str) -> tuple[Spoken, ...]:
    """Return the numbers a text says in words and that may be an order's, in their order."""
    tokens = _TOKEN.findall(unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).lower().replace("ё", "е"))
    return tuple(found for first, last in _runs(tokens) if (found := _read(tokens, first, last)) is not None)


def meant(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return which of the known numbers ("1045-А", "W2378156") the text says in words; a letter may be left out."""
    said = spoken(text)
    return tuple(number for number in dict.fromkeys(known) if any(_fits(one, number) for one in said))


def _fits(said: Spoken, number: str) -> bool:
    match = _KNOWN.match(number.upper())
    if match is None or match["digits"] != said.digits:
        return False
    return not said.letter or said.letter == match["letter"]


def _runs(tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield where each run of number words begins and where it has ended."""
    n = 0
    while n < len(tokens):
        last = n
        while last < len(tokens) and (_counts(tokens[last]) or _joins(tokens, n, last)):
            last += 1
        if last > n:
            yield n, last
        n = max(last, n + 1)


def _counts(token: str) -> bool:
    return token in _numbers() or token in _words()["times"]


def _joins(tokens: Sequence[str], first: int, n: int) -> bool:
    """Tell whether a token stands between two parts of a number: "one thousand and forty-five"."""
    after = tokens[n + 1] if n + 1 < len(tokens) else ""
    return n > first and tokens[n] in _words()["joint"] and after in _numbers()


def _read(tokens: Sequence[str], first: int, last: int) -> Spoken | None:
    """Return the number of a run, None when it is short, or counts or measures something."""
    alone = last - first + len(_letter(tokens, last)) == len(tokens)
    marked = alone or _marked(tokens, first)
    if _elsewhere(tokens, first, last, marked=marked) or last - first > MOST_WORDS:
        return None
    digits, least = _digits(tokens[first:last]), LEAST_MARKED if marked else LEAST_DIGITS
    if not least <= len(digits) <= MOST_DIGITS:
        return None
    return Spoken(digits=digits, letter=_letter(tokens, last), marked=marked)


def _marked(tokens: Sequence[str], first: int) -> bool:
    near = tokens[max(0, first - 2) : first]
    return any(one.startswith(tuple(_words()["marks"])) for one in near)


def _elsewhere(tokens: Sequence[str], first: int, last: int, *, marked: bool) -> bool:
    """Tell whether the words around a run make it a price, an hour, a day, a house, a telephone."""
    lists = _words()
    before = tokens[first - 1] if first else ""
    after = tokens[last] if last < len(tokens) else ""
    near = tokens[max(0, first - NEAR) : first]
    if any(one.startswith(tuple(lists["others"])) for one in near):
        return True
    ordinal = after.startswith(tuple(lists["ordinal"])) and after.endswith(tuple(lists["ordinal_ends"]))
    if ordinal or (after and after.startswith(tuple(lists["after"]))):
        return True
    return not marked and before in lists["before"]


def _letter(tokens: Sequence[str], last: int) -> str:
    """Return the letter that ends a number: the last word of its sentence, as «а» begins the next thought."""
    if last >= len(tokens):
        return ""
    ends = last + 1 == len(tokens) or not tokens[last + 1][0].isalnum()
    return _letters().get(tokens[last], "") if ends else ""


# What a run can mean. -----------------------------------------------------------------------------------------


def _digits(words: Sequence[str]) -> str:
    """Return the digits of a run: the longest numbers it consists of, one behind another."""
    values, found = _values(words), ""
    while values:
        lengths = range(len(values), 0, -1)
        length = next((n for n in lengths if _cardinal(values[:n]) is not None), 0)
        if not length:
            return ""
        found, values = f"{found}{_cardinal(values[:length])}", values[length:]
    return found


def _values(words: Sequence[str]) -> tuple[int, ...]:
    found: list[int] = []
    times = 1
    for word in words:
        if word in _words()["times"]:
            times = _words()["times"][word]
        elif word in _numbers():
            found += [_numbers()[word]] * times
            times = 1
    return tuple(found)


def _cardinal(values: Sequence[int]) -> int | None:
    """Return the one number these words are: «тысяча» «сорок» «пять»; None when they are several."""
    if tuple(values) == (0,):
        return 0
    if values.count(THOUSAND) > 1:
        return None
    if THOUSAND not in values:
        return _below_thousand(values)
    at = values.index(THOUSAND)
    head = _below_thousand(values[:at]) if at else 1
    tail = _below_thousand(values[at + 1 :]) if at + 1 < len(values) else 0
    return head * 1000 + tail if head is not None and tail is not None else None


def _below_thousand(values: Sequence[int]) -> int | None:
    """Return the number below a thousand: each word of a smaller order than the one before it."""
    total, room = 0, 1000
    for value in values:
        if value == HUNDRED:
            if not 0 < total < 100 or room == 100:
                return None
            total, room = total * 100, 100
            continue
        if value <= 0 or value >= room:
            return None
        total += value
        room = 100 if value >= 100 else 10 if value >= 20 else 0
    return total or None


@cache
def _numbers() -> Mapping[str, int]:
    return {form: int(value) for value, forms in _data()["numbers"].items() for form in forms}


@cache
def _letters() -> Mapping[str, str]:
    return {name: letter for letter, names in _data()["letters"].items() for name in names}


def _words() -> Mapping[str, Any]:
    words: Mapping[str, Any] = _data()["words"]
    return words


@cache
def _data() -> Mapping[str, Mapping[str, Collection[Any]]]:
    return tomllib.loads((TEXTS / "spoken.toml").read_text("utf-8"))
