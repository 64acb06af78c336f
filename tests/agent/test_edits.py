"""How far one text is from another, held against the table worked out cell by cell."""

import random
import time

import pytest

from agent.edits import LONGEST, distance


def slowly(one: str, other: str) -> int:
    row = [*range(len(other) + 1)]
    for n, letter in enumerate(one, start=1):
        new = [n]
        for m, there in enumerate(other, start=1):
            new.append(min(row[m] + 1, new[-1] + 1, row[m - 1] + (letter != there)))
        row = new
    return row[-1]


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [
        ("", "", 0.0),
        ("Вернём за 10 дней.", " Вернём  за 10\r\nдней. ", 0.0),
        ("да", "", 1.0),
        ("", "да", 1.0),
        ("кот", "кит", 1 / 3),
        ("kitten", "sitting", 3 / 7),
        ("😀", "😁", 1.0),
        ("abc", "xyz", 1.0),
    ],
)
def test_it_is_the_share_of_letters_that_changed(one: str, other: str, far: float) -> None:
    assert distance(one, other) == pytest.approx(far)
    assert distance(other, one) == pytest.approx(far)


def test_it_agrees_with_the_table_on_random_words() -> None:
    chance = random.Random(7)
    for _ in range(60):
        one, other = ("".join(chance.choices("абвг", k=chance.randint(1, 14))) for _ in range(2))
        assert distance(one, other) == pytest.approx(slowly(one, other) / max(len(one), len(other)))


def test_a_hundred_kilobytes_are_compared_by_their_beginning_and_soon() -> None:
    began = time.process_time()
    assert distance("я" * 100_000, "ю" * 100_000) == 1.0
    assert distance("я" * LONGEST + "а", "я" * LONGEST + "б") == 0.0
    assert time.process_time() - began < 5
