"""When two questions are one: by rule, on questions none of which stands in the measured set."""

import pytest

from agent.sameness import Known, Limits, difference

RETURN = "Как вернуть налобный фонарь по почте?"
PARCEL = "How do I track a parcel in the app?"


def like(asked: str, known: str, *, close: float = 1.0) -> bool:
    return bool(Known([known]).like(asked, similarity=lambda text, others: [close for _ in others]))


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("как вернуть налобный фонарь по почте", RETURN),
        ("Добрый день! Подскажите, пожалуйста, как вернуть налобный фонарь по почте?", RETURN),
        ("налобный фонарь по почте как вернуть?", RETURN),
        ("Как по почте сделать возврат налобного фонаря?", RETURN),
        ("Как вернуть налобный фанарь по почте?", RETURN),
        ("rfr dthyenm yfkj,ysq ajyfhm gj gjxnt", RETURN),
        ("hi there, how can I track a parcel in the app", PARCEL),
        ("HOW DO I TRACK THE PARCEL IN THE APP???", PARCEL),
    ],
)
def test_another_wording_of_the_same_question_is_the_same(asked: str, known: str) -> None:
    assert like(asked, known)


@pytest.mark.parametrize(
    ("asked", "known", "why"),
    [
        ("Как вернуть налобный фонарь за 14 дней по почте?", RETURN, "number"),
        ("Почему вернуть налобный фонарь по почте?", RETURN, "asks"),
        ("Как не вернуть налобный фонарь по почте?", RETURN, "negation"),
        ("Как вернуть налобный фонарь по почте без чека?", RETURN, "condition"),
        ("Как вернуть налобный фонарь по почте, если он сломан?", RETURN, "condition"),
        ("Как вернуть мой налобный фонарь по почте?", RETURN, "own"),
        ("Как отправить фонарь с почты?", "Как отправить фонарь на почту?", "direction"),
        ("How do I track a parcel in the app before noon?", PARCEL, "condition"),
        ("How do I track my parcel in the app?", PARCEL, "own"),
        ("How do I track parcel 1045 in the app?", PARCEL, "number"),
    ],
)
def test_what_turns_a_question_into_another_one_is_named(asked: str, known: str, why: str) -> None:
    assert difference(asked, known).apart == why
    assert not like(asked, known)


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("Как вернуть садовый фонарь по почте?", RETURN),
        ("Как вернуть фонарь по почте?", RETURN),
        ("Как вернуть налобный фонарь по почте и получить деньги?", RETURN),
        ("How do I track a courier in the app?", PARCEL),
        ("How do I track a parcel?", PARCEL),
        ("Где лента?", "Где рента?"),
    ],
)
def test_another_thing_a_wider_and_a_narrower_question_are_others(asked: str, known: str) -> None:
    assert not like(asked, known)


def test_meaning_may_refuse_what_the_words_allow_and_never_the_other_way_round() -> None:
    assert not like("Как по почте сделать возврат налобного фонаря?", RETURN, close=0.0)
    assert not like("Как вернуть садовый фонарь по почте?", RETURN, close=1.0)


def test_a_word_or_two_and_a_statement_are_the_same_only_word_for_word() -> None:
    assert like("доставка", "Доставка?")
    assert not like("доставки", "Доставка?")
    assert like("Карта не работает", "Карта не работает?")
    assert not like("Не работает у меня карта", "Карта не работает?")


def test_nothing_asked_is_like_nothing_known() -> None:
    assert Known(["", "Как вернуть фонарь по почте?"]).like("") == []
    assert Known([]).like("Как вернуть фонарь по почте?") == []


def test_word_for_word_goes_before_what_is_only_near() -> None:
    known = Known(["Как по почте вернуть налобный фонарь?", RETURN])
    loose = Limits(extra=5.0, missing=5.0, close=0.0)
    assert known.like(RETURN, within=loose) == [1]
