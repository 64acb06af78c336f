"""Where a customer's own words stand inside other people's JSON, and JSON without them. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from agent.privacy.hiding import hidden

GONE = "…"
"""What stands where words were."""
LONG = 20
"""Letters from which words are recognised inside a longer text; shorter ones must be all of it."""


def told(words: Collection[str]) -> frozenset[str]:
    """Return the words as they may be quoted: as written, and as curators read them, masked."""
    return frozenset(
        " ".join(each.split()) for word in words for each in (word, hidden(word)) if word.strip()
    )


def quotes(value: Any, words: Collection[str]) -> bool:
    """Tell whether any text inside a JSON value quotes one of the words (as `told` returns them)."""
    return bool(value != unquoted(value, words))


def unquoted(value: Any, words: Collection[str]) -> Any:
    """Return a JSON value without the words."""
    match value:
        case str():
            return _text(value, words)
        case Mapping():
            return {name: unquoted(each, words) for name, each in value.items()}
        case list() | tuple():
            return [unquoted(each, words) for each in value]
        case _:
            return value


def _text(text: str, words: Collection[str]) -> str:
    plain = " ".join(text.split())
    if plain in words:
        return GONE
    rest = plain
    # The longest first: one message may be a part of another.
    for word in sorted((one for one in words if len(one) >= LONG), key=len, reverse=True):
        rest = rest.replace(word, GONE)
    return text if rest == plain else rest
