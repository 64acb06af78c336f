"""The library as it would be with a draft published: searched beside the live one, which nothing here changes.

    live search ─┬─ words and letters ── a copy, with the draft's passages in place of the document's
                 ├─ indexes ──────────── the live ones, the document's rows hidden, the draft's beside them
                 └─ what may be shown ── SQL for other documents; for this one the draft, within its document's days

The same `Search` ranks both, so a difference between two answers comes from the draft and from nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from knowledge.embed.port import Embedder, Vectors
from knowledge.index.port import Index, Metadata
from knowledge.search import Live, Search
from knowledge.types import Document, DocumentId, Passage, PassageId, Query, Retrieval, document_in

Rows = Callable[[Embedder, str], Awaitable[Mapping[PassageId, Vectors]]]
"""The draft's vectors for an embedder and a field, by passage."""


class OverlaidIndex:
    """`below` without the rows of one document, and with `above` instead; read only.

    `hidden` is how many rows of `below` belong to the document.
    """

    def __init__(
        self, below: Index, *, document: DocumentId, hidden: int, above: Mapping[PassageId, Vectors]
    ) -> None:
        self._below = below
        self._document = document
        self._hidden = hidden
        self._ids = list(above)
        self._above = np.stack(list(above.values())) if above else None

    def query(self, vector: Vectors, k: int) -> list[tuple[PassageId, float]]:
        """Return at most `k` nearest rows of both, best first."""
        found = [
            one
            for one in self._below.query(vector, k + self._hidden)
            if document_in(one[0]) != self._document
        ]
        if self._above is not None:
            scores = self._above @ np.asarray(vector, dtype=np.float32).reshape(-1)
            found += [(name, float(score)) for name, score in zip(self._ids, scores, strict=True)]
        return sorted(found, key=lambda one: -one[1])[:k]

    def digest(self) -> dict[PassageId, str]:
        """Return what the live rows hold, those of the document left out."""
        return {
            name: key for name, key in self._below.digest().items() if document_in(name) != self._document
        }

    def count(self) -> int:
        """Return how many rows there are."""
        return len(self.digest()) + len(self._ids)

    def upsert(self, ids: Sequence[PassageId], vectors: Vectors, metadata: Sequence[Metadata]) -> None:
        """Refuse: nothing is written through an overlay."""
        raise TypeError("An overlay is read only.")

    def delete(self, ids: Sequence[PassageId]) -> None:
        """Refuse: nothing is written through an overlay."""
        raise TypeError("An overlay is read only.")


class Overlay:
    """What a turn needs to know, as it would be: `search`, `live`, `expect`. Made by `overlaid`."""

    def __init__(
        self, search: Search, *, document: Document, version: int, passages: Sequence[Passage], live: Live
    ) -> None:
        self.document = document
        self.version = version
        self.passages = tuple(passages)
        self._draft = {passage.id: passage for passage in passages}
        self._beyond = live
        self._search = replace(search, live=self._live)

    async def search(self, query: Query) -> Retrieval:
        """Return passages for a question; see `Search.search`."""
        return await self._search.search(query)

    async def expect(self, query: str) -> None:
        """Encode a question that is likely to be searched for soon."""
        await self._search.expect(query)

    async def live(
        self, ids: Sequence[str], *, now: datetime | None = None, audience: str = "customer"
    ) -> Mapping[str, Passage]:
        """Return those passages that might be shown, by id."""
        names = [PassageId(name) for name in ids]
        found = await self._live(names, now or self._search.clock(), audience)
        return {str(name): passage for name, passage in found.items()}

    async def _live(
        self, ids: Sequence[PassageId], now: datetime, audience: str
    ) -> Mapping[PassageId, Passage]:
        others = [name for name in ids if document_in(name) != self.document.id]
        found = dict(await self._beyond(others, now, audience))
        if self._shown(now, audience):
            found |= {name: self._draft[name] for name in ids if name in self._draft}
        return found

    def _shown(self, now: datetime, audience: str) -> bool:
        row, today = self.document, now.date()
        begun = row.valid_from is None or row.valid_from <= today
        over = row.valid_until is not None and row.valid_until < today
        return begun and not over and audience in ("staff", row.audience)


async def overlaid(
    search: Search,
    *,
    document: Document,
    version: int,
    passages: Sequence[Passage],
    hidden: Collection[PassageId],
    rows: Rows,
) -> Overlay:
    """Return the search with `passages` as the document's own; `hidden` are those it has in the live one."""
    lexical = await asyncio.to_thread(search.lexical.copy)
    await asyncio.to_thread(lexical.replace, document.id, passages)
    dense = [
        replace(
            one,
            index=OverlaidIndex(
                one.index,
                document=document.id,
                hidden=len(hidden),
                above=await rows(one.embedder, one.field),
            ),
        )
        for one in search.dense
    ]
    beside = replace(search, lexical=lexical, dense=dense)
    return Overlay(beside, document=document, version=version, passages=passages, live=search.live)
