"""Search: from a question to live passages. Pure ranking over ports; every index only proposes.

query ─ repaired ─┬─ embedders ─ indexes (title, body) ─┐
                  └─ words and letters ─────────────────┴─ standardised, weighted, summed
                        messages before, if the question leaves it open ──────────────┤
                        several questions in one: the best passage of each ───────────┤
                                               live in SQL? ─ a reranker, if any ─ hits and confidence
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from knowledge.embed.port import Embedder, Vectors, is_outside
from knowledge.index.port import Index
from knowledge.language import language_of
from knowledge.lexical import Lexical, Reading, Scores
from knowledge.rank.confidence import Calibration, calibration
from knowledge.rank.follow_up import leans
from knowledge.rank.groups import Groups, blended, lift
from knowledge.rank.mix import Mix, field_text, mix
from knowledge.rank.needs import clauses, questions_in
from knowledge.rank.signals import mean_of, signals
from knowledge.rank.story import CLAUSES, EXAMPLES, SEARCHES, Ask, Ground
from knowledge.rerank.port import Reranker
from knowledge.text.words import stems
from knowledge.types import Hit, Language, Passage, PassageId, Query, Retrieval

Live = Callable[[Sequence[PassageId], datetime, str], Awaitable[Mapping[PassageId, Passage]]]
_LONGEST = 2_000
_CONTEXT = 3
_SEEN = 10
_FLAT = 1e-6
_FIRST = 600
_SPARE = 2
# The stronger encoder takes most of a search, and lets go of the interpreter: the rest is done beside it.
_BESIDE = ThreadPoolExecutor(4, thread_name_prefix="search")


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
    """One signal over all rows: as measured, and standardised; `weight` is one number, or one for each row."""

    raw: Scores
    z: Scores
    weight: Scores


@dataclass(frozen=True, slots=True)
class _Ranking:
    reading: Reading
    parts: Mapping[str, _Part]
    fused: Scores
    order: Sequence[int]
    several: Sequence[tuple[str, "_Ranking"]] = ()
    """The questions of the message, each ranked alone; none when it asks one."""


@dataclass(kw_only=True)  # mutable: the lexical part is replaced when documents change
class Search:
    """Ranks over `dense` and `lexical`, shows only what `live` lets through."""

    dense: Sequence[Dense]
    lexical: Lexical
    live: Live
    mix: Mix = field(default_factory=mix)
    calibration: Calibration | None = None
    reranker: Reranker | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def search(self, query: Query) -> Retrieval:
        """Return at most `query.k` live passages, best first. A blank query finds nothing."""
        found, _ = await self._for(may_leave=query.may_leave)._search(query)
        return found

    async def story(self, query: Query, *, searches: int = SEARCHES) -> Retrieval:
        """Return live passages for all the needs of a long text, in at most `searches` searches (four).

        The messages before are not read. `confidence` is 0: no single passage answers a story. Otherwise as `search`;
        see `knowledge.rank.story`.
        """
        if (own := self._for(may_leave=query.may_leave)) is not self:
            return await own.story(query, searches=searches)
        started = time.perf_counter()
        asked = self._as_read(query.text)
        if not stems(asked) or not len(self.lexical):
            return Retrieval(query=query.text, hits=(), confidence=0.0, ms=_ms(started), understood=asked)
        asked_in = query.language or language_of(asked)
        ranking = await asyncio.to_thread(self._told_story, query.text, asked, asked_in, searches)
        if searches >= SEARCHES and self.dense:
            found = await self._live_hits(ranking, query, k=EXAMPLES)
            ranking = await asyncio.to_thread(self._like, ranking, [hit.passage for hit in found], asked_in)
        hits = await self._live_hits(ranking, query, k=query.k)
        return Retrieval(
            query=query.text, hits=tuple(hits), confidence=0.0, ms=_ms(started), understood=asked
        )

    def _told_story(self, text: str, asked: str, asked_in: Language, searches: int) -> _Ranking:
        reading, parts, fused = self._fused(asked, asked_in)
        said, shares = clauses(text)[:CLAUSES], self.mix.story
        if searches > 1 and said:
            ground = Ground(lexical=self.lexical, reading=reading, groups=Groups.of(reading, asked_in))
            fused = shares.whole * ground.standard(fused) + shares.titles * ground.by_titles(said)
            fused = fused + shares.words * ground.by_words(said, weights=self.mix.lexical)
            if searches > 2 and self.dense:
                weaker = self.dense[-1]
                vectors = weaker.embedder.queries(list(said))
                fused = fused + shares.meaning * ground.by_vectors(
                    vectors, ask=self._nearest(weaker, reading)
                )
        return _ranking(reading, parts, fused)

    def _like(self, ranking: _Ranking, found: Sequence[Passage], asked_in: Language) -> _Ranking:
        weaker, reading = self.dense[-1], ranking.reading
        ground = Ground(lexical=self.lexical, reading=reading, groups=Groups.of(reading, asked_in))
        vectors = weaker.embedder.passages([field_text(passage, weaker.field) for passage in found])
        alike = ground.by_vectors(vectors, ask=self._nearest(weaker, reading))
        fused = ground.standard(ranking.fused) + self.mix.story.example * alike
        return _ranking(reading, ranking.parts, fused)

    def _nearest(self, dense: Dense, reading: Reading) -> Ask:
        limit = len(reading.alive) if len(reading.alive) <= self.mix.exact else self.mix.deep
        return lambda vector: dense.index.query(vector, limit)

    async def expect(self, query: str) -> None:
        """Encode the query as a search would, for embedders of the house that remember it."""
        asked = self._as_read(query)
        if stems(asked) and len(self.lexical):
            await asyncio.to_thread(self._for(may_leave=False)._encoded, self.lexical.understood(asked))

    def _encoded(self, query: str) -> None:
        for dense in {dense.embedder.name: dense for dense in self.dense}.values():
            dense.embedder.queries([query])

    @staticmethod
    def _as_read(query: str) -> str:
        return " ".join(query[:_LONGEST].split())

    async def observed(self, query: Query) -> tuple[Retrieval, Mapping[str, float]]:
        """Return the search and the signals its confidence is computed from; for calibration."""
        return await self._for(may_leave=query.may_leave)._search(query)

    def _for(self, *, may_leave: bool) -> "Search":
        """Return the search that may read a query: without encoders outside unless it may leave the company."""
        own = [dense for dense in self.dense if may_leave or not is_outside(dense.embedder)]
        return self if len(own) == len(self.dense) else replace(self, dense=own)

    async def _search(self, query: Query) -> tuple[Retrieval, Mapping[str, float]]:
        started = time.perf_counter()
        asked = self._as_read(query.text)
        if not stems(asked) or not len(self.lexical):
            empty = Retrieval(query=query.text, hits=(), confidence=0.0, ms=_ms(started), understood=asked)
            return empty, {}
        understood = self.lexical.understood(asked) if self.mix.repair else asked
        ranking = await asyncio.to_thread(self._rank, understood, query)
        deep = self.mix.rerank_depth if self.reranker else _SEEN
        hits = await self._live_hits(ranking, query, k=max(query.k, deep))
        if self.reranker and hits:
            hits = await asyncio.to_thread(self._read_again, self.reranker, understood, hits)
        seen = self._signals(understood, ranking, hits)
        found = Retrieval(
            query=query.text,
            hits=tuple(hits[: query.k]),
            confidence=self._curve().confidence(seen) if hits else 0.0,
            ms=_ms(started),
            understood=understood,
            outside=tuple(dict.fromkeys(one.embedder.name for one in self.dense if is_outside(one.embedder))),
        )
        return found, seen

    def _read_again(self, reranker: Reranker, question: str, hits: Sequence[Hit]) -> list[Hit]:
        first, rest = hits[: self.mix.rerank_depth], hits[self.mix.rerank_depth :]
        texts = [field_text(hit.passage, "body") for hit in first]
        marks = reranker.scores(question, texts)
        scores = [hit.score for hit in first]
        order = np.argsort(-blended(scores, marks, share=self.mix.rerank_share), kind="stable")
        # The order is new, the scale is not: places keep their scores, so that the rest still comes behind.
        read = [
            replace(first[n], score=score, parts={**first[n].parts, "reranker": float(marks[n])})
            for n, score in zip(order, scores, strict=True)
        ]
        return [*read, *rest]

    def _curve(self) -> Calibration:
        names = [dense.embedder.name for dense in self.dense]
        names += [self.reranker.name] if self.reranker else []
        return self.calibration or calibration(tuple(dict.fromkeys(names)))

    def _rank(self, text: str, query: Query) -> _Ranking:
        asked_in = query.language or language_of(text)
        reading, parts, fused = self._fused(text, asked_in)
        if query.context:
            openness = self.mix.leaning if leans(text) else self.mix.whole
            room = openness.of(fused, reading.alive)
            fused = self._told(fused, text, asked_in, query.context, room=room) if room else fused
        ranking = _ranking(reading, parts, fused)
        several = questions_in(text) if self.mix.several else ()
        if len(several) > 1:
            alone = [(one, _ranking(*self._fused(one, asked_in))) for one in several]
            lift(ranking.fused, [one.fused[: len(fused)] for _, one in alone])
            ranking = replace(_ranking(reading, parts, ranking.fused), several=alone)
        return ranking

    def _told(
        self, fused: Scores, text: str, asked_in: Language, context: Sequence[str], *, room: float
    ) -> Scores:
        """Add what the messages before say, as far as there is `room`: the names they hold, and a quick reading."""
        about = self.lexical.subject([*context, text]) if self.mix.subject else None
        told = fused if about is None else fused + room * self.mix.subject * about[: len(fused)]
        share = room * self.mix.context
        if not share:
            return told
        whole = " ".join([*context[-_CONTEXT:], text])[-_LONGEST:]
        wider = self._fused(whole, asked_in, quick=True)[2][: len(fused)]
        return np.asarray((1 - share) * told + share * wider, dtype=np.float32)

    def _fused(
        self, query: str, asked_in: Language, *, quick: bool = False
    ) -> tuple[Reading, dict[str, _Part], Scores]:
        """Score every row; `quick` leaves the stronger of two embedders out."""
        used = [dense for dense in self.dense if not quick or dense.rank == self.dense[-1].rank]
        # The weaker embedder is the quicker one, so its part is done while the stronger still reads.
        vectors = {
            dense.embedder.name: _BESIDE.submit(_vector, dense.embedder, query)
            for dense in {dense.rank: dense for dense in used}.values()
        }
        reading = self.lexical.read(query)
        groups = Groups.of(reading, asked_in)
        parts = {
            name: self._lexical_part(name, scores, reading, groups) for name, scores in reading.scores.items()
        }
        limit = len(reading.alive) if len(reading.alive) <= self.mix.exact else self.mix.deep
        weights = {
            dense.part: _weight(self.mix.dense[dense.rank][dense.field], dense.field, reading)
            for dense in used
        }
        for rank in sorted({dense.rank for dense in used}, reverse=True):
            own = [
                dense for dense in used if dense.rank == rank and weights[dense.part].max(initial=0.0) > _FLAT
            ]
            if not own:
                continue
            vector = vectors[own[0].embedder.name].result()
            asked = [(dense, _BESIDE.submit(dense.index.query, vector, limit)) for dense in own]
            for dense, found in asked:
                parts[dense.part] = self._dense_part(
                    dense, vector, found.result(), reading, groups, weight=weights[dense.part]
                )
        fused = _summed(parts.values())
        if groups.foreign is not None:
            # Words do not match across languages; there only meaning is compared.
            meant = [part for name, part in parts.items() if name not in reading.scores]
            fused = np.where(groups.foreign, _summed(meant) if meant else fused, fused)
        return reading, parts, np.asarray(fused + self.mix.language * groups.own, dtype=np.float32)

    def _lexical_part(self, name: str, scores: Scores, reading: Reading, groups: Groups) -> _Part:
        weight = _weight(self.mix.lexical[name], name, reading)
        return _Part(scores, groups.standard(scores, reading.alive), weight)

    def _dense_part(
        self,
        dense: Dense,
        vector: Vectors,
        found: Sequence[tuple[PassageId, float]],
        reading: Reading,
        groups: Groups,
        *,
        weight: Scores,
    ) -> _Part:
        rows = len(reading.alive)
        raw = np.full(rows, min((score for _, score in found), default=0.0), dtype=np.float32)
        known = np.zeros(rows, dtype=np.bool_)
        if found:
            places = self.lexical.rows_of([name for name, _ in found])
            here = (places >= 0) & (places < rows)
            raw[places[here]] = np.array([score for _, score in found])[here]
            known[places[here]] = True
        if rows > self.mix.exact and dense.sample is not None:
            against = dense.sample.vectors @ vector
            return _Part(raw, groups.standard_by(raw, against, dense.sample.languages), weight)
        return _Part(raw, groups.standard(raw, known), weight)

    async def _live_hits(self, ranking: _Ranking, query: Query, *, k: int) -> list[Hit]:
        out: list[Hit] = []
        now, department = query.now or self.clock(), query.department
        # Nearly always all of the first are live; each further round reads four times as many.
        start, step = 0, k + _SPARE
        order, alive = ranking.order, int(ranking.reading.alive.sum())
        while len(out) < k and start < alive:
            if start + step > len(order) < alive:
                order = _best(ranking.fused, ranking.reading, alive)
            rows = order[start : start + step]
            names = [ranking.reading.ids[row] for row in rows]
            live = await self.live(names, now, query.audience)
            out += [
                _hit(ranking, row, live[name])
                for row, name in zip(rows, names, strict=True)
                if name in live and department in (None, live[name].department or department)
            ]
            start, step = start + step, step * 4
        return out[:k]

    def _signals(self, query: str, ranking: _Ranking, hits: Sequence[Hit]) -> Mapping[str, float]:
        """Return what the search shows about its first hit, or of several questions what each shows about its own.

        Questions that lean on one another are read best together, others apart: the surer reading counts.
        """
        if not hits:
            return {}
        whole = signals(query, first=hits[0], parts=ranking.parts, lexical=self.lexical)
        if not ranking.several:
            return whole
        apart = mean_of([self._alone(one, alone, hits) for one, alone in ranking.several])
        return max(whole, apart, key=self._curve().confidence)

    def _alone(self, question: str, alone: _Ranking, hits: Sequence[Hit]) -> Mapping[str, float]:
        scores = [self._score(alone, hit) for hit in hits]
        best = max(range(len(hits)), key=scores.__getitem__)
        first = replace(hits[best], score=scores[best])
        return signals(question, first=first, parts=alone.parts, lexical=self.lexical)

    def _score(self, ranking: _Ranking, hit: Hit) -> float:
        row = self.lexical.row_of(hit.passage.id)
        return float(ranking.fused[row]) if row is not None and row < len(ranking.fused) else -math.inf


def _summed(parts: Iterable[_Part]) -> Scores:
    """Return the weighted mean of the parts, row by row: where a title tells nothing, the rest counts for all."""
    used = list(parts)
    total = np.maximum(sum((part.weight for part in used), np.float32(0.0)), np.float32(_FLAT))
    return np.asarray(sum((part.weight * part.z for part in used), np.float32(0.0)) / total, dtype=np.float32)


def _weight(weight: float, part: str, reading: Reading) -> Scores:
    told = reading.told if part.endswith("title") else np.float32(1.0)
    return np.asarray(np.float32(weight) * told, dtype=np.float32)


def _vector(embedder: Embedder, query: str) -> Vectors:
    return np.asarray(embedder.queries([query])[0], dtype=np.float32)


def _ranking(reading: Reading, parts: Mapping[str, _Part], fused: Scores) -> _Ranking:
    scored = np.where(reading.alive, fused, -np.inf).astype(np.float32)
    return _Ranking(reading, parts, scored, _best(scored, reading, _FIRST))


def _best(fused: Scores, reading: Reading, n: int) -> list[int]:
    """Return the `n` best living rows, best first; of equal ones the older first."""
    alive = int(reading.alive.sum())
    if n >= alive:
        rows = np.argsort(-fused, kind="stable")[:alive]
    else:
        rows = np.sort(np.argpartition(-fused, n)[:n])
        rows = rows[np.argsort(-fused[rows], kind="stable")]
    return [int(row) for row in rows]


def _hit(ranking: _Ranking, row: int, passage: Passage) -> Hit:
    parts = {name: round(float(part.z[row]), 4) for name, part in ranking.parts.items() if row < len(part.z)}
    return Hit(passage=passage, score=float(ranking.fused[row]), parts=parts)


def _ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
