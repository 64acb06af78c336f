"""Finds in a text when it counts: "from December 1", "valid through 31.12.2026", "until the end of the sale". Pure.

   text ─► points (dates, months, years) ─┬─ the words before and between them ─► intervals
                                          └─ turns of phrase without a date ────► intervals, or a question to a person

A number alone is never a date: floors, weights, prices and times of the day are left alone.
"""

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal, get_args

from knowledge.text.dates_words import Words, words

Reason = Literal["from", "until", "between", "only", "month", "period", "ask", "ambiguous"]
Role = Literal["from", "until", "through", "before", "only", "in"]
REASONS: tuple[Reason, ...] = get_args(Reason)

_PAST = timedelta(days=30)
_BEGUN = timedelta(days=180)
_STALE = timedelta(days=366)
_NEAR = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Words of a text that limit when it counts: the first and the last day, both included, None where open.

    `reason` says how they were read; "ask" and "ambiguous" have no days: a person must name them. `guessed` means the
    text names no year. `start` and `end` are offsets of `quote`.
    """

    quote: str
    start: int
    end: int
    begins: date | None
    ends: date | None
    reason: Reason
    guessed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """A date as written: any of the three may be missing, `unsure` when day and month may be swapped."""

    start: int
    end: int
    day: int | None = None
    month: int | None = None
    year: int | None = None
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class _Span:
    """Points that belong together: the roles of the ends that are there."""

    start: int
    end: int
    first: _Point | None
    last: _Point | None
    role: Role
    reason: Reason


def hints(text: str, *, today: date) -> tuple[Hint, ...]:
    """Return what limits the text in time, in order; years that are not written are inferred from `today`."""
    known = words()
    found = [*_phrases(text, today, known)]
    taken = [(hint.start, hint.end) for hint in found]
    for span in _spans(text, _points(text, known), known):
        if any(span.start < end and start < span.end for start, end in taken):
            continue
        hint = _dated(text, span, today)
        if hint is not None:
            found.append(hint)
    kept = [hint for hint in found if not _recurs(text, hint, known)]
    return tuple(sorted(kept, key=lambda hint: hint.start))


# Points. -----------------------------------------------------------------------------------------------------------


def _points(text: str, known: Words) -> list[_Point]:
    out: list[_Point] = []
    for match in known.point.finditer(text):
        point = _point(match, known)
        if point is not None:
            out.append(point)
    return out


def _point(match: re.Match[str], known: Words) -> _Point | None:
    given = {name: value for name, value in match.groupdict().items() if value is not None}
    at: dict[str, Any] = {"start": match.start(), "end": match.end()}
    if "iso" in given:
        year, month, day = (int(part) for part in given["iso"].split("-"))
        return _valid(_Point(**at, day=day, month=month, year=year))
    if "dots" in given:
        day, month, *rest = (int(part) for part in given["dots"].split("."))
        return _valid(_Point(**at, day=day, month=month, year=_full(rest)))
    if "slashes" in given:
        return _slashed(at, [int(part) for part in given["slashes"].split("/")])
    if year_alone := given.get("years") or given.get("bare"):
        return _Point(**at, year=int(year_alone))
    name = next(given[key] for key in ("month_a", "month_b", "month_c") if key in given)
    if "month_c" in given and not known.is_month(name):
        return None
    day_text = given.get("day_a") or given.get("day_b")
    year_text = given.get("year_a") or given.get("year_b") or given.get("year_c")
    return _valid(
        _Point(
            **at,
            day=known.day(day_text) if day_text else None,
            month=known.months[name.casefold().rstrip(".")],
            year=int(year_text) if year_text else None,
        )
    )


def _slashed(at: Mapping[str, int], parts: Sequence[int]) -> _Point | None:
    left, right, year = parts[0], parts[1], _full(parts[2:])
    if left > 12 or right > 12 or left == right:
        day, month = (left, right) if left > 12 or left == right else (right, left)
        return _valid(_Point(start=at["start"], end=at["end"], day=day, month=month, year=year))
    point = _Point(start=at["start"], end=at["end"], day=left, month=right, year=year)
    return replace(point, unsure=True)


def _full(rest: Sequence[int]) -> int | None:
    if not rest:
        return None
    return rest[0] + 2000 if rest[0] < 100 else rest[0]


def _valid(point: _Point) -> _Point | None:
    day, month = point.day or 1, point.month or 1
    if not 1 <= month <= 12:
        return None
    longest = calendar.monthrange(point.year or 2028, month)[1]
    return point if 1 <= day <= longest and 1990 <= (point.year or 2000) < 2100 else None


# Spans: the words around points. -----------------------------------------------------------------------------------


def _spans(text: str, points: Sequence[_Point], known: Words) -> Iterator[_Span]:
    n = 0
    while n < len(points):
        pair = _joined(text, points[n], points[n + 1], known) if n + 1 < len(points) else None
        span = pair or _halved(text, points[n], known) or _alone(text, points[n], known)
        if span is not None:
            yield _closed(text, span, known)
        n += 2 if pair is not None else 1


def _joined(text: str, left: _Point, right: _Point, known: Words) -> _Span | None:
    between = text[left.end : right.start]
    lead = _before(known.lead, text, left)
    both = _before(known.both, text, left)
    if both is not None and known.and_.fullmatch(between):
        return _Span(both.start(), right.end, left, right, "through", "between")
    join = known.join.fullmatch(between)
    if join is None or (lead is not None and known.role(lead["role"]) != "from"):
        return None
    start = lead.start() if lead is not None else left.start
    return _Span(start, right.end, left, right, known.joining(join["join"]), "between")


def _halved(text: str, point: _Point, known: Words) -> _Span | None:
    """Read an interval that names its month once: the first day before the date, or the last one after it."""
    if point.day is None or point.month is None or point.unsure:
        return None
    before = _before(known.half, text, point)
    if before is not None:
        first = _valid(replace(point, day=int(before["day"])))
        if first is not None and int(before["day"]) <= point.day:
            return _Span(before.start(), point.end, first, point, "through", "between")
    after = known.tail.match(text, point.end)
    if after is None or point.year is not None:
        return None
    last = _valid(replace(point, day=int(after["day"]), year=int(after["year"]) if after["year"] else None))
    lead = _before(known.lead, text, point)
    if last is None or (last.day or 0) < point.day:
        return None
    if lead is not None and known.role(lead["role"]) != "from":
        return None
    start = lead.start() if lead is not None else point.start
    return _Span(start, after.end(), replace(point, year=last.year), last, "through", "between")


def _alone(text: str, point: _Point, known: Words) -> _Span | None:
    lead = _before(known.lead, text, point)
    if lead is None:
        return None
    role = known.role(lead["role"])
    if role == "in":
        whole = point.month is not None and point.day is None
        return _Span(lead.start(), point.end, point, point, "through", "month") if whole else None
    if role == "from":
        return _Span(lead.start(), point.end, point, None, role, "from")
    if role == "only":
        return _Span(lead.start(), point.end, point, point, "through", "only") if point.day else None
    return _Span(lead.start(), point.end, None, point, role, "until")


def _before(pattern: re.Pattern[str], text: str, point: _Point) -> re.Match[str] | None:
    """Match the words that end where a date begins."""
    return pattern.search(text, max(0, point.start - _NEAR), point.start)


def _closed(text: str, span: _Span, known: Words) -> _Span:
    """Take in "inclusive" behind the last date."""
    after = known.inclusive.match(text, span.end)
    if after is None or span.last is None:
        return span
    return replace(span, end=after.end(), role="through")


# From points to days. ----------------------------------------------------------------------------------------------


def _dated(text: str, span: _Span, today: date) -> Hint | None:
    quote = text[span.start : span.end]
    hint = Hint(quote=quote, start=span.start, end=span.end, begins=None, ends=None, reason=span.reason)
    ends = [point for point in (span.first, span.last) if point is not None]
    if any(point.unsure for point in ends):
        return replace(hint, reason="ambiguous")
    guessed = all(point.year is None for point in ends)
    years = range(today.year - 1, today.year + 9) if guessed else (0,)
    for year in years:
        begins, last = _days(span, year)
        if guessed and not _near(begins, last, today):
            continue
        if (begins and last and last < begins) or _pointless(span, begins, last, today):
            return None
        return replace(hint, begins=begins, ends=last, guessed=guessed)
    return None


def _pointless(span: _Span, begins: date | None, last: date | None, today: date) -> bool:
    """Say whether it tells of the past rather than limits anything: founded in May 2020, since 2015."""
    if span.reason == "month":
        return last is not None and last < today - _PAST
    return last is None and begins is not None and begins < today - _STALE


def _near(begins: date | None, last: date | None, today: date) -> bool:
    if last is not None:
        return last >= today - _PAST
    return begins is not None and begins >= today - _BEGUN


def _days(span: _Span, year: int) -> tuple[date | None, date | None]:
    """Return the ends of a span; `year` is for points that name none where no point does."""
    first, last = span.first, span.last
    if first is None or last is None:
        one = first or last
        assert one is not None
        full = replace(one, year=one.year or year)
        return (_first(full), None) if first is not None else (None, _last(full, span.role))
    begin_year, end_year = first.year or last.year or year, last.year or first.year or year
    if first.month and last.month and (first.month, first.day or 1) > (last.month, last.day or 31):
        # Over New Year: the year that is written belongs to its own end.
        if first.year is None and last.year is not None:
            begin_year -= 1
        elif last.year is None:
            end_year += 1
    return _first(replace(first, year=begin_year)), _last(replace(last, year=end_year), span.role)


def _first(point: _Point) -> date | None:
    return _day(point.year or 0, point.month or 1, point.day or 1)


def _last(point: _Point, role: Role) -> date | None:
    opens = _first(point)
    if opens is None:
        return None
    if role == "before" or (role == "until" and (point.day or 1) == 1):
        return opens - timedelta(days=1)
    if point.day is not None:
        return opens
    month = point.month or 12
    return date(opens.year, month, calendar.monthrange(opens.year, month)[1])


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        # The 29th of February in a common year.
        return None


# Turns of phrase. --------------------------------------------------------------------------------------------------


def _phrases(text: str, today: date, known: Words) -> Iterator[Hint]:
    taken = 0
    for match in known.phrase.finditer(text):
        if match.start() < taken:
            continue
        taken = match.end()
        means = known.meaning(match)
        begins, ends = _period(means, today)
        yield Hint(
            quote=match.group(),
            start=match.start(),
            end=match.end(),
            begins=begins,
            ends=ends,
            reason="ask" if means == "ask" else "period",
        )
    for match in known.end_of.finditer(text):
        yield from _end_of(match, today, known)


def _end_of(match: re.Match[str], today: date, known: Words) -> Iterator[Hint]:
    """Read "until the end of December", "until the end of 2027"."""
    year = int(match["year"] or match["whole"] or 0) or None
    month = known.months[match["month"].casefold().rstrip(".")] if match["month"] else 12
    point = _Point(start=match.start(), end=match.end(), month=month, year=year)
    span = _Span(match.start(), match.end(), None, point, "through", "period")
    hint = _dated(match.string, span, today)
    if hint is not None:
        yield hint


def _period(means: str, today: date) -> tuple[date | None, date | None]:
    year, month = today.year, today.month
    quarter = (month + 2) // 3 * 3
    following = date(year + month // 12, month % 12 + 1, 1)
    periods: dict[str, tuple[date | None, date | None]] = {
        "end_of_year": (None, date(year, 12, 31)),
        "end_of_month": (None, following - timedelta(days=1)),
        "end_of_week": (None, today + timedelta(days=6 - today.weekday())),
        "end_of_quarter": (None, date(year, quarter, calendar.monthrange(year, quarter)[1])),
        "from_today": (today, None),
        "from_tomorrow": (today + timedelta(days=1), None),
        "from_next_month": (following, None),
        "from_next_year": (date(year + 1, 1, 1), None),
        "ask": (None, None),
    }
    return periods[means]


def _recurs(text: str, hint: Hint, known: Words) -> bool:
    around = text[max(0, hint.start - _NEAR) : hint.start], text[hint.end : hint.end + _NEAR]
    before = re.split(r"[.!?\n]", around[0])[-1]
    after = re.split(r"[.!?\n]", around[1])[0]
    return bool(known.recurring.search(before) or known.recurring.search(after))
