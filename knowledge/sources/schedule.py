"""When a source is to be imported again. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from knowledge.errors import Unreadable
from knowledge.imports.report import ImportReport
from knowledge.sources.port import Outcome, Schedule

LEAST = timedelta(minutes=15)
MOST = timedelta(days=30)
_EVERY = re.compile(r"(\d{1,4})\s*(m|h|d)")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def every_of(words: str) -> timedelta:
    """Read `90m`, `6h`, `2d`; from 15 minutes to 30 days. Raises `Unreadable`."""
    found = _EVERY.fullmatch(words.strip().lower())
    every = int(found.group(1)) * _UNITS[found.group(2)] if found else timedelta()
    if not LEAST <= every <= MOST:
        raise Unreadable(
            f"{words!r} is not a period.", remedy="Write 30m, 6h or 2d: from 15 minutes to 30 days."
        )
    return every


def due(schedules: Sequence[Schedule], *, now: datetime) -> list[Schedule]:
    """Return those whose time has come, the longest waiting first; one never tried is due at once."""
    waiting = [
        one for one in schedules if not one.paused and (one.last is None or one.last + one.every <= now)
    ]
    return sorted(waiting, key=lambda one: (one.last is not None, one.last or now, one.source))


def outcome_of(report: ImportReport) -> Outcome:
    """Return an account of a report for the list of sources."""
    why = next((row.why for row in report.rows if row.result == "skipped"), "")
    return Outcome(**report.counts, why=why)
