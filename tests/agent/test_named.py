"""A full name with a postcode: read where it is awaited, hidden from everybody else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.policy.meeting import Ways, ways
from agent.policy.named import Named, named_in, tries
from agent.policy.proof import discreet
from agent.terms import Identity
from tests.tools.shop import caller
from tools.contacts import HIDDEN


@pytest.mark.parametrize(
    ("text", "name", "postcode"),
    [
        ("Анна Соколова, 603073", "Анна Соколова", "603073"),
        ("анна соколова 603073", "анна соколова", "603073"),
        ("603073 Анна Соколова", "Анна Соколова", "603073"),
        ("Анна Соколова\n603073", "Анна Соколова", "603073"),
        ("Меня зовут Анна Соколова, индекс 603073.", "Анна Соколова", "603073"),
        ("Здравствуйте, я Анна Соколова, почтовый индекс 603 073", "Анна Соколова", "603073"),
        ("Соколова Анна Петровна 603073", "Соколова Анна Петровна", "603073"),
        ("Мамин-Сибиряк Дмитрий, ６０３０７３", "Мамин-Сибиряк Дмитрий", "603073"),
        ("My name is John Harper, zip code 90210", "John Harper", "90210"),
        ("John Harper 90210-1234", "John Harper", "90210-1234"),
        ("it's Mary O'Neill, postcode SW1A 1AA", "Mary O'Neill", "SW1A1AA"),
    ],
)
def test_a_name_and_a_postcode_are_read_and_hidden(text: str, name: str, postcode: str) -> None:
    assert named_in(text) == Named(name=name, postcode=postcode)
    assert discreet(text, "name") == HIDDEN


@pytest.mark.parametrize(
    ("text", "tried"),
    [
        ("603073", True),
        ("Анна 603073", True),
        ("индекс 603073", True),
        ("Анна Соколова", False),
        ("Анна Соколова 1051", False),
        ("Анна Соколова, 603073 или 603074", True),
        ("Анна Соколова 603073, дом 12", True),
        ("а сколько стоит доставка?", False),
        ("доставите по индексу 603073?", False),
        ("Анна Соколова живёт в Нижнем Новгороде уже давно, её индекс 603073", True),
        ("", False),
    ],
)
def test_anything_else_is_none_and_a_postcode_alone_was_meant_to_be_one(text: str, tried: bool) -> None:
    assert named_in(text) is None
    assert tries(text) is tried


def test_a_postcode_by_itself_is_hidden_too_and_an_order_number_is_not() -> None:
    assert discreet("Анна 603073", "name") == f"Анна {HIDDEN}"
    assert discreet("где заказ 1045-А?", "name") == "где заказ 1045-А?"
    assert discreet("anna@example.com", "name") == HIDDEN


def test_nothing_is_hidden_where_no_name_is_awaited() -> None:
    assert discreet("Анна Соколова, 603073", "") == "Анна Соколова, 603073"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    found = named_in(text)
    assert found is None or (found.name and found.postcode)
    assert isinstance(discreet(text, "name"), str)


FACTORS = (
    (("token",), "answer.sign_in", False, False),
    (("token", "code"), "answer.sign_in_or_code", True, False),
    (("code",), "answer.by_code", True, False),
    (("token", "name_postcode"), "answer.by_name_or_site", False, True),
    (("code", "name_postcode"), "answer.by_name", True, True),
)


@pytest.mark.parametrize(("factors", "key", "code", "name"), FACTORS)
def test_a_stranger_is_told_the_ways_their_company_counts(
    factors: tuple[str, ...], key: str, code: bool, name: bool
) -> None:
    found = ways(caller(None, assurance="anonymous"), Identity(factors=factors))  # type: ignore[arg-type]
    assert found == Ways(key=key, code=code, name=name)


def test_a_known_customer_is_never_asked_for_a_name() -> None:
    assert ways(caller(), Identity(factors=("name_postcode",))) == Ways(key="answer.sign_in")
    assert ways(caller(), Identity(factors=("code", "name_postcode"))) == Ways(
        key="answer.step_up", code=True
    )


def test_it_does_not_count_unless_a_company_says_so_and_proves_little_then() -> None:
    assert Identity().by_name is None
    counted = Identity(factors=("name_postcode",)).by_name
    assert counted is not None
    assert (counted.level, counted.failures) == ("channel", 5)
