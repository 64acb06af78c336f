"""The documents and what is live: the room's only SQL about them. Each change is one commit.

save_draft ──► publish ──► (live) ──► retire
                  ▲                      │
                  └── rollback/publish ──┘
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge import tables as t
from knowledge.errors import Empty, NothingToPublish, UnknownDocument
from knowledge.split import split
from knowledge.types import (
    Document,
    DocumentId,
    Language,
    Passage,
    PassageId,
    Source,
    Status,
    Version,
)

_CHUNK = 500
_KNOWN_IDS = "See `mayak knowledge list` for the known ids."


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Documents whose live passages changed after some revision, and the revision now."""

    revision: int
    documents: tuple[DocumentId, ...]


def hash_of(text: str) -> str:
    """Return the digest that names a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Catalogue:
    """Reads and changes documents. Readers of live passages see a change as soon as it is committed."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def documents(self, *, status: Status | None = None) -> list[Document]:
        """Return all documents, or those of one status, by id."""
        query = sa.select(t.documents).order_by(t.documents.c.id)
        if status is not None:
            query = query.where(t.documents.c.status == status)
        async with self._engine.connect() as connection:
            return [_document(row) for row in (await connection.execute(query)).mappings()]

    async def document(self, document: DocumentId) -> Document:
        """Return one document; raises `UnknownDocument`."""
        async with self._engine.connect() as connection:
            return _document(await _row(connection, document))

    async def text(self, document: DocumentId, *, version: int | None = None) -> str:
        """Return the Markdown of a version; by default the published one, else the newest draft."""
        async with self._engine.connect() as connection:
            row = await _row(connection, document)
            wanted = version or row["version"] or await _newest(connection, document)
            return str((await _version(connection, document, wanted))["text"])

    async def history(self, document: DocumentId) -> list[Version]:
        """Return every saved version, newest first."""
        query = (
            sa.select(t.versions)
            .where(t.versions.c.document == document)
            .order_by(t.versions.c.version.desc())
        )
        async with self._engine.connect() as connection:
            await _row(connection, document)
            return [
                Version(**{name: row[name] for name in Version.__dataclass_fields__})
                for row in (await connection.execute(query)).mappings()
            ]

    async def passages(self, document: DocumentId) -> list[Passage]:
        """Return the passages of the published version in order; none when it is not published."""
        query = _passages_query().where(t.passages.c.document == document).order_by(t.passages.c.n)
        async with self._engine.connect() as connection:
            return [_passage(row) for row in (await connection.execute(query)).mappings()]

    async def published(self, *, documents: Sequence[DocumentId] | None = None) -> list[Passage]:
        """Return all passages of published documents, or of some of them, whatever their dates: what is indexed."""
        query = _passages_query().where(t.documents.c.status == "published")
        order = (t.passages.c.document, t.passages.c.n)
        async with self._engine.connect() as connection:
            if documents is None:
                return [
                    _passage(row) for row in (await connection.execute(query.order_by(*order))).mappings()
                ]
            out: list[Passage] = []
            for i in range(0, len(documents), _CHUNK):
                part = query.where(t.documents.c.id.in_(documents[i : i + _CHUNK])).order_by(*order)
                out += [_passage(row) for row in (await connection.execute(part)).mappings()]
            return out

    async def live(
        self, ids: Sequence[PassageId], *, now: datetime, audience: str = "customer"
    ) -> dict[PassageId, Passage]:
        """Return those of `ids` that may be shown: published, current version, valid on this day, for this audience.

        `staff` reads everything, any other audience only its own. The day is `now` in its own zone.
        """
        today = now.date()
        out: dict[PassageId, Passage] = {}
        async with self._engine.connect() as connection:
            for i in range(0, len(ids), _CHUNK):
                query = _passages_query().where(
                    t.passages.c.id.in_(list(ids[i : i + _CHUNK])), *_shown(today, audience)
                )
                for row in (await connection.execute(query)).mappings():
                    passage = _passage(row)
                    out[passage.id] = passage
        return out

    async def changes(self, *, since: int) -> Changes:
        """Return which documents changed after `since`."""
        async with self._engine.connect() as connection:
            now = (await connection.execute(sa.select(t.revision.c.revision))).scalar() or 0
            if now == since:
                return Changes(revision=now, documents=())
            query = sa.select(t.documents.c.id).where(t.documents.c.revision > since)
            names = (await connection.execute(query)).scalars()
            return Changes(revision=now, documents=tuple(DocumentId(name) for name in names))

    async def save_draft(
        self, document: DocumentId, text: str, *, title: str, language: Language, by: str
    ) -> Version:
        """Save a text as the newest version without publishing it; the document is made when it is new.

        Raises `Empty` for a text without words.
        """
        _wordy(text, document)
        async with self._engine.begin() as connection:
            found = await _find(connection, document)
            if found is None:
                draft = Source(
                    id=document,
                    title=title,
                    text=text,
                    language=language,
                    source=f"console:{by}",
                    format="md",
                )
                await connection.execute(t.documents.insert().values(**_new_document(draft, source_hash="")))
            return await _save(connection, document, text, title=title, language=language, by=by)

    async def describe(
        self,
        document: DocumentId,
        *,
        audience: str,
        department: str | None,
        valid_from: date | None,
        valid_until: date | None,
    ) -> Document:
        """Change for whom and when the document counts; of a published one at once. Texts and versions stay."""
        change = {"audience": audience, "department": department}
        async with self._engine.begin() as connection:
            await _row(connection, document)
            await _touch(connection, document, **change, valid_from=valid_from, valid_until=valid_until)
            return _document(await _row(connection, document))

    async def edited(self) -> frozenset[DocumentId]:
        """Return published documents whose newest text is not the live one."""
        newest = sa.func.max(t.versions.c.version)
        query = (
            sa.select(t.documents.c.id)
            .join(t.versions, t.versions.c.document == t.documents.c.id)
            .where(t.documents.c.status == "published")
            .group_by(t.documents.c.id, t.documents.c.version)
            .having(newest > t.documents.c.version)
        )
        async with self._engine.connect() as connection:
            return frozenset(DocumentId(name) for name in (await connection.execute(query)).scalars())

    async def publish(self, document: DocumentId, *, by: str) -> Document:
        """Make the newest version the live one. Raises `NothingToPublish` when no text was ever saved."""
        async with self._engine.begin() as connection:
            await _row(connection, document)
            await _go_live(connection, document, await _newest(connection, document))
            return _document(await _row(connection, document))

    async def rollback(self, document: DocumentId, version: int, *, by: str) -> Document:
        """Make an earlier version the live one again; later ones stay in the history."""
        async with self._engine.begin() as connection:
            await _row(connection, document)
            await _go_live(connection, document, version)
            return _document(await _row(connection, document))

    async def retire(self, document: DocumentId, *, by: str) -> Document:
        """Take the document out of every answer at once; its texts stay in the history."""
        async with self._engine.begin() as connection:
            await _row(connection, document)
            await _take_down(connection, document)
            return _document(await _row(connection, document))

    async def accept(self, source: Source, *, source_hash: str, by: str) -> bool:
        """Save and publish (or retire) what came from outside, in one commit; say whether anything changed.

        The same source twice changes nothing, even if people edited, retired or rolled back the document meanwhile.
        """
        _wordy(source.text, source.id)
        async with self._engine.begin() as connection:
            row = await _find(connection, source.id)
            if row is not None and row["source_hash"] == source_hash:
                return False
            values = _new_document(source, source_hash=source_hash)
            if row is None:
                await connection.execute(t.documents.insert().values(**values))
            else:
                kept = ("id", "version", "status", "revision", "content_hash")
                change = {name: value for name, value in values.items() if name not in kept}
                await connection.execute(
                    t.documents.update().where(t.documents.c.id == source.id).values(**change)
                )
            saved = await _save(
                connection, source.id, source.text, title=source.title, language=source.language, by=by
            )
            await _go_live(connection, source.id, saved.version)
            if source.status != "published":
                await _take_down(connection, source.id)
            return True

    async def source_hash(self, document: DocumentId) -> str:
        """Return the digest of the last import, "" for none."""
        query = sa.select(t.documents.c.source_hash).where(t.documents.c.id == document)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).scalar() or ""

    async def set_twins(self, pairs: Sequence[tuple[DocumentId, DocumentId]]) -> None:
        """Tell documents of their twin in the other language, both ways."""
        async with self._engine.begin() as connection:
            for left, right in pairs:
                for one, other in ((left, right), (right, left)):
                    change = t.documents.update().where(t.documents.c.id == one).values(twin=other)
                    await connection.execute(change)


