"""What a model wrote, read into sentences with their references; tolerant, because models differ.

```
"Returns take 14 days. [returns#2]"            ─► Sentence("Returns take 14 days.", ("returns#2",))
"- Returns take 14 days [returns#2, faq#1]."   ─► the same with two references
'{"sentences": [{"text": …, "refs": […]}]}'    ─► the same
"Hello! [returns#2]"                           ─► read as it is; grounding decides
```
References are kept even when they name nothing: rejecting them is grounding's business.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.domain import Sentence
from agent.language import sentences as split

MAX_SENTENCES = 24
MAX_CHARS = 6000
"""More than this is not a chat answer; the rest is not read."""

_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"^\s*```[\w-]*\s*$", re.MULTILINE)
_BULLET = re.compile(r"^\s*(?:[-*•–—]\s+|\d{1,2}[.)]\s+(?=\S)|#{1,6}\s+|>\s*)+")
_EMPHASIS = re.compile(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1")
_GROUP = re.compile(r"(?:\[|【)([^\[\]【】]{1,300})(?:\]|】)(?:\([^()\s]*\))?")
_REF = re.compile(
    r"(?:refs?\s*[:=]\s*)?[`\"'«]?(tool:[\w.-]+:\d+|[^\s\[\],;#`\"'«»]+#\d+)[`\"'»]?", re.IGNORECASE
)
_BARE = re.compile(r"\^?\d{1,3}|[A-Za-z][\w.-]*[-_.\d][\w.-]*")
_ENDS = (".", "!", "?", "…", ":", ".»", "!»", "?»", '."', '!"', '?"', ".)", "!)", "?)")
_STOP = re.compile(r"\s*([.!?…]+[»”\")]*)(?=\s|$)")
_OPEN = "\0"
"""Marks where the text goes on: without it a line that has ended looks like the last one."""
_TAG = re.compile(r"<[a-z]{0,10}\Z", re.IGNORECASE)
"""What may become the opening of a thought."""
_ROWS = re.compile(r'(?:\{\s*"sentences"\s*:\s*)?\[\s*')
_COMMA = re.compile(r"\s*,\s*")
_DECODER = json.JSONDecoder()
LONGEST_TOKEN = 12
"""Characters of the longest word of JSON, and a little more."""
_JOINS = re.compile(r"^\s*[,;:.!?…)»\"]")
_TEXT_KEYS = ("text", "sentence", "answer", "content")
_REF_KEYS = ("refs", "ref", "references", "reference", "citations", "sources")


def read_answer(text: str) -> tuple[Sentence, ...]:
    """Return the sentences of a model's final message, in order, each with the references it was given.

    A reference stands for the sentence before it and for those sentences of the same line that have none.
    """
    said = _THOUGHT.sub("", text[:MAX_CHARS]).strip()
    given = _as_json(_FENCE.sub("", said).strip())
    if given is not None:
        found = [sentence for item in given for sentence in item]
    else:
        found = _read_lines(_FENCE.sub("", said))
    return _bounded(found)


def read_finished(text: str) -> tuple[Sentence, ...]:
    """Return the sentences of a message still being written that nothing after them can change.

    They are the first ones of what `read_answer` makes of the whole message. A message that begins as JSON is
    believed to become whole; of one that does not, `read_answer` reads something else.
    """
    if len(text) >= MAX_CHARS:
        return read_answer(text)
    said = _FENCE.sub("", _THOUGHT.sub("", _TAG.sub("", text))).lstrip()
    if _may_be_json(said):
        return _bounded(_finished_rows(said))
    return _bounded(_finished_lines(said))


def _bounded(found: list[Sentence]) -> tuple[Sentence, ...]:
    return tuple(sentence for sentence in found if sentence.text)[:MAX_SENTENCES]


@dataclass(slots=True)  # mutable: walks the text
class _Reader:
    """Collects one line after another; `open` is the text since the last flushed reference."""

    done: list[Sentence] = field(default_factory=list)
    open: str = ""
    refs: list[str] = field(default_factory=list)
    line_began: int = 0

    def read(self, piece: str) -> None:
        """Add text that follows a reference or begins a line."""
        stop = _STOP.match(piece)
        if self.refs and stop:
            self.open, piece = self.open.rstrip() + stop[1], piece[stop.end() :]
        if self.refs and piece.strip() and not _continues(self.open, piece):
            self.flush()
        glue = "" if not self.open or _JOINS.match(piece) else " "
        self.open = self.open.rstrip() + glue + piece.strip()

    def flush(self) -> None:
        """Close the text read so far under the references read so far."""
        texts = [_clean(piece) for piece in split(self.open)]
        refs = tuple(dict.fromkeys(self.refs))
        self.done += [Sentence(text=piece, refs=refs) for piece in texts if any(c.isalnum() for c in piece)]
        self.open, self.refs = "", []

    def adopt(self, refs: list[str]) -> None:
        """Give references that stand on a line of their own to the line before."""
        for n in range(self.line_began, len(self.done)):
            if not self.done[n].refs:
                self.done[n] = Sentence(text=self.done[n].text, refs=tuple(dict.fromkeys(refs)))


def _read_lines(text: str) -> list[Sentence]:
    reader = _Reader()
    for line in text.splitlines():
        _read_line(reader, line)
    return reader.done


def _finished_lines(text: str) -> list[Sentence]:
    """Read the lines that have ended, and of the last one what a following sentence has closed."""
    *lines, last = (text + _OPEN).splitlines()
    reader = _Reader()
    for line in lines:
        _read_line(reader, line)
    before = len(reader.done)
    _read_pieces(reader, _settled(list(_pieces(_BULLET.sub("", last.removesuffix(_OPEN)).strip()))))
    if len(reader.done) > before:
        return reader.done
    # A line of references alone would still give them to the sentences before it that have none.
    bare = (n for n in range(reader.line_began, before) if not reader.done[n].refs)
    return reader.done[: next(bare, before)]


def _settled(pieces: list[tuple[str, tuple[str, ...]]]) -> list[tuple[str, tuple[str, ...]]]:
    """Leave out a last piece that may turn out to be a reference, or the link of one."""
    if not pieces or pieces[-1][1]:
        return pieces
    text = pieces[-1][0]
    stop = _STOP.match(text)
    opens = text[stop.end() if stop else 0 :].lstrip()[:1]
    return pieces[:-1] if opens in ("[", "【", "(") else pieces


def _read_line(reader: _Reader, line: str) -> None:
    bare = _BULLET.sub("", line).strip()
    pieces = list(_pieces(bare))
    if all(refs for piece, refs in pieces):
        reader.adopt([ref for _, refs in pieces for ref in refs])
        return
    reader.line_began = len(reader.done)
    leading = _read_pieces(reader, pieces)
    reader.refs = reader.refs or leading
    reader.flush()


def _read_pieces(reader: _Reader, pieces: list[tuple[str, tuple[str, ...]]]) -> list[str]:
    """Read the pieces of a line; return the references that stand before its text."""
    leading: list[str] = []
    for piece, refs in pieces:
        if refs and not reader.open.strip():
            leading += refs
        elif refs:
            reader.refs += refs
        else:
            reader.read(piece)
    return leading


def _continues(before: str, piece: str) -> bool:
    """Whether `piece` goes on with the sentence that a reference interrupted."""
    if _JOINS.match(piece):
        return True
    return not before.rstrip().endswith(_ENDS) and piece.lstrip()[:1].islower()


def _pieces(line: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (text, ()) and ("", references) in the order of the line."""
    end = 0
    for match in _GROUP.finditer(line):
        refs = _references(match[1], last=not line[match.end() :].strip(" .!?…"))
        if not refs:
            continue
        if line[end : match.start()].strip():
            yield line[end : match.start()], ()
        yield "", refs
        end = match.end()
    if line[end:].strip():
        yield line[end:], ()


