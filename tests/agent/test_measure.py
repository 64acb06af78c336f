"""What may be said unasked and when: a table for every rule, and what no table can leave out."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.policy.measure import (
    Attribute,
    Mood,
    Source,
    may_mention,
    may_offer,
    may_start,
    mood_of,
    quiet_until,
)
from agent.terms import Caps, QuietHours

CAPS = Caps(notices_per_day=2, marketing_per_week=1)
QUIET = QuietHours.model_validate({"from": "21:00", "to": "09:00", "applies_to": ["notices", "marketing"]})
NOON = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MOSCOW = "Europe/Moscow"
BOTH = frozenset({"notices", "marketing"})


@pytest.mark.parametrize(
    ("said", "mood"),
    [
        ("Где мой заказ?", "calm"),
        ("Какая лампа подойдёт для спальни?", "calm"),
        ("лампа умерла через день", "calm"),
        ("Не беда, подожду", "calm"),
        ("У меня умер отец, хочу вернуть люстру", "grief"),
        ("похороны завтра, курьера отмените", "grief"),
        ("Мы потеряли сына", "grief"),
        ("У меня диабет, какая лампа лучше?", "illness"),
        ("Верните деньги, это безобразие!", "complaint"),
        ("Плафон разбит", "complaint"),
        ("жду уже третью неделю", "complaint"),
        ("не хочу больше жить", "distress"),
        ("my husband passed away", "grief"),
        ("the bulb died", "calm"),
        ("My lamp arrived broken", "complaint"),
        ("I have been waiting for weeks", "complaint"),
        ("I have cancer and need soft light", "illness"),
        ("What does delivery cost?", "calm"),
        ("", "calm"),
    ],
)
def test_words_tell_how_a_customer_is(said: str, mood: Mood) -> None:
    assert mood_of([said]) == mood
    assert may_offer(mood) is (mood == "calm")


def test_the_gravest_of_what_was_said_lately_counts() -> None:
    said = ["Плафон разбит", "Верните деньги", "у меня умерла мама", "какая лампа подойдёт?"]
    assert mood_of(said) == "grief"
    assert mood_of([*said, "не хочу жить"]) == "distress"


@pytest.mark.parametrize(
    ("name", "source", "channel", "purposes", "mood", "may"),
    [
        ("socket", "said", "widget", {"personalisation"}, "calm", True),
        ("socket", "said", "telegram", {"personalisation"}, "calm", False),
        ("socket", "observed", "widget", {"personalisation"}, "calm", False),
        ("socket", "inferred", "widget", {"personalisation"}, "calm", False),
        ("socket", "said", "widget", {"memory"}, "calm", False),
        ("socket", "said", "widget", set(), "calm", False),
        ("contact_time", "said", "widget", {"personalisation"}, "calm", False),
        ("city", "said", "widget", {"personalisation"}, "calm", False),
        ("socket", "said", "widget", {"personalisation"}, "complaint", False),
        ("socket", "said", "widget", {"personalisation"}, "grief", False),
        ("socket", "said", "widget", {"personalisation"}, "illness", False),
        ("socket", "said", "widget", {"personalisation"}, "distress", False),
    ],
)
def test_only_a_listed_word_of_their_own_told_here_is_mentioned_in_a_calm_moment(
    name: str, source: Source, channel: str, purposes: set[str], mood: Mood, may: bool
) -> None:
    attribute = Attribute(name=name, source=source, channel=channel)
    say = {"socket": "personalisation"}
    assert may_mention(attribute, say=say, purposes=purposes, channel="widget", mood=mood) is may


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["socket", "room", "city"]),
    source=st.sampled_from(["said", "observed", "inferred"]),
    channel=st.sampled_from(["widget", "telegram"]),
    say=st.dictionaries(st.sampled_from(["socket", "room"]), st.sampled_from(["memory", "personalisation"])),
    purposes=st.frozensets(st.sampled_from(["memory", "personalisation"])),
    mood=st.sampled_from(["calm", "complaint", "grief", "illness", "distress"]),
)
def test_nothing_is_mentioned_that_fails_a_single_rule(
    name: str,
    source: Source,
    channel: str,
    say: dict[str, str],
    purposes: frozenset[str],
    mood: Mood,
) -> None:
    attribute = Attribute(name=name, source=source, channel=channel)
    if may_mention(attribute, say=say, purposes=purposes, channel="widget", mood=mood):
        assert (source, channel, mood) == ("said", "widget", "calm")
        assert say[name] in purposes


@pytest.mark.parametrize(
    ("purpose", "purposes", "sent", "mood", "why"),
    [
        ("notices", BOTH, [], "calm", ""),
        ("notices", {"marketing"}, [], "calm", "no_basis"),
        ("notices", BOTH, [], "complaint", ""),
        ("marketing", BOTH, [], "complaint", "trouble"),
        ("marketing", BOTH, [], "grief", "trouble"),
        ("notices", BOTH, [1, 2], "calm", "cap"),
        ("notices", BOTH, [1, 25], "calm", ""),
        ("marketing", BOTH, [25], "calm", "cap"),
        ("marketing", BOTH, [24 * 8], "calm", ""),
        ("marketing", BOTH, [24 * 7], "calm", ""),
        ("orders:read", {"orders:read"}, [], "calm", "cap"),
    ],
)
def test_the_company_begins_under_a_basis_in_calm_and_seldom(
    purpose: str, purposes: frozenset[str], sent: list[int], mood: Mood, why: str
) -> None:
    start = may_start(
        purpose,
        purposes=purposes,
        sent=[NOON - timedelta(hours=hours) for hours in sent],
        now=NOON,
        zone=MOSCOW,
        caps=CAPS,
        quiet=QUIET,
        mood=mood,
    )
    assert start.why == why
    assert start.at == (NOON if not why else None)


@pytest.mark.parametrize(
    ("zone", "clock", "ends"),
    [
        (MOSCOW, "2026-11-22T12:00", None),
        (MOSCOW, "2026-11-22T20:59", None),
        (MOSCOW, "2026-11-22T21:00", "2026-11-23T09:00"),
        (MOSCOW, "2026-11-23T00:30", "2026-11-23T09:00"),
        (MOSCOW, "2026-11-23T08:59", "2026-11-23T09:00"),
        (MOSCOW, "2026-11-23T09:00", None),
        ("Asia/Vladivostok", "2026-11-22T22:15", "2026-11-23T09:00"),
        # The night the clocks go forward is an hour shorter; nine is still nine.
        ("Europe/Berlin", "2026-03-28T23:00", "2026-03-29T09:00"),
    ],
)
def test_quiet_hours_are_those_of_the_customers_own_clock(zone: str, clock: str, ends: str | None) -> None:
    now = datetime.fromisoformat(clock).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    end = datetime.fromisoformat(ends).replace(tzinfo=ZoneInfo(zone)) if ends else None
    assert quiet_until(now, zone=zone, quiet=QUIET) == end
    start = may_start("notices", purposes=BOTH, sent=[], now=now, zone=zone, caps=CAPS, quiet=QUIET)
    assert (start.at, start.why) == ((end, "quiet") if end else (now, ""))


def test_quiet_hours_may_lie_within_a_day_and_apply_to_what_the_company_names() -> None:
    noon = QuietHours.model_validate({"from": "12:00", "to": "14:00", "applies_to": ["marketing"]})
    now = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
    assert quiet_until(now, zone="UTC", quiet=noon) == now + timedelta(hours=1)
    assert quiet_until(now + timedelta(hours=1), zone="UTC", quiet=noon) is None
    assert may_start("notices", purposes=BOTH, sent=[], now=now, zone="UTC", caps=CAPS, quiet=noon).why == ""


@settings(max_examples=60, deadline=None)
@given(
    begins=st.times(),
    ends=st.times(),
    now=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from([MOSCOW, "Asia/Kamchatka", "America/New_York", "UTC"]),
)
def test_what_waits_for_the_end_of_the_quiet_hours_waits_less_than_a_day_and_once(
    begins: time, ends: time, now: datetime, zone: str
) -> None:
    quiet = QuietHours(**{"from": begins, "to": ends})
    until = quiet_until(now, zone=zone, quiet=quiet)
    if until is not None:
        assert now < until <= now + timedelta(hours=25)
        assert until.astimezone(ZoneInfo(zone)).time() == ends or until.astimezone(ZoneInfo(zone)).fold
