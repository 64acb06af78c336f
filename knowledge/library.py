"""The room assembled: documents in SQL, indexes that follow them, one search over all.

publish ─► vectors cached ─► SQL commit ─► lexical ─► indexes      a crash anywhere is made good by `open`
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import ingest
from knowledge.catalogue import Catalogue
from knowledge.embed.port import Embedder, Vectors
from knowledge.errors import Empty, KnowledgeFault, UnknownDocument
from knowledge.imports.arrivals import IMPORT, Arrivals, Gone
from knowledge.index.port import OpenIndex
from knowledge.ingest import ImportReport, Progress
from knowledge.lexical import Lexical
from knowledge.load import Limits
from knowledge.overlay import Overlay, overlaid
from knowledge.rerank.port import Reranker
from knowledge.search import Search
from knowledge.shelves import Check, Shelves
from knowledge.sources.sql import SqlNotes
from knowledge.split import split
from knowledge.types import (
    Document,
    DocumentId,
    Language,
    Passage,
    PassageId,
    Query,
    Retrieval,
    Source,
    Version,
    passage_id,
)

Report = Callable[[Progress], None]


class Library:
    """Everything the company knows. `await open()` before anything else.

    `embedders` come strongest first; at most two are mixed. `index` opens the vector store of a given name. A
    `reranker` reads the first passages of every search once more.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        embedders: Sequence[Embedder],
        index: OpenIndex,
        reranker: Reranker | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        limits: Limits | None = None,
    ) -> None:
        self.catalogue = Catalogue(engine, clock=clock)
        self.arrivals = Arrivals(engine, clock=clock)
        self.notes = SqlNotes(engine)
        self._shelves = Shelves(engine, embedders=embedders, index=index)
        self._reranker = reranker
        self._clock = clock
        self._limits = limits
        self._revision = 0
        self._changing = asyncio.Lock()
        self._search = Search(dense=(), lexical=Lexical(), live=self._live, clock=clock)

    async def open(self) -> None:
        """Build the lexical index from SQL and bring the vector indexes in line with it."""
        async with self._changing:
            await self.catalogue.settle()
            await self._rebuild()
            await self._shelves.reconcile(await self.catalogue.published())

    async def repair(self) -> Check:
        """Look again at what the indexes hold, put it in line with SQL, and return how they stand then."""
        async with self._changing:
            await self.catalogue.settle()
            await self._shelves.look_again()
            await self._shelves.reconcile(await self.catalogue.published())
            await self._rebuild()
        return await self.check()

    def now(self) -> datetime:
        """Return the moment by the library's own clock."""
        return self._clock()

    async def close(self) -> None:
        """Let go of the vector store; the engine belongs to whoever made it."""
        await asyncio.to_thread(self._shelves.close)

    async def search(self, query: Query) -> Retrieval:
        """Return live passages for a question; see `Search.search`."""
        await self._catch_up()
        return await self._search.search(query)

    async def expect(self, query: str) -> None:
        """Encode a question that is likely to be searched for soon; pays where the embedders remember."""
        await self._search.expect(query)

    async def live(
        self, ids: Sequence[str], *, now: datetime | None = None, audience: str = "customer"
    ) -> Mapping[str, Passage]:
        """Return those passages that may be shown at this moment, by id."""
        names = [PassageId(name) for name in ids]
        found = await self.catalogue.live(names, now=now or self._clock(), audience=audience)
        return {str(name): passage for name, passage in found.items()}

    async def import_path(self, path: Path, *, progress: Report = lambda _: None) -> ImportReport:
        """Import a file or a folder; see `knowledge.ingest`, and `gone` for what the folder no longer has."""
        return await ingest.import_path(
            path, library=self, progress=progress, limits=self._limits, notes=self.notes
        )

    async def save_draft(
        self, document: DocumentId, text: str, *, title: str, language: Language, by: str, why: str = ""
    ) -> Version:
        """Save a text without showing it to anybody."""
        return await self.catalogue.save_draft(document, text, title=title, language=language, by=by, why=why)

    async def describe(
        self,
        document: DocumentId,
        *,
        audience: str,
        department: str | None,
        valid_from: date | None,
        valid_until: date | None,
        approved: bool | None = None,
        by: str = "",
        why: str = "",
    ) -> Document:
        """Change for whom and when a document counts, and whether its answers may be given without a model."""
        async with self._changing:
            return await self._followed(
                await self.catalogue.describe(
                    document,
                    audience=audience,
                    department=department,
                    valid_from=valid_from,
                    valid_until=valid_until,
                    approved=approved,
                    by=by,
                    why=why,
                )
            )

    async def publish(
        self,
        document: DocumentId,
        *,
        by: str,
        why: str = "",
        version: int | None = None,
        effective_from: datetime | None = None,
        effective_until: datetime | None = None,
    ) -> Document:
        """Make a version (the newest) live: at once in every answer of this process, or from a moment on."""
        async with self._changing:
            history = await self.catalogue.history(document)
            await self._prepare(document, version or (history[0].version if history else None))
            return await self._followed(
                await self.catalogue.publish(
                    document,
                    by=by,
                    why=why,
                    version=version,
                    effective_from=effective_from,
                    effective_until=effective_until,
                )
            )

    async def withdraw(self, document: DocumentId, version: int, *, by: str, why: str = "") -> Document:
        """Take back a version that was to count later."""
        async with self._changing:
            return await self._followed(await self.catalogue.withdraw(document, version, by=by, why=why))

    async def rollback(self, document: DocumentId, version: int, *, by: str, why: str = "") -> Document:
        """Make an earlier version live again."""
        async with self._changing:
            await self._prepare(document, version)
            return await self._followed(await self.catalogue.rollback(document, version, by=by, why=why))

    async def retire(self, document: DocumentId, *, by: str, why: str = "") -> Document:
        """Take a document out of every answer."""
        async with self._changing:
            return await self._followed(await self.catalogue.retire(document, by=by, why=why))

    async def overlay(self, document: DocumentId, *, version: int | None = None) -> Overlay:
        """Return the library as it would be with a version (the newest) published at once; nothing live changes.

        The version's vectors are cached, so that publishing it computes none again. Raises `UnknownDocument`, `Empty`.
        """
        await self._catch_up()
        row, history = await self.catalogue.document(document), await self.catalogue.history(document)
        saved = next((one for one in history if version in (None, one.version)), None)
        if saved is None:
            raise UnknownDocument(
                f"{document!r} has no version {version}.", remedy="The document's history lists its versions."
            )
        text = await self.catalogue.text(document, version=saved.version)
        pieces = [
            replace(piece, id=passage_id(document, version=saved.version, n=piece.n))
            for piece in split(
                text,
                document=document,
                title=saved.title,
                language=saved.language,
                audience=row.audience,
                department=row.department,
            )
        ]
        if not pieces:
            raise Empty(
                f"Version {saved.version} of {document!r} has no words.", remedy="Write a text first."
            )
        await self._shelves.vectors(pieces)
        return await overlaid(
            self._search,
            document=row,
            version=saved.version,
            passages=pieces,
            hidden=[one.id for one in await self.catalogue.published(documents=[document])],
            rows=lambda embedder, field: self._shelves.kept(embedder, pieces, field),
        )

    async def reindex(self, *, progress: Report = lambda _: None) -> int:
        """Build every index anew from SQL; vectors of unchanged texts are not computed again. Return the passages."""
        async with self._changing:
            passages = await self.catalogue.published()
            await self._shelves.vectors(passages, tell=_teller(progress, len(passages)))
            await self._shelves.refill(passages)
            await self._rebuild()
            return len(passages)

    async def check(self) -> Check:
        """Compare the indexes with SQL and count what is there."""
        documents = await self.catalogue.documents()
        return await self._shelves.check(await self.catalogue.published(), documents=documents)

    # What an import needs (knowledge.ingest.Shelf).

    async def accept_many(
        self, sources: Sequence[tuple[Source, str]], *, progress: Callable[[int], None], by: str = IMPORT
    ) -> list[int | KnowledgeFault | None]:
        """Embed and publish each source, known by its digest; texts are embedded together, the indexes follow once.

        Each document is a commit of its own. Return how many passages it has, None for one that is known already, or
        the fault that kept it out.
        """
        fresh = await self._fresh(sources)
        pieces = {source.id: _pieces(source) for source in fresh}
        async with self._changing:
            await self._shelves.vectors([one for own in pieces.values() for one in own], tell=progress)
            out: list[int | KnowledgeFault | None] = []
            for source, digest in sources:
                try:
                    changed = await self.arrivals.accept(source, source_hash=digest, by=by)
                except KnowledgeFault as fault:
                    out.append(fault)
                else:
                    out.append(len(pieces.get(source.id, ())) if changed else None)
            if fresh:
                await self._sync()
        return out

    async def prepare(
        self, sources: Sequence[tuple[Source, str]], *, progress: Callable[[int], None]
    ) -> None:
        """Embed what accepting these will need, texts of like length together; nothing is shown to anybody."""
        pieces = [piece for source in await self._fresh(sources) for piece in _pieces(source)]
        await self._shelves.vectors(sorted(pieces, key=lambda one: len(one.text)), tell=progress)

    async def _fresh(self, sources: Sequence[tuple[Source, str]]) -> list[Source]:
        known = await self.arrivals.source_hashes([source.id for source, _ in sources])
        return [source for source, digest in sources if known.get(source.id) != digest]

    async def pair(self, pairs: Sequence[tuple[DocumentId, DocumentId]]) -> None:
        """Tell twins of each other."""
        await self.arrivals.set_twins(pairs)

    async def gone(
        self,
        origin: str,
        *,
        documents: Collection[DocumentId],
        paths: Collection[str],
        prune: bool,
        why: str = "",
    ) -> list[Gone]:
        """Note that `origin` brought `documents`, and return what it once brought and no longer has.

        With `prune` these are retired, except where people published a text of their own; see `Arrivals.gone`.
        """
        async with self._changing:
            await self.arrivals.brought(origin, documents)
            found = await self.arrivals.gone(origin, documents=documents, paths=paths)
            if not prune:
                return found
            for one in found:
                if not one.edited:
                    await self.arrivals.prune(one.document, why=why)
            await self._sync()
            return [replace(one, retired=not one.edited) for one in found]

    def encoded(self, questions: Sequence[str]) -> list[Vectors]:
        """Return questions as vectors, one matrix `[n, dim]` for each embedder of the house, strongest first. Blocking."""
        return self._shelves.encoded(questions)

    def embedded(self) -> int:
        """Return how many texts were embedded since the start."""
        return self._shelves.embedded

    async def _prepare(self, document: DocumentId, version: int | None) -> None:
        row = await self.catalogue.document(document)
        if version is None:
            return
        saved = next((one for one in await self.catalogue.history(document) if one.version == version), None)
        if saved is not None:
            text = await self.catalogue.text(document, version=version)
            pieces = split(text, document=row.id, title=saved.title, language=saved.language)
            await self._shelves.vectors(pieces)

    async def _followed(self, document: Document) -> Document:
        await self._sync()
        return document

    async def _catch_up(self) -> None:
        """Learn what another process published or retired."""
        changes = await self.catalogue.changes(since=self._revision)
        if changes.documents and not self._changing.locked():
            async with self._changing:
                await self._sync()

    async def _sync(self) -> None:
        changes = await self.catalogue.changes(since=self._revision)
        passages = await self.catalogue.published(documents=changes.documents)
        own: dict[DocumentId, list[Passage]] = {document: [] for document in changes.documents}
        for passage in passages:
            own[passage.document].append(passage)
        for document, pieces in own.items():
            self._search.lexical.replace(document, pieces)
        self._revision = changes.revision
        await self._shelves.follow(own)
        if self._search.lexical.worn:
            await self._rebuild()

    async def _rebuild(self) -> None:
        changes = await self.catalogue.changes(since=-1)
        passages = await self.catalogue.published()
        lexical = await asyncio.to_thread(Lexical, passages)
        sample = await self._shelves.sample(passages)
        self._search = Search(
            dense=self._shelves.dense(sample),
            lexical=lexical,
            live=self._live,
            reranker=self._reranker,
            clock=self._clock,
        )
        self._revision = changes.revision

    async def _live(
        self, ids: Sequence[PassageId], now: datetime, audience: str
    ) -> Mapping[PassageId, Passage]:
        return await self.catalogue.live(ids, now=now, audience=audience)


def _pieces(source: Source) -> list[Passage]:
    if source.status != "published":
        return []
    return list(split(source.text, document=source.id, title=source.title, language=source.language))


def _teller(progress: Report, total: int) -> Callable[[int], None]:
    return lambda done: progress(Progress(done=done, total=total, passages=done, document=""))
