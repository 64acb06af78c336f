"""What counts as personal data, where it ends, and what must be left alone."""

import time

import pytest

from agent.privacy.checks import iban, inn, luhn, snils
from agent.privacy.detect import Detector, quick, thorough
from agent.privacy.reread import Finder
from agent.privacy.spans import KINDS, Span, settled


def found(text: str, detector: Finder | None = None) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in (detector or quick()).find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("мой номер 8 (916) 123-45-67", ("phone", "8 (916) 123-45-67")),
        ("позвоните +7-916-123.45.67", ("phone", "+7-916-123.45.67")),
        ("наберите 9161234567", ("phone", "9161234567")),
        ("тел. 123-45-67", ("phone", "123-45-67")),
        ("call (202) 555-0143", ("phone", "(202) 555-0143")),
        ("карта 4276 1234 5678 9012", ("card", "4276 1234 5678 9012")),
        ("4276 1234 5678 9012", ("card", "4276 1234 5678 9012")),
        ("4081 7810 0999 1000 4312", ("account", "4081 7810 0999 1000 4312")),
        ("my card 180016070420458", ("card", "180016070420458")),
        ("5536913812345678", ("card", "5536913812345678")),
        ("снилс 112-233-445 95", ("snils", "112-233-445 95")),
        ("112-233-445 95", ("snils", "112-233-445 95")),
        ("ИНН 500100732259", ("inn", "500100732259")),
        ("500100732259", ("inn", "500100732259")),
        ("заказ 89161234567", ("phone", "89161234567")),
        ("карта привязана к телефону 4951234567", ("phone", "4951234567")),
        ("07911 123456", ("phone", "07911 123456")),
        ("1 202 555 0143", ("phone", "1 202 555 0143")),
        ("460-89-9847", ("document", "460-89-9847")),
        ("4510 123456", ("passport", "4510 123456")),
        ("паспорт 4510123456", ("passport", "4510123456")),
        ("passport number AB1234567", ("passport", "AB1234567")),
        ("IBAN GB59IFUE40226315499137", ("account", "GB59IFUE40226315499137")),
        ("GB59IFUE40226315499137", ("account", "GB59IFUE40226315499137")),
        ("мой счёт GB59IFUE40226315499138", ("account", "GB59IFUE40226315499138")),
        ("расчётный счёт 40817810099910004312", ("account", "40817810099910004312")),
        ("here's my SSN: 460-89-9847", ("document", "460-89-9847")),
        ("ivan.petrov@mail.ru", ("email", "ivan.petrov@mail.ru")),
        ("ivan собака mail точка ru", ("email", "ivan собака mail точка ru")),
        ("ivan @ gmail.com", ("email", "ivan @ gmail.com")),
        ("ivan@mail,ru", ("email", "ivan@mail,ru")),
        ("пишите @annapet", ("nickname", "@annapet")),
        ("мой телеграм annapet", ("nickname", "annapet")),
        (
            "г. Москва, ул. Ленина, д. 5, корп. 2, кв. 13",
            ("address", "г. Москва, ул. Ленина, д. 5, корп. 2, кв. 13"),
        ),
        ("на проспект Мира, дом 12, квартира 7", ("address", "проспект Мира, дом 12, квартира 7")),
        ("at 12 Baker Street, Apt 4, London NW1 6XE.", ("address", "12 Baker Street, Apt 4, London NW1 6XE")),
        ("родилась 12.05.1990", ("birth_date", "12.05.1990")),
        ("date of birth: July 4, 1985", ("birth_date", "July 4, 1985")),
        (
            "родился двенадцатого мая тысяча девятьсот девяносто второго года",
            ("birth_date", "двенадцатого мая тысяча девятьсот девяносто второго"),
        ),
        (
            "родилась второго июля тысяча девятьсот девяностого года",
            ("birth_date", "второго июля тысяча девятьсот девяностого"),
        ),
        (
            "дата рождения: третьего марта тысяча девятьсот восьмидесятого",
            ("birth_date", "третьего марта тысяча девятьсот восьмидесятого"),
        ),
    ],
)
def test_what_names_or_reaches_a_person_is_found_whole(text: str, expected: tuple[str, str]) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "тел. восемь девятьсот шестнадцать сто двадцать три сорок пять шестьдесят семь",
        "плюс семь девятьсот шестнадцать сто двадцать три сорок пять шестьдесят семь",
        "восемь девятьсот шеснадцать сто двадцать три сорок пять шестьдесят семь",
        "two zero two five five five zero one four three",
        "восемь 916 сто двадцать три 45 67",
    ],
)
def test_a_number_said_in_words_is_a_number(text: str) -> None:
    ((kind, value),) = found(text)
    assert kind == "phone"
    assert value.endswith(text[-5:])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "4276 1234 5678 9012 5536 9138 1234 5678",
            [("card", "4276 1234 5678 9012"), ("card", "5536 9138 1234 5678")],
        ),
        ("+7 916 123-45-67 +7 916 765-43-21", [("phone", "+7 916 123-45-67"), ("phone", "+7 916 765-43-21")]),
    ],
)
def test_two_numbers_in_a_row_are_two(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_sixteen_digits_in_words_are_a_card() -> None:
    text = "четыре два семь шесть один два три четыре пять шесть семь восемь девять ноль один два"
    assert found(text) == [("card", text)]


def test_a_taxpayers_number_said_in_words_is_told_by_its_control_digits() -> None:
    text = "пятьсот, сто, семьсот тридцать два, двести пятьдесят девять"
    assert found(text) == [("inn", text)]
    assert [kind for kind, _ in found(text.replace("девять", "восемь"))] == ["phone"]


@pytest.mark.parametrize(
    "text",
    [
        "\u200b8\u200b9\u200b1612\u200b34567",
        "８９１６１２３４５６７",
        "٨٩١٦١٢٣٤٥٦٧",
        "8916I2З4567",
        "89161234567\ufeff",
        "8\u00a0916\u2009123–45—67",
    ],
)
def test_nothing_unseen_and_no_look_alike_hides_a_number(text: str) -> None:
    ((kind, value),) = found(text)
    assert kind == "phone"
    assert not [letter for letter in text if letter.isdigit() and letter not in value]


@pytest.mark.parametrize(
    "text",
    [
        "где заказ 1042 на 30 000 ₽",
        "заказ № 1234567890 отменить",
        "order #W9227188 costs $129,990",
        "Какая гарантия на лампу FN-204-BK?",
        "трек-номер 80091234567890 не отслеживается",
        "до 2026-12-31 15:00",
        "две тысячи пятьсот рублей",
        "Сколько стоит телефон за 12990 рублей?",
        "лампа на 220 вольт, 60 ватт, 2700 К",
        "Доставка во Владимир и в Нижний Новгород",
        "приду 12.05.2026 после обеда",
        "look at the lamp, it is on sale",
        "с 9 до 18, без выходных",
        "заказ один два три четыре пять шесть семь",
        "размеры сто двадцать, сорок пять, шестьдесят",
        "артикул GB59IFUE40226315499138",
        "look at lamp dot ru",
        "подробности на https://shop.example/ и www.shop.example.",
        "Вариант А. Люстра с пятью рожками",
        "Получатель Магазин, а не склад",
        "заказ оформлен на имя компании",
    ],
)
def test_orders_prices_dates_and_goods_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_orders_and_contracts_are_found_where_a_company_says_so() -> None:
    also = Detector(also=frozenset({"order", "contract"}))
    assert found("заказ 1045-А по договору № 45/2024", also) == [("order", "1045-А"), ("contract", "45/2024")]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("передайте Петрову Ивану Сергеевичу", "Петрову Ивану Сергеевичу"),
        ("я мария петрова", "мария петрова"),
        ("ИВАНОВ ИВАН ИВАНОВИЧ", "ИВАНОВ ИВАН ИВАНОВИЧ"),
        ("получатель В. В. Пупкин", "В. В. Пупкин"),
        ("меня зовут мельник матвей", "мельник матвей"),
        ("на имя кузнецова олега", "кузнецова олега"),
        ("Это Саша, привет", "Саша"),
    ],
)
def test_russian_names_are_found_in_any_case_and_without_capitals(text: str, name: str) -> None:
    assert found(text) == [("name", name)]


