"""Vectors and the indexes that hold them: computed once, cached in SQL, kept in line with what is published.

Each embedder has two indexes: `title` (title and path of headings) and `body` (title, then the text).
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.catalogue import hash_of
from knowledge.embed.port import Embedder, Vectors, is_outside
from knowledge.index.port import Index, OpenIndex
from knowledge.keeping import tables as t
from knowledge.rank.mix import FIELDS, field_text, mix
from knowledge.search import Dense, Sample
from knowledge.types import Document, DocumentId, Passage, PassageId, document_in

_BATCH = 16
_CHUNK = 400
_ROWS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is there: documents by status, live passages, cached vectors, and rows each index lacks or has too many."""

    documents: Mapping[str, int]
    passages: int
    vectors: int
    missing: Mapping[str, int]
    stale: Mapping[str, int]

    @property
    def ok(self) -> bool:
        """Say whether every index agrees with SQL."""
        return not any(self.missing.values()) and not any(self.stale.values())


@dataclass(slots=True, kw_only=True)  # mutable: follows the documents
class _Shelf:
    """One index and what it is known to hold."""

    embedder: Embedder
    rank: int
    field: str
    index: Index
    held: dict[PassageId, str]

    @property
    def name(self) -> str:
        return f"{self.embedder.name}/{self.field}"


