"""Queries are encoded once while they are remembered; what comes back is what the encoder gave."""

from collections.abc import Sequence

import numpy as np

from knowledge.embed.fake import FakeEmbedder
from knowledge.embed.port import Vectors
from knowledge.embed.remembered import Remembered


class Counting(FakeEmbedder):
    """The fake embedder, noting what it was asked to encode."""

    def __init__(self) -> None:
        super().__init__(dim=32)
        self.asked: list[list[str]] = []

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.asked.append(list(texts))
        return super().queries(texts)


def test_a_query_is_encoded_once_and_comes_back_in_the_order_asked_for() -> None:
    counting = Counting()
    remembered = Remembered(counting)
    remembered.queries(["возврат"])
    rows = remembered.queries(["доставка", "возврат", "доставка"])
    assert counting.asked == [["возврат"], ["доставка"]]
    assert np.array_equal(rows, FakeEmbedder(dim=32).queries(["доставка", "возврат", "доставка"]))
    assert rows.dtype == np.float32


def test_what_was_not_asked_for_longest_is_forgotten_first() -> None:
    counting = Counting()
    remembered = Remembered(counting, most=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        remembered.queries([text])
    assert counting.asked == [["a"], ["b"], ["c"], ["b"]]


def test_more_at_once_than_can_be_kept_still_come_back_whole() -> None:
    remembered = Remembered(Counting(), most=1)
    texts = ["раз", "два", "три"]
    assert np.array_equal(remembered.queries(texts), FakeEmbedder(dim=32).queries(texts))


def test_a_caller_who_changes_a_row_changes_only_their_own() -> None:
    remembered = Remembered(Counting())
    remembered.queries(["раз"])[:] = 0
    assert np.array_equal(remembered.queries(["раз"]), FakeEmbedder(dim=32).queries(["раз"]))
