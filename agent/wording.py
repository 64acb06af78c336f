"""How questions are worded: the forms they open with, and where one request ends and the next begins. Pure.

The forms are data: `[reading]` of `texts/extractive.{ru,en}.toml`. Both languages are always read, because
customers mix them.
"""

import re
from functools import lru_cache
from itertools import pairwise
from typing import get_args

from agent.language import content, stem, words
from agent.likeness import lexicon
from tools.context import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)

_COMMA = re.compile(r"[,;:—–]\s+")


def opens_with(text: str, name: str, *, strip: bool = True) -> bool:
    """Tell whether the text begins with one of the forms, polite openings aside."""
    said = " ".join(words(text)) + " "
    wanted = forms(name)
    openings = forms("openings") if strip else ()
    while not said.startswith(wanted):
        opening = next((o for o in openings if said.startswith(o)), None)
        if opening is None:
            return False
        said = said[len(opening) :]
    return True


def asks(text: str) -> bool:
    """Tell whether the text begins as a question or a request does."""
    return opens_with(text, "asks") or any(
        re.match(lexicon(lang)["reading"]["request"], " ".join(words(text))) for lang in LANGUAGES
    )


def has_word(text: str, name: str) -> bool:
    """Tell whether one of the forms stands anywhere in the text."""
    said = f" {' '.join(words(text))} "
    return any(f" {form}" in said for form in forms(name))


def names_by_number(text: str) -> bool:
    """Tell whether the text names a thing by a number, whatever tools say their numbers look like."""
    return _numbered().search(text) is not None


def split_requests(sentence: str) -> list[str]:
    """Split where a joining word or a comma is followed by the beginning of another question or request."""
    pieces = [sentence]
    for where in (_joins(), _COMMA):
        pieces = [piece for whole in pieces for piece in _cut(whole, where)]
    return pieces


def _cut(text: str, where: re.Pattern[str]) -> list[str]:
    for match in where.finditer(text):
        left, right = text[: match.start()], text[match.end() :]
        if content(left) and content(right) and asks(right):
            return [left.strip(" ,"), *_cut(right, where)]
    return [text]


def before_a_request(text: str) -> str:
    """Return the text up to a comma after which a request begins."""
    return _cut(text, _COMMA)[0]


@lru_cache(maxsize=32)
def forms(name: str) -> tuple[str, ...]:
    """Return the forms of that name in both languages, longest first, each with a space after it."""
    found = {" ".join(words(form)) + " " for lang in LANGUAGES for form in lexicon(lang)["reading"][name]}
    return tuple(sorted(found, key=len, reverse=True))


@lru_cache(maxsize=1)
def _numbered() -> re.Pattern[str]:
    found = (form for lang in LANGUAGES for form in lexicon(lang)["reading"]["numbered"])
    return re.compile("|".join(found), re.IGNORECASE)


@lru_cache(maxsize=1)
def _joins() -> re.Pattern[str]:
    joined = sorted(
        (j for lang in LANGUAGES for j in lexicon(lang)["reading"]["joins"]), key=len, reverse=True
    )
    return re.compile(rf"(?:,?\s+)(?:{'|'.join(map(re.escape, joined))})\s+", re.IGNORECASE)


@lru_cache(maxsize=8192)
def denied(text: str) -> frozenset[str]:
    """Return the stems that stand right after a negation."""
    said = words(text)
    return frozenset(stem(after) for before, after in pairwise(said) if f"{before} " in forms("negations"))
