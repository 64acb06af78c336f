"""What an answer to a proposed change says: the rules behind the sets of answers in `evals/pairs`."""

import pytest

from agent.policy.assent import read, settles
from tests.agent.test_language import NEITHER, NO

CANCEL = "Отменить заказ 1051 на 2 590 ₽? Деньги вернутся на карту •• 4412."


@pytest.mark.parametrize("text", NEITHER)
def test_what_is_no_plain_answer_to_a_question_of_consent_confirms_no_change(text: str) -> None:
    assert read(text, to=CANCEL).kind != "yes"


@pytest.mark.parametrize("text", NO)
def test_a_plain_no_is_one_whatever_was_proposed(text: str) -> None:
    assert read(text, to=CANCEL).kind == "no"


@pytest.mark.parametrize(
    "text",
    [
        "да, но на другой адрес",
        "yes but keep the first item",
        "да?",
        "да, а сколько это стоит?",
        "",
        "👍",
        "да" * 900,
    ],
)
def test_a_yes_that_is_not_to_exactly_this_is_something_else(text: str) -> None:
    assert read(text, to=CANCEL).kind == "other"


def test_a_question_about_another_matter_stands_beside_a_yes() -> None:
    reply = read("Да, отменяйте. И ещё: вы работаете в субботу?", to=CANCEL)
    assert (reply.kind, reply.beside) == ("yes", True)


@pytest.mark.parametrize(
    "text", ["Да, отменяйте. Кстати, курьер был вежлив.", "Yes, go ahead. Also, the courier was kind."]
)
def test_a_word_about_something_else_stands_beside_a_yes(text: str) -> None:
    reply = read(text, to=CANCEL)
    assert (reply.kind, reply.beside) == ("yes", True)


@pytest.mark.parametrize("text", ["Да, отменяйте. Ещё заказ 1052.", "Yes, go ahead. Also 1052."])
def test_another_order_beside_a_yes_leaves_none(text: str) -> None:
    assert read(text, to=CANCEL).why == "of its own: 1052"


@pytest.mark.parametrize(
    ("text", "agrees"),
    [
        ("да, если вернёте сегодня", True),
        ("yes, if it is free", True),
        ("наверное да, если бесплатно", False),
        ("да, если бесплатно, хотя сомневаюсь", False),
        ("maybe yes, if it is free", False),
        ("да, если отмените и 1052", False),
    ],
)
def test_a_yes_on_a_condition_is_told_from_a_doubt_on_one(text: str, agrees: bool) -> None:
    reply = read(text, to=CANCEL)
    assert (reply.kind, reply.why, reply.conditional) == ("other", "held back: condition", agrees)


def test_a_code_the_proposal_does_not_hold_is_the_answers_own() -> None:
    assert read("Да, отмените 1052", to=CANCEL).why == "of its own: 1052"
    assert read("Да, отмените 1052", to=CANCEL, known=("1052",)).kind == "yes"


def test_another_thing_is_none_when_the_proposal_calls_it_so() -> None:
    to = "Списать разницу с другой карты, •• 7001?"
    assert read("да, с другой карты", to=to).kind == "yes"
    assert read("да, с другой карты", to=CANCEL).kind == "other"


def test_a_slip_that_is_another_word_is_not_put_right() -> None:
    assert read("yes, the black one", to="Send it back?").kind == "other"
    assert read("да, офрмляйте", to=CANCEL).kind == "yes"


def test_the_option_is_the_one_that_is_named() -> None:
    to = "1. пятница, 10:00\n2. суббота, 14:00\nКакой вариант выбираете?"
    assert read("давайте второй вариант", to=to, options=2).pick == 2
    assert read("да", to=to, options=2).kind == "other"
    assert read("давайте третий", to=to, options=2).kind == "other"


@pytest.mark.parametrize(
    "text", ["да, отменяйте заказ 1051", "Yes, please proceed with the exchange", "нет, не надо"]
)
def test_what_may_settle_a_proposal_is_known_without_it(text: str) -> None:
    assert settles(text)


@pytest.mark.parametrize("text", ["а сколько стоит доставка?", "где мой заказ", "yes, but when?"])
def test_what_settles_nothing_is_known_without_a_proposal(text: str) -> None:
    assert not settles(text)
