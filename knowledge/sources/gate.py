"""Where an import comes from is decided here: a path, a page, a sitemap or a repository.

`recrawl` imports again what is due; a clock, a cron job or the durable engine calls it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from knowledge.errors import KnowledgeFault, Unreadable
from knowledge.imports.intake import Shelf, Tell
from knowledge.imports.report import ImportReport, Row
from knowledge.ingest import import_path
from knowledge.load import Limits
from knowledge.reading.parsing import Readers
from knowledge.sources.crawl import import_url
from knowledge.sources.fetch import Fetcher
from knowledge.sources.git import GitLimits, clone, folder_for_clone, head_of, is_git
from knowledge.sources.port import Notes, Page
from knowledge.sources.schedule import due


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What became of one source whose time had come; `fault` says why there is no report."""

    source: str
    report: ImportReport | None
    fault: str = ""
    remedy: str = ""


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
    reach = fetcher or Fetcher()
    if is_git(source):
        return await _from_git(
            source, library=library, notes=notes, limits=limits, fetcher=reach, git=git, progress=progress
        )
    if not source.startswith(("http://", "https://")):
        raise Unreadable(f"{source[:200]} is not an address that can be read.", remedy="Use https://….")
    with Readers(limits=limits) as reads:
        return await import_url(
            source,
            library=library,
            notes=notes,
            reads=reads,
            fetcher=reach,
            limits=limits or Limits(),
            progress=progress,
        )


async def recrawl(
    *,
    library: Shelf,
    notes: Notes,
    now: datetime,
    limits: Limits | None = None,
    fetcher: Fetcher | None = None,
) -> Sequence[Again]:
    """Import again what is due; a source that fails is told and tried again a period later."""
    out: list[Again] = []
    for one in due(await notes.schedules(), now=now):
        # Noted first: a source that kills the process is not tried again at once.
        await notes.keep_schedule(replace(one, last=now))
        try:
            report = await import_from(
                one.source, library=library, notes=notes, limits=limits, fetcher=fetcher
            )
            out.append(Again(source=one.source, report=report))
        except KnowledgeFault as fault:
            out.append(Again(source=one.source, report=None, fault=fault.message, remedy=fault.remedy))
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
) -> ImportReport:
    commit = await head_of(source, fetcher=fetcher, limits=git)
    known = await notes.page(source)
    if known is not None and known.etag == commit:
        rows = tuple(Row(path=source, document=name, result="unchanged") for name in known.documents)
        return ImportReport(rows=rows, embedded=0, seconds=0.0)
    with folder_for_clone() as folder:
        await clone(source, folder, fetcher=fetcher, limits=git)
        report = await import_path(
            folder, library=library, notes=notes, limits=limits, progress=progress, origin=source
        )
    if report.rows and not report.counts["skipped"]:
        documents = tuple(row.document for row in report.rows if row.document is not None)
        await notes.keep_page(source, Page(etag=commit, modified="", documents=documents))
    return report
