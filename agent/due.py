"""Until when a pledge is: its words, a moment, and the hours people work. Pure.

```
«до 18:00», "by 6 pm"                  that clock today, tomorrow where it has passed; with a day, on that day
«через 20 минут», "within two hours"   so long from now, by the clock on the wall
«завтра до обеда», "Monday morning"    that part of that day
«завтра», "by Friday"                  until people go home that day
«в течение двух рабочих дней»          working days are counted, holidays are none
no time at all                         the department's usual time, counted while people work
```
A time the customer was told is kept as it was told, whether or not anybody works then; what no time was given for is
business time.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from agent.departments import HORIZON_DAYS, open_spans
from agent.pack import Department, Pack, Span
from agent.pledge import Pledge
from agent.pledging import TEXTS, is_pledge
from agent.sentences import sentences
from tools.context import Language

_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
EVENING = time(21)
"""The end of a day on which nobody works."""
FIRST_OF_DAY = 8
"""An hour below it without a part of the day is one of the afternoon: «до шести»."""

_QUOTED = re.compile(r"[«“„\"][^»”\"]*[»”\"]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A moment in the company's zone. `exact`: the words name it."""

    at: datetime
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """When a department's people work."""

    pack: Pack
    department: Department

    @property
    def zone(self) -> ZoneInfo:
        """The company's zone."""
        return ZoneInfo(self.pack.timezone)

    def spans(self, day: date) -> tuple[Span, ...]:
        """Return when people work on that day."""
        return open_spans(day, pack=self.pack, department=self.department)

    def ends(self, day: date) -> datetime:
        """Return when people go home that day; on a day off, its evening."""
        spans = self.spans(day)
        return datetime.combine(day, spans[-1][1] if spans else EVENING, tzinfo=self.zone)

    def working_days(self, first: date) -> Iterator[date]:
        """Yield the days on which people work, from `first` on."""
        days = (first + timedelta(days=n) for n in range(HORIZON_DAYS))
        return (day for day in days if self.spans(day))

    def usual(self, now: datetime) -> datetime:
        """Return when the department will have answered as it usually does, counted while people work."""
        left = timedelta(minutes=self.department.answer_minutes)
        local = now.astimezone(self.zone)
        for day in self.working_days(local.date()):
            for opens, closes in self.spans(day):
                begins = max(local, datetime.combine(day, opens, tzinfo=self.zone))
                ends = datetime.combine(day, closes, tzinfo=self.zone)
                if begins + left <= ends:
                    return begins + left
                left -= max(timedelta(0), ends - begins)
        return local + timedelta(days=HORIZON_DAYS)


def pledge_in(text: str, *, now: datetime, language: Language, working: Working) -> Pledge | None:
    """Return what a message promises, None where it promises nothing: of several times named, the first to come."""
    made = [
        Pledge(words=sentence, due=due.at, exact=due.exact)
        for sentence in sentences(text)
        if is_pledge(sentence)
        for due in (due_of(sentence, now=now, language=_language(sentence, language), working=working),)
    ]
    # «Проверю. Напишу до 18:00.» is one promise, and its time is the one that is named.
    return min(made, key=lambda one: (not one.exact, one.due), default=None)


def due_of(sentence: str, *, now: datetime, language: Language, working: Working) -> Due:
    """Return until when the sentence's pledge is."""
    said = _plain(sentence)
    local = now.astimezone(working.zone)
    found = _day_and_clock(said, local, language, working) or _span(said, local, language, working)
    if found is None:
        return Due(at=working.usual(now), exact=False)
    return Due(at=found, exact=True)


def _language(sentence: str, otherwise: Language) -> Language:
    return "ru" if _CYRILLIC.search(sentence) else "en" if re.search("[a-z]", sentence) else otherwise


def _plain(sentence: str) -> str:
    lower = " ".join(_QUOTED.sub(" ", sentence).lower().split())
    return lower.replace("ё", "е").replace("’", "'")


def _span(said: str, now: datetime, language: Language, working: Working) -> datetime | None:
    data = due_words(language)
    for pattern in _patterns(language, "spans"):
        for match in pattern.finditer(said):
            number = _number(match["n"], language)
            kind = next((kind for stem, kind in data["unit"].items() if match["unit"].startswith(stem)), "")
            if not kind:
                continue
            if match["unit"] in data["halves"]:
                return now + timedelta(minutes=30)
            if match["unit"] in data["one_and_a_half"]:
                return now + timedelta(minutes=90)
            return _after(now, number, kind, working)
    return None


