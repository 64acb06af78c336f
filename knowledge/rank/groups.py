"""Rows by language, and signals standardised inside each language. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.lexical import Reading, Scores
from knowledge.types import LANGUAGES, Language

_FLAT = 1e-6
_GROUP = 12
_STEP = 1e-3


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows by language: a passage is compared with passages of its own language, or an encoder's liking for the
    language asked in would bury every other. `own` are rows in the asked language; `foreign` the others, None when one
    of the two is too rare to stand alone."""

    own: NDArray[np.bool_]
    foreign: NDArray[np.bool_] | None
    asked_in: Language

    @classmethod
    def of(cls, reading: Reading, asked_in: Language) -> "Groups":
        own = reading.languages == LANGUAGES.index(asked_in)
        among = int((own & reading.alive).sum())
        rare = min(among, int(reading.alive.sum()) - among) < _GROUP
        return cls(own, None if rare else ~own, asked_in)

    def standard(self, scores: Scores, known: NDArray[np.bool_]) -> Scores:
        """Standardise by the rows that are `known`; the others become 0, the middle."""
        if self.foreign is None:
            return np.where(known, _standard(scores, known), np.float32(0.0))
        own = _standard(scores, known & self.own)
        far = _standard(scores, known & self.foreign)
        return np.where(known, np.where(self.foreign, far, own), np.float32(0.0))

    def standard_by(self, scores: Scores, against: Scores, languages: Sequence[Language]) -> Scores:
        """Standardise by passages drawn by lot: their scores and languages."""
        own = np.array([language == self.asked_in for language in languages])
        everyone = np.ones(len(own), dtype=np.bool_)
        if self.foreign is None or min(int(own.sum()), int((~own).sum())) < _GROUP:
            return _scaled(scores, *_middle(against, everyone))
        far, near = _middle(against, ~own), _middle(against, own)
        return np.where(self.foreign, _scaled(scores, *far), _scaled(scores, *near))


def blended(scores: Sequence[float], marks: Scores, *, share: float) -> Scores:
    """Return scores `[n]` of which `share` are marks on another scale, brought to the spread of the scores."""
    own = np.asarray(scores, dtype=np.float32)
    everyone = np.ones(len(own), dtype=np.bool_)
    middle, deviation = _middle(own, everyone)
    other = middle + deviation * _standard(np.asarray(marks, dtype=np.float32), everyone)
    return np.asarray((1 - share) * own + share * other, dtype=np.float32)


def lift(fused: Scores, alone: Sequence[Scores]) -> None:
    """Lift the best passage of each of several questions right behind the first one of all."""
    rows = [int(fused.argmax())]
    for scores in alone:
        row = int(np.where(np.isfinite(fused), scores, -np.inf).argmax())
        if row not in rows:
            rows.append(row)
    top = float(fused[rows[0]])
    for place, row in enumerate(rows[1:], start=1):
        fused[row] = max(float(fused[row]), top - _STEP * place)


def _standard(scores: Scores, known: NDArray[np.bool_]) -> Scores:
    return _scaled(scores, *_middle(scores, known))


def _middle(scores: Scores, known: NDArray[np.bool_]) -> tuple[float, float]:
    """Return mean and deviation of the known rows by two dot products: indexing would copy every row."""
    share = known.astype(np.float32)
    n = max(1.0, float(share.sum()))
    mean = float(scores @ share) / n
    apart = scores - np.float32(mean)
    return mean, float(np.sqrt(max(0.0, float((apart * apart) @ share) / n)))


def _scaled(scores: Scores, mean: float, deviation: float) -> Scores:
    if deviation < _FLAT:
        return np.zeros_like(scores)
    return np.asarray((scores - np.float32(mean)) * np.float32(1.0 / deviation), dtype=np.float32)
