"""DOCX and PDF read into words. Both are hostile: archives can explode, pages can be endless."""

import io
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from knowledge.errors import KnowledgeFault, TooLarge, Unreadable
from knowledge.markup import escape

if TYPE_CHECKING:
    from knowledge.load import Limits

_MEGABYTE = 1_000_000
_STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh"
_HEADING_RATIO = 1.12
_PARAGRAPH_GAP = 1.75
_HEADING_LENGTH = 160


def read_docx(data: bytes, *, limits: "Limits") -> str:
    """Return a Word file as HTML, pictures dropped."""
    import mammoth

    _check_archive(data, limits)
    try:
        found = mammoth.convert_to_html(
            io.BytesIO(data),
            style_map=_STYLES,
            convert_image=mammoth.images.img_element(lambda image: {"src": ""}),
        )
    except RecursionError:
        raise
    except Exception as fault:
        # The reader raises whatever its XML parser or the damaged archive happens to raise.
        raise Unreadable(
            "the Word file is damaged.", remedy="Open it in Word and save it again as .docx."
        ) from fault
    return f"<main>{found.value}</main>"


def _check_archive(data: bytes, limits: "Limits") -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as fault:
        raise Unreadable(
            "it is not a Word file.", remedy="Save it as .docx (old .doc files are not read)."
        ) from fault
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members) or 1
    if (
        len(members) > limits.members
        or unpacked > limits.unpacked
        or unpacked > limits.ratio * packed + _MEGABYTE
    ):
        raise TooLarge(
            f"it unpacks to {unpacked / _MEGABYTE:.0f} MB in {len(members)} parts.",
            remedy="Save the text alone as a new document.",
        )
    if not any(member.filename == "word/document.xml" for member in members):
        raise Unreadable("it is an archive, but not a Word file.", remedy="Save it as .docx.")


def read_pdf(data: bytes, *, limits: "Limits") -> tuple[str, str]:
    """Return the title of a PDF and its Markdown: larger type becomes headings, rows of cells stay lines."""
    import pypdf

    try:
        return _pages(pypdf.PdfReader(io.BytesIO(data)), limits)
    except (KnowledgeFault, RecursionError):
        raise
    except Exception as fault:
        # A damaged PDF makes the parser raise anything from KeyError to struct.error.
        raise Unreadable("the PDF is damaged.", remedy="Export it again from its source.") from fault


def _pages(reader: Any, limits: "Limits") -> tuple[str, str]:
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("the PDF is locked with a password.", remedy="Save a copy without a password.")
    if len(reader.pages) > limits.pages:
        raise TooLarge(
            f"it has {len(reader.pages)} pages, the limit is {limits.pages}.", remedy="Split the file."
        )
    started = time.monotonic()
    pages: list[list[_Line]] = []
    for page in reader.pages:
        pages.append(_lines(page))
        if time.monotonic() - started > limits.seconds:
            raise TooLarge(f"reading took over {limits.seconds:.0f} seconds.", remedy="Split the file.")
        if sum(len(line.text) for line in pages[-1]) > limits.chars:
            raise TooLarge("a page holds too much text.", remedy="Split the file.")
    sizes = Counter[float]()
    for line in (line for page in pages for line in page):
        sizes[line.size] += len(line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    larger = sorted((size for size in sizes if size > body * _HEADING_RATIO), reverse=True)
    title = str((reader.metadata.title if reader.metadata else "") or "")
    return title, "\f".join("\n\n".join(_paragraphs(page, body, larger)) for page in pages)


@dataclass(slots=True)  # mutable: grows while it is read
class _Line:
    """Words on one height; `cells` counts the separate places they start at."""

    text: str
    size: float
    x: float
    y: float
    cells: int = 1


def _lines(page: Any) -> list[_Line]:
    out: list[_Line] = []

    def visit(text: str, cm: Sequence[float], tm: Sequence[float], font: Any, size: float) -> None:
        words = text.replace("\n", " ")
        if not words.strip():
            return
        x, y = tm[4] * cm[0] + cm[4], tm[5] * cm[3] + cm[5]
        scale = round(abs(size * (tm[3] or 1.0) * (cm[3] or 1.0)) or size, 1)
        last = out[-1] if out else None
        if last is None or abs(last.y - y) > 0.45 * max(scale, 1.0):
            out.append(_Line(words.strip(), scale, x, y))
        else:
            apart = x - last.x > 0.5 * scale and not last.text.endswith(" ")
            last.text = f"{last.text.rstrip()} {words.strip()}"
            last.cells += int(apart)

    page.extract_text(visitor_text=visit)
    return out


def _paragraphs(lines: Sequence[_Line], body: float, larger: Sequence[float]) -> Iterator[str]:
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


def _parted(above: _Line, line: _Line, body: float) -> bool:
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
