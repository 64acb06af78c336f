"""Putting a conversation aside until a moment: the moments that are offered, and reading one that was typed. Pure."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from agent.errors import AgentFault

Preset = Literal["hour", "tomorrow", "monday"]
PRESETS: tuple[Preset, ...] = get_args(Preset)
MORNING = time(9, 0)
FURTHEST = timedelta(days=60)
"""Past it a conversation is forgotten rather than put aside."""
SUNDAY = 6


class BadMoment(AgentFault):
    """The moment cannot be read, has passed, or is too far away."""

    code = "bad_moment"


def moments(now: datetime, *, zone: ZoneInfo) -> Mapping[Preset, datetime]:
    """Return the moments that are offered; on a Sunday tomorrow is Monday, and stands there once."""
    local = now.astimezone(zone)

    def morning(days: int) -> datetime:
        return datetime.combine(local.date() + timedelta(days=days), MORNING, tzinfo=zone)

    found: dict[Preset, datetime] = {"hour": local + timedelta(hours=1), "tomorrow": morning(1)}
    if local.weekday() != SUNDAY:
        found["monday"] = morning(7 - local.weekday())
    return found


def moment_of(chosen: str, typed: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment of a preset, or the one that was typed as 2026-12-01T09:30 in the company's zone.

    Raises `BadMoment`.
    """
    offered = moments(now, zone=zone)
    for preset in PRESETS:
        if chosen == preset and preset in offered:
            return offered[preset]
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError as wrong:
        raise _bad("cannot be read") from wrong
    moment = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    if not now < moment <= now + FURTHEST:
        raise _bad("has passed or is too far away")
    return moment


def _bad(what: str) -> BadMoment:
    return BadMoment(f"The moment {what}.", remedy=f"Choose one within the next {FURTHEST.days} days.")