def _after(now: datetime, number: float, kind: str, working: Working) -> datetime:
    if kind in ("minute", "hour"):
        return now + timedelta(**{f"{kind}s": number})
    if kind == "working":
        days = working.working_days(now.date())
        today = now.date() if now < working.ends(now.date()) and working.spans(now.date()) else None
        if number == 1 and today:
            return working.ends(today)
        ahead = [day for day, _ in zip((d for d in days if d > now.date()), range(int(number)), strict=False)]
        return working.ends(ahead[-1]) if ahead else working.usual(now)
    return working.ends(now.date() + timedelta(days=int(number) * (7 if kind == "week" else 1)))


def _number(said: str | None, language: Language) -> float:
    """Return a number in digits or words; 1 where none stands."""
    if said is None:
        return 1
    numbers: Mapping[str, float] = due_words(language)["numbers"]
    return int(said) if said.isdigit() else numbers[said]


def _day_and_clock(said: str, now: datetime, language: Language, working: Working) -> datetime | None:
    """Return the moment of a day, a part of one, or a clock; None where the words name none."""
    day = _day(said, now, language, working)
    rest = said
    for pattern in _patterns(language, "dates"):
        rest = pattern.sub(" ", rest)
    at = _clock(rest, language)
    if at is not None:
        found = datetime.combine(day or now.date(), at, tzinfo=now.tzinfo)
        return found if day is not None or found > now else found + timedelta(days=1)
    part = _part(said, language)
    if part is not None:
        chosen = day or now.date()
        ends = (
            working.ends(chosen)
            if part == "closing"
            else datetime.combine(chosen, time.fromisoformat(part), tzinfo=now.tzinfo)
        )
        if ends <= now and day is None:
            return _part_of_tomorrow(part, now, working)
        return _ahead(ends, now)
    return None if day is None else _ahead(working.ends(day), now)


def _part_of_tomorrow(part: str, now: datetime, working: Working) -> datetime:
    if part == "closing":
        return working.ends(next(working.working_days(now.date() + timedelta(days=1)), now.date()))
    return datetime.combine(now.date() + timedelta(days=1), time.fromisoformat(part), tzinfo=now.tzinfo)


def _ahead(ends: datetime, now: datetime) -> datetime:
    """Return the end of a day, its last minute where people have gone home."""
    return ends if ends > now else datetime.combine(now.date(), time(23, 59), tzinfo=now.tzinfo)


def _day(said: str, now: datetime, language: Language, working: Working) -> date | None:
    data, today = due_words(language), now.date()
    for pattern in _patterns(language, "dates"):
        if (match := pattern.search(said)) is not None:
            return _date(match.groupdict(), today, language)
    for word, ahead in data["days"].items():
        if re.search(rf"\b{word}\b", said):
            return today + timedelta(days=ahead)
    for n, word in enumerate(data["weekdays"]):
        if re.search(rf"\b{word}", said):
            return today + timedelta(days=(n - today.weekday() - 1) % 7 + 1)
    sunday = today + timedelta(days=6 - today.weekday())
    for name, last in (("this_week", sunday), ("next_week", sunday + timedelta(days=7))):
        if re.search(data[name], said):
            week = [day for day in working.working_days(today) if last - timedelta(days=6) <= day <= last]
            return week[-1] if week else last
    return None


def _date(found: Mapping[str, str | None], today: date, language: Language) -> date | None:
    months: list[str] = due_words(language)["months"]
    named = found.get("month")
    month = months.index(named) + 1 if named else int(found.get("mm") or 0)
    for year in (today.year, today.year + 1):
        try:
            day = date(year, month, int(found["d"] or 0))
        except ValueError:
            return None
        if day >= today:
            return day
    return None


def _clock(said: str, language: Language) -> time | None:
    data = due_words(language)
    for pattern in _patterns(language, "clocks"):
        for match in pattern.finditer(said):
            hour, minute = int(_number(match["h"], language)), int(match.groupdict().get("m") or 0)
            if hour > 24 or minute > 59:
                continue
            part = match["part"]
            early = part is None and hour < FIRST_OF_DAY and match.groupdict().get("m") is None
            if (part in data["afternoon"] or early) and hour < 12:
                hour += 12
            return time(hour % 24, minute) if hour < 24 else time(23, 59)
    return None


def _part(said: str, language: Language) -> str | None:
    parts: Mapping[str, str] = due_words(language)["parts"]
    return next((ends for pattern, ends in parts.items() if re.search(pattern, said)), None)


@cache
def due_words(language: Language) -> Mapping[str, Any]:
    """Return how times are named in a language."""
    data: Mapping[str, Any] = tomllib.loads((TEXTS / f"pledge.{language}.toml").read_text("utf-8"))["due"]
    return data


@cache
def _patterns(language: Language, name: str) -> tuple[re.Pattern[str], ...]:
    numbers = "|".join((r"\d{1,3}", *due_words(language)["numbers"]))
    return tuple(re.compile(text.replace("NUMBER", numbers)) for text in due_words(language)[name])
