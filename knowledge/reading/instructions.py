"""Finds words that speak to a model, and characters nobody can see. Pure: it flags, a curator decides."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from knowledge.reading.findings import QUOTE, Findings

_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\u180e\ufeff"
_BIDI = "\u202a-\u202e\u2066-\u2069"
_TAGS = "\U000e0000-\U000e007f"
_UNSEEN = re.compile(f"[{_ZERO_WIDTH}{_BIDI}{_TAGS}]")
_TAGGED = re.compile(f"(?<![\U0001f3f4{_TAGS}])[{_TAGS}]+")
_JOINED = re.compile("(?<=[^\\W_])\u200d(?=[^\\W_])|(?<![^\x00-\u2100])\u200d|\u200d(?![^\x00-\u2100])")
_TURNED = re.compile("[\u202d\u202e]")
_MANY = 8
_AROUND = 40


@dataclass(frozen=True, slots=True)
class _Pattern:
    needs: tuple[str, ...]
    sense: re.Pattern[str]


@lru_cache
def _patterns() -> tuple[_Pattern, ...]:
    rows = tomllib.loads(Path(__file__).with_name("instructions.toml").read_text("utf-8"))["pattern"]
    return tuple(
        _Pattern(
            tuple(row["needs"]),
            re.compile(_spaced(str(row["is"])), re.IGNORECASE | re.MULTILINE),
        )
        for row in rows
    )


def _spaced(pattern: str) -> str:
    """Let every space outside a set stand for any white space."""
    return re.sub(r"(\[[^\]]*\])| (?![?{*+])", lambda found: found.group(1) or r"\s+", pattern)


def instructions_in(text: str) -> Iterator[tuple[int, str]]:
    """Give the place and the words around each instruction to a model."""
    lower = text.lower()
    needed = (one.sense for one in _patterns() if any(need in lower for need in one.needs))
    for found in (found for sense in needed for found in sense.finditer(text)):
        start = text.rfind("\n", max(0, found.start() - _AROUND), found.start()) + 1
        start = start or max(0, found.start() - _AROUND)
        end = text.find("\n", found.end(), found.end() + QUOTE // 2)
        yield found.start(), text[start : end if end >= 0 else found.end() + QUOTE // 2]


def look_over(text: str, *, findings: Findings) -> None:
    """Flag instructions in the words that stay and in those that were hidden."""
    paged = "\f" in text
    for at, quote in instructions_in(text):
        line = f"line {text.count(chr(10), 0, at) + 1}"
        where = f"page {text.count(chr(12), 0, at) + 1}" if paged else line
        findings.flag("instruction", quote, where=where)
    for words, where in findings.hidden:
        for _, quote in instructions_in(words):
            findings.flag("hidden_instruction", quote, where=where)


def without_unseen(text: str, *, findings: Findings) -> str:
    """Drop characters without a shape; smuggled letters, turned text and many of them are flagged."""
    if not _UNSEEN.search(text):
        return text
    for found in _TAGGED.finditer(text):
        letters = "".join(
            chr(ord(one) - 0xE0000) for one in found.group() if 0x20 <= ord(one) - 0xE0000 < 0x7F
        )
        if letters:
            findings.hide(letters, where="invisible characters", loud=False)
            findings.flag("invisible", letters, where="invisible characters")
    if turned := _TURNED.search(text):
        findings.flag(
            "invisible", text[max(0, turned.start() - _AROUND) : turned.end() + _AROUND], where="turned text"
        )
    count = sum(text.count(one) for one in _ZERO_WIDTH if one not in "\u200c\u200d\ufeff")
    if count >= _MANY:
        findings.flag("invisible", f"{count} characters without a shape", where="zero-width characters")
    text = _TAGGED.sub("", _JOINED.sub("", text))
    return re.sub(f"[\u200b\u2060-\u2064\u180e\ufeff{_BIDI}]", "", text)
