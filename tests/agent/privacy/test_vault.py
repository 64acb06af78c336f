"""Placeholders: the same for the same person, exact on the way back, and closed to everybody else."""

import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.privacy.detect import Detector
from agent.privacy.vault import PLACEHOLDER, Masked, Opening, Vault

PIECES = st.sampled_from(
    [
        "Анна Петрова", "Анне Петровой", "8 916 123-45-67", "+79161234567", "ivan@mail.ru", "4276 1234 5678 9012", "[NAME_1]", "NAME_2",
        "[PHONE_1", "_1]", "заказ 1045", "ул. Ленина, д. 5, кв. 7", "\u200b", "John Smith", "112-233-445 95", "[TEXT_1]", "[", "]", "\n", "PHONE_",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=12), max_size=12).map(" ".join) | st.lists(PIECES, max_size=8).map(
    "".join
)


def vault() -> Vault:
    return Vault(Detector())


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_what_is_masked_comes_back_letter_for_letter(texts: list[str]) -> None:
    kept = vault()
    for text in texts:
        assert kept.mask(text).restored() == text


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_a_text_without_repeated_people_opens_to_itself(text: str) -> None:
    kept = vault()
    masked = kept.mask(text)
    placeholders = [found.group() for found in PLACEHOLDER.finditer(masked.text)]
    if len(set(placeholders)) == len(placeholders):
        assert kept.open(masked.text) == text


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.lists(st.integers(1, 6), min_size=1, max_size=20))
def test_an_answer_in_pieces_opens_like_the_whole(text: str, cuts: list[int]) -> None:
    kept = vault()
    masked = "x " + kept.mask(text).text + " \u00b7"
    opening, out, at = Opening(kept), "", 0
    for size in cuts * len(masked):
        out += opening(masked[at : at + size])
        at += size
    assert out == kept.open(masked)


def test_one_person_has_one_placeholder_in_every_case() -> None:
    kept = vault()
    assert kept.mask("Меня зовут Анна Петрова").text == "Меня зовут [NAME_1]"
    assert kept.mask("передайте Анне Петровой и Ивану Сидорову").text == "передайте [NAME_1] и [NAME_2]"
    assert kept.mask("это для Анны").text == "это для [NAME_1]"
    assert kept.open("[NAME_1] и [NAME_2]") == "Анна Петрова и Ивану Сидорову"


def test_who_is_named_more_fully_later_is_known_by_either_name() -> None:
    kept = vault()
    masked = kept.mask("Это Анна, тел. 8 916 123-45-67")
    assert masked.restored() == "Это Анна, тел. 8 916 123-45-67"
    assert kept.mask("на имя Анны Петровой").text == "на имя [NAME_1]"
    assert kept.mask("для Петровой Анны").text == "для [NAME_1]"
    assert kept.mask("для Елены Петровой").text == "для [NAME_2]"


def test_one_number_has_one_placeholder_however_it_is_written() -> None:
    kept = vault()
    assert kept.mask("8 (916) 123-45-67").text == kept.mask("+79161234567").text == "[PHONE_1]"
    assert kept.mask("Ivan@Mail.ru").text == kept.mask("ivan @ mail.ru").text == "[EMAIL_1]"


def test_a_first_name_that_two_people_share_is_nobody_of_them() -> None:
    kept = vault()
    kept.mask("Анна Петрова")
    kept.mask("Анна Сидорова")
    assert kept.mask("для Анны").text == "для [NAME_3]"
    assert kept.mask("снова для Анны").text == "снова для [NAME_3]", "whoever it is, it is one person"


def test_a_placeholder_somebody_writes_asks_for_nothing() -> None:
    kept = vault()
    kept.mask("Анна Петрова")
    asked = kept.mask("повтори [NAME_1] и [NAME_2]")
    assert asked.text == "повтори [TEXT_1] и [TEXT_2]"
    assert kept.open(asked.text) == "повтори [NAME_1] и [NAME_2]"


def test_only_values_of_this_vault_come_back() -> None:
    kept = vault()
    kept.mask("Анна Петрова")
    assert kept.open("[NAME_1], [NAME_2], [PHONE_1]") == "Анна Петрова, [NAME_2], [PHONE_1]"
    assert vault().open("[NAME_1]") == "[NAME_1]"


def test_values_keep_json_whole() -> None:
    kept = vault()
    kept.mask("живу: ул. Лесная, д. 61, кв. 5")
    kept._entries["address"][0].value = 'ул. "Лесная"\n61'
    assert json.loads(kept.open('{"text": "[ADDRESS_1]"}', in_json=True)) == {"text": 'ул. "Лесная"\n61'}


def test_arguments_are_opened_and_masked_at_any_depth() -> None:
    kept = vault()
    arguments = {"to": ["Анна Петрова", {"phone": "8 916 123-45-67"}], "n": 3, "none": None}
    masked = kept.masked(arguments)
    assert masked == {"to": ["[NAME_1]", {"phone": "[PHONE_1]"}], "n": 3, "none": None}
    assert kept.opened(masked) == arguments


def test_a_vault_shows_nothing_of_what_it_holds(caplog: pytest.LogCaptureFixture) -> None:
    kept = vault()
    masked: Masked = kept.mask("Анна Петрова, 8 916 123-45-67")
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").info("%r %s %r %r", kept, kept, masked, kept._entries)
    assert "Петров" not in caplog.text
    assert "916" not in caplog.text
