"""Tables with questions and answers: XLSX and CSV read as Markdown; a sheet without such columns stays a table."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from knowledge.errors import TooLarge, Unreadable
from knowledge.reading.archives import check_archive
from knowledge.reading.findings import Findings
from knowledge.reading.markup import escape, table_row

if TYPE_CHECKING:
    from knowledge.load import Limits

_ASKED = {
    "вопрос",
    "вопросы",
    "question",
    "questions",
    "q",
    "query",
    "title",
    "заголовок",
    "название",
    "тема",
}
_SAID = {
    "ответ",
    "ответы",
    "answer",
    "answers",
    "a",
    "reply",
    "text",
    "текст",
    "содержание",
    "content",
    "body",
}
_DELIMITERS = ",;\t|"
_HEADER_ROWS = 10
_WIDEST = 200
_Row = Sequence[str]


def read_csv(text: str, *, limits: "Limits", findings: Findings) -> str:
    """Return a CSV text as Markdown; the separator is found by looking. Raises `TooLarge`, `Unreadable`."""
    csv.field_size_limit(limits.chars)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:20_000], delimiters=_DELIMITERS)
        dialect.doublequote = True
    except csv.Error:
        dialect = csv.excel
    try:
        rows = list(_bounded(csv.reader(io.StringIO(text, newline=""), dialect), limits))
    except csv.Error as fault:
        raise Unreadable("the table is damaged.", remedy="Save it again as CSV in UTF-8.") from fault
    return "\n\n".join(_sheet(rows, findings=findings, where=""))


def read_xlsx(data: bytes, *, limits: "Limits", findings: Findings) -> str:
    """Return a workbook as Markdown: hidden sheets are left out, formulas give their saved results."""
    import openpyxl

    names = check_archive(data, limits, what="Excel", main="xl/workbook.xml")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        findings.note("macros", "the workbook has macros; they were not run")
    pictures = sum(name.startswith("xl/media/") for name in names)
    if pictures:
        findings.note("picture", f"{pictures} in the workbook: words in them are not read")
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        return _book(book, limits=limits, findings=findings)
    except (TooLarge, RecursionError, MemoryError):
        raise
    except Exception as fault:
        # The reader raises whatever its XML parser or the damaged archive happens to raise.
        raise Unreadable(
            "the Excel file is damaged.", remedy="Open it in Excel and save it again as .xlsx."
        ) from fault


def _book(book: Any, *, limits: "Limits", findings: Findings) -> str:
    out: list[str] = []
    several = len(book.worksheets) > 1
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            findings.note("sheet", "a hidden sheet was left out", where=str(sheet.title))
            continue
        # A file may claim a million columns; the reader trusts it unless it is told to look.
        sheet.reset_dimensions()
        rows = list(_bounded((_cells(row) for row in sheet.iter_rows(values_only=True)), limits))
        parts = list(_sheet(rows, findings=findings, where=str(sheet.title), level=2 if several else 1))
        if parts and several:
            out.append(f"# {escape(str(sheet.title))}")
        out += parts
    book.close()
    return "\n\n".join(out)


def _cells(row: Iterable[Any]) -> list[str]:
    return ["" if value is None else _written(value) for value in row]


def _written(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _bounded(rows: Iterable[_Row], limits: "Limits") -> Iterator[list[str]]:
    total = 0
    for row in rows:
        kept = [cell.strip() for cell in row[:_WIDEST]]
        total += sum(map(len, kept)) + 1
        if total > limits.chars:
            raise TooLarge(f"the table has over {limits.chars} characters.", remedy="Split the file.")
        if any(kept):
            yield kept


def _sheet(rows: Sequence[_Row], *, findings: Findings, where: str, level: int = 1) -> Iterator[str]:
    for at, row in enumerate(rows[:_HEADER_ROWS]):
        names = [cell.casefold().strip(" .:*") for cell in row]
        asked = next((n for n, name in enumerate(names) if name in _ASKED), None)
        said = next((n for n, name in enumerate(names) if name in _SAID), None)
        if asked is not None and said is not None:
            rest = [cell for n, cell in enumerate(row) if cell and n not in (asked, said)]
            if rest:
                findings.note("columns", f"left out: {', '.join(rest)}"[:200], where=where)
            yield from _answers(rows[at + 1 :], asked, said, mark="#" * (level + 1))
            return
    if rows:
        yield "\n".join(_table(rows))


def _answers(rows: Sequence[_Row], asked: int, said: int, *, mark: str) -> Iterator[str]:
    for row in rows:
        question = row[asked] if asked < len(row) else ""
        answer = row[said] if said < len(row) else ""
        if question:
            yield f"{mark} {escape(' '.join(question.split()))}"
        if answer:
            yield "\n\n".join(escape(line.strip()) for line in answer.splitlines() if line.strip())


def _table(rows: Sequence[_Row]) -> Iterator[str]:
    used = [n for n in range(max(map(len, rows))) if any(n < len(row) and row[n] for row in rows)]
    for number, row in enumerate(rows):
        yield table_row([escape(row[n]) if n < len(row) else "" for n in used])
        if number == 0:
            yield "|" + " --- |" * len(used)
