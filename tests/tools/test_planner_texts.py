"""The cues and slots that let a planner without a provider choose a tool and fill its arguments."""

import re

import pytest

from tests.tools.shop import toolbox
from tools.context import Language
from tools.orders.port import order_number

BOX = toolbox()
ASKS = {
    "order_id": "order_status",
    "reason": "cancel_order",
    "new_address": "change_address",
    "query": "find_product",
}


def filled(argument: str, language: Language, text: str) -> str | None:
    for expression in BOX.slots(ASKS[argument], argument, language):
        found = expression.search(text)
        if found:
            return found["value"].strip()
    return None


@pytest.mark.parametrize("language", ["ru", "en"])
def test_no_phrase_asks_for_two_tools(language: Language) -> None:
    owners: dict[str, str] = {}
    for tool in BOX.tools():
        for cue in BOX.cues(tool.name, language):
            assert owners.setdefault(cue, tool.name) == tool.name
            assert cue == cue.lower().strip()


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("argument", ["order_id", "reason", "new_address", "query"])
def test_every_expression_has_a_group_named_value(argument: str, language: Language) -> None:
    for expression in BOX.slots(ASKS[argument], argument, language):
        assert "value" in expression.groupindex
        assert expression.flags & re.IGNORECASE


@pytest.mark.parametrize(
    ("language", "text", "number"),
    [
        ("ru", "где мой заказ 1045-А?", "1045-А"),
        ("ru", "отмените 1051, пожалуйста", "1051"),
        ("ru", "заказ №77 не пришёл", "77"),
        ("ru", "по заказу 1051 а когда привезут", "1051"),
        ("ru", "номер заказа: 1045a", "1045-А"),
        ("ru", "где ЗАКАЗ1045А", "1045-А"),
        ("ru", "заказ 1O45-А где?", "1045-А"),
        ("ru", "№ 1045 А, где он?", "1045-А"),
        ("ru", "заказ 1051 а когда привезут", "1051"),
        ("ru", "где заказ 1045/А?", "1045-А"),
        ("en", "where is #W2378156?", "W2378156"),
        ("en", "where is W-2378156", "W2378156"),
        ("en", "W2378156 please", "W2378156"),
        ("en", "where is order #1093", "1093"),
        ("en", "cancel my order number 1045-A please", "1045-А"),
    ],
)
def test_an_order_number_is_found(language: Language, text: str, number: str) -> None:
    value = filled("order_id", language, text)
    assert value is not None
    assert order_number(value) == number


@pytest.mark.parametrize(
    "text",
    [
        "где мой заказ?",
        "сколько стоит FN-204",
        "фонарь за 3490 ₽",
        "светит 1800 люмен",
        "привезите через 2 дня",
    ],
)
def test_a_figure_that_is_no_order_number_is_left_alone(text: str) -> None:
    assert filled("order_id", "ru", text) is None


@pytest.mark.parametrize(
    ("language", "text", "address"),
    [
        (
            "ru",
            "Поменяйте адрес заказа 1051 на адрес: Казань, ул. Речная, д. 7, кв. 19",
            "Казань, ул. Речная, д. 7, кв. 19",
        ),
        ("ru", "доставьте 1051 по адресу Бор, ул. Новая, 5", "Бор, ул. Новая, 5"),
        ("ru", "новый адрес: Москва, Тверская улица, 10", "Москва, Тверская улица, 10"),
        ("en", "please deliver it to 12 River Street, flat 4, Kazan", "12 River Street, flat 4, Kazan"),
    ],
)
def test_an_address_is_found_whole(language: Language, text: str, address: str) -> None:
    assert filled("new_address", language, text) == address


@pytest.mark.parametrize("text", ["поменяйте адрес заказа 1051", "хочу сменить адрес доставки"])
def test_a_request_without_an_address_gives_none(text: str) -> None:
    assert filled("new_address", "ru", text) is None


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("ru", "Сколько стоит налобный фонарь «Полюс 600»?", "налобный фонарь «Полюс 600»"),
        ("ru", "есть ли у вас умные лампочки E27", "умные лампочки E27"),
        ("ru", "а FN-204-BK есть?", "FN-204-BK"),
        ("en", "How much is the Dozor 900 torch?", "Dozor 900 torch"),
        ("en", "do you have any solar path lights", "solar path lights"),
    ],
)
def test_what_a_customer_looks_for_is_found(language: Language, text: str, words: str) -> None:
    assert filled("query", language, text) == words


@pytest.mark.parametrize(
    ("language", "text", "reason"),
    [
        ("ru", "отмените заказ 1051, потому что нашёл дешевле", "нашёл дешевле"),
        ("ru", "отмените, передумала", "передумала"),
        ("en", "cancel 1093 because it takes too long", "it takes too long"),
    ],
)
def test_a_reason_is_found(language: Language, text: str, reason: str) -> None:
    assert filled("reason", language, text) == reason


@pytest.mark.parametrize("argument", ["order_id", "reason", "new_address", "query"])
def test_a_long_hostile_message_is_searched_in_no_time(argument: str) -> None:
    for text in (
        "заказ " * 20_000,
        "1" * 100_000,
        "ул. " * 20_000 + "1",
        "сколько стоит " * 8000,
        "адрес на адрес " * 7000,
    ):
        filled(argument, "ru", text[:8000])
        filled(argument, "en", text[:8000])
