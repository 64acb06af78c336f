"""Where an import puts its documents: into the answers at once, or beside them as drafts; in somebody's name."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from knowledge.errors import KnowledgeFault
from knowledge.imports.intake import Shelf
from knowledge.split import split
from knowledge.types import DocumentId, Source

if TYPE_CHECKING:
    from knowledge.library import Library


def shelf_of(library: "Library", *, by: str, drafts: bool) -> Shelf:
    """Return what an import fills: `by` is who imported, as the history names them."""
    return Drafts(library, by=by) if drafts else Published(library, by=by)


class Published:
    """Everything counts as soon as it has arrived."""

    def __init__(self, library: "Library", *, by: str) -> None:
        self._library = library
        self._by = by

    async def prepare(
        self, sources: Sequence[tuple[Source, str]], *, progress: Callable[[int], None]
    ) -> None:
        await self._library.prepare(sources, progress=progress)

    async def accept_many(
        self, sources: Sequence[tuple[Source, str]], *, progress: Callable[[int], None]
    ) -> Sequence[int | KnowledgeFault | None]:
        return await self._library.accept_many(sources, progress=progress, by=self._by)

    async def pair(self, pairs: Sequence[tuple[DocumentId, DocumentId]]) -> None:
        await self._library.pair(pairs)

    def embedded(self) -> int:
        return self._library.embedded()


class Drafts:
    """Everything waits as a draft, each document a commit; nothing is embedded until somebody wants to see or publish it."""

    def __init__(self, library: "Library", *, by: str) -> None:
        self._library = library
        self._by = by

    async def prepare(
        self, sources: Sequence[tuple[Source, str]], *, progress: Callable[[int], None]
    ) -> None:
        return

    async def accept_many(
        self, sources: Sequence[tuple[Source, str]], *, progress: Callable[[int], None]
    ) -> Sequence[int | KnowledgeFault | None]:
        out: list[int | KnowledgeFault | None] = []
        for source, digest in sources:
            try:
                changed = await self._library.arrivals.accept(
                    source, source_hash=digest, by=self._by, draft=True
                )
            except KnowledgeFault as fault:
                out.append(fault)
            else:
                out.append(await asyncio.to_thread(_count, source) if changed else None)
        return out

    async def pair(self, pairs: Sequence[tuple[DocumentId, DocumentId]]) -> None:
        await self._library.pair(pairs)

    def embedded(self) -> int:
        return self._library.embedded()


def _count(source: Source) -> int:
    return len(split(source.text, document=source.id, title=source.title, language=source.language))
