"""Make the demo company's PDF and DOCX documents from their Markdown sources.

    demo/sources/{ru,en}/<stem>.md  ->  demo/knowledge/{ru,en}/<stem>.{pdf,docx}

The manifest `demo/knowledge/documents.toml` says which of the two a document is. Running twice gives the same
bytes: dates and metadata are fixed, and nothing depends on the clock or the machine's fonts.

    python scripts/demo_documents.py            write the files
    python scripts/demo_documents.py --out DIR  write them elsewhere, to compare
"""

from __future__ import annotations

import argparse
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Literal

import font_roboto  # type: ignore[import-untyped]
from docx import Document
from docx.document import Document as DocxDocument
from fpdf import FPDF
from fpdf.fonts import FontFace, TextStyle
from markdown_it import MarkdownIt
from markdown_it.token import Token

DEMO = Path(__file__).resolve().parent.parent / "demo"
MADE = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
ZIP_DATE = (2026, 11, 1, 9, 0, 0)
AUTHOR = "Fonar"
BODY_PT = 11
TABLE_PT = 10
CELL_MM = 3.0
LINE_MM = 5.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of a source: a heading, a paragraph, list items or table rows (each row is its cells)."""

    kind: Literal["heading", "paragraph", "list", "table"]
    rows: tuple[tuple[str, ...], ...]
    level: int = 0
    ordered: bool = False

    @property
    def text(self) -> str:
        return self.rows[0][0]


def blocks(markdown: str) -> Iterator[Block]:
    """Yield the blocks of a Markdown text in order; anything but the four kinds is refused."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    at = 0
    while at < len(tokens):
        token = tokens[at]
        end = closing(tokens, at)
        inner = tokens[at : end + 1]
        match token.type:
            case "heading_open":
                yield Block(kind="heading", rows=((tokens[at + 1].content,),), level=int(token.tag[1]))
            case "paragraph_open":
                yield Block(kind="paragraph", rows=((one_line(tokens[at + 1].content),),))
            case "bullet_list_open" | "ordered_list_open":
                items = tuple((one_line(t.content),) for t in inner if t.type == "inline")
                yield Block(kind="list", rows=items, ordered=token.type.startswith("ordered"))
            case "table_open":
                yield Block(kind="table", rows=table_rows(inner))
            case other:
                raise ValueError(f"{other}: sources have headings, paragraphs, lists and tables only")
        at = end + 1


def closing(tokens: Sequence[Token], at: int) -> int:
    """Return the index of the token that closes the block opened at `at`."""
    depth = 0
    for index in range(at, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    raise ValueError("unclosed block")


def one_line(text: str) -> str:
    return " ".join(text.split())


def table_rows(tokens: Sequence[Token]) -> tuple[tuple[str, ...], ...]:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token.content)
    return tuple(tuple(row) for row in rows)


