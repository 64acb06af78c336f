"""Numbers that belong to a person: phones, cards, passports, СНИЛС, ИНН, accounts, other documents. Pure.

A number is told by its control digits, its grouping and the words before it; where these disagree the words win. What
follows «заказ №» or counts money is left alone, whatever it looks like, unless it can only be a phone or a card.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from agent.privacy import checks
from agent.privacy.lore import pattern
from agent.privacy.runs import MOST_DIGITS, Group, Run, runs
from agent.privacy.spans import Kind, Span

BEFORE = 48
"""Characters before a number that may say what it is."""
AFTER = 14
MOST_GROUPS = 8
_CONTEXTS: tuple[Kind, ...] = ("phone", "card", "passport", "snils", "inn", "account", "document")
_IBAN = re.compile(r"\b[A-Za-z]{2}\d\d(?: ?[A-Za-z0-9]{2,4}){3,8}\b")
_CODE = re.compile(r"\b(?=[A-ZА-ЯЁa-z]{0,4}\d)[A-ZА-ЯЁa-z]{1,4}[ -]?\d{5,14}\b")
_MIXED = re.compile(
    r"(?<![\w-])(?=[\w-]{0,20}[A-Za-zА-Яа-яЁё/-])(?:[A-Za-zА-Яа-яЁё]{1,4}-?)?\d[\dA-Za-zА-Яа-яЁё/-]{1,18}(?![\w-])"
)
_ENOUGH_WORDS = 6


@dataclass(frozen=True, slots=True)
class _Number:
    """Some neighbouring groups, taken together."""

    digits: str
    shape: tuple[int, ...]
    plus: bool
    spoken: bool
    opened: bool
    """In brackets, as an area code is written."""


def numbers(text: str) -> Iterator[Span]:
    """Yield the personal numbers of a folded text, orders and contracts too."""
    for run in runs(text):
        yield from _of_run(text, run)
    yield from _codes(text)


def _of_run(text: str, run: Run) -> Iterator[Span]:
    if any(group.spoken for group in run):
        yield from _spoken(text, run)
        return
    at = 0
    while at < len(run):
        kind, after = _longest(text, run, at)
        if kind is not None:
            yield Span(kind=kind, start=_opening(text, run[at]), end=run[after - 1].end)
        at = after


def _opening(text: str, group: Group) -> int:
    """Return where a number begins, its sign and bracket included."""
    start = group.start
    while start and text[start - 1] in "+(":
        start -= 1
    return start


def _longest(text: str, run: Run, at: int) -> tuple[Kind | None, int]:
    """Return the kind of the longest number that begins at a group, and where the next one may begin."""
    ends: list[int] = []
    digits = 0
    # Written digit by digit a number has as many groups as digits; but who writes so writes nothing beside it.
    most = MOST_DIGITS if len(run) <= MOST_DIGITS else MOST_GROUPS
    for end in range(at + 1, min(at + most, len(run)) + 1):
        digits += len(run[end - 1].digits)
        if digits > MOST_DIGITS:
            break
        ends.append(end)
    whole, around = at == 0, _Around(text, run[at].start)
    for end in reversed(ends):
        number = _number(text, run[at:end])
        if len(number.digits) < 4:
            break
        last = end == len(run)
        kind = _kind(around, number, run[end - 1].end, whole=whole and last, last=last)
        if kind is not None:
            return kind, end
    return None, at + 1


def _number(text: str, groups: Run) -> _Number:
    first = groups[0]
    opened = any(group.start and text[group.start - 1] == "(" for group in groups[:2])
    return _Number(
        digits="".join(group.digits for group in groups),
        shape=tuple(len(group.digits) for group in groups),
        plus=first.plus,
        spoken=first.spoken,
        opened=opened,
    )


def _kind(around: "_Around", number: _Number, end: int, *, whole: bool, last: bool) -> Kind | None:
    if number.plus and 8 <= len(number.digits) <= 15:
        return "phone"
    if around.counted(end) and not _only_a_phone(number):
        return None
    own = around.own
    if own is not None:
        if _only_a_phone(number):
            return "phone"
        return own if own in ("order", "contract") and len(number.shape) == 1 else None
    told = _by_words(number, around.said) or _by_form(number, last=last)
    return told or _short(number, around, end) or _unknown(number, whole)


class _Around:
    """The words about a number, looked at once for all the lengths it may have."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.before = text[max(0, start - BEFORE) : start]
        self._wordless = not any(map(str.isalpha, self.before))

    def counted(self, end: int) -> bool:
        """Whether the number, if it ends there, counts money or things."""
        after = pattern("counts", "after").match(self.text[end : end + AFTER])
        return after is not None or self._counts

    @cached_property
    def _counts(self) -> bool:
        return pattern("counts", "before").search(self.before) is not None

    @cached_property
    def own(self) -> Kind | None:
        """Order or contract where the words before say so, document for other things of the shop."""
        if self._wordless:
            return None
        if pattern("own", "order").search(self.before):
            return "order"
        if pattern("own", "contract").search(self.before):
            return "contract"
        return "document" if pattern("own", "other").search(self.before) else None

    @cached_property
    def said(self) -> Kind | None:
        """What the nearest words before the number call it."""
        nearest: tuple[int, Kind] | None = None
        for kind in () if self._wordless else _CONTEXTS:
            for found in pattern("context", kind).finditer(self.before):
                if nearest is None or found.end() > nearest[0]:
                    nearest = found.end(), kind
        return nearest[1] if nearest else None


