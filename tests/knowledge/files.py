"""Files for tests, made in memory: workbooks, archives, Word files and PDFs, good and hostile."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import docx
import openpyxl
from fpdf import FPDF
from PIL import Image

VBA = b"\xd0\xcf\x11\xe0 not a real macro"


def workbook(sheets: Mapping[str, Sequence[Sequence[Any]]], *, hidden: Sequence[str] = ()) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        if name in hidden:
            sheet.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def archive(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in members.items():
            packed.writestr(name, body)
    return out.getvalue()


def with_member(data: bytes, name: str, body: bytes) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as packed:
        packed.writestr(name, body)
    return out.getvalue()


def word(build: Callable[[Any], object]) -> bytes:
    document = docx.Document()
    build(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def picture(width: int = 900, height: int = 1200) -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 210, 220)).save(out, "JPEG")
    out.seek(0)
    return out


def pdf(draw: Callable[[FPDF], object]) -> bytes:
    paper = FPDF()
    paper.set_font("Helvetica", size=12)
    draw(paper)
    return bytes(paper.output())


def endless_pdf(pages: int) -> bytes:
    """A PDF of many empty pages, written by hand: a library would take minutes."""
    kids = " ".join(f"{n} 0 R" for n in range(3, pages + 3))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Count {pages} /Kids [{kids}] >>"]
    objects += ["<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>"] * pages
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    return bytes(
        out + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()
    )
