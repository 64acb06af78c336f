"""A set of sentences with personal data, made from templates: the same sentences on every machine.

"Позвоните {phone}, заказ {=order}"  ─►  text, gold spans [phone], spans that must stay [order]
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from evals.pii.values import Values

TEMPLATES = Path(__file__).with_name("sentences.toml")
SEED = 2026
EACH = {"ru": 16, "en": 16}
"""Sentences made of every template."""
_SLOT = re.compile(r"\{(?P<stays>=)?(?P<kind>\w+)(?::(?P<case>\w+))?\}")
KINDS = {
    "name_small": "name",
    "surname_small": "name",
    "passport_en": "passport",
    "address_en": "address",
    "birth": "birth_date",
    "birth_en": "birth_date",
}
"""What a slot's value is, where the slot is called otherwise."""
SLIPS = 0.12
"""Share of sentences with a slip in their ordinary words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Characters `start` to `end` of a text that hold something of a kind."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One text, what in it is personal data, and what must be left alone."""

    id: str
    text: str
    language: str
    gold: tuple[Place, ...]
    stays: tuple[Place, ...] = ()


def sentences(seed: int = SEED) -> tuple[Sentence, ...]:
    """Return the set, in the order of its templates."""
    known: Mapping[str, Any] = tomllib.loads(TEMPLATES.read_text("utf-8"))
    values, random = Values(seed), Random(seed)
    return tuple(
        _filled(template, values, random, id=f"{language}-{n:02d}-{m:02d}", language=language)
        for language, each in EACH.items()
        for n, template in enumerate(known[language])
        for m in range(each)
    )


def _filled(template: str, values: Values, random: Random, *, id: str, language: str) -> Sentence:
    slips = random.random() < SLIPS
    text, at = "", 0
    gold: list[Place] = []
    stays: list[Place] = []
    for found in _SLOT.finditer(template):
        plain = template[at : found.start()]
        text += _slipped(plain, random) if slips else plain
        value = values.make(found["kind"], language=language, case=found["case"] or "")
        kind = KINDS.get(found["kind"], found["kind"])
        place = Place(kind=kind, start=len(text), end=len(text) + len(value))
        (stays if found["stays"] else gold).append(place)
        text, at = text + value, found.end()
    text += template[at:]
    return Sentence(id=id, text=text, language=language, gold=tuple(gold), stays=tuple(stays))


def _slipped(words: str, random: Random) -> str:
    """Return words with two letters of a longer one changed over, or one of them left out."""
    long = [found for found in re.finditer(r"[^\W\d_]{6,}", words)]
    if not long:
        return words
    word = random.choice(long)
    at = random.randrange(word.start() + 2, word.end() - 2)
    if random.random() < 0.5:
        return words[:at] + words[at + 1 :]
    return words[:at] + words[at + 1] + words[at] + words[at + 2 :]
