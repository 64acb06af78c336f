"""Queries are encoded once while they are remembered; what comes back is what the encoder gave."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from knowledge.embed.fake import FakeEmbedder
from knowledge.embed.port import Vectors
from knowledge.embed.remembered import Remembered
from knowledge.errors import EmbedderUnavailable
from knowledge.types import Query
from tests.knowledge.test_search import PASSAGES, search_over


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


def test_two_who_ask_the_same_at_once_wait_for_one_encoding() -> None:
    began, go_on = threading.Event(), threading.Event()

    class Slow(Counting):
        def queries(self, texts: Sequence[str]) -> Vectors:
            rows = super().queries(texts)
            began.set()
            assert go_on.wait(10)
            return rows

    slow = Slow()
    remembered = Remembered(slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(remembered.queries, ["раз"])
        assert began.wait(10)
        second = pool.submit(remembered.queries, ["раз", "два"])
        go_on.set()
        assert np.array_equal(second.result(10)[0], first.result(10)[0])
    assert slow.asked == [["раз"], ["два"]]


def test_a_failure_is_everybodys_own_and_is_not_remembered() -> None:
    class Flaky(Counting):
        def queries(self, texts: Sequence[str]) -> Vectors:
            rows = super().queries(texts)
            if len(self.asked) == 1:
                raise EmbedderUnavailable("gone", remedy="Wait.")
            return rows

    remembered = Remembered(Flaky())
    with pytest.raises(EmbedderUnavailable):
        remembered.queries(["раз"])
    assert remembered.queries(["раз"]).shape == (1, 32)


async def test_a_search_that_was_expected_encodes_nothing_new() -> None:
    counting = Counting()
    search = search_over(PASSAGES, Remembered(counting))
    await search.expect("  rfr dthyenm njdfh? ")
    asked = list(counting.asked)
    found = await search.search(Query("rfr dthyenm njdfh?"))
    assert asked == counting.asked == [[found.understood]]


async def test_expecting_nothing_readable_is_harmless() -> None:
    counting = Counting()
    await search_over(PASSAGES, Remembered(counting)).expect(" … ")
    assert counting.asked == []