async def _go_live(connection: AsyncConnection, document: DocumentId, version: int) -> None:
    row = await _row(connection, document)
    saved = await _version(connection, document, version)
    pieces = split(saved["text"], document=document, title=saved["title"], language=saved["language"])
    if not pieces:
        raise Empty(
            f"Version {version} of {document!r} has no words.", remedy="Write a text before publishing."
        )
    await connection.execute(t.passages.delete().where(t.passages.c.document == document))
    names = ("id", "document", "n", "heading", "text", "tokens", "page")
    rows = [{name: getattr(piece, name) for name in names} for piece in pieces]
    await connection.execute(t.passages.insert(), rows)
    mark = t.versions.update().where(t.versions.c.document == document, t.versions.c.version == version)
    await connection.execute(mark.values(published=True))
    change = {
        "title": saved["title"],
        "language": saved["language"],
        "content_hash": saved["content_hash"],
        "version": version,
        "status": "published",
    }
    await _touch(connection, row["id"], **change)


async def _take_down(connection: AsyncConnection, document: DocumentId) -> None:
    await connection.execute(t.passages.delete().where(t.passages.c.document == document))
    await _touch(connection, document, status="retired")


async def _touch(connection: AsyncConnection, document: str, **change: Any) -> None:
    # The counter's row lock makes concurrent changes queue, so a reader never skips one.
    raised = await connection.execute(t.revision.update().values(revision=t.revision.c.revision + 1))
    if raised.rowcount == 0:
        await connection.execute(t.revision.insert().values(id=1, revision=1))
    now = (await connection.execute(sa.select(t.revision.c.revision))).scalar_one()
    update = t.documents.update().where(t.documents.c.id == document)
    await connection.execute(update.values(revision=now, updated=datetime.now(UTC), **change))


