"""The documents and what is live. Each change is one commit, and a line in the history.

save_draft ──► submit ──► publish ──► (live, at once or from a moment on) ──► retire
   review ◄─ reject          ▲                                                  │
                             └──────────────── rollback, publish ───────────────┘

The states and the line of time are in `knowledge.keeping.life`; what a commit does is in `knowledge.keeping.changes`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.errors import UnknownDocument
from knowledge.keeping import changes as change
from knowledge.keeping import tables as t
from knowledge.keeping.changes import Dates, changing
from knowledge.keeping.changes import hash_of as hash_of
from knowledge.keeping.diff import Diff, compare
from knowledge.keeping.history import Act, events, record
from knowledge.keeping.life import after, check_dates
from knowledge.keeping.shown import (
    document_of,
    documents_query,
    may_be_shown,
    passage_of,
    passages_query,
    version_of,
)
from knowledge.types import (
    Action,
    Document,
    DocumentId,
    Event,
    Language,
    Passage,
    PassageId,
    Source,
    Status,
    Version,
)

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Documents whose live passages changed after some revision, and the revision now."""

    revision: int
    documents: tuple[DocumentId, ...]


class Catalogue:
    """Reads and changes documents. Readers of live passages see a change as soon as it is committed.

    Every change takes `by` (who) and `why`, which stay in the history. `clock` says which version counts where no
    moment is given.
    """

    def __init__(
        self, engine: AsyncEngine, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        # Every search asks these two, a few rows by their keys.
        self._near = engine.execution_options(near=True)
        self._clock = clock

    async def documents(self, *, status: Status | None = None) -> list[Document]:
        """Return all documents, or those of one status, by id."""
        query = documents_query(self._clock()).order_by(t.documents.c.id)
        if status is not None:
            query = query.where(t.documents.c.status == status)
        async with self._engine.connect() as connection:
            return [document_of(row) for row in (await connection.execute(query)).mappings()]

    async def document(self, document: DocumentId) -> Document:
        """Return one document; raises `UnknownDocument`."""
        async with self._engine.connect() as connection:
            return await self._read(connection, document)

    async def text(self, document: DocumentId, *, version: int | None = None) -> str:
        """Return the Markdown of a version; by default the published one, else the newest draft."""
        async with self._engine.connect() as connection:
            found = await self._read(connection, document)
            wanted = version or found.version or await change.newest(connection, document)
            return str((await change.version_row(connection, document, wanted))["text"])

    async def history(self, document: DocumentId) -> list[Version]:
        """Return every saved version as it stands now, newest first."""
        query = (
            sa.select(t.versions)
            .where(t.versions.c.document == document)
            .order_by(t.versions.c.version.desc())
        )
        async with self._engine.connect() as connection:
            await change.row(connection, document)
            rows = (await connection.execute(query)).mappings()
            return [version_of(row, now=self._clock()) for row in rows]

    async def events(self, document: DocumentId) -> list[Event]:
        """Return who did what, when and why, newest first."""
        async with self._engine.connect() as connection:
            await change.row(connection, document)
            return await events(connection, document)

    async def diff(self, document: DocumentId, old: int | None = None, new: int | None = None) -> Diff:
        """Compare two versions; by default the newest with the one that counts, or with the one before it."""
        last = new or (await self.history(document))[0].version
        counts = (await self.document(document)).version
        first = old or (counts if 0 < counts != last else max(1, last - 1))
        texts = [await self.text(document, version=version) for version in (first, last)]
        return compare(*texts, old=first, new=last)

    async def passages(self, document: DocumentId) -> list[Passage]:
        """Return the passages of the version that counts, in order; none when it is not published."""
        own = t.passages.c.document == document
        query = passages_query().where(own, *may_be_shown(self._clock(), audience="staff")[:2])
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(t.passages.c.n))
            return [passage_of(row) for row in rows.mappings()]

    async def published(self, *, documents: Sequence[DocumentId] | None = None) -> list[Passage]:
        """Return all passages of published versions, or those of some documents, whatever their dates: what is
        indexed."""
        query = passages_query().where(t.documents.c.status == "published")
        query = query.order_by(t.passages.c.document, t.passages.c.version, t.passages.c.n)
        out: list[Passage] = []
        async with self._engine.connect() as connection:
            if documents is None:
                return [passage_of(row) for row in (await connection.execute(query)).mappings()]
            for i in range(0, len(documents), _CHUNK):
                part = query.where(t.documents.c.id.in_(documents[i : i + _CHUNK]))
                out += [passage_of(row) for row in (await connection.execute(part)).mappings()]
        return out

    async def live(
        self, ids: Sequence[PassageId], *, now: datetime, audience: str = "customer"
    ) -> dict[PassageId, Passage]:
        """Return those of `ids` that may be shown: published, of the version that counts at `now`, valid on this day,
        for this audience.

        `staff` reads everything, any other audience only its own. The day is `now` in its own zone.
        """
        shown = passages_query().where(*may_be_shown(now, audience=audience))
        out: dict[PassageId, Passage] = {}
        async with self._near.connect() as connection:
            for i in range(0, len(ids), _CHUNK):
                query = shown.where(t.passages.c.id.in_(list(ids[i : i + _CHUNK])))
                for row in (await connection.execute(query)).mappings():
                    passage = passage_of(row)
                    out[passage.id] = passage
        return out

    async def changes(self, *, since: int) -> Changes:
        """Return which documents changed after `since`."""
        async with self._near.connect() as connection:
            now = (await connection.execute(sa.select(t.revision.c.revision))).scalar() or 0
            if now == since:
                return Changes(revision=now, documents=())
            query = sa.select(t.documents.c.id).where(t.documents.c.revision > since)
            names = (await connection.execute(query)).scalars()
            return Changes(revision=now, documents=tuple(DocumentId(name) for name in names))

    async def edited(self) -> frozenset[DocumentId]:
        """Return published documents whose newest text is neither live nor about to be."""
        last = sa.select(t.versions.c.document, sa.func.max(t.versions.c.version).label("version"))
        newest = last.group_by(t.versions.c.document).subquery()
        query = (
            sa.select(t.versions.c.document)
            .join(
                newest,
                (newest.c.document == t.versions.c.document) & (newest.c.version == t.versions.c.version),
            )
            .join(t.documents, t.documents.c.id == t.versions.c.document)
            .where(t.documents.c.status == "published", t.versions.c.state != "published")
        )
        async with self._engine.connect() as connection:
            return frozenset(DocumentId(name) for name in (await connection.execute(query)).scalars())

    async def save_draft(
        self, document: DocumentId, text: str, *, title: str, language: Language, by: str, why: str = ""
    ) -> Version:
        """Save a text as the newest version without publishing it; the document is made when it is new.

        Raises `Empty` for a text without words.
        """
        change.wordy(text, document)
        act = self._act(by, why)
        async with changing(self._engine) as connection:
            if await change.find(connection, document) is None:
                draft = Source(
                    id=document,
                    title=title,
                    text=text,
                    language=language,
                    source=f"console:{by}",
                    format="md",
                )
                values = change.new_document(draft, source_hash="", now=act.at)
                await connection.execute(t.documents.insert().values(**values))
            saved = await change.save(connection, document, text, title=title, language=language, act=act)
            await record(connection, document, "saved", act, version=saved.version)
            return saved

    async def submit(self, document: DocumentId, *, by: str, why: str = "") -> Document:
        """Hand the newest version to review. Raises `WrongState` unless it is a draft."""
        return await self._step(document, "submit", "submitted", self._act(by, why))

    async def reject(self, document: DocumentId, *, by: str, why: str) -> Document:
        """Send the newest version back from review with a reason. Raises `WrongState` unless it is there."""
        change.wordy(why, document)
        return await self._step(document, "reject", "rejected", self._act(by, why))

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
        """Make a version (the newest) the live one: at once, or from a moment on, until which the live one stays.

        Raises `NothingToPublish` when no text was ever saved, `WrongDates` and `WrongState`.
        """
        act = self._act(by, why)
        dates = Dates(begins=effective_from, ends=effective_until)
        check_dates(begins=dates.begins, ends=dates.ends, now=act.at)
        action: Action = "published" if effective_from is None or effective_from <= act.at else "scheduled"
        told = {"from": effective_from, "until": effective_until}
        act = self._act(by, why, **{name: at.isoformat() for name, at in told.items() if at is not None})
        async with changing(self._engine) as connection:
            await change.row(connection, document)
            chosen = version or await change.newest(connection, document)
            await change.put_out(connection, document, chosen, dates=dates, act=act)
            await record(connection, document, action, act, version=chosen)
            return await self._read(connection, document)

    async def withdraw(self, document: DocumentId, version: int, *, by: str, why: str = "") -> Document:
        """Take back a version that was to count later. Raises `WrongState` for one that counts."""
        act = self._act(by, why)
        async with changing(self._engine) as connection:
            await change.row(connection, document)
            await change.withdraw(connection, document, version, now=act.at)
            await record(connection, document, "withdrawn", act, version=version)
            return await self._read(connection, document)

    async def rollback(self, document: DocumentId, version: int, *, by: str, why: str = "") -> Document:
        """Make an earlier version the live one again; later ones stay in the history."""
        act = self._act(by, why)
        async with changing(self._engine) as connection:
            before = await self._read(connection, document)
            await change.put_out(connection, document, version, dates=Dates(), act=act)
            act = self._act(by, why, left=str(before.version))
            await record(connection, document, "rolled_back", act, version=version)
            return await self._read(connection, document)

    async def retire(self, document: DocumentId, *, by: str, why: str = "") -> Document:
        """Take the document out of every answer at once, with what was to come; its texts stay in the history."""
        act = self._act(by, why)
        async with changing(self._engine) as connection:
            await change.row(connection, document)
            for version in await change.take_down(connection, document, now=act.at):
                await record(connection, document, "retired", act, version=version)
            return await self._read(connection, document)

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
        """Change for whom and when the document counts; of a published one at once. Texts and versions stay.

        `approved` says whether its answers may be given without a model; None leaves that as it is.
        """
        wanted = {"audience": audience, "department": department}
        wanted |= {"valid_from": valid_from, "valid_until": valid_until}  # type: ignore[dict-item]
        wanted |= {} if approved is None else {"approved": approved}  # type: ignore[dict-item]
        async with changing(self._engine) as connection:
            before = await change.row(connection, document)
            other = {name: str(value or "") for name, value in wanted.items() if before[name] != value}
            act = self._act(by, why, **other)
            await change.touch(connection, document, now=act.at, **wanted)
            if other:
                await record(connection, document, "described", act)
            return await self._read(connection, document)

    async def assign(self, document: DocumentId, *, owner: str | None, by: str, why: str = "") -> Document:
        """Name who keeps the document true."""
        act = self._act(by, why, owner=owner or "")
        async with changing(self._engine) as connection:
            await change.row(connection, document)
            await connection.execute(
                t.documents.update().where(t.documents.c.id == document).values(owner=owner, updated=act.at)
            )
            await record(connection, document, "assigned", act)
            return await self._read(connection, document)

    async def comment(self, document: DocumentId, text: str, *, by: str, version: int | None = None) -> Event:
        """Say something about a document or one of its versions; it stays in the history."""
        change.wordy(text, document)
        async with changing(self._engine) as connection:
            await change.row(connection, document)
            if version is not None:
                await change.version_row(connection, document, version)
            await record(connection, document, "commented", self._act(by, text), version=version)
            return (await events(connection, document))[0]

    async def still_right(self, document: DocumentId, *, by: str, why: str = "") -> Document:
        """Say that a document holds although its twin changed."""
        act = self._act(by, why)
        async with changing(self._engine) as connection:
            await change.row(connection, document)
            own = t.documents.update().where(t.documents.c.id == document)
            await connection.execute(own.values(twin_changed=None))
            await record(connection, document, "still_right", act)
            return await self._read(connection, document)

    async def settle(self) -> int:
        """Bring the stored states of versions in line with the time; return how many documents that took.

        Readers need none of it: they go by the moment.
        """
        now = self._clock()
        over = (t.versions.c.state == "published") & (t.versions.c.superseded_from <= now)
        query = sa.select(t.versions.c.document).where(over).distinct()
        async with self._engine.connect() as connection:
            names = list((await connection.execute(query)).scalars())
        for name in names:
            async with changing(self._engine) as connection:
                await change.settle(connection, DocumentId(name), now=now)
        return len(names)

    async def _step(self, document: DocumentId, step: Any, action: Action, act: Act) -> Document:
        async with changing(self._engine) as connection:
            await change.row(connection, document)
            number = await change.newest(connection, document)
            one = await change.version_row(connection, document, number)
            await change.put_state(connection, one, after(step, one["state"]))
            await change.restate(connection, document, now=act.at)
            await record(connection, document, action, act, version=number)
            return await self._read(connection, document)

    async def _read(self, connection: AsyncConnection, document: DocumentId) -> Document:
        query = documents_query(self._clock()).where(t.documents.c.id == document)
        row = (await connection.execute(query)).mappings().first()
        if row is None:
            await change.row(connection, document)
            raise UnknownDocument(f"There is no document {document!r}.", remedy="See `mayak knowledge list`.")
        return document_of(row)

    def _act(self, by: str, why: str, **detail: str) -> Act:
        return Act(by=by, at=self._clock(), why=why.strip(), detail=detail)
