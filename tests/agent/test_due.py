"""Until when a pledge is: clocks, spans, days, and the hours people work."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.due import Working, due_of
from agent.pack import load_pack
from tools.context import Language

PACK = load_pack(Path("demo"))
WORKING = Working(pack=PACK, department=PACK.default_department)
MOSCOW = ZoneInfo("Europe/Moscow")
TUESDAY = datetime(2026, 11, 24, 15, 0, tzinfo=MOSCOW)
"""People work 9 to 20, on Saturday 10 to 18, never on Sunday."""


def due(sentence: str, *, now: datetime = TUESDAY, language: Language = "ru") -> str:
    found = due_of(sentence, now=now, language=language, working=WORKING)
    return f"{found.at:%d %H:%M}" + ("" if found.exact else " usual")


@pytest.mark.parametrize(
    ("sentence", "until"),
    [
        ("вернусь до 18:00", "24 18:00"),
        ("вернусь до 18.30", "24 18:30"),
        ("отвечу до шести", "24 18:00"),
        ("отвечу до шести вечера", "24 18:00"),
        ("напишу к 14:00", "25 14:00"),
        ("напишу до 12 завтра", "25 12:00"),
        ("перезвоню через 20 минут", "24 15:20"),
        ("перезвоню минут через 20", "24 15:20"),
        ("отвечу в течение часа", "24 16:00"),
        ("отвечу в течение двух часов", "24 17:00"),
        ("отвечу через пару часов", "24 17:00"),
        ("дайте мне полчаса", "24 15:30"),
        ("отвечу через полтора часа", "24 16:30"),
        ("отвечу сегодня", "24 20:00"),
        ("отвечу сегодня вечером", "24 20:00"),
        ("отвечу завтра", "25 20:00"),
        ("отвечу завтра до обеда", "25 13:00"),
        ("отвечу завтра утром", "25 12:00"),
        ("отвечу послезавтра", "26 20:00"),
        ("напишу в понедельник", "30 20:00"),
        ("напишу к пятнице", "27 20:00"),
        ("напишу в субботу", "28 18:00"),
        ("напишу в воскресенье", "29 21:00"),
        ("напишу 1 декабря", "01 20:00"),
        ("напишу до 27.11", "27 20:00"),
        ("отвечу до конца недели", "28 18:00"),
        ("отвечу на следующей неделе", "05 18:00"),
        ("ответим в течение рабочего дня", "24 20:00"),
        ("ответим в течение двух рабочих дней", "26 20:00"),
        ("ответим через 2 дня", "26 20:00"),
        ("вернусь с ответом", "24 15:05 usual"),
        ("напишу через несколько минут", "24 15:05 usual"),
        ("до 18:00 сказано «до 12:00»", "24 18:00"),
    ],
)
def test_russian_times(sentence: str, until: str) -> None:
    assert due(sentence) == until


@pytest.mark.parametrize(
    ("sentence", "until"),
    [
        ("I'll be back by 6 pm", "24 18:00"),
        ("I'll be back by 18:00", "24 18:00"),
        ("I'll answer by noon tomorrow", "25 12:00"),
        ("I'll call in 20 minutes", "24 15:20"),
        ("I'll call within two hours", "24 17:00"),
        ("I'll call in an hour", "24 16:00"),
        ("I'll call in half an hour", "24 15:30"),
        ("give me ten minutes", "24 15:10"),
        ("I'll answer by Friday", "27 20:00"),
        ("I'll answer tomorrow morning", "25 12:00"),
        ("I'll write tonight", "24 20:00"),
        ("I'll write on 1 December", "01 20:00"),
        ("I'll write on December 1", "01 20:00"),
        ("you'll hear from us by the end of the day", "24 20:00"),
        ("we'll reply within one business day", "24 20:00"),
        ("we'll reply within 2 business days", "26 20:00"),
        ("we'll write next week", "05 18:00"),
        ("I'll let you know", "24 15:05 usual"),
    ],
)
def test_english_times(sentence: str, until: str) -> None:
    assert due(sentence, language="en") == until


def test_what_no_time_was_given_for_is_business_time() -> None:
    saturday = datetime(2026, 11, 28, 17, 58, tzinfo=MOSCOW)
    assert due("вернусь с ответом", now=saturday) == "30 09:03 usual", (
        "two minutes on Saturday, three on Monday"
    )


def test_working_days_are_counted_without_the_weekend_and_holidays() -> None:
    saturday = datetime(2026, 11, 28, 19, 0, tzinfo=MOSCOW)
    assert due("ответим в течение рабочего дня", now=saturday) == "30 20:00"
    assert due("ответим в течение двух рабочих дней", now=saturday) == "01 20:00"
    closed = next(day for day in sorted(PACK.special_days) if not PACK.special_days[day])
    before = datetime.combine(closed - timedelta(days=1), datetime.min.time(), tzinfo=MOSCOW).replace(hour=15)
    found = due_of("ответим в течение 2 рабочих дней", now=before, language="ru", working=WORKING)
    assert found.at.date() > closed + timedelta(days=1), "a holiday is no working day"


def test_a_time_that_has_passed_today_is_tomorrows() -> None:
    late = TUESDAY.replace(hour=21)
    assert due("вернусь до 18:00", now=late) == "25 18:00"
    assert due("отвечу сегодня", now=late) == "24 23:59"
    assert due("отвечу вечером", now=late) == "25 20:00"
