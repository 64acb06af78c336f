"""How sure a model was of its own words: token log-probabilities laid back onto the sentences it wrote. Pure.

```
{"sentences": [{"text": "Returns take 14 days", "refs": ["returns#2"]}]}        what was written, token by token
                         ─────── ──── ── ────                                    content tokens: parts of the words
```
Brackets, quotes, references and JSON around the words are not counted: a model is sure of them whatever it says.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.domain import Doubt, Sentence

_WORD = re.compile(r"\w+")
ENOUGH = 0.5
"""Share of a sentence's words that must be found among the tokens; with less nothing is said about it."""
ROUNDING = 1e-3
"""Servers round: a log-probability this little above 0 is 0."""


@dataclass(frozen=True, slots=True)
class _Token:
    """One token's place in the UTF-8 bytes of the answer, and its log-probability."""

    start: int
    end: int
    logprob: float


def doubt_of(logprobs: object, sentences: Sequence[Sentence]) -> Doubt | None:
    """Return how sure the model was of its least sure sentence; None where it does not tell.

    `logprobs` is `choices[0].logprobs` of the OpenAI protocol as it came. What is malformed counts as not told.
    """
    read = _read(logprobs)
    if read is None:
        return None
    written, tokens = read
    found: list[Doubt] = []
    at = 0
    for sentence in sentences:
        own, at = _own(sentence.text, written, tokens, at)
        if not own:
            return None
        found.append(
            Doubt(mean=math.exp(sum(own) / len(own)), least=math.exp(min(own))),
        )
    if not found:
        return None
    return Doubt(
        mean=round(min(one.mean for one in found), 4), least=round(min(one.least for one in found), 4)
    )


def _own(text: str, written: bytes, tokens: Sequence[_Token], at: int) -> tuple[list[float], int]:
    """Return the log-probabilities of the tokens of a sentence's words, and where it ends; none when it is not there."""
    words = [match.encode() for match in _WORD.findall(text)]
    places: list[tuple[int, int]] = []
    end = at
    for word in words:
        start = written.find(word, end)
        if start >= 0:
            end = start + len(word)
            places.append((start, end))
    if not places or len(places) < ENOUGH * len(words):
        return [], at
    own = {
        n: token.logprob
        for n, token in enumerate(tokens)
        if any(token.start < stop and start < token.end for start, stop in places)
    }
    return list(own.values()), end


def _read(logprobs: object) -> tuple[bytes, list[_Token]] | None:
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not isinstance(content, Sequence) or not content:
        return None
    tokens: list[_Token] = []
    parts: list[bytes] = []
    at = 0
    for row in content:
        piece, logprob = _piece(row), row.get("logprob") if isinstance(row, Mapping) else None
        if piece is None or not isinstance(logprob, int | float) or not logprob <= ROUNDING:
            return None
        tokens.append(_Token(at, at + len(piece), min(0.0, float(logprob))))
        parts.append(piece)
        at += len(piece)
    return b"".join(parts), tokens


def _piece(row: Any) -> bytes | None:
    """Return a token's bytes: half a letter has no text of its own, so the bytes are taken where they are given."""
    if not isinstance(row, Mapping):
        return None
    given, token = row.get("bytes"), row.get("token")
    if isinstance(given, list) and all(isinstance(one, int) and 0 <= one < 256 for one in given):
        return bytes(given)
    return token.encode("utf-8", "replace") if isinstance(token, str) else None
