"""When a text counts, as its own words say. Every line is read on 22 November 2026, a Sunday."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text.dates import REASONS, hints

TODAY = date(2026, 11, 22)

RUSSIAN = [
    ("С 1 декабря доставка бесплатная.", "С 1 декабря", "2026-12-01", None),
    ("Начиная с 15 января 2027 года цены другие.", "Начиная с 15 января 2027 года", "2027-01-15", None),
    ("Скидка действует с 1 по 15 января 2027 года.", "с 1 по 15 января 2027 года", "2027-01-01", "2027-01-15"),
    ("Промокод годен до 31.12.2026.", "до 31.12.2026", None, "2026-12-31"),
    ("Принимаем заявки до конца года.", "до конца года", None, "2026-12-31"),
    ("Бесплатно до конца месяца", "до конца месяца", None, "2026-11-30"),
    ("Действует до 15 декабря включительно", "до 15 декабря включительно", None, "2026-12-15"),
    ("Старые цены — до 1 января.", "до 1 января", None, "2026-12-31"),
    ("Скидка по 10 января 2027 г.", "по 10 января 2027 г.", None, "2027-01-10"),
    ("С 20 декабря по 10 января работаем до 18:00.", "С 20 декабря по 10 января", "2026-12-20", "2027-01-10"),
    ("с 20 декабря 2026 г. по 10 января 2027 г.", "с 20 декабря 2026 г. по 10 января 2027 г.", "2026-12-20", "2027-01-10"),
    ("с 20 декабря по 10 января 2027 года", "с 20 декабря по 10 января 2027 года", "2026-12-20", "2027-01-10"),
    ("Акция: 20 ноября — 30 ноября", "20 ноября — 30 ноября", "2026-11-20", "2026-11-30"),
    ("Распродажа 20–30 ноября 2026", "20–30 ноября 2026", "2026-11-20", "2026-11-30"),
    ("с 01.12.2026 по 15.12.2026 включительно", "с 01.12.2026 по 15.12.2026 включительно", "2026-12-01", "2026-12-15"),
    ("с 01.12 по 15.12", "с 01.12 по 15.12", "2026-12-01", "2026-12-15"),
    ("В декабре пункт выдачи закрыт.", "В декабре", "2026-12-01", "2026-12-31"),
    ("в марте 2027 года", "в марте 2027 года", "2027-03-01", "2027-03-31"),
    ("С декабря по февраль доставляем дольше", "С декабря по февраль", "2026-12-01", "2027-02-28"),
    ("с декабря до марта", "с декабря до марта", "2026-12-01", "2027-02-28"),
    ("До конца декабря дарим гирлянду", "До конца декабря", None, "2026-12-31"),
    ("до конца февраля 2028 года", "до конца февраля 2028 года", None, "2028-02-29"),
    ("С 2027 года чеки только электронные", "С 2027 года", "2027-01-01", None),
    ("до 2028 года", "до 2028 года", None, "2027-12-31"),
    ("С завтрашнего дня", "С завтрашнего дня", "2026-11-23", None),
    ("Со следующего месяца курьер дороже", "Со следующего месяца", "2026-12-01", None),
    ("с нового года", "с нового года", "2027-01-01", None),
    ("до Нового года успеем", "до Нового года", None, "2026-12-31"),
    ("до конца недели", "до конца недели", None, "2026-11-22"),
    ("до конца квартала", "до конца квартала", None, "2026-12-31"),
    ("с первого декабря", "с первого декабря", "2026-12-01", None),
    ("до тридцать первого января", "до тридцать первого января", None, "2027-01-31"),
    ("Только 28 ноября: минус 30 %", "Только 28 ноября", "2026-11-28", "2026-11-28"),
    ("с 1-го по 5-е дек. 2026", "с 1-го по 5-е дек. 2026", "2026-12-01", "2026-12-05"),
    ("действует до 2026-12-24", "до 2026-12-24", None, "2026-12-24"),
    ("Предложение истекает 30 ноября", "истекает 30 ноября", None, "2026-11-30"),
    ("Акция закончилась: действовала до 31 октября 2025 года", "до 31 октября 2025 года", None, "2025-10-31"),
    ("с 1 июня по 30 ноября", "с 1 июня по 30 ноября", "2026-06-01", "2026-11-30"),
    ("Заказывайте не позднее 24 декабря", "не позднее 24 декабря", None, "2026-12-24"),
    ("Летом, с 29 февраля 2028 года", "с 29 февраля 2028 года", "2028-02-29", None),
]  # fmt: skip

ENGLISH = [
    ("From December 1 delivery is free.", "From December 1", "2026-12-01", None),
    ("Starting January 15, 2027 prices change.", "Starting January 15, 2027", "2027-01-15", None),
    ("The discount runs from January 1 to 15, 2027.", "from January 1 to 15, 2027", "2027-01-01", "2027-01-15"),
    ("from 1 to 15 January 2027", "from 1 to 15 January 2027", "2027-01-01", "2027-01-15"),
    ("Valid through 31.12.2026.", "through 31.12.2026", None, "2026-12-31"),
    ("valid until 12/31/2026", "until 12/31/2026", None, "2026-12-31"),
    ("until 31/12/2026", "until 31/12/2026", None, "2026-12-31"),
    ("Free until the end of the month", "until the end of the month", None, "2026-11-30"),
    ("through the end of this year", "through the end of this year", None, "2026-12-31"),
    ("until year-end", "until year-end", None, "2026-12-31"),
    ("until the end of the week", "until the end of the week", None, "2026-11-22"),
    ("until the end of this quarter", "until the end of this quarter", None, "2026-12-31"),
    ("Until January 1 the old prices hold.", "Until January 1", None, "2026-12-31"),
    ("Order before December 24.", "before December 24", None, "2026-12-23"),
    ("From December 20 until January 10", "From December 20 until January 10", "2026-12-20", "2027-01-10"),
    ("from December 20, 2026 to January 10, 2027", "from December 20, 2026 to January 10, 2027", "2026-12-20", "2027-01-10"),
    ("from 20 Dec to 10 Jan 2027", "from 20 Dec to 10 Jan 2027", "2026-12-20", "2027-01-10"),
    ("between December 1 and December 24", "between December 1 and December 24", "2026-12-01", "2026-12-24"),
    ("Sale: November 20–30, 2026", "November 20–30, 2026", "2026-11-20", "2026-11-30"),
    ("Sale: November 20 – November 30", "November 20 – November 30", "2026-11-20", "2026-11-30"),
    ("In December the shop is closed.", "In December", "2026-12-01", "2026-12-31"),
    ("in March 2027", "in March 2027", "2027-03-01", "2027-03-31"),
    ("From December to February we need longer", "From December to February", "2026-12-01", "2027-02-28"),
    ("until the end of December", "until the end of December", None, "2026-12-31"),
    ("by the end of February 2028", "by the end of February 2028", None, "2028-02-29"),
    ("effective May 1, 2027", "effective May 1, 2027", "2027-05-01", None),
    ("as of the 1st of December", "as of the 1st of December", "2026-12-01", None),
    ("Starting tomorrow", "Starting tomorrow", "2026-11-23", None),
    ("from next month", "from next month", "2026-12-01", None),
    ("starting next year", "starting next year", "2027-01-01", None),
    ("until New Year's Eve", "until New Year's Eve", None, "2026-12-31"),
    ("Only on November 28", "Only on November 28", "2026-11-28", "2026-11-28"),
    ("up to and including December 15", "up to and including December 15", None, "2026-12-15"),
    ("until 15 December inclusive", "until 15 December inclusive", None, "2026-12-15"),
    ("valid to 2026-12-24", "valid to 2026-12-24", None, "2026-12-24"),
    ("The offer expires on November 30", "expires on November 30", None, "2026-11-30"),
    ("It ran until October 31, 2025", "until October 31, 2025", None, "2025-10-31"),
    ("for the rest of the year", "for the rest of the year", None, "2026-12-31"),
    ("This price holds until 2028.", "until 2028", None, "2027-12-31"),
    ("from 1 June to 30 November", "from 1 June to 30 November", "2026-06-01", "2026-11-30"),
]  # fmt: skip

ASK = [
    ("Цена действует до конца акции.", "до конца акции"),
    ("Подарок — пока товар есть в наличии", "пока товар есть в наличии"),
    ("закрыто до особого распоряжения", "до особого распоряжения"),
    ("Во время распродажи возврат дольше", "Во время распродажи"),
    ("до окончания новогодней акции", "до окончания новогодней акции"),
    ("Free until the end of the promotion", "until the end of the promotion"),
    ("while stocks last", "while stocks last"),
    ("Closed until further notice", "until further notice"),
    ("until the end of our summer sale", "until the end of our summer sale"),
    ("while the offer lasts", "while the offer lasts"),
]

NOTHING = [
    "Поднимаем с 1 этажа бесплатно.", "Посылки до 30 кг.", "Работаем с 9 до 21.", "Звоните до 23:00.",
    "от 3 до 5 рабочих дней", "с 1 по 15 число каждого месяца", "Каждый год с 1 декабря украшаем витрину",
    "Договор от 5 мая 2026 года", "Компания работает с 2015 года", "Основана в мае 2010 года", "до 10.5 кг",
    "от 1 до 5 товаров", "скидка до 50 %", "до 31.12.2026.5", "Заказ 12-15 приедет завтра", "до 2000 рублей",
    "до 32 декабря", "Фонарь FN-204 светит с 10 метров", "за 14 дней", "до метро Декабристов",
    "from 1 to 5 items", "up to 30 kg", "open from 9 to 21", "call before 11:00", "You may return it",
    "within 3 to 5 business days", "from the 1st floor", "every year from December 1", "founded in May 2010",
    "working since 2015", "up to 2000 dollars", "March on", "from 2000 to 5000 rubles", "order 12/15",
    "until February 30", "version 1.12.3", "from page 3 to page 12", "a 24/7 service", "the invoice of May 5, 2026",
    "from the 1st to the 15th of each month",
]  # fmt: skip


@pytest.mark.parametrize(("text", "quote", "begins", "ends"), [*RUSSIAN, *ENGLISH])
def test_an_interval_is_read_with_the_words_that_say_it(text, quote, begins, ends):
    (hint,) = hints(text, today=TODAY)
    assert (hint.quote, hint.begins and str(hint.begins), hint.ends and str(hint.ends)) == (
        quote,
        begins,
        ends,
    )
    assert text[hint.start : hint.end] == quote
    assert hint.reason in REASONS


@pytest.mark.parametrize(("text", "quote"), ASK)
def test_an_event_without_a_date_asks_a_person_for_one(text, quote):
    (hint,) = hints(text, today=TODAY)
    assert (hint.quote, hint.begins, hint.ends, hint.reason) == (quote, None, None, "ask")


@pytest.mark.parametrize("text", NOTHING)
def test_numbers_that_are_no_dates_and_dates_that_limit_nothing_are_left_alone(text):
    assert hints(text, today=TODAY) == ()


def test_a_date_that_can_be_read_two_ways_is_not_guessed():
    (hint,) = hints("valid until 03/04/2027", today=TODAY)
    assert (hint.begins, hint.ends, hint.reason) == (None, None, "ambiguous")


def test_several_hints_come_in_order_and_say_where_the_year_was_guessed():
    text = "С 1 декабря — платно. До 31.12.2027 бесплатно для старых клиентов, а подарок — до конца акции."
    found = hints(text, today=TODAY)
    assert [(one.reason, one.guessed) for one in found] == [("from", True), ("until", False), ("ask", False)]


def test_the_year_follows_the_day_of_reading():
    assert hints("с 1 декабря", today=date(2027, 1, 20))[0].begins == date(2026, 12, 1)
    assert hints("до 1 февраля", today=date(2026, 11, 22))[0].ends == date(2027, 1, 31)
    assert hints("до 20 ноября", today=date(2026, 11, 22))[0].ends == date(2026, 11, 20)


def test_a_long_text_is_read_in_reasonable_time():
    import time

    text = "Курьер с 9 до 21, посылки до 30 кг, акция с 1 по 15 января 2027 года. " * 2_000
    started = time.perf_counter()
    assert len(hints(text, today=TODAY)) == 2_000
    assert time.perf_counter() - started < 20


DAYS = st.dates(min_value=TODAY - timedelta(days=30), max_value=TODAY + timedelta(days=3_000))


@given(first=DAYS, length=st.integers(min_value=1, max_value=400))
def test_any_written_interval_is_read_back(first, length):
    last = first + timedelta(days=length)
    for text in (
        f"с {first:%d.%m.%Y} по {last:%d.%m.%Y}",
        f"from {first:%B %d, %Y} through {last:%B %d, %Y}",
    ):
        (hint,) = hints(text, today=TODAY)
        assert (hint.begins, hint.ends, hint.quote) == (first, last, text)


@given(st.text(max_size=200))
def test_no_text_breaks_it(text):
    for hint in hints(text, today=TODAY):
        assert text[hint.start : hint.end] == hint.quote
