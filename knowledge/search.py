"""Search: from a question to live passages. Pure ranking over ports; every index only proposes.

query ─ repaired ─┬─ embedders ─ indexes (title, body) ─┐
                  └─ words and letters ─────────────────┴─ standardised, weighted, summed
                                                           └─ live in SQL? ─ hits and confidence
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from knowledge.confidence import Calibration, calibration
from knowledge.embed.port import Embedder, Vectors
from knowledge.index.port import Index
from knowledge.lexical import Lexical, Reading, Scores
from knowledge.mix import Mix, mix
from knowledge.types import Hit, Language, Passage, PassageId, Retrieval, title_of
from knowledge.words import stems

Live = Callable[[Sequence[PassageId], datetime, str], Awaitable[Mapping[PassageId, Passage]]]
_LONGEST = 2_000
_CONTEXT = 3
_FLAT = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """One embedder's view of one field; `sample` holds vectors of passages drawn by lot, for corpora too big to scan."""

    embedder: Embedder
    index: Index
    field: str
    rank: int
    sample: Vectors | None = None

    @property
    def part(self) -> str:
        return f"{('first', 'second')[self.rank]}_{self.field}"


@dataclass(frozen=True, slots=True)
class _Part:
    """One signal over all rows: as measured, and standardised."""

    raw: Scores
    z: Scores
    weight: float


@dataclass(frozen=True, slots=True)
class _Ranking:
    reading: Reading
    parts: Mapping[str, _Part]
    fused: Scores
    order: Sequence[int]


