"""Processes for the kill test: one changes a document over SQLite and Chroma until it is killed, one looks at what is
left, one reads all the while. They are forked from a server that has imported this module, so each starts at once."""

import asyncio
import json
import os
import random
import re
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.embed.fake import FakeEmbedder
from knowledge.embed.port import Vectors
from knowledge.index.chroma import ChromaFolder
from knowledge.index.memory import MemoryIndexes
from knowledge.index.port import Index, Metadata
from knowledge.keeping.tables import create_tables
from knowledge.library import Library
from knowledge.types import Document, DocumentId, Passage, PassageId, Query
from tests.knowledge.shelf import sqlite

DOC = DocumentId("garlands")
QUESTION = "гирлянда для дома"
_MARK = re.compile(r"редакция (\d+)")
STEPS = 40


class Tap:
    """Counts the moments between SQL and index; kills its own process at one of them."""

    def __init__(self, kill_at: int) -> None:
        self.passed = 0
        self._kill_at = kill_at

    def __call__(self, _: str) -> None:
        self.passed += 1
        if self.passed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(slots=True)
class TappedIndex:
    inner: Index
    tap: Tap

    def upsert(self, ids: Sequence[PassageId], vectors: Vectors, metadata: Sequence[Metadata]) -> None:
        self.tap("before upsert")
        half = len(ids) // 2
        self.inner.upsert(ids[:half], vectors[:half], metadata[:half])
        self.tap("amid upsert")
        self.inner.upsert(ids[half:], vectors[half:], metadata[half:])
        self.tap("after upsert")

    def delete(self, ids: Sequence[PassageId]) -> None:
        self.tap("before delete")
        self.inner.delete(ids)
        self.tap("after delete")

    def query(self, vector: Vectors, k: int) -> list[tuple[PassageId, float]]:
        return self.inner.query(vector, k)

    def count(self) -> int:
        return self.inner.count()

    def digest(self) -> dict[PassageId, str]:
        return self.inner.digest()


class TappedFolder(ChromaFolder):
    def __init__(self, folder: Path, tap: Tap) -> None:
        super().__init__(folder)
        self._tap = tap

    def __call__(self, name: str, *, dim: int) -> Index:
        return TappedIndex(super().__call__(name, dim=dim), self._tap)


class TappedLibrary(Library):
    tap = Tap(0)

    async def _followed(self, document: Document) -> Document:
        self.tap("committed")
        return await super()._followed(document)


def text_of(version: int) -> str:
    """A text whose every passage tells its version."""
    sections = 2 + version % 4
    return "\n\n".join(
        f"## Пункт {n}\n\nГирлянда для дома, редакция {version}, пункт {n}." for n in range(1, sections + 1)
    )


def prepare(folder: Path) -> None:
    """Make the database and publish the first version."""

    async def made() -> None:
        engine = sqlite(folder)
        async with engine.connect() as connection:
            await connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        await create_tables(engine)
        library = Library(engine, embedders=[FakeEmbedder()], index=ChromaFolder(folder / "chroma"))
        await library.open()
        await _save(library)
        await library.publish(DOC, by="first")
        await library.close()
        await engine.dispose()

    asyncio.run(made())


def change(folder: Path, seed: int, kill_at: int) -> None:
    """Publish, retire and roll back by lot until killed."""

    async def changed() -> None:
        tap, lot = Tap(kill_at), random.Random(seed)
        engine = sqlite(folder)
        library = TappedLibrary(
            engine, embedders=[FakeEmbedder()], index=TappedFolder(folder / "chroma", tap)
        )
        await library.open()
        (folder / "opened").touch()
        library.tap = tap
        event.listen(engine.sync_engine, "commit", lambda _: tap("before commit"))
        for _ in range(STEPS):
            step = lot.choice(("publish", "publish", "rollback", "rollback", "retire"))
            if step == "publish":
                await _save(library)
                await library.publish(DOC, by="writer")
            elif step == "retire":
                await library.retire(DOC, by="writer")
            else:
                newest = (await library.catalogue.history(DOC))[0].version
                await library.rollback(DOC, lot.randint(max(1, newest - 4), newest), by="writer")

    asyncio.run(changed())


