"""What changed between two texts: a unified diff to read, and rows for a view side by side. Pure.

Rows pair changed lines that resemble each other; inside such a pair the words that differ are marked.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from typing import Literal

Kind = Literal["same", "changed", "removed", "added"]
_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_ALIKE = 0.3
_PAIRED = 200


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text inside a line; `changed` when the other side has something else there."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the view: line numbers from 1 and pieces of each side; None and no pieces where a side has none."""

    kind: Kind
    left_line: int | None = None
    right_line: int | None = None
    left: tuple[Piece, ...] = ()
    right: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Two versions compared; `unified` is empty when their texts are the same."""

    old: int
    new: int
    unified: str
    rows: tuple[Row, ...]
    added: int
    removed: int


def compare(before: str, now: str, *, old: int, new: int) -> Diff:
    """Return the difference of two texts, known as versions `old` and `new`."""
    left, right = before.splitlines(), now.splitlines()
    lines = unified_diff(left, right, fromfile=f"version {old}", tofile=f"version {new}", lineterm="")
    rows = tuple(_rows(left, right))
    return Diff(
        old=old,
        new=new,
        unified="\n".join(lines),
        rows=rows,
        added=sum(row.kind in ("added", "changed") for row in rows),
        removed=sum(row.kind in ("removed", "changed") for row in rows),
    )


def _rows(left: Sequence[str], right: Sequence[str]) -> Iterator[Row]:
    for tag, i, i_end, j, j_end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            for step in range(i_end - i):
                pieces = (Piece(left[i + step], False),)
                yield Row(
                    kind="same", left_line=i + step + 1, right_line=j + step + 1, left=pieces, right=pieces
                )
        else:
            yield from _block(left, right, range(i, i_end), range(j, j_end))


def _block(left: Sequence[str], right: Sequence[str], olds: range, news: range) -> Iterator[Row]:
    """Pair the lines of a changed block in order; what resembles nothing is removed or added."""
    at = news.start
    for old in olds:
        match = _alike(left[old], right, range(at, news.stop))
        if match is None:
            yield _removed(old, left[old])
            continue
        yield from (_added(new, right[new]) for new in range(at, match))
        yield _changed(old, match, left[old], right[match])
        at = match + 1
    yield from (_added(new, right[new]) for new in range(at, news.stop))


def _alike(line: str, right: Sequence[str], among: range) -> int | None:
    # Long rewritten blocks are compared with near lines only, or the cost would grow with their square.
    for new in among[:_PAIRED]:
        matcher = SequenceMatcher(None, _words(line), _words(right[new]), autojunk=False)
        if line.strip() and matcher.quick_ratio() > _ALIKE and matcher.ratio() > _ALIKE:
            return new
    return None


def _changed(old: int, new: int, before: str, now: str) -> Row:
    a, b = _words(before), _words(now)
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, i, i_end, j, j_end in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for side, words in ((left, a[i:i_end]), (right, b[j:j_end])):
            if words:
                side.append(Piece("".join(words), tag != "equal"))
    return Row(kind="changed", left_line=old + 1, right_line=new + 1, left=tuple(left), right=tuple(right))


def _removed(line: int, text: str) -> Row:
    return Row(kind="removed", left_line=line + 1, left=(Piece(text, True),))


def _added(line: int, text: str) -> Row:
    return Row(kind="added", right_line=line + 1, right=(Piece(text, True),))


def _words(line: str) -> list[str]:
    return _WORD.findall(line)
