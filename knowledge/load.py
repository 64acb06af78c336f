"""A file read as Markdown words, whatever its format. Files are hostile: every reader has limits.

Each reader raises `Unreadable`, `TooLarge` or `Empty` with a remedy; none raises anything else for a bad file.
Files that hold many documents (`BUNDLES`) are read by `knowledge.reading.bundles`.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowledge.errors import Empty, KnowledgeFault, TooLarge, Unreadable
from knowledge.language import language_of
from knowledge.reading.encodings import decoded
from knowledge.reading.findings import Findings, Flag, Note
from knowledge.reading.instructions import look_over, without_unseen
from knowledge.reading.markup import blocks, escape, without_front_matter
from knowledge.types import Format, Language

FORMATS: dict[str, Format] = {
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".docx": "docx",
    ".docm": "docx",
    ".pdf": "pdf",
    ".txt": "txt",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".csv": "csv",
    ".tsv": "csv",
}
BUNDLES = (".zip", ".jsonl")
SUPPORTED = "Use Markdown, HTML, DOCX, PDF, XLSX, CSV, JSONL, ZIP or plain text."
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_MEGABYTE = 1_000_000
_COMMENTS = re.compile(r"<!--(.*?)-->", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file may cost. Sizes in bytes; `ratio` unpacked to packed, for archives; `chars` of the words found.

    `seconds` is wall time for one document; `memory` is what the process that reads may take.
    """

    size: int = 20 * _MEGABYTE
    unpacked: int = 200 * _MEGABYTE
    ratio: int = 200
    members: int = 2_000
    pages: int = 1_000
    chars: int = 5_000_000
    seconds: float = 60.0
    memory: int = 1_000 * _MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The words of a file as Markdown, pages parted by form feeds, and what was noticed beside them."""

    title: str
    text: str
    language: Language
    format: Format
    notes: tuple[Note, ...] = ()
    flags: tuple[Flag, ...] = ()


def load(path: Path, *, limits: Limits | None = None) -> Loaded:
    """Read a file by its suffix, in this process. Raises `Unreadable`, `TooLarge`, `Empty`."""
    allowed = limits or Limits()
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise Unreadable(
            f"{path.name}: the format {path.suffix or '(none)'} is not supported.",
            remedy=SUPPORTED,
            why="format",
        )
    return parse(read_bytes(path, limits=allowed), name=path.name, form=form, limits=allowed)


def read_bytes(path: Path, *, limits: Limits) -> bytes:
    """Return a file's bytes. Raises `TooLarge` before anything is read, `Unreadable`."""
    try:
        size = path.stat().st_size
        if size > limits.size:
            raise TooLarge(
                f"{path.name} has {size / _MEGABYTE:.0f} MB, the limit is {limits.size / _MEGABYTE:.0f} MB.",
                remedy="Split the file, or remove its pictures.",
            )
        return path.read_bytes()
    except OSError as fault:
        raise Unreadable(
            f"{path.name} cannot be read: {fault.strerror}.", remedy="Check the file's rights."
        ) from fault


def parse(data: bytes, *, name: str, form: Format, limits: Limits | None = None) -> Loaded:
    """Read bytes of a known format; `name` is used in messages and as the last resort for a title."""
    allowed = limits or Limits()
    if len(data) > allowed.size:
        raise TooLarge(
            f"{name} is over the limit of {allowed.size / _MEGABYTE:.0f} MB.", remedy="Split the file."
        )
    findings = Findings()
    try:
        title, text = _read(data, form, allowed, findings)
    except KnowledgeFault as fault:
        raise type(fault)(f"{name}: {fault.message}", remedy=fault.remedy, why=fault.why) from fault
    except RecursionError as fault:
        raise Unreadable(f"{name} is nested too deeply.", remedy="Save it again from an editor.") from fault
    return loaded(title, text, name=name, form=form, limits=allowed, findings=findings)


def loaded(title: str, text: str, *, name: str, form: Format, limits: Limits, findings: Findings) -> Loaded:
    """Return Markdown as a document: cleaned, looked over, titled. Raises `TooLarge`, `Empty`."""
    text = _clean(text, findings)
    if len(text) > limits.chars:
        raise TooLarge(
            f"{name} has {len(text)} characters, the limit is {limits.chars}.", remedy="Split the file."
        )
    found = blocks(text)
    if not any(letter.isalnum() for block in found for letter in block.text):
        raise Empty(f"{name} has no words in it.", remedy="If it is a scan, recognise the text first.")
    look_over(text, findings=findings)
    if findings.hidden:
        count = sum(len(words.split()) for words, _ in findings.hidden)
        findings.note("hidden", f"{count} words that readers do not see were left out")
    first = next((block.text for block in found if block.kind == "heading"), "")
    stem = name.rsplit(".", 1)[0].replace("-", " ").replace("_", " ")
    words = " ".join(block.text for block in found[:400])
    return Loaded(
        title=" ".join((title or first or stem).split())[:300],
        text=text,
        language=language_of(words[:20_000]),
        format=form,
        notes=tuple(findings.notes),
        flags=tuple(findings.flags),
    )


def _read(data: bytes, form: Format, limits: Limits, findings: Findings) -> tuple[str, str]:
    """Return the title a file names ("" for none) and its Markdown."""
    if form in ("pdf", "docx", "xlsx"):
        return _read_office(data, form, limits, findings)
    if form == "html":
        from knowledge.reading.web import read_html

        return read_html(decoded(data, findings=findings, declared=_charset(data)), findings=findings)
    text = decoded(data, findings=findings).replace("\r\n", "\n")
    if form == "csv":
        from knowledge.reading.sheets import read_csv

        return "", read_csv(text.removeprefix("\ufeff"), limits=limits, findings=findings)
    if form == "txt":
        return "", "\n".join(escape(line) for line in text.split("\n"))
    front, body = without_front_matter(text)
    for words in _COMMENTS.findall(body):
        findings.hide(words, where="comment", loud=False)
    return _front_title(front), body


def _read_office(data: bytes, form: Format, limits: Limits, findings: Findings) -> tuple[str, str]:
    if form == "pdf":
        from knowledge.reading.paper import read_pdf

        return read_pdf(data, limits=limits, findings=findings)
    if form == "xlsx":
        from knowledge.reading.sheets import read_xlsx

        return "", read_xlsx(data, limits=limits, findings=findings)
    from knowledge.reading.web import read_html
    from knowledge.reading.word import read_docx

    return read_html(read_docx(data, limits=limits, findings=findings), findings=findings)


def _charset(data: bytes) -> str | None:
    found = re.search(
        rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,40})", data[:4_000], re.IGNORECASE
    )
    return found.group(1).decode("ascii") if found else None


def _front_title(front: str) -> str:
    if not front.strip():
        return ""
    for read in (yaml.safe_load, tomllib.loads):
        try:
            data: Any = read(front)
        except (yaml.YAMLError, tomllib.TOMLDecodeError, ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            return str(data.get("title") or "")
    return ""


def _clean(text: str, findings: Findings) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00ad", "")
    text = _CONTROL.sub("", without_unseen(text, findings=findings)).encode("utf-8", "ignore").decode("utf-8")
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n ")