def test_the_neural_reader_finds_names_no_dictionary_has() -> None:
    text = "Вчера Видади Гасымлы привёз не ту люстру"
    assert ("name", "Видади Гасымлы") in found(text, thorough())


def test_an_address_does_not_swallow_the_name_before_it() -> None:
    text = "Доставка на имя Ивана Рашидовича Шевчука, 682540, г. Тула, ул. Лесная, д. 61"
    assert found(text) == [
        ("name", "Ивана Рашидовича Шевчука"),
        ("address", "682540, г. Тула, ул. Лесная, д. 61"),
    ]


def test_of_overlapping_finds_the_surer_kind_stays_and_of_equals_the_longer() -> None:
    spans = [
        Span(kind="name", start=0, end=9),
        Span(kind="email", start=4, end=12),
        Span(kind="phone", start=20, end=24),
        Span(kind="phone", start=18, end=28),
    ]
    assert [(s.kind, s.start, s.end) for s in settled(spans)] == [("email", 4, 12), ("phone", 18, 28)]


def test_control_digits_are_told_from_slips() -> None:
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")
    assert not luhn("0000000000000000")
    assert snils("11223344595")
    assert not snils("11223344596")
    assert not snils("00100199800")
    assert inn("500100732259")
    assert inn("7707083893")
    assert not inn("500100732258")
    assert not inn("7707083894")
    assert iban("GB59IFUE40226315499137")
    assert not iban("GB59IFUE40226315499138")
    assert not iban("GB")


@pytest.mark.parametrize(
    "piece",
    [
        "8 916 123 45 67 ",
        "1 ",
        "1",
        "а.",
        "ул. Ленина ",
        "Анна ",
        "4276-",
        "@",
        "пять ",
        "a@b.",
        "\u200b9",
        "дом 1, ",
    ],
)
def test_a_hundred_kilobytes_of_anything_are_read_in_bounded_time(piece: str) -> None:
    text = (piece * (100_000 // len(piece) + 1))[:100_000]
    began = time.process_time()
    quick().find(text)
    assert time.process_time() - began < 20


def test_every_kind_has_a_name_outside() -> None:
    from evals.pii.measuring import TYPES

    assert set(TYPES) == set(KINDS)


def test_a_latin_word_in_a_russian_message_is_a_brand_unless_it_can_only_be_a_name() -> None:
    assert found("Лампа Xiaomi и пульт Tradfri не работают") == []
    assert found("Посылку заберёт Hannah Thornton") == [("name", "Hannah Thornton")]


def test_goods_and_brands_of_a_company_are_no_names_there() -> None:
    never = Detector(never=frozenset({"philips", "вера"}))
    assert found("Люстра Веры Ивановой и лампа Philips", never) == [("name", "Веры Ивановой")]
    assert found("the Philips bulb", quick()) == [("name", "Philips")]
    assert found("the Philips bulb", never) == []
