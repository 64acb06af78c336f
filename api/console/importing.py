"""An import somebody asked for in the console: files kept aside, read in turn, and the report kept.

```
form ─► incoming/NUMBER/… ─┐
        addresses ─────────┴─► lane: one import at a time ─► drafts | answers ─► journal, incoming/NUMBER deleted
```
"""

import asyncio
import logging
import secrets
import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path, PurePath
from typing import BinaryIO

from fastapi import Request

from api.console.jobs import Job, Jobs, Tell, jobs
from api.console.shelf import name_for
from api.container import Building
from knowledge.imports.journal import Import, Journal, State
from knowledge.imports.report import Progress, Row
from knowledge.imports.shelves import shelf_of
from knowledge.imports.stopping import Stop
from knowledge.ingest import import_files
from knowledge.sources.gate import visit
from knowledge.sources.port import Schedule
from knowledge.sources.schedule import outcome_of
from knowledge.types import DocumentId, Source

INCOMING = "incoming"
"""Folder, inside the data folder, of files that were sent and are not read yet."""
LONGEST_NAME = 120
NAMELESS = "document"
logger = logging.getLogger("mayak.console")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants imported: `files` by the names they were sent with, `addresses`, and as what.

    `every` plans the addresses to be imported again; None leaves their plans as they are.
    """

    number: str
    by: str
    drafts: bool
    files: Mapping[str, Path] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    every: timedelta | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """Everything by name."""
        return (*self.files, *self.addresses)


def new_number() -> str:
    """Return the number of an import: not to be guessed, so that an address tells nothing."""
    return secrets.token_hex(8)


async def set_aside(building: Building, number: str, sent: Sequence[tuple[str, BinaryIO]]) -> dict[str, Path]:
    """Copy uploaded files to where the import reads them; return them by name, two of one name told apart."""
    folder = building.settings.data / INCOMING / number
    return await asyncio.to_thread(_copied, folder, sent)


async def clear_away(building: Building) -> None:
    """Delete what a process left that ended in the middle of an import, and say so in the journal."""
    folder = building.settings.data / INCOMING
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    await Journal(building.engine).cut(at=building.clock.now())


async def begin(request: Request, building: Building, order: Order) -> Job:
    """Start an import beside the pages."""
    stop, known = Stop(), jobs(request)
    journal = Journal(building.engine)
    await journal.begin(
        Import(
            number=order.number,
            by=order.by,
            drafts=order.drafts,
            wanted=order.wanted,
            began=building.clock.now(),
        )
    )

    async def work(tell: Tell) -> None:
        await _run(building, order, jobs=known, tell=tell, stop=stop)

    return known.start(job_name(order.number), work, by=order.by, stop=stop)


def job_name(number: str) -> str:
    """Return how the job of an import is called."""
    return f"import {number}"


def named(source: Source) -> DocumentId:
    """Return the id of an uploaded document: its file's name in Latin letters, `.en` added to an English one."""
    stem = PurePath(source.source).stem.removesuffix(".en")
    if name_for(stem, language="ru", taken=()) == NAMELESS:
        # Letters that cannot be written in Latin here: two such names must not become one document.
        stem = f"{NAMELESS}-{zlib.crc32(stem.encode()):08x}"
    return name_for(stem, language=source.language, taken=())


async def _run(building: Building, order: Order, *, jobs: Jobs, tell: Tell, stop: Stop) -> None:
    state: State = "cut"
    rows: list[Row] = []
    try:
        async with jobs.lane("import"):
            await _taken(building, order, rows, tell=tell, stop=stop)
        state = "stopped" if stop.asked else "ended"
    finally:
        await Journal(building.engine).finish(order.number, state=state, rows=rows, at=building.clock.now())
        folder = building.settings.data / INCOMING / order.number
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _taken(building: Building, order: Order, rows: list[Row], *, tell: Tell, stop: Stop) -> None:
    """Import the files together, then one address after another; `rows` grow as each is done."""
    library, sent, total = building.library, len(order.files), len(order.wanted)
    tell(0, total)
    if order.files and not stop.asked:
        report = await import_files(
            order.files,
            library=shelf_of(library, by=order.by, drafts=order.drafts),
            notes=library.notes,
            naming=named,
            progress=_counted(tell, before=0, steps=sent, total=total),
            stop=stop,
        )
        rows += report.rows
    for number, address in enumerate(order.addresses, start=sent):
        if stop.asked:
            return
        progress = _counted(tell, before=number, steps=1, total=total)
        rows += await _address(building, order, address, progress=progress, stop=stop)


async def _address(
    building: Building, order: Order, address: str, *, progress: Callable[[Progress], None], stop: Stop
) -> Sequence[Row]:
    """Import an address; where it is planned, or is to be from now on, what came of it is noted there."""
    library, notes, now = building.library, building.library.notes, building.clock.now()
    await notes.note_try(address, at=now, outcome=None)
    report = await visit(
        address,
        library=shelf_of(library, by=order.by, drafts=order.drafts),
        notes=notes,
        fetcher=building.fetcher,
        progress=progress,
        stop=stop,
    )
    outcome = outcome_of(report)
    if order.every is not None and any(row.document is not None for row in report.rows):
        # What brought nothing at all, as a mistyped or forbidden address does, is not tried again for ever.
        plan = Schedule(source=address, every=order.every, last=now, drafts=order.drafts, outcome=outcome)
        await notes.keep_schedule(plan)
    else:
        await notes.note_try(address, at=now, outcome=outcome)
    return report.rows


def _counted(tell: Tell, *, before: int, steps: int, total: int) -> Callable[[Progress], None]:
    """Return how a part of the order, meant as `steps` of `total`, says how far it is: it may have more."""

    def progress(step: Progress) -> None:
        tell(before + step.done, total - steps + step.total, step.document, step.found)

    return progress


def _copied(folder: Path, sent: Sequence[tuple[str, BinaryIO]]) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    out: dict[str, Path] = {}
    for number, (given, stream) in enumerate(sent):
        name = _free(_plain(given), out)
        # A name may be anything, and too long for a disk.
        out[name] = folder / str(number)
        with out[name].open("wb") as file:
            shutil.copyfileobj(stream, file)
    return out


def _plain(given: str) -> str:
    name = PurePath(given.replace("\\", "/")).name
    kept = "".join(letter for letter in name if letter.isprintable()).strip(" .")
    return kept[-LONGEST_NAME:].strip(" .") or "document"


def _free(name: str, taken: Mapping[str, Path]) -> str:
    path, number, free = PurePath(name), 1, name
    while free in taken:
        number += 1
        free = f"{path.stem}-{number}{path.suffix}"
    return free
