"""An answer cut into sentences while it is being written; the same ones that reading the whole text gives."""

import re

from agent.domain import Sentence
from agent.reading import read_finished

_CLOSES = re.compile(r"[\]】}\"\v\f\r\n\x1c-\x1e\x85\u2028\u2029]")
"""Without one of these no further sentence is finished: a reference or a row ends, or a line."""
LOOKED_FOR = 40
"""Characters after such a mark within which the next sentence begins, and so ends the one before."""


class Cutter:
    """One message, from its first piece on. Pieces may break anywhere."""

    def __init__(self) -> None:
        self.text = ""
        self.given = 0
        self._until = 0

    def add(self, piece: str) -> tuple[Sentence, ...]:
        """Return the sentences that are finished since the last piece, in order."""
        self.text += piece
        if _CLOSES.search(piece):
            self._until = len(self.text) + LOOKED_FOR
        elif len(self.text) - len(piece) > self._until:
            return ()
        fresh = read_finished(self.text)[self.given :]
        self.given += len(fresh)
        return fresh
