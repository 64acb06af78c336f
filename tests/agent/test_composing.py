"""Answers made of quotes: which sentences, in which order, and when there is no answer."""

import json
import random
from pathlib import Path

import bm25s
import pytest

from agent.composing import compose, pick
from agent.domain import Evidence
from agent.language import sentences, stems
from tools.context import Language


def passage(ref: str, text: str, *, title: str = "") -> Evidence:
    return Evidence(ref=ref, kind="passage", title=title, text=text)


ZOO = [
    passage(
        "tickets#1",
        "Взрослый билет стоит 700 ₽. Детский билет стоит 300 ₽. Дети до трёх лет проходят бесплатно. "
        "Билет действует один день.",
        title="Билеты › Цены",
    ),
    passage("hours#1", "Зоопарк открыт с 9:00 до 20:00. Кассы закрываются за час.", title="Часы работы"),
    passage(
        "pets#1",
        "С собаками входить нельзя. Это правило не касается собак-поводырей. Коляски разрешены.",
        title="Правила посещения",
    ),
    passage("hours.en#1", "The zoo is open from 9 am to 8 pm.", title="Opening hours"),
]


def texts(question: str, *, evidence: list[Evidence] | None = None, language: Language = "ru") -> list[str]:
    return [
        s.text for s in compose(question, ZOO if evidence is None else evidence, language=language).sentences
    ]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("сколько стоит детский билет", "Детский билет стоит 300 ₽."),
        ("Цена взрослого билета?", "Взрослый билет стоит 700 ₽."),
        ("до скольки открыт зоопарк", "Зоопарк открыт с 9:00 до 20:00."),
        ("можно ли с собакой", "С собаками входить нельзя."),
        ("ceolgjr ghj cj,frb vj;yj kb c cj,frjq", "С собаками входить нельзя."),
        ("skolko stoit detskiy bilet", "Детский билет стоит 300 ₽."),
    ],
)
def test_the_sentence_that_answers_is_quoted(question: str, first: str) -> None:
    assert first in texts(question)


def test_the_exception_follows_its_rule() -> None:
    found = texts("можно ли войти с собаками?")
    assert found[:2] == ["С собаками входить нельзя.", "Это правило не касается собак-поводырей."]


def test_a_sentence_that_leans_on_the_one_before_brings_it_along() -> None:
    evidence = [passage("a#1", "Абонемент действует год. Он стоит 5 000 ₽ для читателей бассейна.")]
    assert texts("сколько стоит для читателей бассейна", evidence=evidence) == [
        "Абонемент действует год.",
        "Он стоит 5 000 ₽ для читателей бассейна.",
    ]


def test_quotes_stand_in_the_order_of_their_passage_without_repetition() -> None:
    twice = [ZOO[0], passage("copy#1", "Детский билет стоит 300 ₽.", title="Копия")]
    found = compose("цены: взрослый билет и детский билет", twice, language="ru").sentences
    said = [s.text for s in found]
    assert said.index("Взрослый билет стоит 700 ₽.") < said.index("Детский билет стоит 300 ₽.")
    assert len(said) == len(set(said)) <= 4


def test_every_quote_is_a_sentence_of_the_passage_it_names() -> None:
    known = {item.ref: sentences(item.text) for item in ZOO}
    for question in ("сколько стоит билет", "часы работы", "собаки", "opening hours"):
        for quote in compose(question, ZOO, language="ru").sentences:
            assert quote.text in known[quote.refs[0]]


def test_how_to_do_a_thing_is_not_answered_by_where_it_cannot_be_done() -> None:
    evidence = [
        passage("swap#1", "Билеты, которые нельзя вернуть, обменять тоже нельзя.", title="Обмен билета"),
        passage("back#1", "Откройте заказ, нажмите «Вернуть», выберите билет.", title="Возврат билета"),
    ]
    assert texts("Как вернуть билет?", evidence=evidence)[0].startswith("Откройте заказ")
    assert texts("Можно ли вернуть билет после обмена?", evidence=evidence)[0].startswith(
        "Билеты, которые нельзя"
    )


