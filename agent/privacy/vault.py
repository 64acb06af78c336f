"""Personal data behind placeholders, and back again: one vault a conversation, and only what it holds comes back.

```
"это Анна Петрова, тел. 8 916 123-45-67"   ─mask─►   "это [NAME_1], тел. [PHONE_1]"
"передайте Анне Петровой"                  ─mask─►   "передайте [NAME_1]"            the same person, another case
"[NAME_1], ваш заказ в пути. [NAME_7]"     ─open─►   "Анна Петрова, ваш заказ в пути. [NAME_7]"
```
A placeholder that somebody writes is masked like any text, so that nobody asks for another's value by its name. The vault
lives in memory as long as the turn that fills it; it is never written down, and shows nothing of itself.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.privacy.folding import fold
from agent.privacy.reread import Finder
from agent.privacy.russian import reading
from agent.privacy.spans import KINDS

_LITERAL = "text"
_NAMES = "|".join((*(kind.upper() for kind in KINDS), _LITERAL.upper()))
PLACEHOLDER = re.compile(rf"\[(?P<kind>{_NAMES})_(?P<number>\d{{1,5}})\]")
"""A placeholder as it is given out."""
_WORD = re.compile(r"[^\W\d_]+")
_RUSSIAN = re.compile(r"[а-яё]+")
_OPENING = re.compile(r"\[[A-Z_]{0,16}\d{0,5}$")


Known = tuple[frozenset[str], ...]
"""By what a value is known again: for each of its words the forms it may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A text with placeholders, and the values they stand for in it, in order."""

    text: str
    values: tuple[str, ...] = field(repr=False)

    def restored(self) -> str:
        """Return the text as it was, each value in the form it had there."""
        values = iter(self.values)
        return PLACEHOLDER.sub(lambda _: next(values), self.text)


@dataclass(slots=True)  # mutable: learns who else is the same person
class _Entry:
    """One thing or person: its placeholder, the form it was first met in, and by what it is known again."""

    placeholder: str
    value: str = field(repr=False)
    known: Known = field(repr=False)


class Vault:
    """What one conversation's placeholders stand for, numbered in the order in which they are met."""

    def __init__(self, detector: Finder) -> None:
        self._detector = detector
        self._entries: dict[str, list[_Entry]] = {}

    def __repr__(self) -> str:
        return f"Vault({sum(map(len, self._entries.values()))} values)"

    def counts(self) -> dict[str, int]:
        """Return how many different values stand behind placeholders, by kind."""
        return {kind: len(found) for kind, found in self._entries.items() if kind != _LITERAL and found}

    def mask(self, text: str) -> Masked:
        """Return the text with placeholders for personal data, known ones again where they were met before."""
        literal = [(found.start(), found.end(), _LITERAL) for found in PLACEHOLDER.finditer(text)]
        spans = [
            (span.start, span.end, str(span.kind))
            for span in self._detector.find(text)
            if not any(span.start < end and start < span.end for start, end, _ in literal)
        ]
        out, values, last = [], [], 0
        for start, end, kind in sorted([*literal, *spans]):
            value = text[start:end]
            out += [text[last:start], self._placeholder(kind, value)]
            values.append(value)
            last = end
        return Masked(text="".join([*out, text[last:]]), values=tuple(values))

    def open(self, text: str, *, in_json: bool = False) -> str:
        """Return a model's text with the values of this vault; a placeholder it does not know stays as it is.

        `in_json`: the text is JSON, and the values become part of its strings.
        """
        known = {entry.placeholder: entry.value for entries in self._entries.values() for entry in entries}

        def value(found: re.Match[str]) -> str:
            whole = known.get(found.group())
            if whole is None:
                return found.group()
            return json.dumps(whole, ensure_ascii=False)[1:-1] if in_json else whole

        return PLACEHOLDER.sub(value, text)

    def opened(self, value: Any) -> Any:
        """Return JSON types with every text in them opened."""
        if isinstance(value, str):
            return self.open(value)
        if isinstance(value, Mapping):
            return {name: self.opened(each) for name, each in value.items()}
        return [self.opened(each) for each in value] if isinstance(value, list) else value

    def masked(self, value: Any) -> Any:
        """Return JSON types with every text in them masked."""
        if isinstance(value, str):
            return self.mask(value).text
        if isinstance(value, Mapping):
            return {name: self.masked(each) for name, each in value.items()}
        return [self.masked(each) for each in value] if isinstance(value, list | tuple) else value

    def _placeholder(self, kind: str, value: str) -> str:
        known = _known(kind, value)
        entries = self._entries.setdefault(kind, [])
        same = [entry for entry in entries if _the_same(entry.known, known)]
        if len(same) == 1:
            if len(known) > len(same[0].known):
                same[0].known = known
            return same[0].placeholder
        exact = next((entry for entry in same if entry.known == known), None)
        if exact is not None:
            return exact.placeholder
        entry = _Entry(placeholder=f"[{kind.upper()}_{len(entries) + 1}]", value=value, known=known)
        entries.append(entry)
        return entry.placeholder


@dataclass(slots=True)  # mutable: keeps the end of what came
class Opening:
    """Opens a text that comes in pieces: what may be the beginning of a placeholder waits for the next one."""

    vault: Vault
    _held: str = ""
    _json: bool | None = None

    def __call__(self, piece: str) -> str:
        """Return what of the text so far is sure, opened."""
        self._held += piece
        if self._json is None and self._held.strip():
            self._json = self._held.lstrip()[0] in "{[" and not PLACEHOLDER.match(self._held.lstrip())
        found = _OPENING.search(self._held)
        at = found.start() if found else len(self._held)
        sure, self._held = self._held[:at], self._held[at:]
        return self.vault.open(sure, in_json=bool(self._json))


def _known(kind: str, value: str) -> Known:
    """Return by what a value is known again, however it is written or declined."""
    if kind == "name":
        words = [_forms(word) for word in _WORD.findall(value.lower())]
        return tuple(words) or (frozenset((value,)),)
    folded = fold(value).text.lower()
    if kind == "phone" and (digits := re.sub(r"\D", "", folded)):
        return (frozenset((digits[-10:],)),)
    if kind in (_LITERAL, "address"):
        return (frozenset((" ".join(folded.split()),)),)
    return (frozenset((re.sub(r"\s" if kind == "email" else r"[\s.()-]", "", folded),)),)


def _forms(word: str) -> frozenset[str]:
    # The dictionary breaks on letters of scripts it has never heard of.
    return reading(word).forms if _RUSSIAN.fullmatch(word) else frozenset((word,))


def _the_same(one: Known, other: Known) -> bool:
    """Whether every word of the shorter name may be a word of the longer one."""
    few, many = sorted((one, other), key=len)
    return all(any(word & another for another in many) for word in few)
