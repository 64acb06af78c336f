"""One size of the search bench, each half in a process of its own, so that memory is what that half alone takes.

`python -m api.bench.fill import|ask` reads a job as JSON on stdin and prints its figures as JSON; progress goes to stderr.

```
import: corpus ─► files ─► library.import_path ─► again, unchanged ─► the embedder alone ─► disk
ask:    open (lexical from SQL, indexes compared) ─► planted questions, each also embedded alone ─► stages ─► edits
```
"""

import asyncio
import gc
import json
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.bench.corpus import Planted, read_texts, write_corpus
from api.bench.figures import quantile, spread
from api.bench.mixed import Mixed
from api.bench.process import folder_mib, resident_mib
from api.bench.stages import Watch, account
from api.container import embedders, open_library
from api.migrate import migrate
from api.settings import Settings, read_settings
from knowledge.embed.port import Embedder
from knowledge.ingest import Progress as Step
from knowledge.library import Library
from knowledge.rank.mix import field_text
from knowledge.types import Query

RAW_PASSAGES = 96
"""Passages embedded alone, to know what the model itself takes."""
RAW_BATCH = 16
"""As the import batches them."""
WARM_UP = 10
PROFILED = 0.25
"""Share of the questions that is only asked under the watch: a question asked twice is not embedded twice."""
EDITS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a half is told: the folder it works in, how many passages, which embedder, whose text."""

    folder: Path
    passages: int
    embedder: str
    corpora: tuple[Path, ...]
    company: Path
    mixed: int = 0
    """Texts embedded in earnest, the vectors of all others mixed from theirs; 0 for no mixing."""

    def settings(self) -> Settings:
        """Return the environment's settings on this job's own data folder."""
        return replace(
            read_settings(),
            data=self.folder / "data",
            embedder=self.embedder,
            company=self.company,
            database="",
            durable_database="",
            chroma="",
        )

    def encoders(self) -> tuple[Embedder, ...]:
        """Return the embedders of this job, models not loaded yet."""
        own = embedders(self.settings())
        return tuple(Mixed(one, real=self.mixed) for one in own) if self.mixed else own

    def to_json(self) -> str:
        """Return the job as JSON."""
        return json.dumps({**asdict(self), "corpora": [str(path) for path in self.corpora]}, default=str)

    @classmethod
    def of_json(cls, text: str) -> "Job":
        """Read a job back."""
        row = json.loads(text)
        row |= {name: Path(row[name]) for name in ("folder", "company")}
        return cls(**{**row, "corpora": tuple(Path(path) for path in row["corpora"])})


async def import_half(job: Job) -> dict[str, Any]:
    """Write the corpus and import it into an empty folder; seconds by the clock and of this process's CPU."""
    texts = read_texts(job.corpora, company=job.company)
    source = job.folder / "documents"
    corpus = write_corpus(texts, source, passages=job.passages)
    del texts
    (job.folder / "corpus.json").write_text(json.dumps(asdict(corpus), ensure_ascii=False), "utf-8")
    settings = job.settings()
    settings.data.mkdir(parents=True)
    await asyncio.to_thread(migrate, settings.database_url)
    encoders = job.encoders()
    for encoder in encoders:
        encoder.passages(["…"])
    async with open_library(settings, encoders=encoders) as library:
        await library.search(Query("…"))
        before = resident_mib(os.getpid())
        first = await _imported(library, source, "Importing")
        again = await _imported(library, source, "Importing again")
        live = await library.catalogue.published()
        raw = await asyncio.to_thread(_raw, live, embedders(settings))
    report = {"passages": len(live), "documents": corpus.documents, "real_passages": corpus.real_passages}
    texts_a_passage = first["embedded"] / max(1, len(live))
    alone = {name: value * texts_a_passage * len(live) for name, value in raw.items()}
    # Mixed vectors cost next to nothing, so what the embedder would have taken for them comes on top.
    spared = max(0.0, 1 - job.mixed * len(encoders) / max(1.0, first["embedded"])) if job.mixed else 0.0
    whole = {name: first[name] + spared * alone[name] for name in ("wall", "cpu")}
    return {
        **report,
        "skipped": first["skipped"],
        "texts": first["embedded"],
        "import_s": round(first["wall"], 1),
        "import_cpu_s": round(first["cpu"], 1),
        "passages_per_s": round(len(live) / first["wall"], 1),
        "embedder_alone_s": round(alone["wall"], 1),
        "embedder_alone_cpu_s": round(alone["cpu"], 1),
        "throughput_of_embedder": round(alone["wall"] / whole["wall"], 3),
        "throughput_of_embedder_cpu": round(alone["cpu"] / whole["cpu"], 3) if whole["cpu"] else 0.0,
        "reimport_s": round(again["wall"], 2),
        "reimport_times": round(first["wall"] / again["wall"]) if again["wall"] else 0,
        "reimport_embedded": again["embedded"],
        "reimport_unchanged": again["unchanged"],
        "import_peak_mib": round(resident_mib(os.getpid(), peak=True)),
        "import_base_mib": round(before),
        "disk_sql_mib": round(
            sum(path.stat().st_size for path in settings.data.glob("*.sqlite*")) / 2**20, 1
        ),
        "disk_index_mib": round(folder_mib(settings.data / "chroma"), 1),
    }