async def _save(library: Library) -> None:
    known = await library.catalogue.documents()
    version = (await library.catalogue.history(DOC))[0].version + 1 if known else 1
    await library.save_draft(DOC, text_of(version), title="Гирлянды", language="ru", by="writer")


def look(folder: Path, out: Path) -> None:
    """Tell what a crash left: what the index held, what of it was live, how the library stands once opened."""

    async def looked() -> dict[str, Any]:
        engine = sqlite(folder)
        library = Library(engine, embedders=[FakeEmbedder()], index=ChromaFolder(folder / "chroma"))
        before = await library.check()
        found = ChromaFolder(folder / "chroma")
        names = [str(name) for name in found("fake-body", dim=256).digest()]
        found.close()
        live = await library.live(names)
        document = await library.catalogue.document(DOC)
        report = {
            "apart": not before.ok,
            "live_before": sorted({version_in(passage) for passage in live.values()}),
            "counts": document.version if document.status == "published" else 0,
        }
        await library.open()
        after = await library.check()
        hits = (await library.search(Query(QUESTION, language="ru", k=20))).hits
        repaired = await library.repair()
        await library.close()
        await engine.dispose()
        return {
            **report,
            "ok": after.ok and repaired.ok,
            "passages": after.passages,
            "found": sorted({version_in(hit.passage) for hit in hits}),
            "hits": len(hits),
        }

    out.write_text(json.dumps(asyncio.run(looked())))


def read(folder: Path, stop: Path, out: Path) -> None:
    """Search and ask for every passage seen so far until told to stop; report what should never have been shown."""

    async def reading() -> dict[str, Any]:
        engine = sqlite(folder)
        library = Library(engine, embedders=[], index=MemoryIndexes())
        await library.open()
        seen: set[str] = set()
        report: dict[str, Any] = {"reads": 0, "judged": 0, "versions": [], "wrong": []}
        while not stop.exists():
            try:
                await _read_once(library, engine, seen, report)
            except OperationalError:
                # The database is busy for a moment; a customer's turn would try again.
                await asyncio.sleep(0.01)
        await engine.dispose()
        return {**report, "versions": sorted(set(report["versions"]))}

    out.write_text(json.dumps(asyncio.run(reading())))


async def _read_once(library: Library, engine: AsyncEngine, seen: set[str], report: dict[str, Any]) -> None:
    before = await _truth(engine)
    hits = (await library.search(Query(QUESTION, language="ru", k=20))).hits
    live = await library.live(sorted(seen))
    after = await _truth(engine)
    shown = {version_in(hit.passage) for hit in hits} | {version_in(passage) for passage in live.values()}
    seen.update(str(hit.passage.id) for hit in hits)
    report["reads"] += 1
    report["versions"] += shown
    if after[0] - before[0] > 1:
        return
    report["judged"] += 1
    if not shown <= {before[1], after[1]} - {0}:
        report["wrong"].append([before, sorted(shown), after, time.time()])


async def _truth(engine: AsyncEngine) -> tuple[int, int]:
    """The revision, and the version that counts (0 for none), by one statement that asks nothing of the code."""
    query = sa.text(
        "SELECT r.revision, CASE WHEN d.status = 'published' THEN d.version ELSE 0 END "
        "FROM kb_revision r, kb_documents d WHERE d.id = :id"
    )
    async with engine.connect() as connection:
        row = (await connection.execute(query, {"id": DOC})).one()
    return int(row[0]), int(row[1])


def version_in(passage: Passage) -> int:
    """The version that the words of a passage tell."""
    found = _MARK.search(passage.text)
    assert found is not None
    return int(found.group(1))
