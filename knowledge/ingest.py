"""A folder becomes knowledge: load, split, embed, publish — document by document, so a stopped import just goes on.

One bad file is a row in the report; the rest goes on.
"""

import asyncio
import json
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol

from knowledge.catalogue import hash_of
from knowledge.errors import BadManifest, KnowledgeFault, Unreadable
from knowledge.load import FORMATS, Limits, Loaded, load
from knowledge.types import DocumentId, Source

MANIFEST = "documents.toml"
Result = Literal["imported", "unchanged", "skipped"]
_FIELDS = {"path", "title", "audience", "department", "valid_from", "valid_until", "status"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an import is: `done` of `total` documents, `passages` embedded so far, what is read now."""

    done: int
    total: int
    passages: int
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one file; `reason` and `remedy` say why it was skipped."""

    path: str
    document: DocumentId | None
    result: Result
    passages: int = 0
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """One row a file, in order; `embedded` counts texts that had to be embedded anew."""

    rows: tuple[Row, ...]
    embedded: int
    seconds: float

    @property
    def counts(self) -> dict[str, int]:
        """Return how many files had each result."""
        found = Counter(row.result for row in self.rows)
        return {"imported": found["imported"], "unchanged": found["unchanged"], "skipped": found["skipped"]}


class Shelf(Protocol):
    """What an import needs from the library."""

    async def accept(
        self, source: Source, *, source_hash: str, progress: Callable[[int], None]
    ) -> int | None:
        """Embed and publish; return how many passages, or None when nothing changed."""
        ...

    async def pair(self, pairs: Sequence[tuple[DocumentId, DocumentId]]) -> None:
        """Tell twins of each other."""
        ...

    def embedded(self) -> int:
        """Return how many texts were embedded since the start."""
        ...


async def import_path(
    path: Path,
    *,
    library: Shelf,
    progress: Callable[[Progress], None] = lambda _: None,
    limits: Limits | None = None,
) -> ImportReport:
    """Import a file or a folder with all its sub-folders. Raises `Unreadable` when there is no such path,
    `BadManifest` when documents.toml is wrong; everything else is a row."""
    started, before = time.perf_counter(), library.embedded()
    root, files = files_of(path)
    manifest = manifest_of(root)
    rows: list[Row] = []
    taken: dict[DocumentId, str] = {}
    for n, file in enumerate(files):
        name = file.relative_to(root).as_posix()

        def step(_: int, n: int = n, name: str = name) -> None:
            progress(Progress(done=n, total=len(files), passages=library.embedded() - before, document=name))

        step(0)
        try:
            rows.append(
                await _one(
                    file, name, manifest.get(name, {}), taken, library=library, step=step, limits=limits
                )
            )
        except KnowledgeFault as fault:
            rows.append(
                Row(path=name, document=None, result="skipped", reason=fault.message, remedy=fault.remedy)
            )
    await library.pair([(one, DocumentId(f"{one}.en")) for one in taken if f"{one}.en" in taken])
    embedded = library.embedded() - before
    progress(Progress(done=len(files), total=len(files), passages=embedded, document=""))
    return ImportReport(rows=tuple(rows), embedded=embedded, seconds=round(time.perf_counter() - started, 2))


async def _one(
    file: Path,
    name: str,
    row: Mapping[str, Any],
    taken: dict[DocumentId, str],
    *,
    library: Shelf,
    step: Callable[[int], None],
    limits: Limits | None,
) -> Row:
    loaded = await asyncio.to_thread(load, file, limits=limits)
    source = source_of(name, loaded, row)
    if source.id in taken:
        raise Unreadable(
            f"{name} has the same id as {taken[source.id]}: {source.id}.",
            remedy="Rename one of the two files.",
        )
    taken[source.id] = name
    count = await library.accept(source, source_hash=_digest(source), progress=step)
    if count is None:
        return Row(path=name, document=source.id, result="unchanged")
    return Row(path=name, document=source.id, result="imported", passages=count)


def files_of(path: Path) -> tuple[Path, list[Path]]:
    """Return the folder that paths and documents.toml are relative to, and the files that can be read, sorted."""
    if path.is_file():
        parents = [parent for parent in path.parents[:3] if (parent / MANIFEST).is_file()]
        return (parents[0] if parents else path.parent), [path]
    if not path.is_dir():
        raise Unreadable(f"There is no file or folder {path}.", remedy="Check the path.")
    return path, [
        file for file in sorted(path.rglob("*")) if file.is_file() and _wanted(file.relative_to(path))
    ]


def _wanted(path: Path) -> bool:
    hidden = any(part.startswith((".", "~$")) for part in path.parts)
    return not hidden and path.suffix.lower() in FORMATS


def source_of(name: str, loaded: Loaded, row: Mapping[str, Any]) -> Source:
    """Return a loaded file as a document: id from the stem, `.en` added under a folder `en`, the rest from its row."""
    path = Path(name)
    language = loaded.language
    for folder in path.parts[:-1]:
        language = "ru" if folder == "ru" else "en" if folder == "en" else language
    english = "en" in path.parts[:-1]
    return Source(
        id=DocumentId(f"{path.stem}.en" if english else path.stem),
        title=str(row.get("title") or loaded.title),
        text=loaded.text,
        language=language,
        source=name,
        format=loaded.format,
        audience=str(row.get("audience") or "customer"),
        department=row.get("department"),
        valid_from=row.get("valid_from"),
        valid_until=row.get("valid_until"),
        status=row.get("status") or "published",
    )


def _digest(source: Source) -> str:
    parts = [source.title, source.text, source.language, source.audience, source.department]
    return hash_of(json.dumps([*parts, str(source.valid_from), str(source.valid_until), source.status]))


def manifest_of(root: Path) -> dict[str, Mapping[str, Any]]:
    """Return the rows of documents.toml by path, none when there is no such file. Raises `BadManifest`."""
    file = root / MANIFEST
    if not file.is_file():
        return {}
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise BadManifest(
            f"{file.name} cannot be read: {fault}.", remedy="Correct the line it names."
        ) from fault
    rows = data.get("document", [])
    if not isinstance(rows, list):
        raise BadManifest(
            f"{file.name}: `document` is not a list.", remedy="Write [[document]] before each row."
        )
    return dict(_checked(rows, file.name))


def _checked(rows: Sequence[Any], file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for n, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not isinstance(row.get("path"), str):
            raise BadManifest(f"{file}: row {n} has no `path`.", remedy='Write path = "ru/returns.md".')
        wrong = sorted(set(row) - _FIELDS)
        if wrong:
            raise BadManifest(
                f"{file}: {row['path']} has unknown {wrong}.", remedy=f"Known: {sorted(_FIELDS)}."
            )
        if row.get("status", "published") not in ("published", "retired"):
            raise BadManifest(
                f"{file}: {row['path']} has a wrong status.", remedy="Use published or retired."
            )
        if row.get("audience", "customer") not in ("customer", "staff"):
            raise BadManifest(f"{file}: {row['path']} has a wrong audience.", remedy="Use customer or staff.")
        dated = {
            name: _day(row[name], row["path"], file) for name in ("valid_from", "valid_until") if name in row
        }
        yield row["path"], {**row, **dated}


def _day(value: Any, path: str, file: str) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as fault:
        raise BadManifest(
            f"{file}: {path} has a wrong date {value!r}.", remedy="Write 2026-12-15."
        ) from fault
