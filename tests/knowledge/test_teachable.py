"""Which words of staff may become knowledge: a labelled set, and what is left of whole replies."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge.teachable import judged, teachable
from knowledge.types import Language

LABELLED: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("teachable.yaml").read_text("utf-8"))


def rows() -> list[tuple[Language, str, str]]:
    return [
        (language, "" if label == "keep" else label, said)
        for language, labels in LABELLED.items()
        for label, lines in labels.items()
        for said in lines
    ]


def verdict(said: str, language: Language) -> str:
    """Keep when any part may be knowledge, else why the first may not."""
    found = [one.why for one in judged(said, language=language)]
    return "" if "" in found else found[0]


def test_every_labelled_sentence_is_judged_as_labelled() -> None:
    wrong = [(said, label, got) for lang, label, said in rows() if (got := verdict(said, lang)) != label]
    assert wrong == []


def test_of_a_whole_reply_only_what_holds_for_everybody_is_left() -> None:
    reply = "•••, добрый день! Одну минуту. Подарочная упаковка стоит 90 рублей, пожалуйста. Ваш заказ приедет завтра."
    assert teachable([reply], language="ru") == "Подарочная упаковка стоит 90 рублей."
    assert teachable(["Hi •••, gift wrapping costs 90 rubles.", "Thanks!"], language="en") == (
        "Gift wrapping costs 90 rubles."
    )


def test_what_was_said_twice_is_kept_once_and_greetings_alone_teach_nothing() -> None:
    said = "Batteries are not included."
    assert teachable([said, f"Hello! {said}"], language="en") == said
    assert teachable(["Здравствуйте!", "Одну минуту", "Ваш заказ 1045-А уже едет."], language="ru") == ""


@pytest.mark.parametrize("said", ["", "   ", "•••", "!!!", "İİİ Здравствуйте İ", "а" * 5000])
def test_odd_texts_are_judged_without_trouble(said: str) -> None:
    for language in ("ru", "en"):
        judged(said, language=language)
