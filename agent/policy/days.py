"""How people write a day: the ways in which an ISO date may stand in a message, Russian and English. Pure."""

import tomllib
from datetime import date
from functools import cache

from agent.cues import TEXTS
from tools.context import Language


def spoken_day(iso: str) -> tuple[str, ...]:
    """Return the ways to write a day, lower-case. Raises `ValueError` for text that is no ISO date."""
    day = date.fromisoformat(iso)
    ways = [iso, f"{day.day}.{day.month:02d}", f"{day.day:02d}.{day.month:02d}", f"{day.month}/{day.day}"]
    ways += [
        f"{day.day:02d}.{day.month:02d}.{day.year}",
        f"{day.month:02d}/{day.day:02d}",
        f"{day.month:02d}/{day.day:02d}/{day.year}",
    ]
    for language in ("ru", "en"):
        for month in _months(language)[day.month - 1].split("|"):
            ways += [
                f"{day.day} {month}",
                f"{day.day}th {month}",
                f"{month} {day.day}",
                f"{month} {day.day:02d}",
            ]
    return tuple(dict.fromkeys(ways))


@cache
def _months(language: Language) -> tuple[str, ...]:
    raw = tomllib.loads((TEXTS / f"confirmed.{language}.toml").read_text(encoding="utf-8"))
    return tuple(raw["words"]["months"])
