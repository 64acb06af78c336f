"""Passing on and putting aside, decided: what stands in the way, when the queue looks, what the customer reads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.pack import load_pack
from agent.passing import Colleague, Obstacle, Passing, passing_to, passing_words
from agent.routing import Case, Operator, next_event
from agent.snoozing import BadMoment, moment_of, moments
from api.container import AGENT_TEXTS
from tools.context import ConversationId, Language
from tools.phrases import Phrases

PACK = load_pack(Path("demo"))
PHRASES = Phrases(AGENT_TEXTS, currency="RUB", timezone=PACK.timezone)
ZONE = ZoneInfo(PACK.timezone)
NOON = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday noon in Moscow."""
NIGHT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
IVAN = Colleague(login="ivan", name="Иван", department="delivery")


def way(
    department: str,
    *present: Operator,
    colleague: Colleague | None = None,
    at: datetime = NOON,
    language: Language = "ru",
) -> Passing:
    return passing_to(
        PACK.department(department),
        colleague=colleague,
        why="needs_expert",
        language=language,
        now=at,
        present=present,
        pack=PACK,
    )


def words(passing: Passing, *, colleague: Colleague | None = None, at: datetime = NOON) -> str:
    return passing_words(
        passing,
        PACK.department(passing.department),
        colleague=colleague,
        language="ru",
        now=at,
        phrases=PHRASES,
        pack=PACK,
    ).text


@pytest.mark.parametrize(
    ("department", "colleague", "at", "language", "obstacles"),
    [
        ("delivery", None, NOON, "ru", ()),
        ("delivery", None, NIGHT, "ru", ("away",)),
        ("payments", None, NOON, "en", ("foreign",)),
        ("delivery", IVAN, NOON, "ru", ("absent",)),
        ("delivery", IVAN, NIGHT, "ru", ("away",)),
    ],
)
def test_what_makes_it_slower_is_known_before_it_is_done(
    department: str,
    colleague: Colleague | None,
    at: datetime,
    language: Language,
    obstacles: tuple[Obstacle, ...],
) -> None:
    assert way(department, colleague=colleague, at=at, language=language).obstacles == obstacles


def test_a_colleague_at_their_console_who_speaks_the_language_is_no_obstacle() -> None:
    ivan = Operator(login="ivan", department="payments", languages=("ru", "en"), seen=NOON)
    there = replace(IVAN, department="payments")
    assert way("payments", ivan, colleague=there, language="en").obstacles == ()


def test_a_colleague_has_as_long_as_anybody_to_accept_counted_from_when_people_are_in() -> None:
    seconds = timedelta(seconds=PACK.department("delivery").accept_seconds)
    assert way("delivery", colleague=IVAN).due == NOON + seconds
    night = way("delivery", colleague=IVAN, at=NIGHT)
    assert night.back is not None
    assert night.due == night.back + seconds
    assert way("delivery").due == NOON


def test_the_customer_reads_who_goes_on_and_when() -> None:
    assert words(way("delivery")) == (
        "Разговор передан в отдел доставки. Обычно отвечают за 10\u00a0минут. Пересказывать ничего не нужно."
    )
    assert words(way("delivery", colleague=IVAN), colleague=IVAN) == (
        "Разговор передан сотруднику: Иван, Доставка. Пересказывать ничего не нужно."
    )
    assert "вернутся завтра в 09:00" in words(way("delivery", at=NIGHT), at=NIGHT)


def case(**more: object) -> Case:
    known = Case(
        conversation=ConversationId("c"),
        stage="queued",
        department="delivery",
        language="ru",
        since=NOON,
        due=NOON,
    )
    return replace(known, **more)  # type: ignore[arg-type]


def test_who_passed_it_on_is_not_asked_first_and_the_first_choice_is_no_delay() -> None:
    people = [Operator(login=login, seen=NOON) for login in ("olga", "pavel")]
    next = next_event(case(tried=("olga",)), now=NOON, operators=people, pack=PACK)
    assert (next.assigned, next.tells) == ("pavel", "")


@pytest.mark.parametrize(
    ("woken", "here", "requeued"), [(True, True, False), (True, False, True), (False, True, True)]
)
def test_whom_their_own_time_woke_is_hurried_only_when_they_are_gone(
    woken: bool, here: bool, requeued: bool
) -> None:
    late = NOON + timedelta(seconds=PACK.department("delivery").answer_seconds)
    held = case(stage="person", operator="olga", woken=woken)
    people = [Operator(login="olga", seen=late)] if here else []
    next = next_event(held, now=late, operators=people, pack=PACK)
    assert next.requeue == requeued
    assert requeued or next.due > late


def test_the_moments_offered_are_an_hour_on_tomorrow_morning_and_the_next_monday() -> None:
    found = {name: at.strftime("%d %H:%M") for name, at in moments(NOON, zone=ZONE).items()}
    assert found == {"hour": "23 13:00", "tomorrow": "24 09:00", "monday": "30 09:00"}
    sunday = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
    assert list(moments(sunday, zone=ZONE)) == ["hour", "tomorrow"]


def test_a_typed_moment_is_of_the_companys_zone() -> None:
    assert moment_of("", "2026-11-23T14:30", now=NOON, zone=ZONE) == datetime(
        2026, 11, 23, 11, 30, tzinfo=UTC
    )
    assert moment_of("hour", "", now=NOON, zone=ZONE) == NOON + timedelta(hours=1)


@pytest.mark.parametrize("typed", ["", "soon", "2026-11-23T11:59", "2027-02-01T09:00"])
def test_a_moment_that_cannot_be_is_refused_with_a_remedy(typed: str) -> None:
    with pytest.raises(BadMoment) as refused:
        moment_of("", typed, now=NOON, zone=ZONE)
    assert refused.value.remedy
