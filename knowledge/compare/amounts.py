"""Values a statement gives, in units and ranges that can be compared. Pure.

«2 недели» = «14 дней» = 336 hours      «от 120 до 490 ₽» = 120…490 rub      «до 5 ГБ» = …5 gb      «бесплатно» = 0 of any money
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from knowledge.compare import conflict_words as words
from knowledge.text.quantities import Quantity, quantities

AmountKind = Literal["number", "date", "money", "term"]
Relation = Literal["same", "compatible", "differs"]

_HOURS = {
    "second": 1 / 3600,
    "minute": 1 / 60,
    "hour": 1.0,
    "day": 24.0,
    "week": 168.0,
    "month": 730.0,
    "year": 8760.0,
}
_SCALES = {
    "g": ("weight", 1.0),
    "kg": ("weight", 1000.0),
    "mm": ("length", 1.0),
    "cm": ("length", 10.0),
    "m": ("length", 1000.0),
    "km": ("length", 1_000_000.0),
    "kb": ("volume", 1 / 1024),
    "mb": ("volume", 1.0),
    "gb": ("volume", 1024.0),
    "tb": ("volume", 1024.0 * 1024),
}
_MONEY = frozenset({"rub", "usd", "eur", "kzt", "byn"})
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_JOINTS = frozenset({"–", "—", "-", "‑", "…", "до", "по", "to", "till", "until", "through", "and"})
_WORKING = re.compile(r"рабоч|banking|business|working|банковск")
_DURING = re.compile(r"(?:в течение|during)\s*$")
_EQUALS = re.compile(r"([^\d,]+)\s(?:—|–|:|is|are)\s+\d+$")
_NOUNS = re.compile(r"[\s\u00a0]*([^\W\d_]+(?:-[^\W\d_]+)*)(?:[\s\u00a0]+([^\W\d_]+))?")
_MONTHLY = 0.07
_BINARY = 0.05
_ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One value, or a range of them; `low` and `high` may be infinite.

    `of` is what is measured: "hours", "money:rub", "weight", "clock"… or "count" with `nouns` that were counted.
    `exact` ranges are things in themselves (opening hours), others allow what lies in them. `needed` values are
    conditions («при заказе от 3 500 ₽»). `start` and `end` are where it stands.
    """

    kind: AmountKind
    of: str
    low: float
    high: float
    unit: str = ""
    nouns: frozenset[str] = frozenset()
    exact: bool = False
    rough: bool = False
    needed: bool = False
    working: bool = False
    rate: str = ""
    year: str = ""
    start: int = 0
    end: int = 0


def amounts(text: str) -> tuple[Amount, ...]:
    """Return the values of a sentence in order of place."""
    read = quantities(text)
    plain = text.lower().replace("ё", "е")
    found = list(_joined(_single(text, plain, read), plain))
    found += (*_gratis(plain, found), *_once(plain))
    return tuple(sorted(_rated(found, read), key=lambda one: one.start))


def comparable(one: Amount, other: Amount, *, across: bool) -> bool:
    """Whether two values measure the same; `across` languages counted nouns need not be the same."""
    if one.needed != other.needed or (one.rate and other.rate and one.rate != other.rate):
        return False
    if one.of != other.of:
        kinds = {one.kind, other.kind} == {"money"} and f"money:{_ANY}" in (one.of, other.of)
        return kinds
    if one.of == "count":
        unknown = across and not all(words.shared(noun) for noun in one.nouns | other.nouns)
        return any(words.among(noun, other.nouns) for noun in one.nouns) or unknown
    return True


def relation(one: Amount, other: Amount, *, limit: bool) -> Relation:
    """Return how two comparable values stand to each other; with `limit` a bound is the very thing that is stated."""
    if one.year and other.year and one.year != other.year:
        return "differs"
    if _equal(one.low, other.low, one, other) and _equal(one.high, other.high, one, other):
        return "same"
    if one.exact or other.exact:
        return _hours(one, other)
    if (one.rough or other.rough) and _near(_edge(one), _edge(other)):
        return "compatible"
    a, b = (_told(one), _told(other)) if limit else (one, other)
    if _point(a) and _point(b):
        return _points(a, b)
    if _one_sided(a) and _one_sided(b):
        return _bounds(a, b)
    inside = _within(a, b) or _within(b, a)
    return "compatible" if inside else "differs"


