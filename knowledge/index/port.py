"""What the room needs from a vector store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from knowledge.embed.port import Vectors
from knowledge.types import PassageId

Metadata = Mapping[str, str | int | float | bool]


class Index(Protocol):
    """Vectors of one kind, keyed by passage. Derived data: it proposes, SQL decides. Blocking.

    Metadata carries at least `hash`, the digest of what was embedded; `digest` gives it back, so that the index can
    be compared with SQL. Calls raise `IndexUnavailable` when the store cannot be reached.
    """

    def upsert(self, ids: Sequence[PassageId], vectors: Vectors, metadata: Sequence[Metadata]) -> None:
        """Add or replace rows; the three sequences are equally long."""
        ...

    def delete(self, ids: Sequence[PassageId]) -> None:
        """Forget rows; unknown ids are ignored."""
        ...

    def query(self, vector: Vectors, k: int) -> list[tuple[PassageId, float]]:
        """Return at most `k` nearest rows to one vector `[dim]`, best first, with cosine similarity."""
        ...

    def count(self) -> int:
        """Return how many rows there are."""
        ...

    def digest(self) -> dict[PassageId, str]:
        """Return the `hash` of every row."""
        ...


class OpenIndex(Protocol):
    """Opens the index of one kind of vector, making it when absent; `name` is at least three characters."""

    def __call__(self, name: str, *, dim: int) -> Index: ...

    def close(self) -> None:
        """Let go of files and connections; a later call opens them again."""
        ...