@dataclass(kw_only=True)
class Search:
    """Ranks over `dense` and `lexical`, shows only what `live` lets through."""

    dense: Sequence[Dense]
    lexical: Lexical
    live: Live
    mix: Mix = field(default_factory=mix)
    calibration: Calibration | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def search(
        self,
        query: str,
        *,
        language: Language | None = None,
        k: int = 8,
        audience: str = "customer",
        now: datetime | None = None,
        context: Sequence[str] = (),
    ) -> Retrieval:
        """Return at most `k` live passages, best first. A blank query finds nothing.

        Passages in `language` are preferred, others still found. `context` holds the messages before, oldest first.
        """
        found, _ = await self._search(
            query, language=language, k=k, audience=audience, now=now or self.clock(), context=context
        )
        return found

    async def observed(
        self, query: str, *, context: Sequence[str] = ()
    ) -> tuple[Retrieval, Mapping[str, float]]:
        """Return the search and the signals its confidence is computed from; for calibration."""
        return await self._search(
            query, language=None, k=10, audience="customer", now=self.clock(), context=context
        )

    async def _search(
        self,
        query: str,
        *,
        language: Language | None,
        k: int,
        audience: str,
        now: datetime,
        context: Sequence[str],
    ) -> tuple[Retrieval, Mapping[str, float]]:
        started = time.perf_counter()
        asked = " ".join(query[:_LONGEST].split())
        if not stems(asked) or not len(self.lexical):
            return Retrieval(query=query, hits=(), confidence=0.0, ms=_ms(started), understood=asked), {}
        understood = self.lexical.understood(asked)
        ranking = await asyncio.to_thread(self._rank, understood, language, list(context))
        hits = await self._live_hits(ranking, k=max(k, 10), audience=audience, now=now)
        signals = self._signals(understood, ranking, hits)
        found = Retrieval(
            query=query,
            hits=tuple(hits[:k]),
            confidence=self._curve().confidence(signals) if hits else 0.0,
            ms=_ms(started),
            understood=understood,
        )
        return found, signals

    def _curve(self) -> Calibration:
        names = dict.fromkeys(dense.embedder.name for dense in self.dense)
        return self.calibration or calibration(tuple(names))

    def _rank(self, query: str, language: Language | None, context: list[str]) -> _Ranking:
        reading, parts = self._parts(query)
        fused = _fused(parts)
        if context:
            told = " ".join([*context[-_CONTEXT:], query])[-_LONGEST:]
            _, wider = self._parts(told)
            rows = len(fused)
            fused = (1 - self.mix.context) * fused + self.mix.context * _fused(wider)[:rows]
        if language is not None:
            speaks = np.fromiter(
                (found == language for found in reading.languages), np.float32, count=len(fused)
            )
            fused = fused + self.mix.language * speaks
        fused = np.where(reading.alive, fused, -np.inf).astype(np.float32)
        order = np.argsort(-fused, kind="stable")[: int(reading.alive.sum())]
        return _Ranking(reading, parts, fused, order.tolist())

    def _parts(self, query: str) -> tuple[Reading, dict[str, _Part]]:
        vectors: dict[str, Vectors] = {}
        for dense in self.dense:
            if dense.embedder.name not in vectors:
                vectors[dense.embedder.name] = dense.embedder.queries([query])[0]
        reading = self.lexical.read(query)
        parts: dict[str, _Part] = {}
        for name, scores in reading.scores.items():
            titled = reading.distinct if name.endswith("title") else 1.0
            alive = scores[reading.alive]
            parts[name] = _Part(scores, _standard(scores, alive), self.mix.lexical[name] * titled)
        for dense in self.dense:
            titled = reading.distinct if dense.field == "title" else 1.0
            weight = self.mix.dense[dense.rank][dense.field] * titled
            if weight > _FLAT:
                parts[dense.part] = self._dense_part(dense, vectors[dense.embedder.name], reading, weight)
        return reading, parts

    def _dense_part(self, dense: Dense, vector: Vectors, reading: Reading, weight: float) -> _Part:
        rows = len(reading.alive)
        size = dense.index.count()
        whole = size <= self.mix.exact
        found = dense.index.query(vector, size if whole else self.mix.deep)
        raw = np.full(rows, np.nan, dtype=np.float32)
        for name, score in found:
            row = self.lexical.row_of(name)
            if row is not None and row < rows:
                raw[row] = score
        seen = raw[~np.isnan(raw)]
        against = seen if whole or dense.sample is None else dense.sample @ vector
        # Unseen rows: below everything proposed in a big corpus, neutral where the index only lags behind.
        rest = float(against.mean()) if whole and len(against) else float(seen.min(initial=0.0))
        raw = np.where(np.isnan(raw), rest, raw).astype(np.float32)
        return _Part(raw, _standard(raw, against), weight)

    async def _live_hits(self, ranking: _Ranking, *, k: int, audience: str, now: datetime) -> list[Hit]:
        out: list[Hit] = []
        start, step = 0, 3 * k
        while len(out) < k and start < len(ranking.order):
            rows = ranking.order[start : start + step]
            names = [ranking.reading.ids[row] for row in rows]
            shown = await self.live(names, now, audience)
            out += [
                _hit(ranking, row, shown[name])
                for row, name in zip(rows, names, strict=True)
                if name in shown
            ]
            start, step = start + step, step * 4
        return out[:k]

    def _signals(self, query: str, ranking: _Ranking, hits: Sequence[Hit]) -> dict[str, float]:
        if not hits:
            return {}
        first = hits[0]
        row = self.lexical.row_of(first.passage.id)
        scores = np.array([hit.score for hit in hits[:10]])
        other = next(
            (hit.score for hit in hits if hit.passage.document != first.passage.document), scores[-1]
        )
        shares = np.exp(2.0 * (scores - scores[0]))
        agree = [_among_best(part.raw, row) for part in ranking.parts.values() if row is not None]
        out = {
            "top": first.score,
            "margin": first.score - float(other),
            "peak": float(1.0 / shares.sum()),
            "agreement": sum(agree) / len(agree) if agree else 0.0,
            "coverage": self.lexical.coverage(query, f"{title_of(first.passage)} {first.passage.text}"),
            "familiar": self.lexical.familiar(query),
            "length": math.log1p(len(stems(query))),
        }
        for dense in self.dense:
            if dense.part in ranking.parts:
                out[dense.part] = float(ranking.parts[dense.part].raw.max())
        return out


def _fused(parts: Mapping[str, _Part]) -> Scores:
    total = sum(part.weight for part in parts.values()) or 1.0
    out = sum((part.weight / total * part.z for part in parts.values()), np.float32(0.0))
    return np.asarray(out, dtype=np.float32)


def _standard(scores: Scores, against: Scores) -> Scores:
    deviation = float(against.std()) if len(against) else 0.0
    if deviation < _FLAT:
        return np.zeros_like(scores)
    return np.asarray((scores - float(against.mean())) / deviation, dtype=np.float32)


def _hit(ranking: _Ranking, row: int, passage: Passage) -> Hit:
    parts = {name: round(float(part.z[row]), 4) for name, part in ranking.parts.items() if row < len(part.z)}
    return Hit(passage=passage, score=float(ranking.fused[row]), parts=parts)


def _among_best(scores: Scores, row: int | None) -> bool:
    return row is not None and int((scores > scores[row]).sum()) < 3 and scores[row] > 0


def _ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
