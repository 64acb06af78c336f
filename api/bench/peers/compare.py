"""`mayak bench search --peers`: stock retrievers of other libraries beside Mayak's search, on the same machine and day.

Every search gets the same passages and questions and the same embedder; the vectors of the passages are made once and
given to all. A library runs in a process of its own, its telemetry off.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from api.bench.figures import first_ranks, quantile
from api.bench.peers.race import Race, prepared
from api.bench.process import machine
from api.bench.search import BenchFailed
from api.settings import inherited
from knowledge.records import Question, read_passages, read_questions

LIBRARIES = ("own", "haystack", "llamaindex")
_NEEDED = {
    "haystack": "haystack-ai",
    "llama_index.core": "llama-index-core",
    "llama_index.retrievers.bm25": "llama-index-retrievers-bm25",
}
# The retriever asks for an older PyStemmer than Mayak's, and works with it: it cannot stand in the extra.
REMEDY = (
    'Run `pip install -c constraints.txt -e ".[peers]"`, '
    "then `pip install -c constraints.txt --no-deps llama-index-retrievers-bm25`."
)
_QUIET = {"HAYSTACK_TELEMETRY_ENABLED": "False", "POSTHOG_DISABLED": "1", "ANONYMIZED_TELEMETRY": "False"}
_COLUMNS = ("hit@1", "hit@5", "hit@10", "mrr@10", "p50_ms", "p95_ms", "index_s")


def check_peers() -> None:
    """Raise `BenchFailed` when a library is missing: better before the embedding than after."""
    missing = [package for module, package in _NEEDED.items() if not _there(module)]
    if missing:
        raise BenchFailed(f"Not installed: {', '.join(missing)}.", remedy=REMEDY)


def compare(sets: Sequence[tuple[Path, Path]], *, embedder: str) -> dict[str, Any]:
    """Return `machine`, `embedder` and a row a search for each set of passages and questions.

    Raises `BadRecords` for files that cannot be read, `BenchFailed` when a library fails.
    """
    for passages, questions in sets:
        read_passages(passages), read_questions(questions)
    rows = [_of(passages, questions, embedder=embedder) for passages, questions in sets]
    return {"machine": machine(), "embedder": embedder, "sets": rows}


def rated(found: Mapping[str, Any], questions: Sequence[Question]) -> dict[str, float]:
    """Return what one search reached: shares of the questions with gold, ms over all questions."""
    golden = [(ids, one.gold) for ids, one in zip(found["ids"], questions, strict=True) if one.gold]
    ranks = first_ranks([ids for ids, _ in golden], [gold for _, gold in golden])
    share = max(1, len(ranks))
    hits = {f"hit@{n}": round(sum(rank <= n for rank in ranks) / share, 4) for n in (1, 5, 10)}
    return {
        **hits,
        "mrr@10": round(sum(1 / rank for rank in ranks if rank <= 10) / share, 4),
        "p50_ms": round(quantile(found["ms"], 0.5), 2),
        "p95_ms": round(quantile(found["ms"], 0.95), 2),
        "index_s": found["index_s"],
    }


def peers_table(figures: Mapping[str, Any]) -> str:
    """Return the figures for a terminal: a block a set, a line a search."""
    lines = [f"{figures['machine']}; {figures['embedder']}"]
    for one in figures["sets"]:
        embedding = ", ".join(
            f"{name} {ms['p50_ms']:g} / {ms['p95_ms']:g}" for name, ms in one["embedding"].items()
        )
        lines += ["", f"{one['set']}: {one['passages']:,} passages, {one['questions']:,} questions"]
        lines.append(f"embedding a question, p50 / p95 ms: {embedding}")
        lines.append(f"{'search':<30}" + "".join(f"{name:>10}" for name in _COLUMNS))
        for name, row in one["searches"].items():
            lines.append(f"{name:<30}" + "".join(f"{row[column]:>10g}" for column in _COLUMNS))
    return "\n".join(lines)


def _of(passages: Path, questions: Path, *, embedder: str) -> dict[str, Any]:
    screen = Console(stderr=True)
    asked, texts = read_questions(questions), read_passages(passages)
    with tempfile.TemporaryDirectory(prefix="mayak-peers-") as folder:
        race = Race(
            passages=passages.resolve(),
            questions=questions.resolve(),
            vectors=Path(folder) / "vectors.npz",
            embedder=embedder,
        )
        screen.print(f"{passages.name}: embedding {len(texts):,} passages")
        np.savez(race.vectors, allow_pickle=False, **prepared(race, texts))
        searches: dict[str, Any] = {}
        told: dict[str, Any] = {}
        for library in LIBRARIES:
            screen.print(f"{passages.name}: {library}")
            told = _run(library, race)
            searches |= {name: rated(found, asked) for name, found in told["peers"].items()}
    names = [one.name for one in race.embedders()]
    embedding = {
        name: {"p50_ms": round(quantile(ms, 0.5), 2), "p95_ms": round(quantile(ms, 0.95), 2)}
        for name, ms in zip(names, told["embedding_ms"], strict=True)
    }
    return {
        "set": "/".join(passages.resolve().parts[-2:]),
        "passages": len(texts),
        "questions": len(asked),
        "embedding": embedding,
        "searches": searches,
    }


def _run(library: str, race: Race) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "api.bench.peers.race", library],
        input=race.to_json(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**inherited(), **_QUIET},
    )
    if done.returncode != 0:
        raise BenchFailed(
            f"{library} ended with code {done.returncode}.", remedy="Its error is printed above."
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
