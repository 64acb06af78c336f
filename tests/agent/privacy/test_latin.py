"""Names in Latin letters, told by a fitted tagger."""

import pytest

from agent.privacy.latin import Weights, bits, fitted, latin_names, words_of


def names(text: str, weights: Weights | None = None) -> list[str]:
    return [text[span.start : span.end] for span in latin_names(text, weights=weights)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I spoke to Declan O'Connor yesterday", ["Declan O'Connor"]),
        ("Please deliver it to Nneka Okafor", ["Nneka Okafor"]),
        ("Ingrid's parcel and Mateo G. García's lamp", ["Ingrid", "Mateo G. García"]),
        ("ask Tobias van den Berg", ["Tobias van den Berg"]),
        ("my neighbour Mark von der Fonte and Karim al Rashid", ["Mark von der Fonte", "Karim al Rashid"]),
    ],
)
def test_names_of_many_countries_are_found_whole(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Where is my order?",
        "Do you deliver to London or Paris?",
        "I paid with Visa, the total is wrong",
        "The IKEA bulb is broken, refund please",
        "Мой заказ не пришёл",
        "can you help me with my account",
        "",
    ],
)
def test_ordinary_messages_name_nobody(text: str) -> None:
    assert names(text) == []


def test_words_keep_their_places_and_leave_other_letters_alone() -> None:
    text = "Анна said: Smith-Jones's, ok"
    assert [(word.text, text[word.start : word.end]) for word in words_of(text)] == [
        ("said", "said"),
        ("Smith-Jones", "Smith-Jones"),
        ("ok", "ok"),
    ]


def test_what_is_known_of_words_comes_from_the_weights() -> None:
    assert fitted().told("hannah") == "n"
    assert fitted().told("account") == "w"
    filled = bytearray(1 << 17)
    for place in bits("zorblax"):
        filled[place >> 3] |= 1 << (place & 7)
    assert Weights((), 0.0, 0.5, bytes(filled)).told("zorblax") == "n"
    assert Weights((), 0.0, 0.5).told("zorblax") == ""
