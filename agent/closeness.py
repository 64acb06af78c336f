"""Closeness in meaning on one scale for every encoder: 0 is nothing in common, 1 the same sentence.

Encoders differ in their zero (some give unrelated sentences a cosine of 0.8), so a raw cosine is measured
against what the encoder says of sentences that have nothing to do with each other.
"""

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import cast

from agent import lexicon
from agent.ports import Similarity
from knowledge.embed.port import Embedder

FLAT = 0.95
"""An encoder whose unrelated sentences are this close tells nothing."""


def close_to(encoder: Embedder) -> Similarity:
    """Return the semantic closeness of texts by the given encoder: cosine, cut at 0."""

    def similarity(text: str, others: Sequence[str]) -> list[float]:
        if not others:
            return []
        vectors = encoder.queries([text, *others])
        return [max(0.0, float(score)) for score in vectors[1:] @ vectors[0]]

    return similarity


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
