"""What imports remember, in SQL."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.catalogue import hash_of
from knowledge.keeping import tables as documents
from knowledge.reading.findings import Flag, Note, flag_of, note_of
from knowledge.sources import tables as t
from knowledge.sources.port import Brought, Learned, Outcome, Page, Schedule, Stamp
from knowledge.types import DocumentId

_CHUNK = 500


class SqlNotes:
    """Keeps everything beside the documents; each call is one commit."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def stamps(self, origin: str) -> Mapping[str, Stamp]:
        query = sa.select(t.stamps).where(t.stamps.c.origin == hash_of(origin))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
            if not rows:
                return {}
            known = sa.select(documents.documents.c.id, documents.documents.c.source_hash)
            held = {DocumentId(id): digest for id, digest in await connection.execute(known)}
        found = {str(row["name"]): _stamp(row) for row in rows}
        return {
            name: stamp
            for name, stamp in found.items()
            if all(held.get(one.document) == one.digest for one in stamp.brought)
        }

    async def stamp(self, origin: str, stamps: Mapping[str, Stamp]) -> None:
        rows = [
            {
                "id": hash_of(f"{origin}\0{name}"),
                "origin": hash_of(origin),
                "name": name,
                "size": stamp.size,
                "modified_ns": stamp.modified_ns,
                "rules": stamp.rules,
                "brought": json.dumps([[one.path, one.document, one.digest] for one in stamp.brought]),
            }
            for name, stamp in stamps.items()
        ]
        await self._put(t.stamps, "id", rows)

    async def learn(self, learned: Sequence[Learned]) -> None:
        rows = [
            {
                "document": one.document,
                "notes": json.dumps([asdict(note) for note in one.notes]),
                "flags": json.dumps([asdict(flag) for flag in one.flags]),
                "flagged": len(one.flags),
                "signature": one.signature,
            }
            for one in learned
        ]
        await self._put(t.findings, "document", rows)

    async def flags(self, document: DocumentId) -> tuple[Flag, ...]:
        rows = json.loads(await self._of(document, "flags") or "[]")
        found = (flag_of(row["kind"], row["quote"], row["where"]) for row in rows)
        return tuple(one for one in found if one is not None)

    async def notes(self, document: DocumentId) -> tuple[Note, ...]:
        rows = json.loads(await self._of(document, "notes") or "[]")
        found = (note_of(row["kind"], row["detail"], row["where"]) for row in rows)
        return tuple(one for one in found if one is not None)

    async def flagged(self) -> Mapping[DocumentId, int]:
        columns = (t.findings.c.document, t.findings.c.flagged)
        query = sa.select(*columns).where(t.findings.c.flagged > 0).order_by(t.findings.c.document)
        async with self._engine.connect() as connection:
            return {DocumentId(name): count for name, count in await connection.execute(query)}

    async def signatures(self) -> Mapping[DocumentId, bytes]:
        own = documents.documents
        query = (
            sa.select(t.findings.c.document, t.findings.c.signature)
            .join(own, own.c.id == t.findings.c.document)
            .where(own.c.status != "retired")
        )
        async with self._engine.connect() as connection:
            return {DocumentId(name): places for name, places in await connection.execute(query) if places}

    async def page(self, url: str) -> Page | None:
        query = sa.select(t.pages).where(t.pages.c.id == hash_of(url))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        names = tuple(DocumentId(name) for name in json.loads(row["documents"]))
        return Page(etag=row["etag"], modified=row["modified"], documents=names)

    async def keep_page(self, url: str, page: Page) -> None:
        row = {"etag": page.etag, "modified": page.modified, "documents": json.dumps(page.documents)}
        await self._put(t.pages, "id", [{"id": hash_of(url), "url": url, **row}])

    async def schedules(self) -> Sequence[Schedule]:
        query = sa.select(t.schedules).order_by(t.schedules.c.source)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [
            Schedule(
                source=row["source"],
                every=timedelta(seconds=row["every"]),
                last=row["last"],
                drafts=bool(row["drafts"]),
                paused=bool(row["paused"]),
                outcome=Outcome(**json.loads(row["outcome"])) if row["outcome"] else None,
            )
            for row in rows
        ]

    async def keep_schedule(self, schedule: Schedule) -> None:
        every = int(schedule.every.total_seconds())
        row = {
            "id": hash_of(schedule.source),
            "source": schedule.source,
            "every": every,
            "last": schedule.last,
            "drafts": schedule.drafts,
            "paused": schedule.paused,
            "outcome": _outcome(schedule.outcome),
        }
        await self._put(t.schedules, "id", [row])

    async def pause_schedule(self, source: str, *, paused: bool) -> None:
        await self._change_schedule(source, paused=paused)

    async def note_try(self, source: str, *, at: datetime, outcome: Outcome | None) -> None:
        await self._change_schedule(source, last=at, outcome=_outcome(outcome))

    async def drop_schedule(self, source: str) -> bool:
        async with self._engine.begin() as connection:
            gone = t.schedules.delete().where(t.schedules.c.id == hash_of(source))
            return bool((await connection.execute(gone)).rowcount)

    async def _change_schedule(self, source: str, **values: Any) -> None:
        own = t.schedules.update().where(t.schedules.c.id == hash_of(source))
        async with self._engine.begin() as connection:
            await connection.execute(own.values(**values))

    async def _of(self, document: DocumentId, column: str) -> str | None:
        query = sa.select(t.findings.c[column]).where(t.findings.c.document == document)
        async with self._engine.connect() as connection:
            found = (await connection.execute(query)).scalar()
        return None if found is None else str(found)

    async def _put(self, table: sa.Table, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        insert = (postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert)(table)
        changed = {name: insert.excluded[name] for name in rows[0] if name != key}
        put = insert.on_conflict_do_update(index_elements=[key], set_=changed)
        async with self._engine.begin() as connection:
            for i in range(0, len(rows), _CHUNK):
                await connection.execute(put, [dict(row) for row in rows[i : i + _CHUNK]])


def _outcome(outcome: Outcome | None) -> str:
    return json.dumps(asdict(outcome)) if outcome is not None else ""


def _stamp(row: sa.RowMapping) -> Stamp:
    brought = (
        Brought(path=path, document=id, digest=digest) for path, id, digest in json.loads(row["brought"])
    )
    return Stamp(size=row["size"], modified_ns=row["modified_ns"], rules=row["rules"], brought=tuple(brought))
