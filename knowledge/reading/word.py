"""DOCX read into HTML: pictures dropped, macros never run, words that Word does not show taken out first."""

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from knowledge.errors import KnowledgeFault, Unreadable
from knowledge.reading.archives import check_archive
from knowledge.reading.findings import Findings

if TYPE_CHECKING:
    from knowledge.load import Limits

_STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DOCUMENT = "word/document.xml"
_SHEET = "word/styles.xml"
_TINY = 3
"""Half-points: what is 1.5 points tall or less is not meant to be read."""
_PALE = 245


def read_docx(data: bytes, *, limits: "Limits", findings: Findings) -> str:
    """Return a Word file as HTML. Raises `Unreadable`, `TooLarge`."""
    import mammoth

    names = check_archive(data, limits, what="Word", main=_DOCUMENT)
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        findings.note("macros", "the document has macros; they were not run")
    pictures: list[str] = []

    def picture(image: Any) -> dict[str, str]:
        pictures.append(str(image.alt_text or ""))
        return {"src": ""}

    try:
        seen = _without_hidden(data, findings)
        found = mammoth.convert_to_html(
            io.BytesIO(seen), style_map=_STYLES, convert_image=mammoth.images.img_element(picture)
        )
    except (KnowledgeFault, RecursionError, MemoryError):
        raise
    except Exception as fault:
        # The reader raises whatever its XML parser or the damaged archive happens to raise.
        raise Unreadable(
            "the Word file is damaged.", remedy="Open it in Word and save it again as .docx."
        ) from fault
    if pictures:
        named = "; ".join(alt for alt in pictures if alt)[:150]
        said = f"{len(pictures)} in the document: words in them are not read"
        findings.note("picture", f"{said} ({named})" if named else said)
    return f"<main>{found.value}</main>"


def _without_hidden(data: bytes, findings: Findings) -> bytes:
    """Return the file without its hidden runs; the very bytes when there are none."""
    from defusedxml import ElementTree

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # Entities are refused here, before any other reader sees the document.
        tree = ElementTree.fromstring(archive.read(_DOCUMENT))
        sheet = archive.read(_SHEET) if _SHEET in archive.namelist() else b""
        styles = _hiding_styles(ElementTree.fromstring(sheet)) if sheet else set()
        hidden = list(_hidden(tree, styles))
        if not hidden:
            return data
        for parent, run in hidden:
            findings.hide("".join(_words(run)), where="hidden text", loud=True)
            parent.remove(run)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as cleaned:
            for member in archive.infolist():
                body = ElementTree.tostring(tree) if member.filename == _DOCUMENT else archive.read(member)
                cleaned.writestr(member.filename, body)
        return out.getvalue()


def _hiding_styles(sheet: Any) -> set[str]:
    """Return the names of styles that hide their words."""
    return {
        str(style.get(f"{_W}styleId")) for style in sheet.iter(f"{_W}style") if _hides(style.find(f"{_W}rPr"))
    }


def _hidden(tree: Any, styles: set[str]) -> Iterator[tuple[Any, Any]]:
    """Give each run that Word does not show, with its parent."""
    coloured = _on_colour(tree)
    seen: set[int] = set()
    for paragraph in tree.iter(f"{_W}p"):
        whole = _styled(paragraph.find(f"{_W}pPr"), "pStyle", styles)
        for parent in paragraph.iter():
            for run in parent.findall(f"{_W}r"):
                marks = run.find(f"{_W}rPr")
                hidden = whole or _hides(marks) or _styled(marks, "rStyle", styles)
                if not hidden and not (_white(marks) and id(paragraph) not in coloured):
                    continue
                if id(run) not in seen and _words(run):
                    seen.add(id(run))
                    yield parent, run


def _on_colour(tree: Any) -> set[int]:
    """Return the paragraphs that may stand on a colour: white letters are seen there."""
    grounds = [
        *(one for one in tree.iter(f"{_W}tbl") if one.find(f"{_W}tblPr/{_W}tblStyle") is not None),
        *(one for one in tree.iter(f"{_W}tbl") if one.find(f"{_W}tblPr/{_W}shd") is not None),
        *(one for one in tree.iter(f"{_W}tc") if one.find(f"{_W}tcPr/{_W}shd") is not None),
        *(one for one in tree.iter(f"{_W}p") if one.find(f"{_W}pPr/{_W}shd") is not None),
        *tree.iter(f"{_W}txbxContent"),
    ]
    return {id(paragraph) for ground in grounds for paragraph in ground.iter(f"{_W}p")}


def _styled(marks: Any, kind: str, styles: set[str]) -> bool:
    style = marks.find(f"{_W}{kind}") if marks is not None else None
    return style is not None and str(style.get(f"{_W}val")) in styles


def _hides(marks: Any) -> bool:
    if marks is None:
        return False
    for name in ("vanish", "webHidden"):
        mark = marks.find(f"{_W}{name}")
        if mark is not None and str(mark.get(f"{_W}val", "1")).lower() not in ("0", "false", "off"):
            return True
    size = marks.find(f"{_W}sz")
    points = str(size.get(f"{_W}val", "")) if size is not None else ""
    return points.isdecimal() and int(points) <= _TINY


def _white(marks: Any) -> bool:
    if marks is None or marks.find(f"{_W}shd") is not None or marks.find(f"{_W}highlight") is not None:
        return False
    colour = marks.find(f"{_W}color")
    value = str(colour.get(f"{_W}val", "")) if colour is not None else ""
    try:
        parts = [int(value[i : i + 2], 16) for i in (0, 2, 4)] if len(value) == 6 else []
    except ValueError:
        return False
    return bool(parts) and min(parts) >= _PALE


def _words(run: Any) -> list[str]:
    return [str(piece.text) for piece in run.iter(f"{_W}t") if piece.text]
