"""PDF read into words: larger type becomes headings, aligned cells become tables, pages stay apart.

Hostile: pages can be endless. A page without words is named, words nobody can see are left out.
"""

import io
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from knowledge.errors import Empty, KnowledgeFault, TooLarge, Unreadable
from knowledge.reading.findings import Findings, spans
from knowledge.reading.grids import Grid, Line, grids
from knowledge.reading.markup import escape, table_row
from knowledge.reading.unseen import Seen, seen_words

if TYPE_CHECKING:
    from knowledge.load import Limits

_HEADING_RATIO = 1.12
_PARAGRAPH_GAP = 1.75
_HEADING_LENGTH = 160
_FEW = 3
"""Letters and digits: a page with fewer holds a number at most."""


def read_pdf(data: bytes, *, limits: "Limits", findings: Findings) -> tuple[str, str]:
    """Return the title of a PDF and its Markdown. Raises `Unreadable`, `TooLarge`, `Empty`."""
    import pypdf

    try:
        return _pages(pypdf.PdfReader(io.BytesIO(data)), limits, findings)
    except (KnowledgeFault, RecursionError, MemoryError):
        raise
    except Exception as fault:
        # A damaged PDF makes the parser raise anything from KeyError to struct.error.
        raise Unreadable(
            "the PDF is damaged.", remedy="Export it again from its source.", why="damaged"
        ) from fault


def _pages(reader: Any, limits: "Limits", findings: Findings) -> tuple[str, str]:
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable(
            "the PDF is locked with a password.", remedy="Save a copy without a password.", why="locked"
        )
    _count(reader, limits)
    started = time.monotonic()
    pages: list[list[Line]] = []
    seen: list[Seen] = []
    for number, page in enumerate(reader.pages, start=1):
        one = seen_words(page, number=number, findings=findings)
        seen.append(one)
        pages.append(list(one.lines))
        if time.monotonic() - started > limits.seconds:
            raise TooLarge(
                f"reading took over {limits.seconds:.0f} seconds.", remedy="Split the file.", why="too_slow"
            )
        if sum(len(line.text) for line in pages[-1]) > limits.chars:
            raise TooLarge("a page holds too much text.", remedy="Split the file.")
    _tell(pages, seen, findings)
    sizes = Counter[float]()
    for line in (line for page in pages for line in page):
        sizes[line.size] += len(line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    larger = sorted((size for size in sizes if size > body * _HEADING_RATIO), reverse=True)
    title = str((reader.metadata.title if reader.metadata else "") or "")
    return title, "\f".join("\n\n".join(_blocks(page, body, larger)) for page in pages)


def _count(reader: Any, limits: "Limits") -> None:
    """Refuse a long file by what it says of itself, before its pages are walked."""
    said = reader.trailer["/Root"]["/Pages"].get("/Count", 0)
    count = int(said) if isinstance(said, int) and said > limits.pages else len(reader.pages)
    if count > limits.pages:
        raise TooLarge(f"it has {count} pages, the limit is {limits.pages}.", remedy="Split the file.")


def _tell(pages: Sequence[Sequence[Line]], seen: Sequence[Seen], findings: Findings) -> None:
    """Name the pages that are pictures: of text (a scan), or beside text (perhaps a table)."""
    bare = [n for n, page in enumerate(pages, start=1) if _letters(page) < _FEW]
    scans = [n for n in bare if seen[n - 1].pictures]
    if scans and len(bare) == len(pages):
        raise Empty(
            f"pages {spans(scans)} hold no text: a scan?",
            remedy="Recognise the text (OCR) and import it again.",
            why="scan",
        )
    if scans:
        findings.note("scan", f"pages {spans(scans)} hold no text: a scan?")
    beside = [n for n, one in enumerate(seen, start=1) if one.large and n not in bare and not one.recognised]
    if beside:
        findings.note(
            "picture",
            "large pictures: words in them, a table perhaps, are not read",
            where=f"pages {spans(beside)}",
        )
    recognised = [n for n, one in enumerate(seen, start=1) if one.recognised]
    if recognised:
        findings.note(
            "ocr", "the words come from text recognition: look for errors", where=f"pages {spans(recognised)}"
        )


def _letters(page: Sequence[Line]) -> int:
    return sum(letter.isalnum() for line in page for letter in line.text)


def _blocks(lines: Sequence[Line], body: float, larger: Sequence[float]) -> Iterator[str]:
    held: list[Line] = []
    for one in grids(lines):
        if isinstance(one, Grid):
            yield from _paragraphs(held, body, larger)
            held = []
            rows = [table_row([escape(cell) for cell in row]) for row in one.rows]
            yield "\n".join([rows[0], "|" + " --- |" * len(one.rows[0]), *rows[1:]])
        else:
            held.append(one)
    yield from _paragraphs(held, body, larger)


def _paragraphs(lines: Sequence[Line], body: float, larger: Sequence[float]) -> Iterator[str]:
    held: list[str] = []
    for i, line in enumerate(lines):
        above = lines[i - 1] if i else None
        if line.size in larger and len(line.text) <= _HEADING_LENGTH:
            yield from _joined(held)
            level = min(6, 1 + larger.index(line.size))
            yield "#" * level + " " + escape(line.text)
            continue
        if above is not None and _parted(above, line, body):
            yield from _joined(held)
        held.append(line.text)
    yield from _joined(held)


def _parted(above: Line, line: Line, body: float) -> bool:
    gap = abs(above.y - line.y)
    mark = line.text[:2] in ("• ", "- ", "– ", "— ")
    return gap > _PARAGRAPH_GAP * max(body, 1.0) or line.cells > 1 or above.cells > 1 or mark


def _joined(held: list[str]) -> Iterator[str]:
    text = ""
    for line in held:
        # A word divided at the end of a line is one word again.
        divided = text.endswith("-") and line[:1].islower()
        text = text[:-1] + line if divided else f"{text} {line}".strip()
    held.clear()
    if text:
        yield escape(text)
