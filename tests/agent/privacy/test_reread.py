import gc
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.privacy.detect import quick
from agent.privacy.reread import WORTH, Reread
from agent.privacy.spans import Span


class Counting:
    """Reads as the quick detector does, and counts."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def find(self, text: str) -> tuple[Span, ...]:
        self.read.append(text)
        return quick().find(text)


TEXTS = ["звоните 8 916 123-45-67", "пишите на anna@example.ru", "это Анна Петрова", "ничего личного", ""]


def test_a_text_is_read_once_and_always_found_the_same() -> None:
    counting = Counting()
    reread = Reread(counting)
    for _ in range(3):
        assert [reread.find(text) for text in TEXTS] == [quick().find(text) for text in TEXTS]
    assert counting.read == TEXTS


def test_what_was_not_used_longest_is_forgotten_first() -> None:
    counting = Counting()
    reread = Reread(counting, texts=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        reread.find(text)
    assert counting.read == ["a", "b", "c", "b"]


def test_a_very_long_text_is_read_each_time() -> None:
    counting = Counting()
    reread = Reread(counting)
    reread.find("-" * (WORTH + 1))
    reread.find("-" * (WORTH + 1))
    assert len(counting.read) == 2


def test_half_a_letter_is_no_error() -> None:
    assert Reread(Counting()).find("\ud83d") == ()


def test_threads_may_share_it() -> None:
    reread = Reread(quick(), texts=3)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(reread.find, TEXTS * 40))
    assert found == [quick().find(text) for text in TEXTS] * 40


@pytest.mark.parametrize("secret", ["8 916 555-44-33", "zoya.unique@example.ru"])
def test_it_keeps_places_and_no_text(secret: str) -> None:
    reread = Reread(quick())
    assert reread.find(f"это {secret}") != ()
    seen, ahead = set(), [reread]
    while ahead:
        one = ahead.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        assert not (isinstance(one, str | bytes) and secret in str(one))
        ahead += [each for each in gc.get_referents(one) if not callable(each)]
