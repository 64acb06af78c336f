"""What came from outside: sources taken into the catalogue, twins told of each other, files that are gone."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.keeping import changes as change
from knowledge.keeping import tables as t
from knowledge.keeping.changes import Dates, changing
from knowledge.keeping.history import Act, record
from knowledge.types import DocumentId, Source

_CHUNK = 500
_KEPT = ("id", "title", "language", "version", "status", "revision", "content_hash")
IMPORT = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A document whose file its import source no longer has; `edited` when people published a text of their own."""

    document: DocumentId
    path: str
    edited: bool
    retired: bool = False


class Arrivals:
    """The catalogue's side of an import."""

    def __init__(
        self, engine: AsyncEngine, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._clock = clock

    async def accept(
        self, source: Source, *, source_hash: str, by: str = IMPORT, why: str = "", draft: bool = False
    ) -> bool:
        """Save what came from outside and publish (or retire) it, in one commit; say whether anything changed.

        As a `draft` it is only saved: what counts, for whom and until when stays as it is. The same source twice
        changes nothing, even if people edited, retired or rolled back the document meanwhile. `by` is who imported;
        the text itself is nobody's of ours.
        """
        change.wordy(source.text, source.id)
        act = Act(by=by, at=self._clock(), why=why, detail={"source": source.source})
        async with changing(self._engine) as connection:
            row = await change.find(connection, source.id)
            if row is not None and row["source_hash"] == source_hash:
                return False
            values = change.new_document(source, source_hash=source_hash, now=act.at)
            if row is None:
                await connection.execute(t.documents.insert().values(**values))
            else:
                # A twin is known from the whole import, not from one file.
                kept = (*_KEPT, "twin") if source.twin is None else _KEPT
                changed = {name: value for name, value in values.items() if name not in kept}
                update = t.documents.update().where(t.documents.c.id == source.id)
                await connection.execute(update.values({"source_hash": source_hash} if draft else changed))
            saved = await change.save(
                connection,
                source.id,
                source.text,
                title=source.title,
                language=source.language,
                act=replace(act, by=IMPORT),
            )
            if not draft:
                await change.put_out(connection, source.id, saved.version, dates=Dates(), act=act)
            await record(connection, source.id, "imported", act, version=saved.version)
            if source.status != "published" and not draft:
                await change.take_down(connection, source.id, now=act.at)
                await record(connection, source.id, "retired", act, version=saved.version)
            return True

    async def source_hashes(self, documents: Sequence[DocumentId]) -> dict[DocumentId, str]:
        """Return the digests of the last imports of those documents that are known."""
        out: dict[DocumentId, str] = {}
        async with self._engine.connect() as connection:
            for i in range(0, len(documents), _CHUNK):
                own = t.documents.c.id.in_(documents[i : i + _CHUNK])
                rows = await connection.execute(
                    sa.select(t.documents.c.id, t.documents.c.source_hash).where(own)
                )
                out |= {DocumentId(id): digest for id, digest in rows}
        return out

    async def set_twins(self, pairs: Sequence[tuple[DocumentId, DocumentId]]) -> None:
        """Tell documents of their twin in the other language, both ways."""
        async with changing(self._engine) as connection:
            for left, right in pairs:
                for one, other in ((left, right), (right, left)):
                    own = t.documents.update().where(t.documents.c.id == one)
                    await connection.execute(own.values(twin=other))

    async def brought(self, origin: str, documents: Collection[DocumentId]) -> None:
        """Note which import source (a folder, an address) has these documents."""
        names = sorted(documents)
        async with changing(self._engine) as connection:
            for i in range(0, len(names), _CHUNK):
                own = t.documents.c.id.in_(names[i : i + _CHUNK])
                await connection.execute(t.documents.update().where(own).values(origin=origin))

    async def gone(
        self, origin: str, *, documents: Collection[DocumentId], paths: Collection[str]
    ) -> list[Gone]:
        """Return what this source once brought and no longer has, unless it is retired already.

        `documents` are those it has now, `paths` its files, also those that could not be read today: what such a file
        held (`pack.zip/ru/a.md`, `faq.jsonl#7`) is not gone.
        """
        live = sa.and_(
            t.versions.c.document == t.documents.c.id, t.versions.c.version == t.documents.c.version
        )
        query = (
            sa.select(t.documents.c.id, t.documents.c.source, t.versions.c.by)
            .outerjoin(t.versions, live)
            .where(t.documents.c.origin == origin, t.documents.c.status != "retired")
            .order_by(t.documents.c.id)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        has, files = set(documents), set(paths)
        return [
            Gone(document=DocumentId(id), path=path, edited=by != IMPORT)
            for id, path, by in rows
            if id not in has and not files & set(_within(path))
        ]

    async def prune(self, document: DocumentId, *, by: str = IMPORT, why: str) -> None:
        """Retire what its source no longer has; the same file is taken in again should it come back."""
        act = Act(by=by, at=self._clock(), why=why)
        async with changing(self._engine) as connection:
            await change.row(connection, document)
            for version in await change.take_down(connection, document, now=act.at):
                await record(connection, document, "retired", act, version=version)
            own = t.documents.update().where(t.documents.c.id == document)
            await connection.execute(own.values(source_hash=""))


def _within(path: str) -> list[str]:
    """Return a path and all it lies in."""
    ends = [at for at, letter in enumerate(path) if letter in "/#"]
    return [path, *(path[:end] for end in ends)]
