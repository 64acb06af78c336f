"""A neural reader of Russian names: slovnet's tagger on navec's vectors, both inside the package `natasha`. Loaded when first used.

Only the weights are taken from there: the package itself is never imported, it needs a dictionary that no longer runs.
"""

import gc
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from threading import Lock
from typing import Any

from agent.privacy.spans import Span

WORDS = 100_000
"""Words whose vectors are kept, the most frequent of 250,000: names are told by their neighbours, and memory counts."""
LONGEST = 1_500
"""Characters read at a time."""


class Reader:
    """Reads names by what stands around them; one for a process, loaded by its first reading."""

    def __init__(self) -> None:
        self._tagger: Any = None
        self._lock = Lock()

    def names(self, text: str) -> Iterator[Span]:
        """Yield the people a Russian text names."""
        with self._lock:
            tagger = self._tagger = self._tagger or _loaded()
            for start in range(0, len(text), LONGEST):
                # A name cut in two is told by the dictionary.
                for span in tagger(text[start : start + LONGEST]).spans:
                    if span.type == "PER":
                        yield Span(kind="name", start=start + span.start, end=start + span.stop)


def _loaded() -> Any:
    from navec import Navec
    from slovnet import NER
    from slovnet.vocab import PAD, UNK, Vocab

    data = Path(str(distribution("natasha").locate_file("natasha/data")))
    vectors = Navec.load(str(data / "emb" / "navec_news_v1_1B_250K_300d_100q.tar"))
    kept = [*vectors.vocab.top(WORDS), UNK, PAD]
    vectors = vectors.sampled(kept)
    tagger = NER.load(str(data / "model" / "slovnet_ner_news_v1.tar"))
    # The tagger numbers words as the vectors do.
    tagger.infer.encoder.words_vocab = Vocab(kept)
    tagger.navec(vectors)
    # Tables for comparing words with each other: a quarter of it all, and nobody compares.
    del vectors.pq.ab, vectors.pq.norm
    gc.collect()
    return tagger
