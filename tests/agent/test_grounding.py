"""Which sentences may leave: labelled pairs of evidence and sentence, and the rules one by one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent import lexicon
from agent.domain import Evidence, Sentence
from agent.grounding import Verdict, verify
from knowledge.text.quantities import Quantity, agree, quantities

PAIRS_FILE = Path(__file__).parents[2] / "evals" / "pairs" / "grounding_first.jsonl"
PAIRS = [json.loads(line) for line in PAIRS_FILE.read_text("utf-8").splitlines()]


def passage(text: str, *, ref: str = "d#1", title: str = "") -> Evidence:
    return Evidence(ref=ref, kind="passage", title=title, text=text, document=ref.split("#")[0])


def judge(sentence: str, *evidence: Evidence, refs: tuple[str, ...] = ("d#1",), **more: Any) -> Verdict:
    return verify(Sentence(text=sentence, refs=refs), {item.ref: item for item in evidence}, **more)


def figures(pairs: list[dict[str, Any]]) -> tuple[float, int]:
    """F1 of "may leave", and how many contradicted sentences may."""
    passed = [(judge(p["sentence"], passage(p["evidence"], title=p["title"])).ok, p["label"]) for p in pairs]
    right = sum(ok and label == "supported" for ok, label in passed)
    wrong = sum(ok and label != "supported" for ok, label in passed)
    missed = sum(not ok and label == "supported" for ok, label in passed)
    return 2 * right / (2 * right + wrong + missed), sum(
        ok and label == "contradicted" for ok, label in passed
    )


def test_the_pairs_are_many_of_each_kind_and_language() -> None:
    assert len(PAIRS) >= 120
    for language in ("ru", "en"):
        for label in ("supported", "contradicted", "unsupported"):
            assert sum(p["language"] == language and p["label"] == label for p in PAIRS) >= 12


@pytest.mark.parametrize("language", ["ru", "en"])
def test_labelled_pairs_are_told_apart(language: str) -> None:
    f1, contradicted = figures([pair for pair in PAIRS if pair["language"] == language])
    assert f1 >= 0.95
    assert contradicted <= 3


RULES = passage(
    "Вернуть товар можно за 14 дней. Для возврата нужен чек. Лампочки вернуть нельзя.", title="Возврат"
)


def test_an_exact_quote_passes_at_once_with_its_words_as_citation() -> None:
    verdict = judge("Вернуть товар можно за 14 дней", RULES)
    assert (verdict.ok, verdict.reason, verdict.score) == (True, "quoted", 1.0)
    (citation,) = verdict.citations
    assert (citation.document, citation.passage, citation.title) == ("d", "d#1", "Возврат")
    assert citation.quote == "Вернуть товар можно за 14 дней."


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("Скидка — 50 ₽.", "Скидка — 50 %."),
        ("Доставка стоит 290 €", "Доставка стоит 290 ₽."),
        ("Delivery costs 5 $.", "Delivery costs 5 €."),
        ("$5 is the price of delivery.", "€5 is the price of delivery."),
        ("5 °C и ниже лампе вредят.", "-5 °C и ниже лампе вредят."),
    ],
)
def test_a_sign_at_either_end_belongs_to_its_number(said: str, given: str) -> None:
    assert not judge(said, passage(given)).ok
    assert judge(given.rstrip("."), passage(given)).reason == "quoted"


def test_two_neighbouring_sentences_may_be_quoted_as_one() -> None:
    verdict = judge("Вернуть товар можно за 14 дней. Для возврата нужен чек.", RULES)
    assert verdict.reason == "quoted"
    assert verdict.citations[0].quote == "Вернуть товар можно за 14 дней. Для возврата нужен чек."


def test_half_a_sentence_that_loses_its_denial_is_no_quote() -> None:
    assert judge("Лампочки вернуть", passage("Лампочки вернуть нельзя.")).reason == "negation"


def test_a_row_of_a_table_may_be_quoted_as_it_is_composed() -> None:
    table = passage("| Город | Срок |\n|---|---|\n| Омск | 5 дней |")
    assert judge("Омск — срок: 5 дней.", table).reason == "quoted"


def test_without_a_reference_nothing_leaves() -> None:
    assert judge("Вернуть товар можно за 14 дней.", RULES, refs=()).reason == "no_reference"


def test_a_reference_that_names_nothing_is_refused_even_if_the_words_are_right() -> None:
    verdict = judge("Вернуть товар можно за 14 дней.", RULES, refs=("made#7",))
    assert (verdict.ok, verdict.reason) == (False, "unknown_reference")


def test_a_known_reference_beside_an_unknown_one_counts() -> None:
    assert judge("Вернуть товар можно за 14 дней.", RULES, refs=("made#7", "d#1")).ok


def test_a_sentence_is_rebound_to_the_evidence_that_has_it() -> None:
    other = passage("Самовывоз бесплатный, заказ ждёт 5 дней.", ref="pickup#1", title="Самовывоз")
    verdict = judge("Заказ ждёт 5 дней.", RULES, other)
    assert (verdict.ok, verdict.reason) == (True, "rebound")
    assert verdict.citations[0].passage == "pickup#1"


def test_a_sentence_that_contradicts_what_it_names_is_not_rebound_to_another_thing() -> None:
    one = passage("Гарантия на чайник — 1 год.", title="Чайник")
    other = passage(
        "Гарантия на прибор — 3 года. На чайник гарантия 3 года.", ref="fan#1", title="Вентилятор"
    )
    assert judge("Гарантия на чайник — 3 года.", one, other).reason == "number"


def test_one_sentence_may_join_two_pieces_of_evidence_and_cites_both() -> None:
    order = Evidence(
        ref="tool:order:1", kind="tool", title="order", text="Заказ 1051 ждёт в пункте на Лесной."
    )
    hours = passage("Пункт на Лесной работает до 21:00.", ref="points#3")
    verdict = judge(
        "Заказ 1051 ждёт в пункте на Лесной, он работает до 21:00.",
        order,
        hours,
        refs=("tool:order:1", "points#3"),
    )
    assert verdict.ok
    assert [citation.passage for citation in verdict.citations] == ["tool:order:1", "points#3"]


def test_the_model_may_not_add_only_or_always() -> None:
    evidence = passage("Оплатить можно картой.", title="Оплата")
    assert not judge("Оплатить можно только картой.", evidence).ok
    assert judge("Оплатить можно картой.", evidence).ok


def close(text: str, others: Sequence[str]) -> list[float]:
    """An encoder to which all talk of money, torches and returns is one matter, and the weather another."""
    strangers = {sentence for group in lexicon.background() for sentence in group}
    return [0.1 if text in strangers or other in strangers else 0.95 for other in others]


def test_an_encoder_that_finds_everything_close_carries_nothing() -> None:
    evidence = passage("Деньги вернём на карту в течение 10 дней.")
    said = "Средства поступят обратно за 10 дней."
    assert judge(said, evidence, similarity=close).ok
    assert not judge(said, evidence, similarity=lambda _, others: [0.97] * len(others)).ok


def test_similarity_carries_other_words_but_never_other_numbers() -> None:
    evidence = passage("Деньги вернём на карту в течение 10 дней.")
    said = "Средства поступят обратно за 10 дней."
    assert not judge(said, evidence).ok
    assert judge(said, evidence, similarity=close).ok
    assert not judge("Средства поступят обратно за 12 дней.", evidence, similarity=close).ok
    assert not judge("Средства не поступят обратно за 10 дней.", evidence, similarity=close).ok


def test_a_translation_needs_similarity_and_the_same_numbers_and_codes() -> None:
    evidence = passage("Фонарь FN-310 светит на 250 метров.", title="FN-310")

    assert not judge("The FN-310 torch shines 250 metres.", evidence).ok
    assert judge("The FN-310 torch shines 250 metres.", evidence, similarity=close).ok
    assert not judge("The FN-310 torch shines 350 metres.", evidence, similarity=close).ok
    assert not judge("The FN-301 torch shines 250 metres.", evidence, similarity=close).ok
    assert not judge("The FN-310 torch does not shine 250 metres.", evidence, similarity=close).ok


def test_empty_evidence_and_odd_sentences_are_unsupported_not_errors() -> None:
    for sentence in ("", "…", "👍", "Да.", "7", "ой" * 3000):
        assert judge(sentence, passage("")).reason == "unsupported"
        assert not judge(sentence, RULES).ok


SAME = [
    ("4 290 ₽", "4290 руб."),
    ("4 290 ₽", "RUB 4,290"),
    ("1,5 кг", "1.5 kg"),
    ("24 ноября", "24.11"),
    ("24 ноября 2026 года", "November 24, 2026"),
    ("24.11.2026", "2026-11-24"),
    ("с 9 до 21", "с 9:00 до 21:00"),
    ("from 9 am to 9 pm", "с 9:00 до 21:00"),
    ("две недели", "2 weeks"),
    ("двухлетняя", "2 года"),
    ("14-дневный", "14 days"),
    ("8 (800) 555-01-02", "+7 800 555 01 02"),
    ("1045-А", "1045-A"),
    ("5 тыс. руб.", "5 000 ₽"),
    ("3–5 дней", "от 3 до 5 дней"),
    ("не более 20 кг", "до 20 кг"),
    ("в субботу", "on Saturdays"),
    ("10 %", "10 percent"),
]
DIFFERENT = [
    ("14 дней", "14 недель"),
    ("10 %", "10 ₽"),
    ("не более 20 кг", "более 20 кг"),
    ("до 18:00", "после 18:00"),
    ("24 ноября 2026", "24 ноября 2025"),
    ("1045-А", "1045-Б"),
    ("9 am", "9 pm"),
    ("в субботу", "в воскресенье"),
    ("1 500 ₽", "15 000 ₽"),
    ("555-01-02 доб. 7", "555-01-02 доб. 8"),
]


@pytest.mark.parametrize(("said", "given"), SAME)
def test_one_quantity_written_in_two_ways_agrees(said: str, given: str) -> None:
    assert _all_agree(said, given)
    assert _all_agree(given, said)


@pytest.mark.parametrize(("said", "given"), DIFFERENT)
def test_two_quantities_that_look_alike_do_not(said: str, given: str) -> None:
    assert not _all_agree(said, given)


def _all_agree(said: str, given: str) -> bool:
    found: tuple[Quantity, ...] = quantities(said)
    assert found, said
    return all(any(agree(one, other) for other in quantities(given)) for one in found)


@pytest.mark.parametrize(
    ("said", "evidence"),
    [
        ("Налобный фонарь не боится дождя.", "Если класса нет, фонарь боится даже дождя."),
        ("Заказ придёт 28 ноября.", "Заказ задерживается: придёт 2 декабря вместо 28 ноября."),
        ("Аренда стоит 99 ₽ в год.", "Аренда стоит 99 ₽ в месяц."),
        ("Заказ уже доставлен.", "Доставка заказа — 3 декабря."),
        ("Доставка по городу бесплатная.", "Доставка по городу — от 200 ₽."),
        ("За отзыв без фото — 100 бонусов.", "За отзыв с фото — 100 бонусов, за отзыв без фото — 50."),
    ],
)
def test_what_sounds_alike_but_says_otherwise_stays_inside(said: str, evidence: str) -> None:
    assert not judge(said, passage(evidence)).ok


def test_a_translation_with_other_names_is_refused() -> None:
    evidence = passage("В Пермь заказ едет 5–8 рабочих дней.")
    assert judge("An order to Perm takes 5–8 business days.", evidence, similarity=close).ok
    assert not judge("An order to Omsk takes 5–8 business days.", evidence, similarity=close).ok