class Shelves:
    """`embedded` counts texts that went through a model."""

    def __init__(self, engine: AsyncEngine, *, embedders: Sequence[Embedder], index: OpenIndex) -> None:
        self._engine = engine
        self._embedders = tuple(embedders[:2])
        self._index = index
        self._shelves: list[_Shelf] = []
        self.embedded = 0

    def dense(self, samples: Mapping[str, Sample]) -> list[Dense]:
        """Return the views a search ranks by."""
        return [
            Dense(
                embedder=shelf.embedder,
                index=shelf.index,
                field=shelf.field,
                rank=shelf.rank,
                sample=samples.get(shelf.name),
            )
            for shelf in self._shelves
        ]

    async def vectors(
        self, passages: Sequence[Passage], *, tell: Callable[[int], None] = lambda _: None
    ) -> None:
        """Make sure every text of these passages has a cached vector; each batch is kept as soon as it is there."""
        for embedder in self._embedders:
            texts = {_key(text): text for passage in passages for text in _texts(passage)}
            known = await self._known(embedder, list(texts))
            todo = [(key, text) for key, text in texts.items() if key not in known]
            for i in range(0, len(todo), _BATCH):
                part = todo[i : i + _BATCH]
                rows = await asyncio.to_thread(embedder.passages, [text for _, text in part])
                await self._keep(embedder, [key for key, _ in part], rows)
                self.embedded += len(part)
                tell(min(len(passages), (i + len(part)) // 2))

    def encoded(self, questions: Sequence[str]) -> list[Vectors]:
        """Return what people ask as vectors, one matrix for each embedder of the house, strongest first. Blocking."""
        own = [embedder for embedder in self._embedders if not is_outside(embedder)]
        return [embedder.queries(list(questions)) for embedder in own]

    async def kept(
        self, embedder: Embedder, passages: Sequence[Passage], field: str
    ) -> dict[PassageId, Vectors]:
        """Return the cached vectors of these passages in one field; those without text or vector are left out."""
        wanted = _wanted(passages, field)
        rows = await self._load(embedder, list(wanted.values()))
        return {name: rows[key] for name, key in wanted.items() if key in rows}

    async def follow(self, changed: Mapping[DocumentId, Sequence[Passage]]) -> None:
        """Bring the indexes in line for some documents; no passages take a document out."""
        for shelf in await self._opened():
            wanted = {passage.id: passage for passages in changed.values() for passage in passages}
            gone = [name for name in shelf.held if document_in(name) in changed and name not in wanted]
            await self._apply(shelf, list(wanted.values()), gone)

    async def reconcile(self, passages: Sequence[Passage]) -> None:
        """Bring the indexes in line with all that is published, whatever they held before."""
        wanted = {passage.id for passage in passages}
        for shelf in await self._opened():
            await self._apply(shelf, passages, [name for name in shelf.held if name not in wanted])

    async def look_again(self) -> None:
        """Read anew what the indexes hold."""
        for shelf in await self._opened():
            shelf.held = await asyncio.to_thread(shelf.index.digest)

    async def refill(self, passages: Sequence[Passage]) -> None:
        """Empty every index and fill it again."""
        for shelf in await self._opened():
            await self._apply(shelf, (), list(shelf.held))
            await self._apply(shelf, passages, ())

    async def sample(self, passages: Sequence[Passage]) -> dict[str, Sample]:
        """Return vectors of some passages by lot for each index; none while the corpus is small enough to scan."""
        await self._opened()
        settings = mix()
        if len(passages) <= settings.exact:
            return {}
        drawn = random.Random(len(passages)).sample(list(passages), settings.sample)
        out: dict[str, Sample] = {}
        for shelf in self._shelves:
            keys = {_key(field_text(passage, shelf.field)): passage.language for passage in drawn}
            rows = await self._load(shelf.embedder, list(keys))
            if rows:
                languages = [keys[key] for key in rows]
                out[shelf.name] = Sample(vectors=np.stack(list(rows.values())), languages=languages)
        return out

    async def check(self, passages: Sequence[Passage], *, documents: Iterable[Document]) -> Check:
        """Read every index and compare it with SQL."""
        states: dict[str, int] = {}
        for document in documents:
            states[document.status] = states.get(document.status, 0) + 1
        missing: dict[str, int] = {}
        stale: dict[str, int] = {}
        for shelf in await self._opened():
            held = await asyncio.to_thread(shelf.index.digest)
            wanted = _wanted(passages, shelf.field)
            missing[shelf.name] = sum(held.get(name) != key for name, key in wanted.items())
            stale[shelf.name] = sum(name not in wanted for name in held)
        async with self._engine.connect() as connection:
            cached = (
                await connection.execute(sa.select(sa.func.count()).select_from(t.vectors))
            ).scalar_one()
        return Check(documents=states, passages=len(passages), vectors=cached, missing=missing, stale=stale)

    def close(self) -> None:
        """Close the store; indexes are opened again when next needed."""
        self._shelves = []
        self._index.close()

    async def _opened(self) -> list[_Shelf]:
        if not self._shelves and self._embedders:
            self._shelves = await asyncio.to_thread(self._open)
        return self._shelves

    def _open(self) -> list[_Shelf]:
        out: list[_Shelf] = []
        for rank, embedder in enumerate(self._embedders):
            for field in FIELDS:
                index = self._index(f"{embedder.name}-{field}", dim=embedder.dim)
                out.append(
                    _Shelf(embedder=embedder, rank=rank, field=field, index=index, held=index.digest())
                )
        return out

    async def _apply(self, shelf: _Shelf, passages: Sequence[Passage], gone: Sequence[PassageId]) -> None:
        if gone:
            await asyncio.to_thread(shelf.index.delete, list(gone))
            for name in gone:
                shelf.held.pop(name, None)
        wanted = _wanted(passages, shelf.field)
        by_id = {passage.id: passage for passage in passages}
        late = [name for name, key in wanted.items() if shelf.held.get(name) != key]
        for names in _chunks(late, _ROWS):
            keys = [wanted[name] for name in names]
            rows = await self._load(shelf.embedder, keys)
            if len(rows) < len(set(keys)):
                await self.vectors([by_id[name] for name in names])
                rows = await self._load(shelf.embedder, keys)
            matrix = np.stack([rows[key] for key in keys])
            meta = [
                {"hash": key, "document": document_in(name)} for name, key in zip(names, keys, strict=True)
            ]
            await asyncio.to_thread(shelf.index.upsert, names, matrix, meta)
            shelf.held.update(zip(names, keys, strict=True))

    async def _known(self, embedder: Embedder, keys: Sequence[str]) -> set[str]:
        out: set[str] = set()
        async with self._engine.connect() as connection:
            for part in _chunks(keys, _CHUNK):
                query = sa.select(t.vectors.c.hash).where(
                    t.vectors.c.embedder == embedder.name, t.vectors.c.hash.in_(part)
                )
                out.update((await connection.execute(query)).scalars())
        return out

    async def _load(self, embedder: Embedder, keys: Sequence[str]) -> dict[str, Vectors]:
        out: dict[str, Vectors] = {}
        async with self._engine.connect() as connection:
            for part in _chunks(list(dict.fromkeys(keys)), _CHUNK):
                query = sa.select(t.vectors.c.hash, t.vectors.c.vector).where(
                    t.vectors.c.embedder == embedder.name, t.vectors.c.hash.in_(part)
                )
                for key, blob in await connection.execute(query):
                    out[key] = np.frombuffer(blob, dtype="<f4").astype(np.float32)
        return out

    async def _keep(self, embedder: Embedder, keys: Sequence[str], rows: Vectors) -> None:
        values = [
            {"embedder": embedder.name, "hash": key, "vector": row.astype("<f4").tobytes()}
            for key, row in zip(keys, rows, strict=True)
        ]
        # Two workers may compute the same vector at once; the first one stays.
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        async with self._engine.begin() as connection:
            await connection.execute(insert(t.vectors).on_conflict_do_nothing(), values)


def _texts(passage: Passage) -> Iterator[str]:
    for field in FIELDS:
        text = field_text(passage, field)
        if text:
            yield text


def _wanted(passages: Iterable[Passage], field: str) -> dict[PassageId, str]:
    texts = ((passage.id, field_text(passage, field)) for passage in passages)
    return {name: _key(text) for name, text in texts if text}


def _key(text: str) -> str:
    return hash_of(text)


def _chunks(items: Sequence[str], size: int) -> Iterator[list[PassageId]]:
    for i in range(0, len(items), size):
        yield [PassageId(item) for item in items[i : i + size]]
