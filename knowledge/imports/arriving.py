"""The files of an import, read one by one: unchanged, a document, or a reason. Blocking; made for a thread."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Protocol

from knowledge.errors import KnowledgeFault
from knowledge.imports.stopping import Stop
from knowledge.load import Limits, read_bytes
from knowledge.reading.bundles import Part, refused
from knowledge.sources.port import Stamp


class Reads(Protocol):
    """Turns the bytes of a file into its documents; never raises for a bad one."""

    def read(self, data: bytes, *, name: str) -> Iterator[Part]:
        """Give the documents of a file one by one."""
        ...

    def close(self) -> None:
        """Stop at once; what is being read is lost."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to import: `name` is its path inside the folder."""

    path: Path
    name: str
    rules: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Work on a file begins."""

    file: File


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """A file is as it was when it was imported whole."""

    file: File
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One document of a file, or why there is none."""

    file: File
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """All of a file was read; its size and time as they were before, 0 for a file that cannot be looked at."""

    file: File
    size: int
    modified_ns: int


Arrival = Opened | Unchanged | Read | Ended


def arrivals(
    files: Sequence[File],
    *,
    stamps: Mapping[str, Stamp],
    reads: Reads,
    limits: Limits,
    stop: Stop,
    look: Callable[[Path], tuple[int, int]] = lambda path: _look(path),
) -> Iterator[Arrival]:
    """Give what is found in the files, in order, until they are told to stop."""
    for file in files:
        if stop.asked:
            return
        size, modified = look(file.path)
        known = stamps.get(file.name)
        if known is not None and (known.size, known.modified_ns, known.rules) == (size, modified, file.rules):
            yield Unchanged(file=file, stamp=known)
            continue
        yield Opened(file=file)
        for part in _parts(file, reads=reads, limits=limits):
            if stop.asked:
                return
            yield Read(file=file, part=part)
        yield Ended(file=file, size=size, modified_ns=modified)


def _parts(file: File, *, reads: Reads, limits: Limits) -> Iterator[Part]:
    try:
        data = read_bytes(file.path, limits=limits)
    except KnowledgeFault as fault:
        yield refused("", fault)
        return
    yield from reads.read(data, name=PurePath(file.name).name)


def _look(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns
