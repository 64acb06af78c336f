"""Order numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.orders.number import order_numbers
from tools.orders.port import order_number


@pytest.mark.parametrize(
    "spelling",
    [
        "1045-А", "1045-A", "1045-а", "1045a", "1045А", "№ 1045-А", "№1045-А", "#1045-A", "заказ 1045а", "Заказ № 1045 - а",
        "ЗАКАЗ:1045-А.", "order 1045-a", "Order no. 1045A", "где мой заказ 1045-А?", "номер заказа 1045—А", "1045 А", "１０４５-Ａ",
        "01045-А", "заказа № 1045\u2011А, пожалуйста", "ЗАКАЗ1045А", "заказ1045-а", "№№ 1045-А", "«1045-А»", "(1045-А)", "N 1045-А",
        "1045_А", "1045/а", "1045\u200b-\u200bА", "№ 1O45-А", "№ 1О45-А", "٠١٠٤٥-А", "№ ¹⁰⁴⁵-А", "где заказ 1045 А, скажите", "1045-А или 1045-A",
    ],
)  # fmt: skip
def test_every_spelling_is_one_number(spelling: str) -> None:
    assert order_number(spelling) == "1045-А"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1051", "1051"),
        ("77", "77"),
        ("заказ 77", "77"),
        ("заказ 1051 а когда привезут", "1051"),
        ("заказ от 12 ноября номер 1051", "1051"),
        ("1333-D", "1333-D"),
        ("1112-б", "1112-Б"),
        ("#W2378156", "W2378156"),
        ("w2378156", "W2378156"),
        ("заказ № А0378156", "A0378156"),
        ("where is order W2378156?", "W2378156"),
        ("＃Ｗ2378156", "W2378156"),
        ("W 2378156", "W2378156"),
        ("w-2378156", "W2378156"),
        ("№ W 2378156", "W2378156"),
        ("#В2378156", "B2378156"),
        ("посмотрите в 2378156", "2378156"),
        ("заказ 1051 А когда привезут", "1051"),
    ],
)
def test_numbers_without_a_letter_and_with_other_letters(text: str, number: str) -> None:
    assert order_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "заказ",
        "где мой заказ?",
        "FN-204",
        "E27",
        "W2378156 or W2378157",
        "+7 900 123-45-67",
        "мой заказ 1045-А или 1051",
        "1,5",
        "🙂",
        "через 2 дня",
    ],
)
def test_no_number_or_several_is_none(text: str) -> None:
    assert order_number(text) is None


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("мой заказ 1045-А или 1051", ("1045-А", "1051")),
        ("заказы №1051, 1045а и 1051", ("1051", "1045-А")),
        ("1045/1051", ("1045", "1051")),
        ("W2378156 or W2378157", ("W2378156", "W2378157")),
        ("№1045-А\n№1051", ("1045-А", "1051")),
        ("1045-А", ("1045-А",)),
        ("когда-нибудь", ()),
    ],
)
def test_several_numbers_are_told_from_none(text: str, numbers: tuple[str, ...]) -> None:
    assert order_numbers(text) == numbers


@given(st.text(max_size=300))
def test_any_text_is_survived(text: str) -> None:
    number = order_number(text)
    assert number is None or order_number(number) == number


@given(st.integers(min_value=1, max_value=9_999_999), st.sampled_from(["", "-А", "-Б", "-Х", "-D"]))
def test_a_canonical_number_is_its_own_spelling(digits: int, suffix: str) -> None:
    assert order_number(f"{digits}{suffix}") == f"{digits}{suffix}"
