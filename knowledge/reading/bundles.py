"""Files that hold many documents: ZIP and JSONL. Each document is a part of its own; a bad one does not stop the rest."""

import io
import json
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from knowledge.errors import KnowledgeFault, TooLarge, Unreadable
from knowledge.load import BUNDLES, FORMATS, SUPPORTED, Limits, Loaded, loaded, parse
from knowledge.reading.encodings import decoded
from knowledge.reading.findings import Findings
from knowledge.types import LANGUAGES, Language

MOST_ROWS = 200_000
_ID = re.compile(r"[^\w.-]+")
_DRIVE = re.compile(r"^[A-Za-z]:")
_MEGABYTE = 1_000_000
_UTF8_NAME = 0x800
_LOCKED = 0x1
_SKIPPED = ("__MACOSX/", ".DS_Store", "Thumbs.db")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One document of a file, or why it could not be read: `loaded` is None then.

    `name` is the path inside a ZIP, or the number of a JSONL line, or "" for a file that is one document; `id` and
    `language` are what the row itself says.
    """

    name: str
    loaded: Loaded | None = None
    id: str = ""
    language: Language | None = None
    reason: str = ""
    remedy: str = ""
    why: str = ""


def parts(data: bytes, *, name: str, limits: Limits, start: int = 0) -> Iterator[Part]:
    """Give the documents of a file one by one, from number `start` on; a file of one document gives one part.

    A fault of the whole file is one part with its reason. Nothing is raised for a bad file.
    """
    suffix = PurePosixPath(name).suffix.lower()
    try:
        if len(data) > limits.size:
            raise TooLarge(
                f"{name} is over the limit of {limits.size / _MEGABYTE:.0f} MB.", remedy="Split it."
            )
        if suffix == ".zip":
            yield from _members(data, name=name, limits=limits, start=start)
        elif suffix == ".jsonl":
            yield from _rows(data, name=name, limits=limits, start=start)
        elif suffix in FORMATS:
            yield Part(name="", loaded=parse(data, name=name, form=FORMATS[suffix], limits=limits))
        else:
            raise Unreadable(
                f"{name}: the format {suffix or '(none)'} is not supported.", remedy=SUPPORTED, why="format"
            )
    except KnowledgeFault as fault:
        yield refused("", fault)


def refused(name: str, fault: KnowledgeFault) -> Part:
    """Return a part that could not be read, with the reason."""
    return Part(name=name, reason=fault.message, remedy=fault.remedy, why=fault.why)


def _members(data: bytes, *, name: str, limits: Limits, start: int) -> Iterator[Part]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as fault:
        raise Unreadable(
            f"{name} is not a ZIP, or is damaged.", remedy="Pack it again.", why="damaged"
        ) from fault
    with archive:
        members = [one for one in archive.infolist() if not one.is_dir() and not _noise(one.filename)]
        if len(members) > limits.members:
            raise TooLarge(
                f"{name} has {len(members)} files in it, the limit is {limits.members}.", remedy="Split it."
            )
        left = limits.unpacked
        for member in members[start:]:
            path = _name(member)
            try:
                _check(member, path, limits)
                body = _unpacked(archive, member, limits=limits, left=left)
                left -= len(body)
                form = FORMATS[PurePosixPath(path).suffix.lower()]
                yield Part(
                    name=path, loaded=parse(body, name=PurePosixPath(path).name, form=form, limits=limits)
                )
            except KnowledgeFault as fault:
                yield refused(path, fault)


def _noise(name: str) -> bool:
    return name.startswith(_SKIPPED[0]) or name.rsplit("/", 1)[-1] in _SKIPPED[1:]


def _name(member: zipfile.ZipInfo) -> str:
    """Return a member's name; names without the UTF-8 mark come from Russian Windows more often than not."""
    if member.flag_bits & _UTF8_NAME or member.filename.isascii():
        return member.filename
    try:
        return member.filename.encode("cp437").decode("cp866")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return member.filename


def _check(member: zipfile.ZipInfo, path: str, limits: Limits) -> None:
    plain = path.replace("\\", "/")
    if plain.startswith("/") or _DRIVE.match(plain) or ".." in PurePosixPath(plain).parts:
        raise Unreadable(
            f"{path}: the name leads out of the archive.", remedy="Pack the folder itself.", why="outside"
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Unreadable(f"{path} is a link.", remedy="Pack the file it points to.", why="link")
    if member.flag_bits & _LOCKED:
        raise Unreadable(
            f"{path} is locked with a password.", remedy="Pack it without a password.", why="locked"
        )
    suffix = PurePosixPath(plain).suffix.lower()
    if suffix in BUNDLES:
        raise Unreadable(
            f"{path} is an archive inside an archive.", remedy="Import it by itself.", why="nested"
        )
    if suffix not in FORMATS:
        raise Unreadable(
            f"{path}: the format {suffix or '(none)'} is not supported.", remedy=SUPPORTED, why="format"
        )
    unpacked, packed = member.file_size, member.compress_size or 1
    if unpacked > limits.size or unpacked > limits.ratio * packed + _MEGABYTE:
        raise TooLarge(f"{path} unpacks to {unpacked / _MEGABYTE:.0f} MB.", remedy="Split the file.")


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, *, limits: Limits, left: int) -> bytes:
    """Return a member's bytes; what a header claims is not believed."""
    most = min(limits.size, left)
    try:
        with archive.open(member) as stream:
            body = stream.read(most + 1)
    except Exception as fault:
        # A damaged member makes the unpacker raise anything from zlib.error to EOFError.
        raise Unreadable(f"{member.filename} is damaged.", remedy="Pack it again.", why="damaged") from fault
    if len(body) > most:
        raise TooLarge(f"{member.filename} unpacks to more than is allowed.", remedy="Split the archive.")
    return body


def _rows(data: bytes, *, name: str, limits: Limits, start: int) -> Iterator[Part]:
    findings = Findings()
    lines = decoded(data, findings=findings).removeprefix("\ufeff").split("\n")
    stem = PurePosixPath(name).stem
    if len(lines) > MOST_ROWS:
        raise TooLarge(f"{name} has {len(lines)} lines, the limit is {MOST_ROWS}.", remedy="Split the file.")
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not numbered:
        raise Unreadable(f"{name} has no lines.", remedy='Write {"title": …, "text": …} on each line.')
    for number, line in numbered[start:]:
        try:
            yield _row(line, number=number, stem=stem, limits=limits)
        except KnowledgeFault as fault:
            yield refused(str(number), fault)


def _row(line: str, *, number: int, stem: str, limits: Limits) -> Part:
    remedy = 'Write {"title": …, "text": …} on each line, each a text.'
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as fault:
        raise Unreadable(f"line {number} is not JSON.", remedy=remedy, why="bad_line") from fault
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise Unreadable(f"line {number} has no `text`.", remedy=remedy, why="bad_line")
    title, id = str(row.get("title") or ""), _ID.sub("-", str(row.get("id") or "")).strip("-.")[:150]
    findings = Findings()
    found = loaded(title, row["text"], name=f"line {number}", form="jsonl", limits=limits, findings=findings)
    language = next((one for one in LANGUAGES if one == row.get("language")), None)
    return Part(name=str(number), loaded=found, id=id or f"{stem}-{number}", language=language)
