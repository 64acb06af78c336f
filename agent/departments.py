"""Which department answers, and when people are back. Pure: time comes in, nothing is read."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from agent import language as words
from agent.domain import ToolUse
from agent.pack import Department, Journey, Pack, Span
from tools.context import Language

HORIZON_DAYS = 60
"""No holiday calendar closes a shop for longer; past it the hours are a mistake of the pack."""


_STAGES: Mapping[str, Journey] = {
    "unconfirmed": "paying",
    "pending": "paying",
    "paid": "under_way",
    "packed": "under_way",
    "processing": "under_way",
    "modified": "under_way",
    "processed": "under_way",
    "shipped": "under_way",
    "sent": "under_way",
    "delivered": "received",
    "return_requested": "received",
    "exchange_requested": "received",
    "returned": "received",
}
"""By the status of an order."""


def journey_of(tools: Sequence[ToolUse]) -> Journey | Literal[""]:
    """Return at which stage the customer is by the order that was looked at last; empty where none was."""
    for use in reversed(tools):
        stage = _STAGES.get(str(use.result.get("status", ""))) if use.ok else None
        if stage is not None:
            return stage
    return ""


def department_for(question: str, *, pack: Pack, language: Language, stage: str = "") -> Department:
    """Return the department that speaks the language and whose topics the question names most often.

    Where it names none, the one for the `stage` of the customer's journey; the default one for neither.
    """
    asked = set(words.stems(question))
    # Who asks for somebody names a topic of the default department: a topic beside it is what it is about.
    speaking = sorted(
        (department for department in pack.departments if language in department.languages),
        key=lambda department: department.default,
    )
    fitting = (department for department in speaking if stage in department.journey)
    best, score = next(fitting, pack.default_department), 0
    for department in speaking:
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
