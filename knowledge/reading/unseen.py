"""The words of a PDF page that a reader sees; drawn-as-nothing, tiny and white words are taken out and kept apart.

Words drawn as nothing over a picture of the whole page are the text layer of a scan: they stay.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.reading.findings import Findings
from knowledge.reading.grids import Line

_SUSPECT = re.compile(
    rb"\b3 Tr\b|\b7 Tr\b|(?<![\d.])[01](?:\.\d+)? Tf\b|(?<![\d.])1(?:\.0*)? (?:g|sc|scn)\b"
    rb"|(?<![\d.])1(?:\.0*)? 1(?:\.0*)? 1(?:\.0*)? (?:rg|sc|scn)\b|(?<![\d.])0 0 0 0 k\b"
    rb"|(?<![\d.])0?\.0\d* 0 0 0?\.0\d* "
)
_SHOW = {b"Tj", b"TJ", b"'", b'"'}
_TINY = 2.0
_LARGE = 250
"""Pixels on each side: a picture that may hold a table."""
_LOOK_BACK = 4
"""Lines of a cell that may be drawn before the next cell of its row."""
_SCAN = 600
"""Pixels on each side: a picture that may be the whole page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A page's lines, how many pictures it has, whether one is large, whether the words are a scan's text layer."""

    lines: Sequence[Line]
    pictures: int
    large: bool
    recognised: bool


def seen_words(page: Any, *, number: int, findings: Findings) -> Seen:
    """Return what stands on a page; hidden words go into `findings`."""
    sizes = list(_pictures(page.get("/Resources")))
    large = any(min(size) >= _LARGE for size in sizes)
    hidden = _hidden_part(page)
    if hidden is None:
        return Seen(lines=_lines(page), pictures=len(sizes), large=large, recognised=False)
    operations, show = hidden
    whole = any(min(size) >= _SCAN for size in sizes)
    lines = _shown(page, operations, [n for n in range(len(operations)) if n not in show])
    lost = _shown(page, operations, sorted(_kept_state(operations) | show))
    if whole and not lines:
        return Seen(lines=lost, pictures=len(sizes), large=large, recognised=True)
    findings.hide(" ".join(line.text for line in lost), where=f"page {number}", loud=True)
    return Seen(lines=lines, pictures=len(sizes), large=large, recognised=False)


def _pictures(resources: Any, depth: int = 0) -> Iterator[tuple[int, int]]:
    """Give width and height in pixels of each picture that a page may draw."""
    resources = resources.get_object() if resources is not None else {}
    drawn = resources.get("/XObject")
    for one in (drawn.get_object() if drawn is not None else {}).values():
        found = one.get_object()
        if found.get("/Subtype") == "/Image":
            yield int(found.get("/Width", 0)), int(found.get("/Height", 0))
        elif found.get("/Subtype") == "/Form" and depth < 3:
            yield from _pictures(found.get("/Resources"), depth + 1)


def _hidden_part(page: Any) -> tuple[list[Any], set[int]] | None:
    """Return the page's operations and which of them show words nobody sees; None for no such words."""
    contents = page.get_contents()
    if contents is None or not _SUSPECT.search(contents.get_data()):
        return None
    operations = list(contents.operations)
    show = set(_hidden_shows(operations))
    return (operations, show) if show else None


@dataclass(slots=True)  # mutable: follows the operators
class _Pen:
    mode: int = 0
    size: float = 12.0
    scale: float = 1.0
    white: bool = False
    ground: bool = False

    def copy(self) -> "_Pen":
        return _Pen(self.mode, self.size, self.scale, self.white, self.ground)

    def unseen(self, scale: float) -> bool:
        tiny = abs(self.size * scale * self.scale) < _TINY
        return self.mode in (3, 7) or tiny or (self.white and not self.ground)


def _hidden_shows(operations: Sequence[Any]) -> Iterator[int]:
    pen, kept, scale = _Pen(), list[_Pen](), 1.0
    for n, (operands, operator) in enumerate(operations):
        if operator == b"q":
            kept.append(pen.copy())
        elif operator == b"Q":
            ground = pen.ground
            pen = kept.pop() if kept else _Pen()
            pen.ground = ground
        elif operator == b"BT":
            scale = 1.0
        elif operator == b"Tm":
            scale = _stretch(operands)
        elif operator in _SHOW:
            if pen.unseen(scale):
                yield n
        else:
            _draw(pen, operator, operands)


def _draw(pen: _Pen, operator: bytes, operands: Sequence[Any]) -> None:
    if operator == b"Tr":
        pen.mode = int(operands[0])
    elif operator == b"Tf":
        pen.size = float(operands[1])
    elif operator == b"cm":
        pen.scale *= _stretch(operands)
    elif operator in (b"g", b"rg", b"sc", b"scn", b"k"):
        parts = [float(part) for part in operands if isinstance(part, int | float)]
        pen.white = _white(operator, parts)
    elif operator in (b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"sh", b"Do"):
        # White letters on a filled shape or a picture are seen.
        pen.ground = pen.ground or not pen.white


def _white(operator: bytes, parts: Sequence[float]) -> bool:
    if operator == b"k" or len(parts) == 4:
        return bool(parts) and max(parts) < 0.03
    return bool(parts) and min(parts) > 0.96


def _stretch(matrix: Sequence[Any]) -> float:
    return max(abs(float(matrix[3])), abs(float(matrix[1])))


def _kept_state(operations: Sequence[Any]) -> set[int]:
    return {n for n, (_, operator) in enumerate(operations) if operator not in _SHOW}


def _shown(page: Any, operations: Sequence[Any], kept: Sequence[int]) -> list[Line]:
    """Read the page as if it had only some of its operations."""
    from pypdf.generic import ContentStream, NameObject

    stream = ContentStream(None, None)
    stream.operations = [operations[n] for n in kept]
    before = page.raw_get("/Contents")
    page[NameObject("/Contents")] = stream
    try:
        return _lines(page)
    finally:
        page[NameObject("/Contents")] = before


def _lines(page: Any) -> list[Line]:
    out: list[Line] = []

    def visit(text: str, cm: Sequence[float], tm: Sequence[float], font: Any, size: float) -> None:
        words = text.replace("\n", " ")
        if not words.strip():
            return
        x, y = tm[4] * cm[0] + cm[4], tm[5] * cm[3] + cm[5]
        scale = round(abs(size * (tm[3] or 1.0) * (cm[3] or 1.0)) or size, 1)
        line = _beside(out, x, y, scale)
        if line is None:
            line = Line(words.strip(), scale, x, y)
            out.append(line)
        else:
            apart = x - line.x > 0.5 * scale and not line.text.endswith(" ")
            line.text = f"{line.text.rstrip()} {words.strip()}"
            line.cells += int(apart)
        line.pieces.append((x, words.strip()))

    page.extract_text(visitor_text=visit)
    return out


def _beside(lines: Sequence[Line], x: float, y: float, scale: float) -> Line | None:
    """Return the line that a piece goes on: the last one, or one just above whose cell was drawn whole before this."""
    near = 0.45 * max(scale, 1.0)
    if lines and abs(lines[-1].y - y) <= near:
        return lines[-1]
    for line in lines[-2 : -2 - _LOOK_BACK : -1]:
        if abs(line.y - y) <= near and x > max(line.pieces[-1][0], *(piece[0] for piece in lines[-1].pieces)):
            return line
    return None
