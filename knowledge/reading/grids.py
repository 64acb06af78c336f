"""Lines of a page whose pieces begin at the same places, one under another, are the rows of a table. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_NEAR = 4.0
"""Points by which cells of a column may be apart on their left side."""
_LETTER = 0.5
"""Width of an average letter, in sizes of the type."""
_WRAPPED = 1.45
"""Sizes between the lines of one cell, at most; rows stand further apart."""
_MOST_COLUMNS = 30


@dataclass(slots=True)  # mutable: grows while it is read
class Line:
    """Words on one height; `pieces` are the places they start at; `cells` counts pieces that stand apart."""

    text: str
    size: float
    x: float
    y: float
    cells: int = 1
    pieces: list[tuple[float, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: rows of equally many cells, the header first."""

    rows: tuple[tuple[str, ...], ...]


def grids(lines: Sequence[Line]) -> Iterator[Line | Grid]:
    """Give the lines in order, tables in the place of their lines."""
    at = 0
    while at < len(lines):
        end, rows = _table(lines, at)
        if len(rows) >= 2:
            yield Grid(rows=tuple(tuple(row) for row in rows))
            at = end
        else:
            yield lines[at]
            at += 1


def _table(lines: Sequence[Line], start: int) -> tuple[int, list[list[str]]]:
    """Read as many rows as stand in the columns of the first; return where they end."""
    first = _columns(lines[start])
    if not 2 <= len(first) <= _MOST_COLUMNS:
        return start, []
    lefts = [x for x, _ in first]
    rows = [[text for _, text in first]]
    full = 1
    at = start + 1
    while at < len(lines):
        cells = _placed(lines[at], lefts)
        if cells is None:
            break
        filled = sum(bool(cell) for cell in cells)
        close = abs(lines[at - 1].y - lines[at].y) <= _WRAPPED * max(lines[at].size, 1.0)
        if close and (filled < len(lefts) or _wrapped(lines, at)):
            rows[-1] = [f"{above} {cell}".strip() for above, cell in zip(rows[-1], cells, strict=True)]
        elif filled < 2:
            break
        else:
            rows.append(cells)
            full += filled == len(lefts)
        at += 1
    return (at, rows) if full >= 2 else (start, [])


def _wrapped(lines: Sequence[Line], at: int) -> bool:
    """Say whether rows of this table stand clearly further apart than this line from the one above."""
    gap = abs(lines[at - 1].y - lines[at].y)
    after = abs(lines[at].y - lines[at + 1].y) if at + 1 < len(lines) else 0.0
    return gap > 0 and after > 1.3 * gap


def _columns(line: Line) -> list[tuple[float, str]]:
    """Join the pieces of a line that touch; what stands apart is a cell."""
    out: list[tuple[float, str]] = []
    end = 0.0
    for x, text in line.pieces:
        if out and x - end < 0.9 * line.size:
            out[-1] = (out[-1][0], f"{out[-1][1].rstrip()} {text}".strip())
        else:
            out.append((x, text))
        end = max(end, x + len(text) * _LETTER * line.size)
    return out


def _placed(line: Line, lefts: Sequence[float]) -> list[str] | None:
    """Return the cells by column; None when a piece that stands apart is in no column."""
    out = [""] * len(lefts)
    column, end = -1, 0.0
    for x, text in line.pieces:
        found = next((n for n, left in enumerate(lefts) if abs(left - x) <= _NEAR), None)
        if found is not None and not out[found]:
            column = found
            out[column] = text
        elif column >= 0 and x - end < 0.9 * line.size:
            out[column] = f"{out[column].rstrip()} {text}"
        else:
            return None
        end = max(end, x + len(text) * _LETTER * line.size)
    return out
