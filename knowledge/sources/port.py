"""What imports remember: files seen, pages fetched, flags for the curator, signatures, schedules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from knowledge.reading.findings import Flag, Note
from knowledge.types import DocumentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A document that a file gave: under which path, with which digest of what was taken in."""

    path: str
    document: DocumentId
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A file as it was when it was imported whole; `rules` digests all else that decides what it becomes."""

    size: int
    modified_ns: int
    rules: str
    brought: tuple[Brought, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What reading a document showed; `signature` is 512 bytes, or empty for a short text."""

    document: DocumentId
    notes: tuple[Note, ...]
    flags: tuple[Flag, ...]
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An address as it was fetched last: what the server calls that state."""

    etag: str
    modified: str
    documents: tuple[DocumentId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How importing a source went: documents by result, and why the first one skipped was (see `KnowledgeFault.why`)."""

    imported: int
    unchanged: int
    skipped: int
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """An address or repository to import again `every` so often; `last` is when it was tried last.

    `drafts`: what is new waits for somebody to publish it. A `paused` one is never due. `outcome` is what came of the
    last try, None while it runs or if it never ended.
    """

    source: str
    every: timedelta
    last: datetime | None
    drafts: bool = False
    paused: bool = False
    outcome: Outcome | None = None


class Notes(Protocol):
    """Everything here is a memory of imports; losing it costs time, never a document."""

    async def stamps(self, origin: str) -> Mapping[str, Stamp]:
        """Return the stamps of a folder's files by path, only those whose documents are still as they were imported."""
        ...

    async def stamp(self, origin: str, stamps: Mapping[str, Stamp]) -> None:
        """Keep stamps of files."""
        ...

    async def learn(self, learned: Sequence[Learned]) -> None:
        """Keep what was noticed about documents, in place of what was known."""
        ...

    async def flags(self, document: DocumentId) -> tuple[Flag, ...]:
        """Return what a curator should look at in a document."""
        ...

    async def notes(self, document: DocumentId) -> tuple[Note, ...]:
        """Return what was read otherwise than it looks."""
        ...

    async def flagged(self) -> Mapping[DocumentId, int]:
        """Return how many flags each document has, those without left out."""
        ...

    async def signatures(self) -> Mapping[DocumentId, bytes]:
        """Return the signatures of documents that are not retired."""
        ...

    async def page(self, url: str) -> Page | None:
        """Return what is known of an address."""
        ...

    async def keep_page(self, url: str, page: Page) -> None:
        """Keep what is known of an address."""
        ...

    async def schedules(self) -> Sequence[Schedule]:
        """Return every schedule, by source."""
        ...

    async def keep_schedule(self, schedule: Schedule) -> None:
        """Keep a schedule; one of the same source is replaced."""
        ...

    async def pause_schedule(self, source: str, *, paused: bool) -> None:
        """Let a source rest, or take it up again."""
        ...

    async def note_try(self, source: str, *, at: datetime, outcome: Outcome | None) -> None:
        """Note when a source was tried and what came of it; one that is not planned (any more) is left alone."""
        ...

    async def drop_schedule(self, source: str) -> bool:
        """Forget a schedule; say whether there was one."""
        ...
