"""Which sentences of ours are pledges: a labelled set, half of it kept aside until the recogniser was finished."""

import tomllib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.due import Working, pledge_in
from agent.pack import load_pack
from agent.pledging import is_idle, is_pledge, pledged_by

PACK = load_pack(Path("demo"))
WORKING = Working(pack=PACK, department=PACK.default_department)
MOSCOW = ZoneInfo("Europe/Moscow")
TUESDAY = datetime(2026, 11, 24, 15, 0, tzinfo=MOSCOW)
LABELLED = tomllib.loads(Path(__file__).with_name("pledges.toml").read_text("utf-8"))


def told(language: str, *, aside: bool) -> tuple[float, float]:
    """Precision and recall on one half of the set."""
    labelled = [
        (is_pledge(sentence), kind == "pledge")
        for kind, said in LABELLED[language].items()
        for sentence in said[int(aside) :: 2]
    ]
    right = sum(found and meant for found, meant in labelled)
    return right / sum(found for found, _ in labelled), right / sum(meant for _, meant in labelled)


def test_the_set_is_large_enough_to_say_anything() -> None:
    assert sum(len(said) for kinds in LABELLED.values() for said in kinds.values()) >= 160
    assert all(len(said) >= 38 for kinds in LABELLED.values() for said in kinds.values())


@pytest.mark.parametrize("language", ["ru", "en"])
def test_pledges_are_told_from_rules_questions_conditions_and_the_past(language: str) -> None:
    precision, recall = told(language, aside=True)
    assert precision >= 0.95
    assert recall >= 0.95


@pytest.mark.parametrize(
    ("sentence", "by"),
    [
        ("Уточню и вернусь.", "one"),
        ("Обещаю узнать до вечера.", "one"),
        ("Не обещаю узнать до вечера.", None),
        ("С вами свяжется наш специалист.", "one"),
        ("С вами свяжется курьер.", None),
        ("Вам перезвонят завтра.", "one"),
        ("Ответим за один рабочий день.", "us"),
        ("Будем держать вас в курсе.", "us"),
        ("О переносе сообщаем, когда узнаем сами.", None),
        ("Мы проверим товар за свой счёт.", None),
        ("Сейчас проверим.", "us"),
        ("We'll let you know.", "us"),
        ("I'll refund the delivery.", "one"),
        ("I'll be happy to help.", None),
        ("I'll be back in an hour.", "one"),
        ("Уточню: это цоколь E27.", None),
        ("«Вернусь до 18:00», — написано в прошлом письме.", None),
        ("", None),
        ("Once you confirm, I'll check it and let you know.", None),
        ("Please provide the number, and I'll find out.", None),
        ("Пришлите фото, и я узнаю у мастера.", None),
        ("Когда пришлёте фото, узнаю у мастера.", None),
        ("Когда узнаю у мастера, напишу вам.", "one"),
        ("I will now proceed with the cancellation.", None),
        ("I have told my manager, they will give you a call.", "one"),
        ("Let me check your order first.", "one"),
    ],
)
def test_somebodys_pledge_is_told_from_what_the_company_pledges_to_all(sentence: str, by: str | None) -> None:
    assert pledged_by(sentence) == by


@pytest.mark.parametrize(
    ("sentence", "idle"),
    [
        ("Let me check your order first.", True),
        ("Please give me a moment.", True),
        ("Сейчас проверю ваш заказ.", True),
        ("Минуту, посмотрю.", True),
        ("Let me check and get back to you.", False),
        ("Сейчас проверю и напишу вам завтра.", False),
        ("Уточню у склада.", False),
    ],
)
def test_what_fills_the_time_is_told_from_what_is_promised(sentence: str, idle: bool) -> None:
    assert is_idle(sentence) is idle


def test_two_sentences_are_one_promise_with_the_time_that_is_named() -> None:
    found = pledge_in("Проверю на складе. Напишу вам до 18:00.", now=TUESDAY, language="ru", working=WORKING)
    assert found is not None
    assert (found.words, found.due, found.exact) == (
        "Напишу вам до 18:00.",
        TUESDAY.replace(hour=18),
        True,
    )


def test_a_message_that_promises_nothing_makes_no_record() -> None:
    said = "Заказ отправлен вчера. Приедет завтра до 18:00."
    assert pledge_in(said, now=TUESDAY, language="ru", working=WORKING) is None
