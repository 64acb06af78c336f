"""What a change does inside its one transaction: versions saved, published and overtaken, passages put and taken.

Whoever changes holds the row of kb_revision from the start, so changes queue and each sees the one before.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.errors import Empty, NothingToPublish, UnknownDocument, WrongState
from knowledge.keeping import tables as t
from knowledge.keeping.history import Act, record
from knowledge.keeping.life import Slot, after, counting, line, overtaken, status_of
from knowledge.split import split
from knowledge.types import DocumentId, Language, Source, State, Version, passage_id

_KNOWN_IDS = "See `mayak knowledge list` for the known ids."
CLOCK = "schedule"
"""Who is named in the history where time alone changed something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """From when until when a version counts; none: at once, without end."""

    begins: datetime | None = None
    ends: datetime | None = None


def hash_of(text: str) -> str:
    """Return the digest that names a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@asynccontextmanager
async def changing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction that has its turn."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    async with engine.begin() as connection:
        held = await connection.execute(t.revision.update().values(revision=t.revision.c.revision))
        if held.rowcount == 0:
            await connection.execute(insert(t.revision).values(id=1, revision=0).on_conflict_do_nothing())
            await connection.execute(t.revision.update().values(revision=t.revision.c.revision))
        yield connection


async def save(
    connection: AsyncConnection, document: DocumentId, text: str, *, title: str, language: Language, act: Act
) -> Version:
    """Add a text as the newest version."""
    last = await connection.execute(
        sa.select(sa.func.max(t.versions.c.version)).where(t.versions.c.document == document)
    )
    saved = Version(
        document=document,
        version=(last.scalar() or 0) + 1,
        title=title,
        language=language,
        content_hash=hash_of(text),
        by=act.by,
        at=act.at,
        published=False,
    )
    values = {name: getattr(saved, name) for name in Version.__dataclass_fields__}
    await connection.execute(t.versions.insert().values(**values, text=text))
    return saved


async def put_out(
    connection: AsyncConnection, document: DocumentId, version: int, *, dates: Dates, act: Act
) -> None:
    """Publish a version for its dates, which make sense; what counted before goes on counting until then."""
    now = act.at
    slot = Slot(version=version, begins=dates.begins)
    before = await row(connection, document)
    saved = await version_row(connection, document, version)
    published = slots(await published_rows(connection, document))
    counts = counting(published, now=now)
    if not slot.begun(now) and counts is not None and counts.version == version:
        raise WrongState(
            f"Version {version} of {document!r} counts already.",
            remedy="Publish another version from that moment.",
        )
    await _replace_passages(connection, saved)
    await put_state(
        connection,
        saved,
        after("publish", saved["state"]),
        published=True,
        effective_from=dates.begins,
        effective_until=dates.ends,
        superseded_from=None,
    )
    for other in overtaken(published, by=slot, now=now):
        await _overtake(connection, await version_row(connection, document, other))
    for older in await _open_rows(connection, document, before=version):
        await put_state(connection, older, after("overtake", older["state"]))
    await settle(connection, document, now=now)
    await _tell_twin(connection, before, saved["content_hash"], act)


async def settle(connection: AsyncConnection, document: DocumentId, *, now: datetime) -> None:
    """Bring what is stored in line with the line of time, and tell readers that the document changed."""
    rows = await published_rows(connection, document)
    current = counting(slots(rows), now=now)
    following = line(slots(rows))
    for one in rows:
        then = following[one["version"]]
        if then is not None and then <= now:
            await _overtake(connection, one)
            heir = next(slot.version for slot in slots(rows) if slot.begins == then)
            await record(connection, document, "took_over", Act(by=CLOCK, at=then), version=heir)
        elif then != one["superseded_from"]:
            await put_state(connection, one, one["state"], superseded_from=then)
    change: dict[str, Any] = {"status": status_of(await _states(connection, document))}
    shown = current.version if current else (min(one["version"] for one in rows) if rows else None)
    if shown is not None:
        chosen = next(one for one in rows if one["version"] == shown)
        change |= {name: chosen[name] for name in ("title", "language", "content_hash", "version")}
    await touch(connection, document, now=now, **change)


async def take_down(connection: AsyncConnection, document: DocumentId, *, now: datetime) -> list[int]:
    """Retire all published versions, or the newest where none is; return which. Passages go with them."""
    rows = await published_rows(connection, document)
    if not rows:
        newest_one = await version_row(connection, document, await newest(connection, document))
        rows = [] if newest_one["state"] in ("retired", "superseded") else [newest_one]
    for one in rows:
        await put_state(connection, one, after("retire", one["state"]), superseded_from=None)
    await connection.execute(t.passages.delete().where(t.passages.c.document == document))
    await touch(connection, document, now=now, status="retired")
    return [one["version"] for one in rows]


async def withdraw(connection: AsyncConnection, document: DocumentId, version: int, *, now: datetime) -> None:
    """Take back a published version that has not begun. Raises `WrongState` for one that has."""
    one = await version_row(connection, document, version)
    led = after("withdraw", one["state"])
    if Slot(version=version, begins=one["effective_from"]).begun(now):
        raise WrongState(
            f"Version {version} of {document!r} has begun.", remedy="Retire the document or roll it back."
        )
    await _drop_passages(connection, document, version)
    await put_state(connection, one, led, effective_from=None, effective_until=None, superseded_from=None)
    await settle(connection, document, now=now)


async def put_state(connection: AsyncConnection, one: RowMapping, state: State, **change: Any) -> None:
    """Write where a version stands."""
    own = (t.versions.c.document == one["document"]) & (t.versions.c.version == one["version"])
    await connection.execute(t.versions.update().where(own).values(state=state, **change))


async def touch(connection: AsyncConnection, document: DocumentId, *, now: datetime, **change: Any) -> None:
    """Raise the revision, by which other processes learn of the change."""
    await connection.execute(t.revision.update().values(revision=t.revision.c.revision + 1))
    raised = (await connection.execute(sa.select(t.revision.c.revision))).scalar_one()
    update = t.documents.update().where(t.documents.c.id == document)
    await connection.execute(update.values(revision=raised, updated=now, **change))


async def restate(connection: AsyncConnection, document: DocumentId, *, now: datetime) -> None:
    """Keep a document's status in line after a step that changes nothing readers see."""
    status = status_of(await _states(connection, document))
    update = t.documents.update().where(t.documents.c.id == document)
    await connection.execute(update.values(status=status, updated=now))