def _references(inside: str, *, last: bool) -> tuple[str, ...]:
    """Return the references of one bracket; none when the bracket belongs to the text, as in «нажмите [Пуск]»."""
    tokens = [token.strip() for token in re.split(r"[,;]|\s+(?=tool:)|(?<=\d)\s+", inside) if token.strip()]
    found = [match[1] for token in tokens if (match := _REF.fullmatch(token))]
    if found and len(found) == len(tokens):
        return tuple(found)
    if last and tokens and all(_BARE.fullmatch(token) for token in tokens):
        return tuple(tokens)
    return ()


def _clean(piece: str) -> str:
    """Drop the marks of Markdown that a chat line cannot show."""
    plain = _EMPHASIS.sub(r"\2", piece)
    return re.sub(r"\s+([.,;:!?…])", r"\1", re.sub(r"[ \t\xa0]*\n[ \t]*", " ", plain)).strip()


def _as_json(text: str) -> list[list[Sentence]] | None:
    """Read an answer given as JSON; None when it is none."""
    if not text.startswith(("{", "[")) or not text.endswith(("}", "]")):
        return None
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(body, Mapping) and isinstance(body.get("sentences"), list):
        body = body["sentences"]
    rows = body if isinstance(body, list) else [body]
    return [_from_row(row) for row in rows]


def _may_be_json(text: str) -> bool:
    """Whether text after these first words could make them JSON."""
    if not text.startswith(("{", "[")):
        return False
    try:
        _, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as fault:
        # Where a text stops in the middle of a word or a string, the fault is told there.
        return fault.msg.startswith("Unterminated") or fault.pos >= len(text) - LONGEST_TOKEN
    except RecursionError:
        return False
    # Behind it a fence may be closing.
    return not text[end:].strip().strip("`")


def _finished_rows(text: str) -> list[Sentence]:
    """Read the rows that are whole of the only list a model is asked for."""
    opening = _ROWS.match(text)
    found: list[Sentence] = []
    at = opening.end() if opening else len(text)
    while at < len(text) and text[at] in '{"':
        try:
            row, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found += _from_row(row)
        after = _COMMA.match(text, end)
        at = after.end() if after else len(text)
    return found


def _from_row(row: Any) -> list[Sentence]:
    if isinstance(row, str):
        return _read_lines(row)
    if not isinstance(row, Mapping):
        return []
    text = next((row[key] for key in _TEXT_KEYS if isinstance(row.get(key), str)), "")
    given = next((row[key] for key in _REF_KEYS if row.get(key)), ())
    listed = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    refs = tuple(str(ref).strip().strip("[]") for ref in listed)
    return [Sentence(text=s.text, refs=s.refs or refs) for s in _read_lines(text)]
