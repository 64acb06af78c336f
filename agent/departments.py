"""Which department answers, and when people are back. Pure: time comes in, nothing is read."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from agent import language as words
from agent.pack import Department, Pack, Span
from tools.context import Language

HORIZON_DAYS = 60
"""No holiday calendar closes a shop for longer; past it the hours are a mistake of the pack."""


def department_for(question: str, *, pack: Pack, language: Language) -> Department:
    """Return the department that speaks the language and whose topics the question names most often.

    The default one when none does.
    """
    asked = set(words.stems(question))
    best, score = pack.default_department, 0
    for department in (d for d in pack.departments if language in d.languages):
        named = sum(1 for topic in department.topics if set(words.stems(topic)) <= asked)
        if named > score:
            best, score = department, named
    return best


def open_spans(day: date, *, pack: Pack, department: Department) -> tuple[Span, ...]:
    """Return when the department answers on that day: its own hours within the company's."""
    company = pack.special_days.get(day, pack.company.hours.on(day))
    if department.hours is None:
        return company
    own = department.hours.on(day)
    both = ((max(a[0], b[0]), min(a[1], b[1])) for a in company for b in own)
    return tuple(sorted(both_span for both_span in both if both_span[0] < both_span[1]))


def back_at(now: datetime, *, pack: Pack, department: Department) -> datetime | None:
    """Return when people are next in, in the company's time zone; None when they are in now."""
    local = now.astimezone(ZoneInfo(pack.timezone))
    for ahead in range(HORIZON_DAYS):
        day = local.date() + timedelta(days=ahead)
        for opens, closes in open_spans(day, pack=pack, department=department):
            if local < datetime.combine(day, opens, tzinfo=local.tzinfo):
                return datetime.combine(day, opens, tzinfo=local.tzinfo)
            if local < datetime.combine(day, closes, tzinfo=local.tzinfo):
                return None
    return local + timedelta(days=HORIZON_DAYS)
