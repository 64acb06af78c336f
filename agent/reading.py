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
        bare = _BULLET.sub("", line).strip()
        if not bare:
            continue
        pieces = list(_pieces(bare))
        if all(refs for piece, refs in pieces):
            reader.adopt([ref for _, refs in pieces for ref in refs])
            continue
        reader.line_began = len(reader.done)
        _read_line(reader, pieces)
    return reader.done


def _read_line(reader: _Reader, pieces: list[tuple[str, tuple[str, ...]]]) -> None:
    leading: list[str] = []
    for piece, refs in pieces:
        if refs and not reader.open.strip():
            leading += refs
        elif refs:
            reader.refs += refs
        else:
            reader.read(piece)
    reader.refs = reader.refs or leading
    reader.flush()


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
    except ValueError:
        return None
    if isinstance(body, Mapping) and isinstance(body.get("sentences"), list):
        body = body["sentences"]
    rows = body if isinstance(body, list) else [body]
    return [_from_row(row) for row in rows]


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