async def _save(
    connection: AsyncConnection, document: DocumentId, text: str, *, title: str, language: Language, by: str
) -> Version:
    last = await connection.execute(
        sa.select(sa.func.max(t.versions.c.version)).where(t.versions.c.document == document)
    )
    saved = Version(
        document=document,
        version=(last.scalar() or 0) + 1,
        title=title,
        language=language,
        content_hash=hash_of(text),
        by=by,
        at=datetime.now(UTC),
        published=False,
    )
    values = {name: getattr(saved, name) for name in Version.__dataclass_fields__}
    await connection.execute(t.versions.insert().values(**values, text=text))
    return saved


async def _find(connection: AsyncConnection, document: DocumentId) -> RowMapping | None:
    query = sa.select(t.documents).where(t.documents.c.id == document)
    return (await connection.execute(query)).mappings().first()


async def _row(connection: AsyncConnection, document: DocumentId) -> RowMapping:
    row = await _find(connection, document)
    if row is None:
        raise UnknownDocument(f"There is no document {document!r}.", remedy=_KNOWN_IDS)
    return row


async def _newest(connection: AsyncConnection, document: DocumentId) -> int:
    query = sa.select(sa.func.max(t.versions.c.version)).where(t.versions.c.document == document)
    newest = (await connection.execute(query)).scalar()
    if newest is None:
        raise NothingToPublish(f"{document!r} has no saved text.", remedy="Save a draft first.")
    return int(newest)


async def _version(connection: AsyncConnection, document: DocumentId, version: int) -> RowMapping:
    query = sa.select(t.versions).where(t.versions.c.document == document, t.versions.c.version == version)
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        raise UnknownDocument(
            f"{document!r} has no version {version}.", remedy="The document's history lists its versions."
        )
    return row


def _passages_query() -> sa.Select[Any]:
    documents = t.documents
    return sa.select(
        t.passages, documents.c.title, documents.c.language, documents.c.audience, documents.c.department
    ).join(documents, documents.c.id == t.passages.c.document)


def _shown(today: date, audience: str) -> list[sa.ColumnElement[bool]]:
    documents = t.documents.c
    out = [
        documents.status == "published",
        sa.or_(documents.valid_from.is_(None), documents.valid_from <= today),
        sa.or_(documents.valid_until.is_(None), documents.valid_until >= today),
    ]
    return out if audience == "staff" else [*out, documents.audience == audience]


def _passage(row: RowMapping) -> Passage:
    return Passage(**{name: row[name] for name in Passage.__dataclass_fields__})


def _document(row: RowMapping) -> Document:
    return Document(**{name: row[name] for name in Document.__dataclass_fields__})


def _new_document(source: Source, *, source_hash: str) -> dict[str, Any]:
    return {
        "id": source.id,
        "title": source.title,
        "language": source.language,
        "source": source.source,
        "format": source.format,
        "audience": source.audience,
        "department": source.department,
        "status": "draft",
        "valid_from": source.valid_from,
        "valid_until": source.valid_until,
        "version": 0,
        "content_hash": "",
        "source_hash": source_hash,
        "revision": 0,
        "updated": datetime.now(UTC),
        "twin": source.twin,
    }


def _wordy(text: str, document: DocumentId) -> None:
    if not any(letter.isalnum() for letter in text):
        raise Empty(f"{document!r} has no words.", remedy="Write or import a text with words in it.")
