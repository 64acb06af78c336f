"""What of a very long message is read: short ones whole, long ones by their requests and numbers."""

import pytest

from agent.gist import LONGEST, gist

STORY = "Вчера мы с женой долго выбирали между двумя светильниками и никак не могли решиться. "


@pytest.mark.parametrize("text", ["", " ", "Где мой заказ?", "я" * LONGEST])
def test_a_message_of_usual_length_is_read_whole(text: str) -> None:
    assert gist(text) == text


def test_of_a_long_message_the_requests_and_the_numbers_are_read_in_their_order() -> None:
    text = f"Здравствуйте. {STORY}Заказ 1045-А пришёл. {STORY * 40}\nКак вернуть товар? {STORY * 40}Где чек?"
    read = gist(text)
    assert len(read) <= LONGEST
    assert [part in read for part in ("1045-А", "Как вернуть товар?", "Где чек?")] == [True] * 3
    assert read.index("1045-А") < read.index("Как вернуть") < read.index("Где чек")
    assert read.splitlines()[1].startswith("Как вернуть товар?")


def test_a_sentence_said_a_hundred_times_is_read_once() -> None:
    assert gist("Как вернуть товар? " * 100) == "Как вернуть товар?"


@pytest.mark.parametrize("text", ["щ" * 8000, "😀" * 8000, "'; DROP TABLE x; -- " * 400, "\n" * 8000])
def test_a_text_without_sentences_is_cut_short(text: str) -> None:
    read = gist(text)
    assert len(read) <= LONGEST // 2
    assert bool(read) == bool(text.strip())


def test_a_sentence_is_cut_where_a_word_ends() -> None:
    words = "слово " * 500
    assert set(gist(words).split()) == {"слово"}
