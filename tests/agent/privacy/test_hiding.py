"""What leaves the records for curators names nobody."""

import pytest

from agent.privacy.hiding import MASK, hidden, hidden_log


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
    assert hidden(text) == expected


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
    assert hidden(text) == text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET /v1/me?phone=89123456789 HTTP/1.1", f"GET /v1/me?phone={MASK} HTTP/1.1"),
        ("GET https://crm.example/people/7?name=Anna 200", "GET https://crm.example/people/7 200"),
        ("Loading Hannah Thornton", "Loading Hannah Thornton"),
        ("ValueError: Иванова Мария Сергеевна, 8 912 345-67-89", f"ValueError: {MASK}, {MASK}"),
        ("agent.errors.NotFound: Hannah Thornton", f"agent.errors.NotFound: {MASK}"),
        (
            "Traceback (most recent call last):\nKeyError: 'anna.p@mail.ru'",
            f"Traceback (most recent call last):\nKeyError: '{MASK}'",
        ),
    ],
)
def test_of_a_log_modules_stay_and_messages_of_errors_name_nobody(line, expected):
    """Every other word of a program has a capital: only what it raises is read as a message of people."""
    assert hidden_log(line) == expected
