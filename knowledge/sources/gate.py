"""Where an import comes from is decided here: a path, a page, a sitemap or a repository.

`recrawl` imports again what is due; a clock, a cron job or the durable engine calls it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.errors import KnowledgeFault, Unreadable
from knowledge.imports.arrivals import IMPORT
from knowledge.imports.intake import Shelf, Tell
from knowledge.imports.report import ImportReport, Row, skipped
from knowledge.imports.shelves import shelf_of
from knowledge.imports.stopping import Stop
from knowledge.ingest import import_path
from knowledge.load import Limits
from knowledge.reading.parsing import Readers
from knowledge.sources.crawl import import_url
from knowledge.sources.fetch import Fetcher
from knowledge.sources.git import GitLimits, clone, folder_for_clone, head_of, is_git
from knowledge.sources.port import Notes, Page, Schedule
from knowledge.sources.schedule import due, outcome_of

if TYPE_CHECKING:
    from knowledge.library import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What became of one source whose time had come."""

    source: str
    report: ImportReport
    drafts: bool = False


def is_address(source: str) -> bool:
    """Say whether a source is outside this machine's folders."""
    return "://" in source


async def import_from(
    source: str,
    *,
    library: Shelf,
    notes: Notes,
    limits: Limits | None = None,
    fetcher: Fetcher | None = None,
    git: GitLimits | None = None,
    progress: Tell = lambda _: None,
) -> ImportReport:
    """Import a path or an address. Raises `Unreadable`, `BadManifest`, `Forbidden`, `Unreachable`, `TooLarge`."""
    if not is_address(source):
        return await import_path(Path(source), library=library, notes=notes, limits=limits, progress=progress)
    return await import_address(
        source, library=library, notes=notes, limits=limits, fetcher=fetcher, git=git, progress=progress
    )


async def import_address(
    source: str,
    *,
    library: Shelf,
    notes: Notes,
    limits: Limits | None = None,
    fetcher: Fetcher | None = None,
    git: GitLimits | None = None,
    progress: Tell = lambda _: None,
    stop: Stop | None = None,
) -> ImportReport:
    """Import a page, a sitemap or a repository, never a path. Raises `Unreadable`, `Forbidden`, `Unreachable`,
    `TooLarge`."""
    reach = fetcher or Fetcher()
    if is_git(source):
        return await _from_git(
            source,
            library=library,
            notes=notes,
            limits=limits,
            fetcher=reach,
            git=git,
            progress=progress,
            stop=stop,
        )
    if not source.startswith(("http://", "https://")):
        raise Unreadable(
            f"{source[:200]} is not an address that can be read.", remedy="Use https://….", why="not_address"
        )
    with Readers(limits=limits) as reads:
        return await import_url(
            source,
            library=library,
            notes=notes,
            reads=reads,
            fetcher=reach,
            limits=limits or Limits(),
            progress=progress,
            stop=stop,
        )


async def visit(source: str, **how: Any) -> ImportReport:
    """Import an address as `import_address` does; one that cannot be had is a report of one row."""
    try:
        return await import_address(source, **how)
    except KnowledgeFault as fault:
        row = skipped(source, reason=fault.message, remedy=fault.remedy, why=fault.why)
        return ImportReport(rows=(row,), embedded=0, seconds=0.0)


async def revisit(one: Schedule, *, library: "Library", now: datetime, **how: Any) -> ImportReport:
    """Import a source again as its schedule says, and note what came of it."""
    notes: Notes = library.notes
    # Noted first: a source that kills the process is not tried again at once.
    await notes.note_try(one.source, at=now, outcome=None)
    shelf = shelf_of(library, by=IMPORT, drafts=one.drafts)
    report = await visit(one.source, library=shelf, notes=notes, **how)
    await notes.note_try(one.source, at=now, outcome=outcome_of(report))
    return report


async def recrawl(
    *,
    library: "Library",
    now: datetime,
    limits: Limits | None = None,
    fetcher: Fetcher | None = None,
    stop: Stop | None = None,
) -> Sequence[Again]:
    """Import again what is due; a source that fails is told and tried again a period later."""
    out: list[Again] = []
    while not (stop is not None and stop.asked):
        # Asked again each time: somebody may have let a source rest, or forgotten it, meanwhile.
        tried = {again.source for again in out}
        waiting = due(await library.notes.schedules(), now=now)
        one = next((one for one in waiting if one.source not in tried), None)
        if one is None:
            break
        report = await revisit(one, library=library, now=now, limits=limits, fetcher=fetcher, stop=stop)
        out.append(Again(source=one.source, report=report, drafts=one.drafts))
    return out


async def _from_git(
    source: str,
    *,
    library: Shelf,
    notes: Notes,
    limits: Limits | None,
    fetcher: Fetcher,
    git: GitLimits | None,
    progress: Tell,
    stop: Stop | None,
) -> ImportReport:
    commit = await head_of(source, fetcher=fetcher, limits=git)
    known = await notes.page(source)
    if known is not None and known.etag == commit:
        rows = tuple(Row(path=source, document=name, result="unchanged") for name in known.documents)
        return ImportReport(rows=rows, embedded=0, seconds=0.0)
    with folder_for_clone() as folder:
        await clone(source, folder, fetcher=fetcher, limits=git)
        report = await import_path(
            folder, library=library, notes=notes, limits=limits, progress=progress, origin=source, stop=stop
        )
    stopped = stop is not None and stop.asked
    if report.rows and not report.counts["skipped"] and not stopped:
        documents = tuple(row.document for row in report.rows if row.document is not None)
        await notes.keep_page(source, Page(etag=commit, modified="", documents=documents))
    return report
