"""Where a text names or reaches a person: every recogniser asked, and one list of places that do not overlap."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from agent.privacy.folding import Folded, fold
from agent.privacy.latin import heard_of, latin_names
from agent.privacy.numbers import numbers
from agent.privacy.places import places
from agent.privacy.reaches import reaches
from agent.privacy.reader import Reader
from agent.privacy.reread import Finder, Reread
from agent.privacy.russian import reading, russian_names, surely_none
from agent.privacy.spans import ASKED_FOR, Kind, Span, settled

_WORD = re.compile(r"[а-яё]+|[a-z\u00df-\u024f]+")


class NameReader(Protocol):
    """Reads names by what stands around them."""

    def names(self, text: str) -> Iterator[Span]:
        """Yield the people a text names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """Finds personal data. `also` are kinds that count only where a company says so, `never` words that are no names there.

    `reader` may be left out for speed.
    """

    also: frozenset[Kind] = frozenset()
    never: frozenset[str] = frozenset()
    reader: NameReader | None = None
    latin: bool = True
    """Whether names in Latin letters are looked for: in lines of programs every other capital would be one."""

    def find(self, text: str) -> tuple[Span, ...]:
        """Return the personal data of a text, in its order, nothing twice."""
        folded = fold(text)
        names = tuple(
            span for span in _whole(folded.text, self._names(folded.text)) if self._named(folded.text, span)
        )
        where = (_without(span, names, folded.text) for span in places(folded.text))
        surely = (*numbers(folded.text), *reaches(folded.text), *where)
        kept = [span for span in surely if span.kind not in ASKED_FOR - self.also]
        return settled(_placed(folded, [*kept, *names]))

    def _named(self, text: str, span: Span) -> bool:
        words = _WORD.findall(text[span.start : span.end].lower())
        return not self.never or not all(self.never & (reading(word).forms | {word}) for word in words)

    def _names(self, text: str) -> Iterator[Span]:
        yield from russian_names(text)
        if self.latin:
            # In a Russian text Latin words are brands more often than people.
            known = not _has_russian(text)
            yield from (span for span in latin_names(text) if known or heard_of(text[span.start : span.end]))
        if self.reader is not None and _has_russian(text):
            yield from (span for span in self.reader.names(text) if _believed(text, span))


@cache
def quick(also: frozenset[Kind] = frozenset()) -> Detector:
    """The detector without the neural reader: a dictionary and patterns, for what is written down all the time."""
    return Detector(also=also)


@cache
def of_programs() -> Detector:
    """The quick detector for what programs write: lines of logs, traces, addresses of pages."""
    return Detector(latin=False)


@cache
def thorough(also: frozenset[Kind] = frozenset(), never: frozenset[str] = frozenset()) -> Finder:
    """The detector with all it has, reading nothing twice; its reader is loaded by the first text and shared."""
    return Reread(Detector(also=also, never=never, reader=_reader()))


@cache
def _reader() -> Reader:
    return Reader()


def _has_russian(text: str) -> bool:
    return any("А" <= letter <= "я" for letter in text)


def _believed(text: str, span: Span) -> bool:
    """Whether what the reader took for a name may be one: it was taught on news, where messages begin otherwise.

    A single word that the dictionary knows as something else is none; an unknown one that opens a message is a slip.
    """
    name = text[span.start : span.end]
    return not surely_none(name) and (span.start > 0 or " " in name or not reading(name.lower()).unknown)


def _without(span: Span, names: Sequence[Span], text: str) -> Span:
    """Return an address without the name before it that a comma alone divides from its town."""
    for name in names:
        if name.start < span.start < name.end < span.end:
            start = next((n for n in range(name.end, span.end) if text[n].isalnum()), span.start)
            return Span(kind=span.kind, start=start, end=span.end)
    return span


def _whole(text: str, names: Iterable[Span]) -> Iterator[Span]:
    """Yield names, those that overlap or stand beside each other as one."""
    last: Span | None = None
    for span in sorted(names, key=lambda span: span.start):
        if last is not None and (span.start <= last.end or text[last.end : span.start] == " "):
            last = Span(kind="name", start=last.start, end=max(last.end, span.end))
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def _placed(folded: Folded, spans: Sequence[Span]) -> Iterator[Span]:
    for span in spans:
        start, end = folded.place(span.start, span.end)
        yield Span(kind=span.kind, start=start, end=end)
