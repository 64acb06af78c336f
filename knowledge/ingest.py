"""A folder becomes knowledge: read, split, embed, publish — portion by portion, so a stopped import just goes on.

```
files ─► reading process ─► portion ─► same id? almost the same? ─► library ─► rows
         (one ahead)                                               └─► stamps, flags, signatures
```
One bad file is a row in the report; the rest goes on.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from knowledge.ahead import ahead
from knowledge.catalogue import hash_of
from knowledge.errors import Unreadable
from knowledge.imports.arriving import File, Reads, arrivals
from knowledge.imports.intake import Intake, Naming, Shelf, Tell, source_of
from knowledge.imports.manifest import MANIFEST, manifest_of
from knowledge.imports.report import ImportReport, Progress, Row
from knowledge.imports.stopping import Stop
from knowledge.load import BUNDLES, FORMATS, Limits
from knowledge.reading.parsing import Readers
from knowledge.sources.port import Notes

__all__ = [
    "MANIFEST",
    "ImportReport",
    "Progress",
    "Row",
    "Shelf",
    "files_of",
    "import_files",
    "import_path",
    "manifest_of",
    "source_of",
]

RULES = "1"
"""Raised when a reader learns to read more: what was imported by older rules is read again."""
_FIRST, _PORTION = 8, 192
"""What the first portion and the others hold: three arrivals a file of one document."""


async def import_path(
    path: Path,
    *,
    library: Shelf,
    progress: Tell = lambda _: None,
    limits: Limits | None = None,
    notes: Notes | None = None,
    reads: Reads | None = None,
    origin: str = "",
    stop: Stop | None = None,
) -> ImportReport:
    """Import a file or a folder with all its sub-folders. Raises `Unreadable` when there is no such path,
    `BadManifest` when documents.toml is wrong; everything else is a row.

    `notes` is what earlier imports left: with it unchanged files are not even read. `origin` names the folder there.
    """
    root, paths = files_of(path)
    manifest = manifest_of(root)
    files = [
        File(path=file, name=name, rules=_rules(manifest.get(name, {})))
        for file in paths
        for name in (file.relative_to(root).as_posix(),)
    ]
    allowed = limits or Limits()
    intake = Intake(
        library=library,
        notes=notes,
        manifest=manifest,
        origin=origin or str(root.resolve()),
        total=len(files),
        progress=progress,
    )
    return await _taken(
        files, intake, reads=reads or Readers(limits=allowed), limits=allowed, stop=stop or Stop()
    )


async def import_files(
    files: Mapping[str, Path],
    *,
    library: Shelf,
    notes: Notes,
    naming: Naming,
    progress: Tell = lambda _: None,
    limits: Limits | None = None,
    stop: Stop | None = None,
) -> ImportReport:
    """Import files that were sent, by the names they were sent with; everything that goes wrong is a row.

    They have no folder to come back to, so nothing is kept of them; `naming` says what a document is called.
    """
    allowed = limits or Limits()
    intake = Intake(
        library=library,
        notes=notes,
        manifest={},
        origin="",
        total=len(files),
        progress=progress,
        naming=naming,
    )
    sent = [File(path=path, name=name, rules="") for name, path in files.items()]
    return await _taken(sent, intake, reads=Readers(limits=allowed), limits=allowed, stop=stop or Stop())


async def _taken(
    files: Sequence[File], intake: Intake, *, reads: Reads, limits: Limits, stop: Stop
) -> ImportReport:
    """Read the files one portion ahead of the library; the reader is gone afterwards, whatever happened."""
    started = time.perf_counter()
    await intake.open()
    # What ends this import early must not end the others of the same request.
    own = Stop()
    stop.also(own.ask)
    own.also(reads.close)
    found = arrivals(files, stamps=intake.stamps, reads=reads, limits=limits, stop=own)
    portions = ahead(found, sizes=lambda n: _FIRST if n == 0 else _PORTION, stop=own.ask)
    try:
        async for portion in portions:
            await intake.take(portion)
    finally:
        await portions.aclose()  # type: ignore[attr-defined]
        await intake.settle()
    await intake.close()
    return ImportReport(
        rows=tuple(intake.rows), embedded=intake.embedded, seconds=round(time.perf_counter() - started, 2)
    )


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
    return not hidden and path.suffix.lower() in {*FORMATS, *BUNDLES}


def _rules(row: Mapping[str, Any]) -> str:
    return hash_of(f"{RULES} {sorted((name, str(value)) for name, value in row.items())}")