def _by_words(number: _Number, said: Kind | None) -> Kind | None:
    """Return what a number is called, where its length allows it."""
    length = len(number.digits)
    allowed = {
        "snils": length in (10, 11, 12),
        "inn": length in (10, 12, 11),
        "passport": 7 <= length <= 10 or number.shape in ((4,), (6,), (2, 2)),
        "card": 12 <= length <= 19,
        "account": length >= 8,
        "document": length >= 6,
        "phone": 10 <= length <= 13,
    }
    return said if said is not None and allowed[said] else None


def _by_form(number: _Number, *, last: bool) -> Kind | None:
    """Return what a number can only be by its digits and its grouping; `last`: no other digits follow it."""
    digits, shape = number.digits, number.shape
    length = len(digits)
    if 13 <= length <= 19 and _a_card(digits, shape):
        return "card"
    if length == 11 and (shape == (3, 3, 3, 2) or (checks.snils(digits) and not _only_a_phone(number))):
        return "snils"
    if _a_phone(number):
        return "phone"
    if shape in ((4, 6), (2, 2, 6)):
        return "passport"
    if len(shape) == 1 and checks.inn(digits):
        return "inn"
    if shape == (3, 2, 4):
        return "document"
    # Five groups of four that go on are a card and the beginning of another.
    ended = last or set(shape) != {4}
    return "account" if length == 20 and len(shape) in (1, 4, 5, 6) and ended else None


def _a_card(digits: str, shape: tuple[int, ...]) -> bool:
    if len(digits) == 16 and shape == (4, 4, 4, 4):
        return True
    usual = len(shape) == 1 or set(shape[:-1]) in ({4}, {8}, {4, 6})
    return (
        digits[0] in "123456"
        and usual
        and (checks.luhn(digits) or (len(digits) == 16 and digits[0] in "2456"))
    )


def _only_a_phone(number: _Number) -> bool:
    """Whether digits are a Russian mobile number with its country code."""
    return len(number.digits) == 11 and number.digits[0] in "78" and number.digits[1] == "9"


def _a_phone(number: _Number) -> bool:
    digits, shape = number.digits, number.shape
    if len(digits) == 11 and digits[0] in "78" and digits[1] in "3489":
        return shape[0] in (1, 4, 11) or number.opened
    if len(digits) == 11 and digits[0] == "1":
        return shape in ((1, 3, 3, 4),)
    if len(digits) == 10:
        return (
            (digits[0] == "9" and shape[0] in (3, 10)) or number.opened or shape in ((3, 3, 4), (3, 3, 2, 2))
        )
    if len(digits) == 11 and digits.startswith("0"):
        return shape in ((5, 6), (5, 3, 3), (4, 3, 4), (3, 4, 4))
    return shape == (3, 2, 2)


def _short(number: _Number, around: _Around, end: int) -> Kind | None:
    """Return phone for a number of unknown form right behind a word that says so, or right before one."""
    length = len(number.digits)
    behind = 5 <= length <= 13 and pattern("short", "phone").search(around.before) is not None
    ahead = 7 <= length <= 13 and pattern("short", "after").match(around.text[end : end + AFTER]) is not None
    return "phone" if behind or ahead else None


def _unknown(number: _Number, whole: bool) -> Kind | None:
    """A number this long names somebody or something of theirs, whatever it is."""
    return "document" if whole and 13 <= len(number.digits) <= MOST_DIGITS else None


def _spoken(text: str, run: Run) -> Iterator[Span]:
    """Yield the number that a run with words in it is, taken as a whole."""
    number = _number(text, run)
    length = len(number.digits)
    around = _Around(text, run[0].start)
    if length < 7 or len(run) < 3 or around.counted(run[-1].end):
        return
    if around.own is not None and length < 10:
        return
    said = around.said
    kind: Kind = said if said is not None and length >= 9 else _by_length(number)
    if said is not None or length >= 9 or (length >= 7 and len(run) >= _ENOUGH_WORDS):
        yield Span(kind=kind, start=run[0].start, end=run[-1].end)


def _by_length(number: _Number) -> Kind:
    if len(number.digits) >= 14:
        return "card"
    if len(number.digits) == 12 and checks.inn(number.digits):
        return "inn"
    return "phone"


def _codes(text: str) -> Iterator[Span]:
    """Yield codes with letters: IBANs, documents behind a word that says so, orders and contracts."""
    for found in _IBAN.finditer(text):
        code = found.group().replace(" ", "")
        if checks.iban(code) or _Around(text, found.start()).said == "account":
            yield Span(kind="account", start=found.start(), end=found.end())
    for found in _CODE.finditer(text):
        said = _Around(text, found.start()).said
        if said in ("passport", "document"):
            yield Span(kind=said, start=found.start(), end=found.end())
    for found in _MIXED.finditer(text):
        own = _Around(text, found.start()).own
        if own in ("order", "contract"):
            yield Span(kind=own, start=found.start(), end=found.end())
