"""Closeness in meaning on one scale for every encoder: 0 is nothing in common, 1 the same sentence.

Encoders differ in their zero (some give unrelated sentences a cosine of 0.8), so a raw cosine is measured
against what the encoder says of sentences that have nothing to do with each other.
"""

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import cast

from agent import lexicon
from agent.ports import Similarity
from knowledge.embed.port import Embedder, Vectors

FLAT = 0.95
"""An encoder whose unrelated sentences are this close tells nothing."""


class Closeness:
    """Semantic closeness of texts by an encoder: cosine, cut at 0. An `Encoder` of `agent.ports`."""

    def __init__(self, encoder: Embedder) -> None:
        self._encoder = encoder

    @property
    def name(self) -> str:
        return self._encoder.name

    def __call__(self, text: str, others: Sequence[str]) -> list[float]:
        if not others:
            return []
        vectors = self.vectors([text, *others])
        return [max(0.0, float(score)) for score in vectors[1:] @ vectors[0]]

    def vectors(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.queries(texts)


def close_to(encoder: Embedder) -> Closeness:
    """Return the semantic closeness of texts by the given encoder."""
    return Closeness(encoder)


def closeness(text: str, others: Sequence[str], *, similarity: Similarity) -> list[float]:
    """Return the closeness of `text` to each other text, at most 1, below 0 for the very far; empty if it tells nothing."""
    nothing = _background(cast(Hashable, similarity))
    if nothing >= FLAT:
        return []
    return [(score - nothing) / (1 - nothing) for score in similarity(text, others)]


@lru_cache(maxsize=8)
def _background(similarity: Similarity) -> float:
    found = [
        score
        for group in lexicon.background()
        for n, text in enumerate(group[:-1])
        for score in similarity(text, group[n + 1 :])
    ]
    return sum(found) / len(found)
