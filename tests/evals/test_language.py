"""The suite that reads every reply for its language."""

from collections import Counter
from typing import Any

import pytest

from evals.language import Row, Talk, foreign, held, measure, read_talks
from evals.measured import Setting, bounds_of, measure_of
from tests.evals.fake_house import FakeHouse, answer, button
from tools.context import Language


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Заказ 1045-А в пути.", "ru"),
        ("Фонарь Fenix HM70R есть на складе.", "ru"),
        ("Order 1045-А goes to 603073, Нижний Новгород, ул. Лесная, д. 12.", "en"),
        ("Open «Мои данные».", "en"),
        ("FN-104", "en"),
        ("", "ru"),
    ],
)
def test_a_text_in_the_language_wanted_passes(text: str, wanted: Language) -> None:
    assert foreign(text, wanted) == ""


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("Разрешить", "en", "Разрешить"),
        ("Allow", "ru", "Allow"),
        ("The order is here. Позвать человека?", "en", "Позвать человека?"),
        ("Заказ здесь. Shall I get a person?", "ru", "Shall I get a person?"),
        ("carried by Волжский курьер", "en", "carried by Волжский курьер"),
    ],
)
def test_the_first_sentence_in_another_language_is_found(text: str, wanted: Language, found: str) -> None:
    assert foreign(text, wanted) == found


def turn(text: str, **fields: Any) -> dict[str, Any]:
    return answer(text, turn="t", **fields)


async def test_the_text_the_label_and_the_stated_language_are_read() -> None:
    house = FakeHouse(
        {"Привет": turn("Здравствуйте.", buttons=[button("Where is my order?")]), "Пока": turn("Bye.")}
    )
    rows = (Row(says="Привет", wants="ru"), Row(says="Пока", wants="ru"))
    found = await held(house, Talk(id="a", starts="ru", turns=rows))
    assert [(miss.id, miss.got) for miss in found] == [("a-1", "Where is my order?"), ("a-2", "Bye.")]


async def test_a_button_that_never_came_ends_its_conversation_as_a_miss() -> None:
    found = await held(FakeHouse({}), Talk(id="a", starts="ru", turns=(Row(press="Да", wants="ru"),)))
    assert [(miss.wanted, miss.got) for miss in found] == [("Да", "no such button")]


def test_there_are_two_hundred_turns_of_every_kind_in_both_languages() -> None:
    talks = read_talks()
    rows = [row for talk in talks for row in talk.turns]
    assert len(rows) >= 200
    assert len({talk.id for talk in talks}) == len(talks)
    wanted = Counter(row.wants for row in rows)
    assert min(wanted.values()) >= 80
    assert sum(len({row.wants for row in talk.turns}) > 1 for talk in talks) >= 15
    assert sum(bool(row.press) for row in rows) >= 12
    assert measure_of("language") is measure
    assert bounds_of("language")["right"].holds(1.0)
    assert not bounds_of("language")["right"].holds(0.99)
    assert Setting(context=None).evaldata is None
