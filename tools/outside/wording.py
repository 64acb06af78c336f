"""The words of one plugged-in tool: the pack's where it has any, the house's otherwise. Checked before anybody asks."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tools.context import Language
from tools.outside.assignment import Assigned, Unusable
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
    more: Mapping[Language, Mapping[str, object]] = MappingProxyType({}),
    shown: Collection[str] = (),
    told: Collection[str] = (),
) -> Phrases:
    """Return the texts of the tool called `name`. Raises `Unusable` for texts that could fail a customer.

    `arguments` are the schemas of what the model fills, `needed` the names of those that are always there,
    `more` further texts by whole key, `shown` what else a question may show as text, `told` what else is known
    once it is done.
    """
    defaults = Phrases(FOLDER)
    texts: dict[Language, dict[str, object]] = {}
    for language in LANGUAGES:
        own = {"done": assigned.done, "already_done": {}, "unknown": assigned.unknown}
        texts[language] = {
            f"status.{name}": assigned.status.get(language) or defaults.say("tool.status", language),
            f"cues.{name}": assigned.cues.get(language, ()),
            f"unreached.{name}": assigned.unreached.get(language)
            or defaults.say(f"unreached.{assigned.effect}", language),
            **{
                f"slots.{argument}": assigned.slots.get(argument, {}).get(language, ())
                for argument in arguments
            },
            **more.get(language, {}),
            **{
                f"effect.{name}.{state}": words.get(language) or defaults.say(f"tool.{state}", language)
                for state, words in own.items()
            },
        }
        if assigned.say:
            texts[language][f"say.{name}"] = assigned.say[language]
        if assigned.confirm:
            texts[language][f"confirm.{name}"] = assigned.confirm[language]
    try:
        phrases = Phrases(FOLDER, currency=currency, timezone=timezone, more=texts)
    except PhraseFault as fault:
        raise Unusable(str(fault), where=(), remedy=fault.remedy) from fault
    _check_slots(assigned, arguments)
    _check_unreached(phrases, name)
    if assigned.effect == "write":
        _check_confirmation(phrases, name, arguments, needed=needed, shown=shown, told=told)
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


def check_places(
    phrases: Phrases, keys: Iterable[str], *, known: Collection[str], where: tuple[str, ...]
) -> None:
    """Hold the texts that tell a result against the fields it has. Raises `Unusable`."""
    for key in keys:
        for language in LANGUAGES:
            if not phrases.has(key, language):
                raise Unusable(
                    f"“{language}” has fewer sentences than the other language",
                    where=where,
                    remedy="Give as many in both, the same facts in each.",
                )
            for place in phrases.placeholders(key, language):
                if place.name not in known:
                    raise Unusable(
                        f"{{{place.name}}} is none of the fields",
                        where=where,
                        remedy=f"There are: {', '.join(sorted(known))}.",
                    )


def _check_unreached(phrases: Phrases, name: str) -> None:
    for language in LANGUAGES:
        places = phrases.placeholders(f"unreached.{name}", language)
        if places:
            raise Unusable(
                f"{{{places[0].name}}} cannot be said of a server that is silent",
                where=("unreached",),
                remedy="Write it without placeholders: “see where the parcel is”.",
            )


def _check_confirmation(
    phrases: Phrases,
    name: str,
    arguments: Mapping[str, Mapping[str, Any]],
    *,
    needed: frozenset[str],
    shown: Collection[str],
    told: Collection[str],
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
        asked += phrases.placeholders(f"effect.{name}.unknown", language)
        done = [
            place
            for state in ("done", "already_done")
            for place in phrases.placeholders(f"effect.{name}.{state}", language)
        ]
        for places, others in ((asked, {*shown}), (done, {*shown, *told})):
            for place in places:
                if place.name not in others or place.kind != "text":
                    _check_place(place, arguments, needed=needed, others=others)


def _check_place(
    place: Place,
    arguments: Mapping[str, Mapping[str, Any]],
    *,
    needed: frozenset[str],
    others: Collection[str],
) -> None:
    schema = arguments.get(place.name)
    if schema is None and place.name not in others:
        raise Unusable(
            f"{{{place.name}}} is no argument the model fills",
            where=("confirm",),
            remedy=f"There are: {', '.join(sorted({*arguments, *others})) or 'none'}.",
        )
    schema = schema or {}
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
