"""What leaves the records for curators names nobody."""

import pytest

from agent.masking import MASK, masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("меня зовут Анна Петрова, мой телефон +7 (912) 345-67-89", f"меня зовут {MASK}, мой телефон {MASK}"),
        ("позвоните 8 912 345 67 89", f"позвоните {MASK}"),
        ("пишите на anna.p@mail.ru или @annapet", f"пишите на {MASK} или {MASK}"),
        ("My name is John Smith, where is it?", f"My name is {MASK}, where is it?"),
        ("Иванова Мария Сергеевна, карта 4276 1234 5678 9012", f"{MASK}, карта {MASK}"),
        ("Надежда Ивановна обещала перезвонить", f"{MASK} обещала перезвонить"),
        ("книга Марины не пришла", f"книга {MASK} не пришла"),
        ("https://site.ru/a?token=123 не открывается", "https://site.ru не открывается"),
        ("СНИЛС 112-233-445 95", f"СНИЛС {MASK}"),
    ],
)
def test_names_and_ways_to_reach_a_person_are_masked(text, expected):
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Доставка во Владимир сколько стоит?",
        "где заказ 1042 на 30 000 ₽",
        "Какая гарантия на лампу FN-204-BK?",
        "до 2026-12-31 15:00",
        "люстра Вера есть в наличии?",
        "I'm Looking for lamps",
        "Сколько идёт посылка в Нижний Новгород?",
        "",
    ],
)
def test_what_names_nobody_stays(text):
    assert masked(text) == text