def _points(a: Amount, b: Amount) -> Relation:
    return "same" if _equal(a.low, b.low, a, b) else "differs"


def _near(x: float, y: float) -> bool:
    return abs(x - y) <= words.threshold("rough") * max(abs(x), abs(y))


def _bounds(a: Amount, b: Amount) -> Relation:
    """«до 7» and «до 14» differ; «до 7» and «от 5» meet, «до 5» and «от 7» part the cases between them."""
    if math.isinf(a.high) != math.isinf(b.high):
        return "compatible"
    return "same" if _equal(_edge(a), _edge(b), a, b) else "differs"


def _hours(one: Amount, other: Amount) -> Relation:
    """Opening hours and days: a bound must be an end of the range, a point lies in it."""
    if _one_sided(one) or _one_sided(other):
        bound, whole = (one, other) if _one_sided(one) else (other, one)
        edge = whole.high if math.isinf(bound.low) else whole.low
        return "compatible" if math.isinf(edge) or edge == _edge(bound) else "differs"
    if _point(one) != _point(other):
        return "compatible" if _within(one, other) or _within(other, one) else "differs"
    return "differs"


def _told(one: Amount) -> Amount:
    return replace(one, low=_edge(one), high=_edge(one)) if _one_sided(one) else one


def _edge(one: Amount) -> float:
    return one.high if math.isinf(one.low) else one.low


def _point(one: Amount) -> bool:
    return one.low == one.high


def _one_sided(one: Amount) -> bool:
    return math.isinf(one.low) != math.isinf(one.high)


def _within(one: Amount, other: Amount) -> bool:
    return other.low <= one.low and one.high <= other.high


def _equal(x: float, y: float, one: Amount, other: Amount) -> bool:
    if x == y:
        return True
    if math.isinf(x) or math.isinf(y):
        return False
    slack = 1e-6
    if one.unit != other.unit:
        slack = _BINARY if one.of == "volume" else _MONTHLY if one.of == "hours" else slack
        long = {"month", "year"} & {one.unit, other.unit}
        slack = slack if one.of != "hours" or long else 1e-6
    if one.working != other.working and one.of == "hours":
        # Five working days are a week.
        fuller = (x * 1.4, y) if one.working else (x, y * 1.4)
        return math.isclose(*fuller, rel_tol=_MONTHLY) or x == y
    return math.isclose(x, y, rel_tol=slack)


# Reading. ---------------------------------------------------------------------------------------------------


def _single(text: str, plain: str, read: Sequence[Quantity]) -> Iterator[Amount]:
    for quantity in read:
        shape = _shape(quantity, plain)
        if shape is None:
            continue
        kind, of, value, year = shape
        low, high = _sides(quantity, value, plain)
        yield Amount(
            kind=kind,
            of=of,
            low=low,
            high=high,
            unit=quantity.unit,
            nouns=_counted(plain, quantity.end) if of == "count" else frozenset(),
            exact=False,
            rough=words.says("rough", plain[max(0, quantity.start - 24) : quantity.start])
            or "обычно" in plain,
            needed=_needed(plain, quantity.start),
            working=bool(_WORKING.search(plain[quantity.start : quantity.end + 10])),
            year=year,
            start=quantity.start,
            end=quantity.end,
        )


def _shape(quantity: Quantity, plain: str) -> tuple[AmountKind, str, float, str] | None:
    """Return kind, what is measured, value and year; None for what is only a name."""
    match quantity.kind:
        case "date":
            year, month, day = quantity.value.split("-")
            return "date", "date", int(month) * 32 + int(day), year
        case "time":
            hour, minute = quantity.value.split(":")
            return "date", "clock", int(hour) + int(minute) / 60, ""
        case "day" if quantity.value in _DAYS:
            return "date", "weekday", _DAYS.index(quantity.value), ""
        case "number":
            return _number(quantity, plain)
        case _:
            return None


