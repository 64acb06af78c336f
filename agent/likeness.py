"""How close two stems are: the same, of one root, related in customers' speech, or one slip apart; pure."""

import tomllib
from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from typing import Any

from agent.cues import TEXTS
from agent.language import stem
from tools.context import Language

SAME_ROOT = 0.8
RELATED = 0.7
SLIP = 0.75
ROOT = 5
"""Letters two stems must share at their start to be of one root; shorter beginnings agree by chance."""
LENGTH_WITH_SLIP = 5


@cache
def lexicon(language: Language) -> Mapping[str, Any]:
    """Return the words questions are read with (`texts/extractive.<language>.toml`)."""
    return tomllib.loads((TEXTS / f"extractive.{language}.toml").read_text(encoding="utf-8"))


@cache
def _related() -> Mapping[str, frozenset[int]]:
    """Return for each stem the numbers of the groups of related words it belongs to."""
    found: dict[str, set[int]] = {}
    groups = [g for language in ("ru", "en") for g in lexicon(language)["related"]["groups"]]
    for n, group in enumerate(groups):
        for member in group:
            if " " not in member:
                found.setdefault(stem(member.replace("ё", "е")), set()).add(n)
    return {word: frozenset(numbers) for word, numbers in found.items()}


@lru_cache(maxsize=100_000)
def alike(a: str, b: str) -> float:
    """Return how close two stems are, 0..1; numbers and codes are the same or not."""
    if a == b:
        return 1.0
    if any(mark.isdigit() for mark in a + b):
        return 0.0
    if _same_root(a, b):
        return SAME_ROOT
    if _related().get(a, frozenset()) & _related().get(b, frozenset()):
        return RELATED
    return SLIP if _one_slip(a, b) else 0.0


def nearest(a: str, others: Collection[str]) -> float:
    """Return how close `a` is to the closest of `others`."""
    if a in others:
        return 1.0
    return max((alike(a, other) for other in others), default=0.0)


def _same_root(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    shared = next((i for i, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short))
    return shared >= ROOT and shared >= len(short) - 1 and shared >= 0.6 * len(long)


def _one_slip(a: str, b: str) -> bool:
    """Tell whether the words differ by one letter changed, left out, added, or exchanged with its neighbour."""
    if abs(len(a) - len(b)) > 1 or min(len(a), len(b)) < LENGTH_WITH_SLIP:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    rest_a, rest_b = a[start:], b[start:]
    if rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:]:
        return True
    return rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:]