def pdf_bytes(source: Sequence[Block], *, title: str, language: str) -> bytes:
    """Lay the blocks out on A4 pages; headings become bookmarks, tables keep their header row on each page."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(MADE)
    pdf.set_title(title)
    pdf.set_author(AUTHOR)
    pdf.set_lang(language)
    pdf.set_producer(AUTHOR)
    pdf.set_margins(22, 20)
    pdf.set_auto_page_break(True, margin=20)
    pdf.add_font("Roboto", fname=font_roboto.font_files["Roboto"])
    pdf.add_font("Roboto", style="B", fname=font_roboto.font_files["RobotoBold"])
    pdf.set_section_title_styles(*(heading_style(size) for size in (20, 14)))
    pdf.add_page()
    for block in source:
        pdf.set_font("Roboto", size=BODY_PT)
        draw(pdf, block)
    return bytes(pdf.output())


def heading_style(size: int) -> TextStyle:
    return TextStyle(font_family="Roboto", font_style="B", font_size_pt=size, t_margin=4, b_margin=2)


def draw(pdf: FPDF, block: Block) -> None:
    match block.kind:
        case "heading":
            pdf.start_section(block.text, level=block.level - 1)
        case "paragraph":
            pdf.multi_cell(0, LINE_MM, block.text, align="L", new_x="LMARGIN", new_y="NEXT")
            pdf.ln(2)
        case "list":
            for number, (item,) in enumerate(block.rows, start=1):
                mark = f"{number}. " if block.ordered else "• "
                pdf.multi_cell(0, LINE_MM, mark + item, align="L", new_x="LMARGIN", new_y="NEXT")
            pdf.ln(2)
        case "table":
            draw_table(pdf, block.rows)
            pdf.ln(3)


def draw_table(pdf: FPDF, rows: Sequence[Sequence[str]]) -> None:
    """Draw a table whose first row is its header."""
    pdf.set_font("Roboto", style="B", size=TABLE_PT)
    widths = column_widths(pdf, rows)
    pdf.set_font("Roboto", size=TABLE_PT)
    head = FontFace(emphasis="BOLD", fill_color=(234, 242, 250))
    with pdf.table(
        headings_style=head,
        col_widths=widths,
        line_height=LINE_MM,
        text_align="LEFT",
        align="LEFT",
        width=sum(widths),
    ) as table:
        for row in rows:
            table.row(row)


def column_widths(pdf: FPDF, rows: Sequence[Sequence[str]]) -> list[float]:
    """Return widths in mm: no word is cut, and what is left goes where text would wrap, so that a row mostly
    stays on one line and is read back as one line."""
    columns = list(zip(*rows, strict=True))
    least = [
        max(pdf.get_string_width(word) for cell in c for word in cell.split()) + CELL_MM for c in columns
    ]
    wish = [max(pdf.get_string_width(cell) for cell in c) + CELL_MM for c in columns]
    spare = pdf.epw - sum(least)
    wanted = sum(wish) - sum(least)
    share = min(1.0, spare / wanted) if wanted > 0 else 0.0
    return [low + (high - low) * share for low, high in zip(least, wish, strict=True)]


def docx_bytes(source: Sequence[Block], *, title: str, language: str) -> bytes:
    """Build a document with heading styles, lists and grid tables."""
    document = Document()
    about = document.core_properties
    about.title, about.author, about.last_modified_by, about.language = title, AUTHOR, AUTHOR, language
    about.created = about.modified = MADE.replace(tzinfo=None)
    about.comments = ""
    for block in source:
        add(document, block)
    packed = BytesIO()
    document.save(packed)
    return with_fixed_dates(packed.getvalue())


def add(document: DocxDocument, block: Block) -> None:
    match block.kind:
        case "heading":
            document.add_heading(block.text, level=block.level)
        case "paragraph":
            document.add_paragraph(block.text)
        case "list":
            for (item,) in block.rows:
                document.add_paragraph(item, style="List Number" if block.ordered else "List Bullet")
        case "table":
            table = document.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
            for row in block.rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text


def with_fixed_dates(packed: bytes) -> bytes:
    """Repack a zip so that its bytes do not tell when it was made."""
    result = BytesIO()
    with zipfile.ZipFile(BytesIO(packed)) as old, zipfile.ZipFile(result, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            new.writestr(entry, old.read(name), zipfile.ZIP_DEFLATED)
    return result.getvalue()


def build(*, demo: Path = DEMO, out: Path | None = None) -> list[Path]:
    """Write every PDF and DOCX of the manifest under `out` (the demo's own knowledge folder by default)."""
    folder = out or demo / "knowledge"
    manifest = tomllib.loads((demo / "knowledge" / "documents.toml").read_text("utf-8"))
    written = []
    for row in manifest["document"]:
        target = folder / row["path"]
        make = {".pdf": pdf_bytes, ".docx": docx_bytes}.get(target.suffix)
        if make is None:
            continue
        language = target.parent.name
        source = (demo / "sources" / language / f"{target.stem}.md").read_text("utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(make(tuple(blocks(source)), title=row["title"], language=language))
        written.append(target)
    return written


def main() -> None:
    options = argparse.ArgumentParser(description="Make the demo company's PDF and DOCX documents.")
    options.add_argument("--out", type=Path, help="folder to write to instead of demo/knowledge")
    for path in build(out=options.parse_args().out):
        print(path)


if __name__ == "__main__":
    main()