async def find(connection: AsyncConnection, document: DocumentId) -> RowMapping | None:
    """Return a document's row, None where there is none."""
    query = sa.select(t.documents).where(t.documents.c.id == document)
    return (await connection.execute(query)).mappings().first()


async def row(connection: AsyncConnection, document: DocumentId) -> RowMapping:
    """Return a document's row. Raises `UnknownDocument`."""
    found = await find(connection, document)
    if found is None:
        raise UnknownDocument(f"There is no document {document!r}.", remedy=_KNOWN_IDS)
    return found


async def newest(connection: AsyncConnection, document: DocumentId) -> int:
    """Return the number of the newest version. Raises `NothingToPublish`."""
    query = sa.select(sa.func.max(t.versions.c.version)).where(t.versions.c.document == document)
    found = (await connection.execute(query)).scalar()
    if found is None:
        raise NothingToPublish(f"{document!r} has no saved text.", remedy="Save a draft first.")
    return int(found)


async def version_row(connection: AsyncConnection, document: DocumentId, version: int) -> RowMapping:
    """Return a version's row. Raises `UnknownDocument`."""
    query = sa.select(t.versions).where(t.versions.c.document == document, t.versions.c.version == version)
    found = (await connection.execute(query)).mappings().first()
    if found is None:
        raise UnknownDocument(
            f"{document!r} has no version {version}.", remedy="The document's history lists its versions."
        )
    return found


