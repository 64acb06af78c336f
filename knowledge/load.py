"""A file read as Markdown words: Markdown, HTML, DOCX, PDF, plain text. Files are hostile: every reader has limits.

Each reader raises `Unreadable`, `TooLarge` or `Empty` with a remedy; none raises anything else for a bad file.
"""

import codecs
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowledge.errors import Empty, KnowledgeFault, TooLarge, Unreadable
from knowledge.language import language_of
from knowledge.markup import blocks, escape, without_front_matter
from knowledge.types import Format, Language

FORMATS: dict[str, Format] = {
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".docx": "docx",
    ".pdf": "pdf",
    ".txt": "txt",
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file may cost. Sizes in bytes; `ratio` unpacked to packed, for archives; `chars` of the words found."""

    size: int = 20 * _MEGABYTE
    unpacked: int = 200 * _MEGABYTE
    ratio: int = 200
    members: int = 2_000
    pages: int = 1_000
    chars: int = 5_000_000
    seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The words of a file as Markdown, pages parted by form feeds."""

    title: str
    text: str
    language: Language
    format: Format


def load(path: Path, *, limits: Limits | None = None) -> Loaded:
    """Read a file by its suffix. Raises `Unreadable`, `TooLarge`, `Empty`."""
    allowed = limits or Limits()
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise Unreadable(
            f"{path.name}: the format {path.suffix or '(none)'} is not supported.",
            remedy="Use Markdown, HTML, DOCX, PDF or plain text.",
        )
    try:
        size = path.stat().st_size
        if size > allowed.size:
            raise TooLarge(
                f"{path.name} has {size / _MEGABYTE:.0f} MB, the limit is {allowed.size / _MEGABYTE:.0f} MB.",
                remedy="Split the file, or remove its pictures.",
            )
        data = path.read_bytes()
    except OSError as fault:
        raise Unreadable(
            f"{path.name} cannot be read: {fault.strerror}.", remedy="Check the file's rights."
        ) from fault
    return parse(data, name=path.name, form=form, limits=allowed)


def parse(data: bytes, *, name: str, form: Format, limits: Limits | None = None) -> Loaded:
    """Read bytes of a known format; `name` is used in messages and as the last resort for a title."""
    allowed = limits or Limits()
    if len(data) > allowed.size:
        raise TooLarge(
            f"{name} is over the limit of {allowed.size / _MEGABYTE:.0f} MB.", remedy="Split the file."
        )
    try:
        title, text = _read(data, form, allowed)
    except KnowledgeFault as fault:
        raise type(fault)(f"{name}: {fault.message}", remedy=fault.remedy) from fault
    except RecursionError as fault:
        raise Unreadable(f"{name} is nested too deeply.", remedy="Save it again from an editor.") from fault
    text = _clean(text)
    if len(text) > allowed.chars:
        raise TooLarge(
            f"{name} has {len(text)} characters, the limit is {allowed.chars}.", remedy="Split the file."
        )
    found = blocks(text)
    if not any(letter.isalnum() for block in found for letter in block.text):
        raise Empty(f"{name} has no words in it.", remedy="If it is a scan, recognise the text first.")
    first = next((block.text for block in found if block.kind == "heading"), "")
    stem = name.rsplit(".", 1)[0].replace("-", " ").replace("_", " ")
    words = " ".join(block.text for block in found[:400])
    return Loaded(
        title=" ".join((title or first or stem).split())[:300],
        text=text,
        language=language_of(words[:20_000]),
        format=form,
    )


def _read(data: bytes, form: Format, limits: Limits) -> tuple[str, str]:
    """Return the title a file names ("" for none) and its Markdown."""
    if form == "pdf":
        from knowledge.paper import read_pdf

        return read_pdf(data, limits=limits)
    if form == "docx":
        from knowledge.paper import read_docx
        from knowledge.web import read_html

        return read_html(read_docx(data, limits=limits))
    if form == "html":
        from knowledge.web import read_html

        return read_html(_decoded(data, declared=_charset(data)))
    text = _decoded(data)
    if form == "txt":
        return "", "\n".join(escape(line) for line in text.replace("\r\n", "\n").split("\n"))
    front, body = without_front_matter(text.replace("\r\n", "\n"))
    return _front_title(front), body


def _decoded(data: bytes, *, declared: str | None = None) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = declared or "utf-8-sig"
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as fault:
        raise Unreadable(
            "the text is not in UTF-8.", remedy="Save it again with the encoding UTF-8."
        ) from fault


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


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00ad", "")
    text = _CONTROL.sub("", text).encode("utf-8", "ignore").decode("utf-8")
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n ")
