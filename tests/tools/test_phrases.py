"""Sentences: plurals, money and dates as natives write them, and texts that cannot be half there."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.shop import PHRASES
from tools.phrases import PhraseFault, Phrases

RU = """
goods = "{n:plural товар|товара|товаров}"
word = "{n:word день|дня|дней}"
sum = "{n:money}"
day = "{n:date}"
full = "{n:fulldate}"
at = "{n:time}"
several = "{n:list}"
plain = "{n}"
figure = "{n:number}"
[deep.er]
key = "глубже"
[cues]
x = ["раз", "два"]
"""
EN = (
    RU.replace("товар|товара|товаров", "item|items")
    .replace("день|дня|дней", "day|days")
    .replace("глубже", "deeper")
)


@pytest.fixture
def phrases(tmp_path: Path) -> Phrases:
    return written(tmp_path, RU, EN)


def written(folder: Path, ru: str, en: str) -> Phrases:
    (folder / "ru.toml").write_text(ru, "utf-8")
    (folder / "en.toml").write_text(en, "utf-8")
    return Phrases(folder, timezone="Europe/Moscow")


@pytest.mark.parametrize(
    ("n", "ru", "en"),
    [
        (0, "0 товаров", "0 items"),
        (1, "1 товар", "1 item"),
        (2, "2 товара", "2 items"),
        (5, "5 товаров", "5 items"),
        (11, "11 товаров", "11 items"),
        (12, "12 товаров", "12 items"),
        (21, "21 товар", "21 items"),
        (22, "22 товара", "22 items"),
        (111, "111 товаров", "111 items"),
        (1001, "1 001 товар", "1,001 items"),
        (1.5, "1,5 товара", "1.5 items"),
    ],
)
def test_a_number_takes_the_right_form_of_its_word(phrases: Phrases, n: float, ru: str, en: str) -> None:
    assert phrases.say("goods", "ru", n=n) == ru.replace(" ", "\u00a0")
    assert phrases.say("goods", "en", n=n) == en.replace(" ", "\u00a0")
    assert phrases.say("word", "ru", n=5) == "дней"


@pytest.mark.parametrize(
    ("amount", "ru", "en"),
    [
        (4290, "4 290 ₽", "RUB 4,290"),
        ("390", "390 ₽", "RUB 390"),
        (Decimal("1234567.50"), "1 234 567,50 ₽", "RUB 1,234,567.50"),
        (0, "0 ₽", "RUB 0"),
    ],
)
def test_money_is_written_as_each_language_does_and_never_breaks(
    phrases: Phrases, amount: object, ru: str, en: str
) -> None:
    assert phrases.say("sum", "ru", n=amount) == ru.replace(" ", "\u00a0")
    assert phrases.say("sum", "en", n=amount) == en.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    "day", ["2026-11-24", date(2026, 11, 24), datetime(2026, 11, 23, 22, 30, tzinfo=UTC)]
)
def test_a_day_is_the_day_where_the_company_is(phrases: Phrases, day: object) -> None:
    assert phrases.say("day", "ru", n=day) == "24\u00a0ноября"
    assert phrases.say("day", "en", n=day) == "24\u00a0November"
    assert phrases.say("full", "ru", n=day) == "24\u00a0ноября\u00a02026"
    assert phrases.say("full", "en", n=day) == "24\u00a0November\u00a02026"


def test_a_time_is_the_time_where_the_company_is(phrases: Phrases) -> None:
    assert phrases.say("at", "ru", n="2026-11-23T22:30:00+00:00") == "01:30"


def test_lists_end_with_an_and(phrases: Phrases) -> None:
    assert phrases.say("several", "ru", n=["а", "б", "в"]) == "а, б и в"
    assert phrases.say("several", "en", n=["a", "b"]) == "a and b"


def test_a_fact_stays_on_one_line_and_is_not_read_as_a_template(phrases: Phrases) -> None:
    assert phrases.say("plain", "ru", n="{n:money}\n\u202eзлой\x00 ") == "{n:money} злой"


def test_nested_tables_are_dotted_and_arrays_are_items(phrases: Phrases) -> None:
    assert phrases.say("deep.er.key", "en") == "deeper"
    assert phrases.items("cues.x", "ru") == ("раз", "два")


@pytest.mark.parametrize("key", ["nothing", "cues.x", "deep"])
def test_a_missing_text_says_where_to_add_it(phrases: Phrases, key: str) -> None:
    with pytest.raises(PhraseFault, match=r"ru\.toml") as fault:
        phrases.say(key, "ru")
    assert fault.value.remedy


@pytest.mark.parametrize(
    ("key", "value"),
    [("goods", None), ("goods", "много"), ("sum", float("nan")), ("day", 5), ("several", "а")],
)
def test_a_missing_or_wrong_fact_is_named(phrases: Phrases, key: str, value: object) -> None:
    with pytest.raises(PhraseFault, match=r"'n'|n="):
        phrases.say(key, "ru", n=value)


@pytest.mark.parametrize(
    "text",
    [
        'x = "{n:plural товар|товара}"',
        'x = "{n:colour}"',
        'x = "{n"',
        'x = "{}"',
        "x = 5",
        'x = "',
    ],
)
def test_a_badly_written_text_is_refused_at_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(PhraseFault, match=r"ru\.toml"):
        written(tmp_path, text, "")


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhraseFault, match="absent"):
        Phrases(tmp_path)


def test_differences_between_the_languages_are_told(tmp_path: Path) -> None:
    both = written(tmp_path, 'a = "{x}"\nb = ""\nc = "{x}"', 'a = "{x:number}"\nc = "{x}"')
    assert [line.partition(":")[0] for line in both.differences()] == ["b", "a"]


def test_the_rooms_own_texts_have_the_same_keys_and_placeholders() -> None:
    assert PHRASES.differences() == []


@given(n=st.integers(min_value=0, max_value=10**9))
def test_any_count_can_be_said(n: int) -> None:
    for language in ("ru", "en"):
        said = PHRASES.say("orders.active", language, count=n, orders=["1"])
        assert "".join(c for c in said.partition(":")[0] if c.isdigit()) == str(n)
