"""The words of one plugged-in tool: the pack's where it has any, the house's otherwise. Checked before anybody asks."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.context import Language
from tools.mcp.plug import Assigned, Unusable
from tools.phrases import LANGUAGES, PhraseFault, Phrases, Place

FOLDER = Path(__file__).with_name("texts")
ABSENT = "–"
"""Stands in a confirmation for an argument that was left out."""
NUMBERS = frozenset({"number", "money", "plural", "word"})
"""Kinds of placeholders that show a number."""


def phrases_of(
    name: str,
    assigned: Assigned,
    arguments: Mapping[str, Mapping[str, Any]],
    *,
    needed: frozenset[str],
    currency: str,
    timezone: str,
) -> Phrases:
    """Return the texts of the tool called `name`. Raises `Unusable` for texts that could fail a customer.

    `arguments` are the schemas of what the model fills, `needed` the names of those that are always there.
    """
    defaults = Phrases(FOLDER)
    more: dict[Language, dict[str, object]] = {}
    for language in LANGUAGES:
        own = {"done": assigned.done, "already_done": {}, "unknown": assigned.unknown}
        more[language] = {
            f"status.{name}": assigned.status.get(language) or defaults.say("tool.status", language),
            f"cues.{name}": assigned.cues.get(language, ()),
            **{
                f"slots.{argument}": assigned.slots.get(argument, {}).get(language, ())
                for argument in arguments
            },
            **{
                f"effect.{name}.{state}": words.get(language) or defaults.say(f"tool.{state}", language)
                for state, words in own.items()
            },
        }
        if assigned.say:
            more[language][f"say.{name}"] = assigned.say[language]
        if assigned.confirm:
            more[language][f"confirm.{name}"] = assigned.confirm[language]
    try:
        phrases = Phrases(FOLDER, currency=currency, timezone=timezone, more=more)
    except PhraseFault as fault:
        raise Unusable(str(fault), where=(), remedy=fault.remedy) from fault
    _check_slots(assigned, arguments)
    if assigned.effect == "write":
        _check_confirmation(phrases, name, arguments, needed=needed)
    return phrases


def _check_slots(assigned: Assigned, arguments: Mapping[str, Mapping[str, Any]]) -> None:
    for argument, lines in assigned.slots.items():
        if argument not in arguments:
            raise Unusable(
                f"the model fills no argument “{argument}”",
                where=("slots",),
                remedy=f"It fills: {', '.join(sorted(arguments)) or 'none'}.",
            )
        for expression in (each for some in lines.values() for each in some):
            try:
                found = re.compile(expression, re.IGNORECASE).groupindex
            except re.error as broken:
                raise Unusable(
                    f"“{expression}” is no expression: {broken}", where=("slots",), remedy="Mend it."
                ) from broken
            if "value" not in found:
                raise Unusable(
                    f"“{expression}” finds nothing",
                    where=("slots",),
                    remedy="Put what is looked for into a group (?P<value>…).",
                )


def _check_confirmation(
    phrases: Phrases, name: str, arguments: Mapping[str, Mapping[str, Any]], *, needed: frozenset[str]
) -> None:
    """What the customer confirms is what will be sent: every argument is in the question, and can be shown."""
    for argument, schema in arguments.items():
        if not _can_be_shown(schema):
            raise Unusable(
                f"“{argument}” cannot be shown to the customer who confirms it",
                where=(),
                remedy="Put it under `fixed` or `hide`: only texts, numbers and lists of them are confirmed.",
            )
    for language in LANGUAGES:
        asked = phrases.placeholders(f"confirm.{name}", language)
        for argument in sorted(arguments.keys() - {place.name for place in asked}):
            raise Unusable(
                f"the question in “{language}” does not show the argument “{argument}”",
                where=("confirm",),
                remedy=f"Write {{{argument}}} into it, or put the argument under `fixed` or `hide`.",
            )
        for state in ("done", "already_done", "unknown"):
            asked += phrases.placeholders(f"effect.{name}.{state}", language)
        for place in asked:
            _check_place(place, arguments, needed=needed)


def _check_place(place: Place, arguments: Mapping[str, Mapping[str, Any]], *, needed: frozenset[str]) -> None:
    schema = arguments.get(place.name)
    if schema is None:
        raise Unusable(
            f"{{{place.name}}} is no argument the model fills",
            where=("confirm",),
            remedy=f"There are: {', '.join(sorted(arguments)) or 'none'}.",
        )
    numeric = schema.get("type") in ("integer", "number") and place.name in needed
    if place.kind != "text" and not (numeric and place.kind in NUMBERS):
        raise Unusable(
            f"{{{place.name}:{place.kind}}} cannot always be shown",
            where=("confirm",),
            remedy=f"Write {{{place.name}}}.",
        )


def _can_be_shown(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items") or {}
        return items.get("type") in ("string", "integer", "number")
    return kind in ("string", "integer", "number")