async def published_rows(connection: AsyncConnection, document: DocumentId) -> Sequence[RowMapping]:
    """Return the rows of published versions in order of their numbers."""
    query = (
        sa.select(t.versions)
        .where(t.versions.c.document == document, t.versions.c.state == "published")
        .order_by(t.versions.c.version)
    )
    return (await connection.execute(query)).mappings().all()


def slots(rows: Sequence[RowMapping]) -> list[Slot]:
    """Return rows of versions as slots on the line of time."""
    return [Slot(version=one["version"], begins=one["effective_from"]) for one in rows]


def new_document(source: Source, *, source_hash: str, now: datetime) -> dict[str, Any]:
    """Return the values of a document's first row."""
    names = (
        "id",
        "title",
        "language",
        "source",
        "format",
        "audience",
        "department",
        "valid_from",
        "valid_until",
        "approved",
    )
    values = {name: getattr(source, name) for name in (*names, "twin")}
    fresh = {"status": "draft", "version": 0, "content_hash": "", "revision": 0}
    return {**values, **fresh, "source_hash": source_hash, "updated": now}


def wordy(text: str, document: DocumentId) -> None:
    """Refuse a text without words. Raises `Empty`."""
    if not any(letter.isalnum() for letter in text):
        raise Empty(f"{document!r} has no words.", remedy="Write or import a text with words in it.")


async def _overtake(connection: AsyncConnection, one: RowMapping) -> None:
    await _drop_passages(connection, one["document"], one["version"])
    await put_state(connection, one, after("overtake", one["state"]))


async def _replace_passages(connection: AsyncConnection, saved: RowMapping) -> None:
    document, version = DocumentId(saved["document"]), int(saved["version"])
    pieces = split(saved["text"], document=document, title=saved["title"], language=saved["language"])
    if not pieces:
        raise Empty(
            f"Version {version} of {document!r} has no words.", remedy="Write a text before publishing."
        )
    await _drop_passages(connection, document, version)
    names = ("document", "n", "heading", "text", "tokens", "page")
    rows = [
        {name: getattr(piece, name) for name in names}
        | {"id": passage_id(document, version=version, n=piece.n), "version": version}
        for piece in pieces
    ]
    await connection.execute(t.passages.insert(), rows)


async def _drop_passages(connection: AsyncConnection, document: DocumentId, version: int) -> None:
    own = (t.passages.c.document == document) & (t.passages.c.version == version)
    await connection.execute(t.passages.delete().where(own))


async def _open_rows(
    connection: AsyncConnection, document: DocumentId, *, before: int
) -> Sequence[RowMapping]:
    query = sa.select(t.versions).where(
        t.versions.c.document == document,
        t.versions.c.version < before,
        t.versions.c.state.in_(("draft", "review")),
    )
    return (await connection.execute(query)).mappings().all()


async def _states(connection: AsyncConnection, document: DocumentId) -> list[State]:
    query = (
        sa.select(t.versions.c.state)
        .where(t.versions.c.document == document)
        .order_by(t.versions.c.version.desc())
    )
    return list((await connection.execute(query)).scalars())


async def _tell_twin(connection: AsyncConnection, before: RowMapping, published: str, act: Act) -> None:
    """Flag the twin of a document whose text became another one, unless that was the answer to its own flag."""
    if before["twin_changed"] is not None:
        update = t.documents.update().where(t.documents.c.id == before["id"])
        await connection.execute(update.values(twin_changed=None))
        return
    if not before["twin"] or before["content_hash"] in ("", published):
        return
    twin = t.documents.update().where(t.documents.c.id == before["twin"], t.documents.c.status == "published")
    flagged = await connection.execute(twin.values(twin_changed=act.at))
    if flagged.rowcount:
        told = replace(act, why="", detail={"twin": before["id"]})
        await record(connection, DocumentId(before["twin"]), "twin_changed", told)