def test_the_customers_language_is_preferred() -> None:
    assert texts("opening hours of the zoo", language="en") == ["The zoo is open from 9 am to 8 pm."]
    assert texts("opening hours", evidence=[ZOO[3]], language="ru") == ["The zoo is open from 9 am to 8 pm."]


@pytest.mark.parametrize(
    "question", ["какая погода завтра", "who is the president", "почём нынче нефть", "", "???"]
)
def test_nothing_fits_what_the_evidence_does_not_know(question: str) -> None:
    assert not compose(question, ZOO, language="ru").fits


def test_without_evidence_there_is_no_answer() -> None:
    assert compose("сколько стоит билет", [], language="ru").sentences == ()


def test_a_short_question_goes_on_with_what_was_asked_before() -> None:
    assert "Детский билет стоит 300 ₽." in [
        s.text
        for s in compose("а детский?", ZOO, language="ru", context="сколько стоит взрослый билет").sentences
    ]


def test_a_title_that_says_the_question_opens_its_text() -> None:
    evidence = [
        passage(
            "a#1",
            "Напишите нам заранее. Мы подтвердим день. Приходите к главному входу.",
            title="Как заказать экскурсию",
        ),
        ZOO[1],
    ]
    assert texts("как заказать экскурсию", evidence=evidence)[0] == "Напишите нам заранее."


def test_a_tools_sentences_are_picked_by_what_was_asked() -> None:
    told = ["Вас зовут Анна.", "Ваш город — Тверь.", "У вас 12 баллов."]
    assert pick("сколько у меня баллов", told, language="ru", most=3) == [2]
    assert pick("мой профиль", told, language="ru", most=2) == [0, 1]
    assert pick("", [], language="ru", most=2) == []


def test_the_first_sentence_of_a_result_stays_when_the_picked_one_lacks_the_date_asked_for() -> None:
    told = ["Посылка приедет 24 ноября.", "Курьер позвонит.", "Оплата картой."]
    assert pick("когда курьер", told, language="ru", most=3) == [0, 1]


@pytest.mark.heavy
@pytest.mark.evaldata
@pytest.mark.parametrize(("folder", "language"), [("kb_ru", "ru"), ("kb_en", "en")])
def test_quotes_hold_the_answer_in_public_data(evaldata: Path, folder: str, language: Language) -> None:
    passages = _rows(evaldata / folder / "xquad.passages.jsonl")
    asked = random.Random(7).sample(_rows(evaldata / folder / "xquad.questions.open.jsonl"), 150)
    ranking = bm25s.BM25()
    ranking.index([stems(f"{p['title']} {p['text']}") for p in passages], show_progress=False)
    held = 0
    for row in asked:
        ids, _ = ranking.retrieve([stems(row["question"])], k=6, show_progress=False)
        evidence = [
            passage(passages[i]["id"], passages[i]["text"], title=passages[i]["title"]) for i in ids[0]
        ]
        said = " ".join(s.text for s in compose(row["question"], evidence, language=language).sentences)
        answers = [row["answer"]] if isinstance(row["answer"], str) else row["answer"]
        held += any(answer.lower() in said.lower() for answer in answers)
    assert held / len(asked) >= 0.85


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("asked", "language", "told"),
    [
        ("Что в заказе 1045?", "ru", "В заказе 1045 2 товара: «Дозор 900» × 1 и чехол × 1."),
        ("И что в нём?", "ru", "В заказе 1045 2 товара: «Дозор 900» × 1 и чехол × 1."),
        ("What's in order 1045?", "en", "Order 1045 has 2 items: Dozor 900 × 1 and holster × 1."),
        ("And what is in it?", "en", "Order 1045 has 2 items: Dozor 900 × 1 and holster × 1."),
    ],
)
def test_asked_what_an_order_holds_its_goods_are_told(asked: str, language: Language, told: str) -> None:
    way = {"ru": "Заказ 1045 в пути, ждём его 1 декабря.", "en": "Order 1045 is on its way to the city."}
    sentences = [way[language], told]
    assert [sentences[n] for n in pick(asked, sentences, language=language, most=2)] == [told]