def _number(quantity: Quantity, plain: str) -> tuple[AmountKind, str, float, str] | None:
    value, unit = float(quantity.value), quantity.unit
    if unit in _HOURS:
        if unit == "year" and value > 1900:
            return None
        return "term", "hours", value * _HOURS[unit], ""
    if unit in _MONEY:
        return "money", f"money:{unit}", value, ""
    if unit in _SCALES:
        of, scale = _SCALES[unit]
        return "number", of, value * scale, ""
    if unit:
        return "number", unit, value, ""
    if quantity.spelled and value == 1:
        return None
    nouns = _counted(plain, quantity.end)
    return ("number", "count", value, "") if nouns else None


def _sides(quantity: Quantity, value: float, plain: str) -> tuple[float, float]:
    during = quantity.unit in _HOURS and _DURING.search(plain[max(0, quantity.start - 16) : quantity.start])
    if quantity.bound == "at_most" or during:
        return -math.inf, value
    if quantity.bound == "at_least":
        return value, math.inf
    return value, value


def _counted(plain: str, end: int) -> frozenset[str]:
    """Return the concepts of the one or two words that follow a number, or of what «— 10.» at the end counts."""
    match = _NOUNS.match(plain, end)
    if match is not None:
        return frozenset(words.concepts(" ".join(part for part in match.groups() if part)))
    told = _EQUALS.match(plain[:end]) if not plain[end:].strip(" .;!") else None
    return frozenset(words.concepts(words.plain(told[1]))) if told else frozenset()


def _needed(plain: str, start: int) -> bool:
    """Whether the value is a condition: «при заказе от 3 500 ₽»."""
    before = re.split(r"[,;:.—]\s", plain[max(0, start - 40) : start])[-1]
    return words.says("threshold", before)


def _joined(found: Iterator[Amount], plain: str) -> Iterator[Amount]:
    """Make one range of two ends that stand together."""
    last: Amount | None = None
    for one in found:
        if last is not None and _ends(last, one, plain[last.end : one.start].strip()):
            last = _range(last, one)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _ends(one: Amount, other: Amount, between: str) -> bool:
    if between not in _JOINTS or (between == "and" and one.of not in ("clock", "weekday")):
        return False
    day = one.of == "count" and other.of == "date" and one.low <= 31
    return day or (one.of == other.of and (one.of != "count" or not one.nouns or one.nouns == other.nouns))


def _range(one: Amount, other: Amount) -> Amount:
    low, high = _edge(one), _edge(other)
    if one.of == "count" and other.of == "date":
        low = high // 32 * 32 + low
    exact = other.of in ("clock", "weekday", "date")
    return replace(
        other, low=low, high=high, start=one.start, exact=exact, needed=one.needed, rough=one.rough
    )


def _gratis(plain: str, found: Sequence[Amount]) -> list[Amount]:
    if any(one.kind == "money" and not one.needed for one in found):
        return []
    return [
        Amount(kind="money", of=f"money:{_ANY}", low=0, high=0, start=match.start(), end=match.end())
        for match in words.found("free", plain)
        if not plain[: match.start()].rstrip().endswith(("не", "not"))
    ][:1]


def _once(plain: str) -> Iterator[Amount]:
    for match in words.found("once", plain):
        unit = quantities(f"1 {match['ru'] or match['en']}")[0].unit
        hours = _HOURS[unit]
        low = -math.inf if _DURING.search(match.group().rpartition(" ")[0]) or match["en"] else hours
        yield Amount(
            kind="term", of="hours", low=low, high=hours, unit=unit, start=match.start(), end=match.end()
        )


def _rated(found: Sequence[Amount], read: Sequence[Quantity]) -> Iterator[Amount]:
    rates = [quantity for quantity in read if quantity.kind == "rate"]
    for one in found:
        after = next((rate for rate in rates if 0 <= rate.start - one.end <= 24), None)
        yield replace(one, rate=after.value or after.unit) if after and one.kind != "term" else one
