"""What is known of words, read once from `words.toml`. Pure."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("words.toml")


@cache
def table(name: str) -> Mapping[str, Any]:
    """Return one table of the file."""
    found: Mapping[str, Any] = _whole()[name]
    return found


@cache
def pattern(name: str, key: str) -> re.Pattern[str]:
    """Return one expression of a table; matched without regard to case."""
    return re.compile(table(name)[key], re.IGNORECASE)


@cache
def patterns(name: str) -> tuple[re.Pattern[str], ...]:
    """Return the list of expressions under `name`, each without regard to case."""
    return tuple(re.compile(line, re.IGNORECASE) for line in _whole()[name])


@cache
def words(name: str, key: str) -> frozenset[str]:
    """Return a list of words of a table."""
    return frozenset(table(name)[key])


@cache
def doubtful() -> frozenset[str]:
    """Names that are also things, in their first form."""
    return frozenset(_whole()["doubtful"])


@cache
def surname_ends() -> re.Pattern[str]:
    """How surnames end that no dictionary has."""
    return re.compile(_whole()["surnames"])


@cache
def _whole() -> Mapping[str, Any]:
    return tomllib.loads(FILE.read_text("utf-8"))
