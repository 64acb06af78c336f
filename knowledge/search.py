"""Search: from a question to live passages. Pure ranking over ports; every index only proposes.

query ─ repaired ─┬─ embedders ─ indexes (title, body) ─┐
                  └─ words and letters ─────────────────┴─ standardised, weighted, summed
                                                           └─ live in SQL? ─ hits and confidence
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from knowledge.confidence import Calibration, calibration
from knowledge.embed.port import Embedder, Vectors
from knowledge.index.port import Index
from knowledge.language import language_of
from knowledge.lexical import Lexical, Reading, Scores
from knowledge.mix import Mix, mix
from knowledge.types import Hit, Language, Passage, PassageId, Retrieval, title_of
from knowledge.words import stems

Live = Callable[[Sequence[PassageId], datetime, str], Awaitable[Mapping[PassageId, Passage]]]
_LONGEST = 2_000
_CONTEXT = 3
_FLAT = 1e-6
_GROUP = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Passages drawn by lot, for corpora too big to scan: vectors `[n, dim]` and the language of each."""

    vectors: Vectors
    languages: Sequence[Language]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """One embedder's view of one field; a big corpus is standardised by its `sample`."""

    embedder: Embedder
    index: Index
    field: str
    rank: int
    sample: Sample | None = None

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


@dataclass(kw_only=True)  # mutable: the lexical part is replaced when documents change
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
        self, query: str, *, language: Language | None = None, context: Sequence[str] = ()
    ) -> tuple[Retrieval, Mapping[str, float]]:
        """Return the search and the signals its confidence is computed from; for calibration."""
        return await self._search(
            query, language=language, k=10, audience="customer", now=self.clock(), context=context
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
        asked_in = language or language_of(query)
        reading, parts, fused = self._fused(query, asked_in)
        if context:
            told = " ".join([*context[-_CONTEXT:], query])[-_LONGEST:]
            wider = self._fused(told, asked_in)[2][: len(fused)]
            fused = (1 - self.mix.context) * fused + self.mix.context * wider
        fused = np.where(reading.alive, fused, -np.inf).astype(np.float32)
        order = np.argsort(-fused, kind="stable")[: int(reading.alive.sum())]
        return _Ranking(reading, parts, fused, order.tolist())

    def _fused(self, query: str, asked_in: Language) -> tuple[Reading, dict[str, _Part], Scores]:
        reading = self.lexical.read(query)
        groups = _Groups.of(reading, asked_in)
        parts = {
            name: self._lexical_part(name, scores, reading, groups) for name, scores in reading.scores.items()
        }
        vectors: dict[str, Vectors] = {}
        for dense in self.dense:
            if dense.embedder.name not in vectors:
                vectors[dense.embedder.name] = dense.embedder.queries([query])[0]
            titled = reading.distinct if dense.field == "title" else 1.0
            weight = self.mix.dense[dense.rank][dense.field] * titled
            if weight > _FLAT:
                parts[dense.part] = self._dense_part(
                    dense, vectors[dense.embedder.name], reading, groups, weight
                )
        fused = _summed(parts.values())
        if groups.foreign is not None:
            # Words do not match across languages; there only meaning is compared.
            meant = [part for name, part in parts.items() if name not in reading.scores]
            fused = np.where(groups.foreign, _summed(meant) if meant else fused, fused)
        return reading, parts, np.asarray(fused + self.mix.language * groups.own, dtype=np.float32)

    def _lexical_part(self, name: str, scores: Scores, reading: Reading, groups: "_Groups") -> _Part:
        titled = reading.distinct if name.endswith("title") else 1.0
        known = np.where(reading.alive, scores, np.nan).astype(np.float32)
        return _Part(scores, groups.standard(scores, known), self.mix.lexical[name] * titled)

    def _dense_part(
        self, dense: Dense, vector: Vectors, reading: Reading, groups: "_Groups", weight: float
    ) -> _Part:
        rows = len(reading.alive)
        # Every living passage has a row; asking the index for its count costs as much as the query itself.
        whole = rows <= self.mix.exact
        found = dense.index.query(vector, rows if whole else self.mix.deep)
        known = np.full(rows, np.nan, dtype=np.float32)
        for name, score in found:
            row = self.lexical.row_of(name)
            if row is not None and row < rows:
                known[row] = score
        lowest = float(np.nanmin(known)) if found and not np.isnan(known).all() else 0.0
        if not whole and dense.sample is not None:
            return _Part(
                np.nan_to_num(known, nan=lowest),
                groups.standard_by(np.nan_to_num(known, nan=lowest), dense.sample, vector),
                weight,
            )
        return _Part(np.nan_to_num(known, nan=lowest), groups.standard(known, known), weight)

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


@dataclass(frozen=True, slots=True)
class _Groups:
    """Rows by language: a passage is compared with passages of its own language, or an encoder's liking for the
    language asked in would bury every other. `own` are rows in the asked language; `foreign` the others, None when one
    of the two is too rare to stand alone."""

    own: NDArray[np.bool_]
    foreign: NDArray[np.bool_] | None
    asked_in: Language

    @classmethod
    def of(cls, reading: Reading, asked_in: Language) -> "_Groups":
        codes = np.array(reading.languages[: len(reading.alive)])
        foreign = codes != asked_in
        sizes = (int((foreign & reading.alive).sum()), int((~foreign & reading.alive).sum()))
        return cls(~foreign, foreign if min(sizes) >= _GROUP else None, asked_in)

    def standard(self, scores: Scores, known: Scores) -> Scores:
        """Standardise by the rows that are not NaN in `known`; unknown scores become 0, the middle."""
        if self.foreign is None:
            return _standard(scores, known)
        out = _standard(scores, np.where(self.foreign, np.nan, known))
        return np.where(self.foreign, _standard(scores, np.where(self.foreign, known, np.nan)), out)

    def standard_by(self, scores: Scores, sample: "Sample", vector: Vectors) -> Scores:
        """Standardise by passages drawn by lot."""
        against = sample.vectors @ vector
        own = np.array([language == self.asked_in for language in sample.languages])
        if self.foreign is None or min(own.sum(), (~own).sum()) < _GROUP:
            return _standard(scores, against)
        return np.where(self.foreign, _standard(scores, against[~own]), _standard(scores, against[own]))


def _summed(parts: Iterable[_Part]) -> Scores:
    used = list(parts)
    total = sum(part.weight for part in used) or 1.0
    return np.asarray(sum((part.weight / total * part.z for part in used), np.float32(0.0)), dtype=np.float32)


def _standard(scores: Scores, against: Scores) -> Scores:
    seen = against[~np.isnan(against)]
    deviation = float(seen.std()) if len(seen) else 0.0
    if deviation < _FLAT:
        return np.zeros_like(scores)
    z = (scores - float(seen.mean())) / deviation
    return np.asarray(np.nan_to_num(z, nan=0.0), dtype=np.float32)


def _hit(ranking: _Ranking, row: int, passage: Passage) -> Hit:
    parts = {name: round(float(part.z[row]), 4) for name, part in ranking.parts.items() if row < len(part.z)}
    return Hit(passage=passage, score=float(ranking.fused[row]), parts=parts)


def _among_best(scores: Scores, row: int | None) -> bool:
    return row is not None and int((scores > scores[row]).sum()) < 3 and scores[row] > 0


def _ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
