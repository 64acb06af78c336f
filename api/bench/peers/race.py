"""One library of the comparison in a process of its own: `python -m api.bench.peers.race own|haystack|llamaindex`.

Reads a job as JSON on stdin and prints what each of its searches found and how long that took, as JSON.

```
passages + vectors embedded before ─► index ─► warm up ─► every question, embedded by the same model ─► ids, ms
```
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from api.bench.peers.port import Peer
from knowledge.embed.choose import embedder
from knowledge.embed.port import Embedder, Vectors
from knowledge.language import language_of
from knowledge.rank.mix import FIELDS, field_text
from knowledge.records import Question, read_passages, read_questions
from knowledge.types import Language, Passage

WARM_UP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """What a process is told: the files of a set, where the vectors lie, the embedders joined by +, how deep."""

    passages: Path
    questions: Path
    vectors: Path
    embedder: str
    k: int = 10

    def to_json(self) -> str:
        """Return the job as JSON."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def of_json(cls, text: str) -> "Race":
        """Read a job back."""
        row = json.loads(text)
        return cls(**{**row, **{name: Path(row[name]) for name in ("passages", "questions", "vectors")}})

    def embedders(self) -> list[Embedder]:
        """Return the embedders, strongest first, models not loaded yet."""
        return [embedder(spec.strip()) for spec in self.embedder.split("+") if spec.strip()]


def prepared(race: Race, passages: Sequence[Passage]) -> dict[str, Vectors]:
    """Embed every text once with every embedder; the arrays to keep, by embedder and field."""
    return {
        f"{rank} {field}": one.passages([field_text(passage, field) for passage in passages])
        for rank, one in enumerate(race.embedders())
        for field in FIELDS
    }


def run(name: str, race: Race) -> dict[str, Any]:
    """Let each search of a library index the passages and answer the questions."""
    passages, questions = read_passages(race.passages), read_questions(race.questions)
    embedders = race.embedders()
    with np.load(race.vectors) as kept, ExitStack() as closing:
        vectors = {key: kept[key] for key in kept.files}
        chosen = _peers(name, embedders, passages, vectors, closing)
        language = mostly(questions)
        rows = {
            shown: measured(peer, passages, vectors["0 body"], questions, language=language, k=race.k)
            for shown, peer in chosen.items()
        }
    return {"peers": rows, "embedding_ms": _embedding(embedders, questions)}


def measured(
    peer: Peer,
    passages: Sequence[Passage],
    vectors: Vectors,
    questions: Sequence[Question],
    *,
    language: Language,
    k: int,
) -> dict[str, Any]:
    """Return `index_s`, and for each question `ids` and `ms`; all is done once before, to load what is loaded late."""
    peer.index(passages, vectors, language=language)
    for one in questions[:WARM_UP]:
        peer.find(one.text, k=k)
    began = perf_counter()
    peer.index(passages, vectors, language=language)
    index_s = perf_counter() - began
    ids: list[list[str]] = []
    ms: list[float] = []
    for one in questions:
        began = perf_counter()
        ids.append(peer.find(one.text, k=k))
        ms.append(1000 * (perf_counter() - began))
    return {"index_s": round(index_s, 3), "ids": ids, "ms": [round(one, 3) for one in ms]}


def mostly(questions: Sequence[Question]) -> Language:
    """Return the language of most questions."""
    return Counter(language_of(one.text) for one in questions).most_common(1)[0][0]


def _peers(
    name: str,
    embedders: Sequence[Embedder],
    passages: Sequence[Passage],
    vectors: Mapping[str, Vectors],
    closing: ExitStack,
) -> Mapping[str, Peer]:
    if name == "haystack":
        from api.bench.peers.haystack import peers

        return peers(embedders[0])
    if name == "llamaindex":
        from api.bench.peers.llamaindex import peers

        return peers(embedders[0])
    from api.bench.peers.own import Given, Own

    given = [
        Given(one, vectors=dict(_by_text(passages, vectors, rank))) for rank, one in enumerate(embedders)
    ]
    own = Own(given)
    closing.callback(own.close)
    return {"Mayak": own}


def _by_text(
    passages: Sequence[Passage], vectors: Mapping[str, Vectors], rank: int
) -> Iterator[tuple[str, Vectors]]:
    for field in FIELDS:
        for passage, row in zip(passages, vectors[f"{rank} {field}"], strict=True):
            yield field_text(passage, field), row


def _embedding(embedders: Sequence[Embedder], questions: Sequence[Question]) -> list[list[float]]:
    """Return for each embedder the ms that each question takes by itself."""
    out: list[list[float]] = []
    for one in embedders:
        one.queries(["…"])
        row: list[float] = []
        for question in questions:
            began = perf_counter()
            one.queries([question.text])
            row.append(round(1000 * (perf_counter() - began), 3))
        out.append(row)
    return out


def main() -> None:
    """Run the library that the first argument names."""
    print(json.dumps(run(sys.argv[1], Race.of_json(sys.stdin.read()))))


if __name__ == "__main__":
    main()
