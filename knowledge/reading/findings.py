"""What a reader noticed beside the words: things left out (`Note`) and things a curator must look at (`Flag`). Pure."""

from dataclasses import dataclass, field
from typing import Literal, get_args

NoteKind = Literal["encoding", "scan", "ocr", "picture", "macros", "columns", "hidden", "sheet"]
FlagKind = Literal["instruction", "hidden_text", "hidden_instruction", "invisible"]

QUOTE = 200
"""Characters of a quote, at most."""
MOST = 50
"""Flags kept of one document: the first ones tell the curator enough."""

_NOTES: tuple[NoteKind, ...] = get_args(NoteKind)
_FLAGS: tuple[FlagKind, ...] = get_args(FlagKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that was read otherwise than it looks, or not at all: `where` is a page or sheet, "" for the whole."""

    kind: NoteKind
    detail: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Words that may be meant for a model or were hidden from people; `quote` has at most `QUOTE` characters."""

    kind: FlagKind
    quote: str
    where: str


@dataclass(slots=True, kw_only=True)  # mutable: grows while a file is read
class Findings:
    """Collects notes and flags of one document; the same one twice counts once."""

    notes: list[Note] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)

    def note(self, kind: NoteKind, detail: str, *, where: str = "") -> None:
        """Add a note."""
        found = Note(kind=kind, detail=detail, where=where)
        if found not in self.notes and len(self.notes) < MOST:
            self.notes.append(found)

    def flag(self, kind: FlagKind, quote: str, *, where: str) -> None:
        """Add a flag; white space in the quote becomes single spaces."""
        found = Flag(kind=kind, quote=" ".join(quote.split())[:QUOTE], where=where)
        if found not in self.flags and len(self.flags) < MOST:
            self.flags.append(found)

    def hide(self, words: str, *, where: str, loud: bool) -> None:
        """Keep words that were dropped because nobody can see them; `loud` ones are flagged whatever they say."""
        plain = " ".join(words.split())
        if not any(letter.isalnum() for letter in plain):
            return
        if len(self.hidden) < MOST:
            self.hidden.append((plain[:20_000], where))
        if loud:
            self.flag("hidden_text", plain, where=where)


def spans(numbers: list[int]) -> str:
    """Return page numbers as people write them: 3, 7–9."""
    out: list[str] = []
    start = last = 0
    for number in [*sorted(set(numbers)), -1]:
        if last and number == last + 1:
            last = number
            continue
        if last:
            out.append(str(start) if start == last else f"{start}–{last}")
        start = last = number
    return ", ".join(out)


def note_of(kind: str, detail: str, where: str) -> Note | None:
    """Return a note from data; None for a kind nobody knows."""
    return next((Note(kind=one, detail=detail, where=where) for one in _NOTES if one == kind), None)


def flag_of(kind: str, quote: str, where: str) -> Flag | None:
    """Return a flag from data; None for a kind nobody knows."""
    return next((Flag(kind=one, quote=quote[:QUOTE], where=where) for one in _FLAGS if one == kind), None)
