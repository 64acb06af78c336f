"""The room's own search over loose passages: no documents and no SQL, every passage live, indexes in memory."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from knowledge.embed.port import Embedder
from knowledge.index.memory import MemoryIndex
from knowledge.lexical import Lexical
from knowledge.rank.confidence import Calibration
from knowledge.rank.mix import FIELDS, field_text, mix
from knowledge.rerank.port import Reranker
from knowledge.search import Dense, Sample, Search
from knowledge.types import Passage, PassageId

_BATCH = 16
Tell = Callable[[int, int], None]


def search_over(
    passages: Sequence[Passage],
    *,
    embedders: Sequence[Embedder],
    calibration: Calibration | None = None,
    reranker: Reranker | None = None,
    tell: Tell = lambda done, total: None,
) -> Search:
    """Return the room's `Search` over these passages, all of them live; `tell(done, total)` counts embedded texts."""
    dense: list[Dense] = []
    total, done = len(passages) * len(embedders) * len(FIELDS), 0
    for rank, embedder in enumerate(embedders[:2]):
        for field in FIELDS:
            index = MemoryIndex(dim=embedder.dim)
            named = [passage for passage in passages if field_text(passage, field)]
            for i in range(0, len(named), _BATCH):
                part = named[i : i + _BATCH]
                rows = embedder.passages([field_text(passage, field) for passage in part])
                index.upsert([passage.id for passage in part], rows, [{"hash": ""} for _ in part])
                done += len(part)
                tell(done, total)
            dense.append(
                Dense(
                    embedder=embedder,
                    index=index,
                    field=field,
                    rank=rank,
                    sample=_sample(embedder, field, named),
                )
            )
    tell(total, total)
    by_id = {passage.id: passage for passage in passages}

    async def live(ids: Sequence[PassageId], now: datetime, audience: str) -> Mapping[PassageId, Passage]:
        return {name: by_id[name] for name in ids if name in by_id}

    return Search(
        dense=dense, lexical=Lexical(passages), live=live, calibration=calibration, reranker=reranker
    )


def _sample(embedder: Embedder, field: str, named: Sequence[Passage]) -> Sample | None:
    settings = mix()
    if len(named) <= settings.exact:
        return None
    drawn = random.Random(len(named)).sample(list(named), settings.sample)
    rows = embedder.passages([field_text(passage, field) for passage in drawn])
    return Sample(vectors=rows, languages=[passage.language for passage in drawn])
