"""A web page or a sitemap becomes documents; what the server calls unchanged is not read again.

url ─► robots.txt ─► fetch (ETag, Last-Modified) ─► a sitemap? its pages, one after another
                                                └─► a page ─► reading process ─► intake
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from knowledge.errors import KnowledgeFault, Unreadable
from knowledge.imports.arriving import Arrival, Ended, File, Opened, Read, Reads, Unchanged
from knowledge.imports.intake import Intake, Shelf, Tell
from knowledge.imports.report import ImportReport
from knowledge.imports.stopping import Stop
from knowledge.load import BUNDLES, FORMATS, SUPPORTED, Limits
from knowledge.reading.bundles import Part, refused
from knowledge.sources.errors import Unreachable
from knowledge.sources.fetch import Fetched, Fetcher
from knowledge.sources.port import Brought, Notes, Page, Stamp
from knowledge.sources.robots import Robots
from knowledge.sources.sitemap import MOST, is_sitemap, read_sitemap
from knowledge.types import DocumentId

_KINDS = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/jsonl": ".jsonl",
    "application/x-ndjson": ".jsonl",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}
_NOT_A_WORD = re.compile(r"[^\w.]+")
_DEPTH = 3

Sleep = Callable[[float], Awaitable[None]]


async def import_url(
    url: str,
    *,
    library: Shelf,
    notes: Notes,
    reads: Reads,
    fetcher: Fetcher,
    limits: Limits,
    progress: Tell = lambda _: None,
    sleep: Sleep = asyncio.sleep,
    stop: Stop | None = None,
) -> ImportReport:
    """Import a page, or every page of a sitemap until told to stop. Raises `Forbidden`, `Unreachable` when `url`
    itself cannot be had; a page of a sitemap that cannot be had is a row."""
    started, stop = time.perf_counter(), stop or Stop()
    stop.also(reads.close)
    crawl = _Crawl(notes=notes, reads=reads, fetcher=fetcher, stop=stop)
    first = await crawl.fetched(url)
    pages = await crawl.pages(url, first) if is_sitemap(first.body) else []
    intake = Intake(
        library=library, notes=notes, manifest={}, origin=url, total=len(pages) or 1, progress=progress
    )
    await intake.open()
    if not pages:
        await crawl.take(url, first, intake)
    for page in pages:
        if stop.asked:
            break
        try:
            await sleep(await crawl.robots.pause(page))
            await crawl.take(page, await crawl.fetched(page), intake)
        except KnowledgeFault as fault:
            await intake.take([Read(file=_file(page), part=refused("", fault)), _ended(page)])
    await intake.close()
    return ImportReport(
        rows=tuple(intake.rows), embedded=intake.embedded, seconds=round(time.perf_counter() - started, 2)
    )


class _Crawl:
    """One crawl: what its parts share."""

    def __init__(self, *, notes: Notes, reads: Reads, fetcher: Fetcher, stop: Stop) -> None:
        self.robots = Robots(fetcher)
        self._notes = notes
        self._reads = reads
        self._fetcher = fetcher
        self._stop = stop

    async def fetched(self, url: str) -> Fetched:
        """Return a page if robots may read it. Raises `Forbidden`, `Unreachable`."""
        await self.robots.check(url)
        known = await self._notes.page(url)
        found = await self._fetcher.get(
            url, etag=known.etag if known else "", modified=known.modified if known else ""
        )
        if found.status != 200 and not (found.same and known):
            raise Unreachable(f"{url} answers {found.status}.", remedy="Check the address in a browser.")
        return found

    async def pages(self, url: str, first: Fetched) -> list[str]:
        """Return the pages of a sitemap and of the sitemaps it names."""
        size = self._fetcher.limits.size
        found = read_sitemap(first.body, url=first.url, size=size)
        pages, maps = list(found.pages), list(found.maps)
        for _ in range(_DEPTH - 1):
            level, maps = maps, []
            for one in level:
                if len(pages) >= MOST:
                    break
                await self.robots.check(one)
                below = read_sitemap((await self._fetcher.get(one)).body, url=one, size=size)
                pages += below.pages
                maps += below.maps
        return list(dict.fromkeys(pages))[:MOST]

    async def take(self, url: str, found: Fetched, intake: Intake) -> None:
        """Take a page in, or keep what it gave before."""
        known = await self._notes.page(url)
        if found.same and known is not None:
            await intake.take([_unchanged(url, known)])
            return
        parts = await asyncio.to_thread(self._parts, url, found)
        if self._stop.asked:
            # The reader was taken away meanwhile: what it says of this page is not about the page.
            return
        start = len(intake.rows)
        arrivals: list[Arrival] = [Opened(file=_file(url))]
        arrivals += [Read(file=_file(url), part=part) for part in parts]
        await intake.take([*arrivals, _ended(url)])
        rows = intake.rows[start:]
        if rows and all(row.document is not None for row in rows) and (found.etag or found.modified):
            documents = tuple(row.document for row in rows if row.document is not None)
            page = Page(etag=found.etag, modified=found.modified, documents=documents)
            await self._notes.keep_page(url, page)

    def _parts(self, url: str, found: Fetched) -> list[Part]:
        try:
            suffix = suffix_of(found)
        except KnowledgeFault as fault:
            return [refused("", fault)]
        name = f"{name_of(url)}{suffix}"
        parts = list(self._reads.read(_in_utf8(found, suffix), name=name))
        return [replace(part, id=str(name_of(url))) if not part.name else part for part in parts]


def name_of(url: str) -> DocumentId:
    """Return the id of a page's document: host and path, and a query if there is one, as one word."""
    parts = urlsplit(url)
    path = PurePosixPath(unquote(parts.path))
    stem = str(path.with_suffix("")) if path.suffix.lower() in FORMATS else str(path)
    words = _NOT_A_WORD.sub("-", f"{parts.hostname or ''}{stem}-{unquote(parts.query)}")
    return DocumentId(words.strip("-.")[:150])


def suffix_of(found: Fetched) -> str:
    """Return the suffix of a page's format, by what the server says, then by the address. Raises `Unreadable`."""
    suffix = PurePosixPath(urlsplit(found.url).path).suffix.lower()
    vague = found.kind in ("", "application/octet-stream", "text/plain")
    if vague and suffix in {*FORMATS, *BUNDLES}:
        return suffix
    if found.kind in _KINDS:
        return _KINDS[found.kind]
    raise Unreadable(f"{found.url} is {found.kind or 'of no known kind'}.", remedy=SUPPORTED)


def _in_utf8(found: Fetched, suffix: str) -> bytes:
    """Return the body; text whose encoding the server names is marked as UTF-8, so that no guess is needed."""
    if suffix not in (".html", ".txt", ".md", ".csv") or not found.charset:
        return found.body
    try:
        return b"\xef\xbb\xbf" + found.body.decode(found.charset).encode()
    except (LookupError, UnicodeError):
        return found.body


def _file(url: str) -> File:
    return File(path=Path(), name=url, rules="")


def _ended(url: str) -> Ended:
    return Ended(file=_file(url), size=0, modified_ns=time.time_ns())


def _unchanged(url: str, page: Page) -> Unchanged:
    brought = tuple(Brought(path=url, document=name, digest="") for name in page.documents)
    stamp = Stamp(size=0, modified_ns=0, rules="", brought=brought)
    return Unchanged(file=_file(url), stamp=stamp)
