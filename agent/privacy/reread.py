"""Places of personal data in texts that come again: history, results and phrases of a conversation are masked with every turn.

A text is known by a keyed digest; kept are digests and places, never a text or a value.
"""

import secrets
from collections import OrderedDict
from hashlib import blake2b
from threading import Lock
from typing import Protocol

from agent.privacy.spans import Span

TEXTS = 4_096
"""Texts whose places are kept, the latest used ones: some megabytes."""
WORTH = 100_000
"""Characters: a longer text is read and not kept, it would rarely come again."""


class Finder(Protocol):
    """Finds personal data in a text."""

    def find(self, text: str) -> tuple[Span, ...]:
        """Return the personal data of a text, in its order, nothing twice."""


class Reread:
    """A finder that reads no text twice while it remembers it. It may be shared by threads.

    texts: how many are remembered, the least recently used is forgotten first.
    """

    def __init__(self, finder: Finder, *, texts: int = TEXTS) -> None:
        self._finder = finder
        self._texts = texts
        # Without the key nobody can try out what a customer may have said.
        self._key = secrets.token_bytes(32)
        self._places: OrderedDict[bytes, tuple[Span, ...]] = OrderedDict()
        self._lock = Lock()

    def find(self, text: str) -> tuple[Span, ...]:
        """Return what the finder returns for this text."""
        if len(text) > WORTH:
            return self._finder.find(text)
        digest = blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()
        with self._lock:
            known = self._places.get(digest)
            if known is not None:
                self._places.move_to_end(digest)
                return known
        found = self._finder.find(text)
        with self._lock:
            self._places[digest] = found
            while len(self._places) > self._texts:
                self._places.popitem(last=False)
        return found