async def ask_half(job: Job) -> dict[str, Any]:
    """Open the library as a server would, ask the planted questions, time the stages, change some documents."""
    corpus = json.loads((job.folder / "corpus.json").read_text("utf-8"))
    warm, profiled, planted = shared([Planted(**row) for row in corpus["planted"]])
    settings = job.settings()
    base = await _empty_mib(replace(settings, data=job.folder / "empty"))
    began, cpu = perf_counter(), process_time()
    async with open_library(settings) as library:
        opened, opened_cpu = perf_counter() - began, process_time() - cpu
        encoders = embedders(settings)
        for encoder in encoders:
            encoder.queries(["…"])
        for one in warm:
            await library.search(Query(one.question, language=one.language))
        gc.collect()
        resident = resident_mib(os.getpid())
        timed = await _timed(library, planted, encoders)
        stages = await _stages(library, profiled, encoders)
        sql = await _sql(library, planted[0])
        edits = await _edits(library, corpus["documents"])
    return {
        "open_s": round(opened, 2),
        "open_cpu_s": round(opened_cpu, 2),
        "resident_mib": round(resident),
        "resident_without_corpus_mib": round(base),
        **timed,
        **sql,
        "edit_published_ms": edits,
        "stages": stages,
    }


def shared(planted: Sequence[Planted]) -> tuple[list[Planted], list[Planted], list[Planted]]:
    """Return questions to warm up with, to profile with and to time, none of them twice."""
    every = list(planted)
    warm = min(WARM_UP, len(every) // 4)
    profiled = warm + int(PROFILED * (len(every) - warm))
    return every[:warm], every[warm:profiled], every[profiled:]


async def _imported(library: Library, source: Path, what: str) -> dict[str, float]:
    wall, cpu = perf_counter(), process_time()
    with _bar(what) as bar:
        task = bar.add_task(what, total=None)

        def show(step: Step) -> None:
            bar.update(task, completed=step.done, total=step.total)

        report = await library.import_path(source, progress=show)
    return {
        "wall": perf_counter() - wall,
        "cpu": process_time() - cpu,
        "embedded": report.embedded,
        **report.counts,
    }


def _raw(live: Sequence[Any], encoders: Sequence[Embedder]) -> dict[str, float]:
    """Return seconds a text, by the clock and of the CPU, summed over the embedders' own shares of the texts."""
    drawn = Random(1).sample(list(live), min(RAW_PASSAGES, len(live)))
    texts = [text for one in drawn for text in (field_text(one, "title"), field_text(one, "body")) if text]
    for encoder in encoders:
        encoder.passages(texts[:RAW_BATCH])
    wall, cpu = perf_counter(), process_time()
    for encoder in encoders:
        for i in range(0, len(texts), RAW_BATCH):
            encoder.passages(texts[i : i + RAW_BATCH])
    done = max(1, len(texts) * len(encoders))
    return {"wall": (perf_counter() - wall) / done, "cpu": (process_time() - cpu) / done}


async def _empty_mib(settings: Settings) -> float:
    """Return resident memory with everything loaded and no documents."""
    settings.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(migrate, settings.database_url)
    for encoder in embedders(settings):
        encoder.queries(["…"])
    async with open_library(settings) as library:
        await library.search(Query("…"))
        return resident_mib(os.getpid())


async def _timed(
    library: Library, planted: Sequence[Planted], encoders: Sequence[Embedder]
) -> dict[str, Any]:
    searching: list[float] = []
    embedding: list[float] = []
    beyond: list[float] = []
    cpu: list[float] = []
    first = top = 0
    with _bar("Asking") as bar:
        for one in bar.track(planted, description="Asking"):
            began = perf_counter()
            for encoder in encoders:
                await asyncio.to_thread(encoder.queries, [one.question])
            between, busy = perf_counter(), process_time()
            found = await library.search(Query(one.question, language=one.language))
            ended = perf_counter()
            cpu.append(1000 * (process_time() - busy))
            embedding.append(1000 * (between - began))
            searching.append(1000 * (ended - between))
            beyond.append(searching[-1] - embedding[-1])
            right = [one.sentence in " ".join(hit.passage.text.split()) for hit in found.hits]
            first += any(right[:1])
            top += any(right[:5])
    return {
        "questions": len(planted),
        "hit@1": round(first / max(1, len(planted)), 3),
        "hit@5": round(top / max(1, len(planted)), 3),
        "search_ms": spread(searching),
        "embedding_ms": spread(embedding),
        "beyond_embedding_ms": spread(beyond),
        "search_cpu_ms": spread(cpu),
        "search_to_embedding_p50": _ratio(searching, embedding, 0.5),
        "search_to_embedding_p95": _ratio(searching, embedding, 0.95),
    }


async def _stages(
    library: Library, planted: Sequence[Planted], encoders: Sequence[Embedder]
) -> dict[str, dict[str, float]]:
    """Ask questions that were never asked, with stopwatches on the stages."""
    watch = Watch()
    with watch.over(encoders):
        began = perf_counter()
        for one in planted:
            await library.search(Query(one.question, language=one.language))
        wall = perf_counter() - began
    return account(watch, searches=len(planted), wall=wall)


async def _sql(library: Library, one: Planted) -> dict[str, Any]:
    """Time the two SQL reads of a search by themselves, by the clock."""
    found = await library.search(Query(one.question, language=one.language, k=30))
    names = [hit.passage.id for hit in found.hits]
    revision = (await library.catalogue.changes(since=-1)).revision
    changes: list[float] = []
    live: list[float] = []
    for _ in range(40):
        began = perf_counter()
        await library.catalogue.changes(since=revision)
        between = perf_counter()
        await library.live(names)
        changes.append(1000 * (between - began))
        live.append(1000 * (perf_counter() - between))
    return {"sql_changes_ms": spread(changes), "sql_live_ms": spread(live)}


async def _edits(library: Library, documents: int) -> dict[str, float]:
    """Publish a few documents again with one more line, as a member of staff would."""
    known = await library.catalogue.documents(status="published")
    took: list[float] = []
    for one in Random(2).sample(known, min(EDITS, len(known))):
        text = await library.catalogue.text(one.id)
        await library.save_draft(
            one.id, f"{text}\n\n{one.title} {documents}.", title=one.title, language=one.language, by="bench"
        )
        began = perf_counter()
        await library.publish(one.id, by="bench")
        took.append(1000 * (perf_counter() - began))
    return {"p50": round(statistics.median(took), 1), "max": round(max(took), 1)} if took else {}


def _ratio(over: Sequence[float], under: Sequence[float], share: float) -> float:
    below = quantile(under, share)
    return round(quantile(over, share) / below, 2) if below else 0.0


def _bar(_: str) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        refresh_per_second=2,
    )


def main() -> None:
    """Run the half that the first argument names."""
    job = Job.of_json(sys.stdin.read())
    half = {"import": import_half, "ask": ask_half}[sys.argv[1]]
    print(json.dumps(asyncio.run(half(job)), ensure_ascii=False))


if __name__ == "__main__":
    main()
