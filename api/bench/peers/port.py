"""What the comparison asks of a search: index passages with vectors that are there already, then find."""

from collections.abc import Sequence
from typing import Protocol

from knowledge.embed.port import Vectors
from knowledge.types import Language, Passage


class Peer(Protocol):
    """One search over passages. Blocking, one question at a time."""

    def index(self, passages: Sequence[Passage], vectors: Vectors, *, language: Language) -> None:
        """Take the passages and the vectors of their texts `[n, dim]`; `language` is that of most questions."""
        ...

    def find(self, question: str, *, k: int) -> list[str]:
        """Return the ids of at most `k` passages, best first; embedding the question is part of it."""
        ...


class FakePeer:
    """Finds the passages that share most words with the question; of equal ones the earlier first."""

    def __init__(self) -> None:
        self._words: dict[str, set[str]] = {}

    def index(self, passages: Sequence[Passage], vectors: Vectors, *, language: Language) -> None:
        assert len(vectors) == len(passages)
        self._words = {str(one.id): set(one.text.casefold().split()) for one in passages}

    def find(self, question: str, *, k: int) -> list[str]:
        said = set(question.casefold().split())
        return sorted(self._words, key=lambda name: -len(self._words[name] & said))[:k]
