"""What a server answered, made evidence: sentences and facts of bounded size, one visible line each.

Nothing in it is trusted: it is data under the role of a tool, whatever it says of itself.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tools.answer import MAX_CHARS, MAX_ENTRIES, MAX_SENTENCES, Answer
from tools.context import Language
from tools.outside.said import Said
from tools.outside.shape import one_line
from tools.phrases import PhraseFault, Phrases

DEEPEST = 4
MOST_FACTS = 120
"""Values in the facts of one result, all levels together."""
NAME_CHARS = 64
READ_CHARS = 200_000
"""Characters of a text that are looked at; the rest is not read at all."""


def answer_of(said: Said, *, name: str, phrases: Phrases, language: Language) -> Answer:
    """Return a read's result as evidence: in the pack's words where these can be filled, else in the server's."""
    texts, data = _unwrapped(said)
    facts = bounded(data or {})
    sentences = (
        _worded(name, data, phrases=phrases, language=language)
        or _fields(facts, phrases=phrases, language=language)
        or _lines(texts)
        or (phrases.say("result.none", language),)
    )
    return Answer(kind="text", sentences=sentences[:MAX_SENTENCES], facts=facts)


def bounded(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data cut to `MOST_FACTS` values and `DEEPEST` levels; texts to one line each."""
    left = [MOST_FACTS]

    def cut(value: object, depth: int) -> object:
        if left[0] <= 0:
            return None
        if isinstance(value, Mapping):
            if depth >= DEEPEST:
                return None
            found = {}
            for key, item in list(value.items())[: 2 * MAX_ENTRIES]:
                kept = cut(item, depth + 1)
                if kept is not None:
                    found[one_line(key, most=NAME_CHARS)] = kept
            return found
        if isinstance(value, list | tuple):
            if depth >= DEEPEST:
                return None
            return [kept for item in value[:MAX_ENTRIES] if (kept := cut(item, depth + 1)) is not None]
        left[0] -= 1
        return value if isinstance(value, bool | int | float) else one_line(value, most=MAX_CHARS)

    kept = cut({name: value for name, value in data.items() if value is not None}, 0)
    return kept if isinstance(kept, dict) else {}


def _worded(
    name: str, data: Mapping[str, Any] | None, *, phrases: Phrases, language: Language
) -> tuple[str, ...]:
    if data is None or not phrases.has(f"say.{name}", language):
        return ()
    try:
        return (phrases.say(f"say.{name}", language, **_scalars(data)),)
    except PhraseFault:
        # The server left a field out, or gives it another form: its own words are better than none.
        return ()


def _scalars(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: one_line(value, most=MAX_CHARS) if isinstance(value, str) else value
        for name, value in data.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool) and name.isidentifier()
    }


def _lines(texts: tuple[str, ...]) -> tuple[str, ...]:
    lines = (one_line(line, most=MAX_CHARS) for text in texts for line in text.splitlines())
    return tuple(line for line, _ in zip(filter(None, lines), range(MAX_SENTENCES), strict=False))


def _fields(facts: Mapping[str, Any], *, phrases: Phrases, language: Language) -> tuple[str, ...]:
    rows = (
        phrases.say("result.field", language, name=name.replace("_", " "), value=value)
        for name, value in _leaves(facts)
    )
    return tuple(line[:MAX_CHARS] for line, _ in zip(rows, range(MAX_SENTENCES), strict=False))


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{name} {key}".strip())
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    elif value not in (None, ""):
        yield name or "–", value


def _unwrapped(said: Said) -> tuple[tuple[str, ...], Mapping[str, Any] | None]:
    """Return texts and data; a text that a server wraps into an object, or the reverse, as what it is."""
    data = said.data if said.data is not None else _object(said.text)
    if data is not None and data.keys() == {"result"}:
        inner = data["result"]
        if isinstance(inner, Mapping):
            data = inner
        elif isinstance(inner, str):
            return (inner[:READ_CHARS],), None
    return tuple(text[:READ_CHARS] for text in said.text), data


def _object(texts: tuple[str, ...]) -> Mapping[str, Any] | None:
    """Return the object that a server without structured results writes out as text."""
    if len(texts) != 1 or len(texts[0]) > READ_CHARS or not texts[0].lstrip().startswith("{"):
        return None
    try:
        found = json.loads(texts[0])
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
