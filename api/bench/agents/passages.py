"""The company's passages for agents that bring no search of their own: vectors in memory, the nearest few."""

from collections.abc import Sequence

import numpy as np

from api.bench.agents.port import Job
from knowledge.embed.choose import embedder
from knowledge.embed.port import Embedder, Vectors

K = 6
"""As many passages as Mayak shows its model."""


class Shelf:
    """Passages and the vectors of their texts `[n, dim]`. Blocking."""

    def __init__(self, rows: Sequence[dict[str, str]], vectors: Vectors, encoder: Embedder) -> None:
        self._rows = rows
        self._vectors = vectors
        self._encoder = encoder

    @classmethod
    def of(cls, job: Job) -> "Shelf":
        """Read the passages that the questions of the job were given; embed them with the strongest embedder."""
        rows = list({one["ref"]: dict(one) for asked in job.asked for one in asked.evidence}.values())
        encoder = embedder(job.embedder.split("+")[0].strip())
        return cls(rows, encoder.passages([row["text"] for row in rows]), encoder)

    def find(self, question: str) -> list[dict[str, str]]:
        """Return the nearest passages, best first."""
        scores = self._vectors @ self._encoder.queries([question])[0]
        return [self._rows[n] for n in np.argsort(-scores)[:K]]
