"""How far one text is from another: the edits between them as a share of the longer one. Pure."""

from rapidfuzz.distance import Levenshtein

LONGEST = 4000
"""Letters that are compared; no reply is longer."""


def distance(before: str, after: str) -> float:
    """Return the normalised Levenshtein distance, 0 for the same words, 1 where nothing is left; spaces count once."""
    one, other = (" ".join(text.split())[:LONGEST] for text in (before, after))
    return Levenshtein.normalized_distance(one, other)
