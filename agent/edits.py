"""How far one text is from another: the edits between them as a share of the longer one. Pure."""

import numpy as np

LONGEST = 4000
"""Letters that are compared; no reply is longer. Two texts of this length take some hundred milliseconds."""


def distance(before: str, after: str) -> float:
    """Return the normalised Levenshtein distance, 0 for the same words, 1 where nothing is left; spaces count once."""
    one, other = (" ".join(text.split())[:LONGEST] for text in (before, after))
    longest = max(len(one), len(other))
    if one == other:
        return 0.0
    return _edits(one, other) / longest


def _edits(one: str, other: str) -> int:
    """Return how many letters are put in, taken out or exchanged; a row of the table is one step of numpy."""
    if len(one) < len(other):
        one, other = other, one
    there = np.frombuffer(other.encode("utf-32-le"), dtype=np.uint32)
    places = np.arange(len(there) + 1)
    row = places.copy()
    for n, letter in enumerate(np.frombuffer(one.encode("utf-32-le"), dtype=np.uint32), start=1):
        new = np.empty_like(row)
        new[0] = n
        new[1:] = np.minimum(row[1:] + 1, row[:-1] + (there != letter))
        # What is put in costs one more than its left neighbour, all along the row.
        row = np.minimum.accumulate(new - places) + places
    return int(row[-1])
