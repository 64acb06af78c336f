"""The guard of changes: a yes to exactly what was proposed, and to nothing near it."""

from dataclasses import replace

import pytest

from agent.policy.confirmed import Change, Detail, Said, confirmed
from agent.policy.days import spoken_day

ORDER = Detail(name="order", ways=("1051",), rivals=("1052", "1053"), sort="thing", meant=("ваш заказ",))
MOVE = Change(
    name="move_delivery",
    action=("перен", "достав", "mov", "deliver"),
    details=(ORDER, Detail(name="day", ways=spoken_day("2026-12-04"), rivals=spoken_day("2026-12-05"))),
)
PROPOSED = "Перенести доставку заказа 1051 на 4 декабря?"


def talk(*lines: str) -> list[Said]:
    """Company first, customer next, and so on."""
    return [Said(author="customer" if n % 2 else "company", text=line) for n, line in enumerate(lines)]


@pytest.mark.parametrize(
    "text", ["да", "да, переносите", "подходит, давайте на 4 декабря", "Согласен. Спасибо!"]
)
def test_a_yes_to_the_proposal_confirms_it(text: str) -> None:
    assert confirmed(talk(PROPOSED, text), MOVE).confirmed


@pytest.mark.parametrize(
    "text", ["да, но на 5 декабря", "на 5 декабря", "да, 1052", "да?", "а почём?", "нет", "да, если утром"]
)
def test_anything_else_confirms_nothing(text: str) -> None:
    assert not confirmed(talk(PROPOSED, text), MOVE).confirmed


def test_changed_arguments_need_a_new_yes() -> None:
    other = replace(MOVE, details=(ORDER, Detail(name="day", ways=spoken_day("2026-12-05"))))
    assert confirmed(talk(PROPOSED, "да"), other).why == "day: never spoken of"
    swapped = replace(MOVE, details=(replace(ORDER, ways=("1052",), rivals=("1051",)), MOVE.details[1]))
    assert confirmed(talk(PROPOSED, "да"), swapped).why == "order: another one was spoken of"


def test_a_yes_before_the_proposal_is_none() -> None:
    early = [*talk("Найти ваш заказ?", "да"), Said(author="company", text=PROPOSED)]
    assert not confirmed(early, MOVE).confirmed
    assert confirmed([*early, Said(author="customer", text="да")], MOVE).confirmed


def test_a_yes_to_something_else_is_none() -> None:
    said = talk(PROPOSED, "а сколько это стоит?", "Бесплатно. Позвать сотрудника?", "да")
    assert not confirmed(said, MOVE).confirmed


def test_nothing_said_confirms_nothing() -> None:
    assert not confirmed([], MOVE).confirmed
    assert not confirmed([Said(author="company", text=PROPOSED)], MOVE).confirmed


def test_a_chosen_option_is_what_is_confirmed() -> None:
    offer = "Заказ 1051. Доставить можно:\n1) 4 декабря\n2) 5 декабря\nКакой вариант вам удобен?"
    assert confirmed(talk(offer, "давайте первый вариант"), MOVE).confirmed
    assert not confirmed(talk(offer, "давайте второй вариант"), MOVE).confirmed
    assert not confirmed(talk(offer, "да"), MOVE).confirmed


def test_a_day_among_others_to_choose_from_was_not_agreed_to() -> None:
    said = talk(
        "Какой день вам удобен: 4 декабря или после него?", "любой", "Перенести доставку заказа 1051?", "да"
    )
    assert confirmed(said, MOVE).why == "day: never spoken of"


def test_the_customers_own_word_for_another_day_outlives_a_vague_proposal() -> None:
    said = [
        Said(author="customer", text="Привезите 5 декабря"),
        *talk("Перенести доставку заказа 1051?", "да"),
    ]
    assert confirmed(said, MOVE).why == "day: the customer spoke of another one"


@pytest.mark.parametrize(
    ("told", "agreed"),
    [
        ("Change the cabin?\n- flight HAT271 on May 20: business\n- flight HAT197 on May 24: economy", False),
        ("Change the cabin?\n- flight HAT271 on May 20: economy\n- flight HAT197 on May 24: business", True),
        ("Change the cabin to business on HAT271 and HAT197?", True),
        ("Change the cabin to business?", True),
    ],
)
def test_what_is_told_with_another_flights_day_is_told_of_that_one(told: str, agreed: bool) -> None:
    cabin = Detail(
        name="cabin",
        ways=("business",),
        beside=("hat197", "may 24"),
        apart=("hat271", "may 20"),
    )
    change = Change(name="upgrade", action=("upgrad", "chang"), details=(cabin,))
    assert confirmed(talk(told, "yes"), change).confirmed is agreed


def test_of_several_things_only_the_one_asked_about_is_agreed_to() -> None:
    cancel = Change(name="cancel", action=("cancel",), details=(ORDER,))
    told = "Order 1052 cannot be cancelled.\nOrder 1051 can. Shall I cancel order 1051?"
    assert confirmed(talk(told, "yes please"), cancel).confirmed
    other = replace(cancel, details=(replace(ORDER, ways=("1052",), rivals=("1051", "1053")),))
    assert not confirmed(talk(told, "yes please"), other).confirmed


def test_things_listed_are_agreed_to_together() -> None:
    listed = "You have orders 1051 and 1052. Would you like to cancel both of these orders?"
    for id in ("1051", "1052"):
        one = Detail(name="order", ways=(id,), rivals=("1051", "1052", "1053"), sort="thing")
        one = replace(one, rivals=tuple(way for way in one.rivals if way != id))
        assert confirmed(
            talk(listed, "Yes, both."), Change(name="c", action=("cancel",), details=(one,))
        ).confirmed


def test_the_customers_own_order_counts_when_it_names_the_thing() -> None:
    cancel = Change(name="cancel", action=("cancel",), details=(ORDER,))
    told = "Order 1051 is being packed and can still be cancelled. Anything else?"
    assert confirmed(talk(told, "Cancel order 1051, please."), cancel).confirmed
    assert not confirmed(talk(told, "yes"), cancel).confirmed


def test_one_value_for_two_is_not_what_was_agreed() -> None:
    cabin = Detail(name="cabin", ways=("business",), rivals=("economy", "basic economy"))
    change = Change(name="upgrade", action=("upgrad",), details=(cabin,))
    assert confirmed(talk("Upgrade from economy to business?", "yes"), change).confirmed
    mixed = "Upgrade the first leg to business and remain in economy on the way back?"
    assert not confirmed(talk(mixed, "yes"), change).confirmed


def test_what_stays_need_not_be_told_but_nothing_else_may_be() -> None:
    stays = Detail(name="payment", ways=("4412",), rivals=("7001",), settled=True)
    change = replace(MOVE, details=(*MOVE.details, stays))
    assert confirmed(talk(PROPOSED, "да"), change).confirmed
    told = f"{PROPOSED} Доплата спишется с карты •• 7001."
    assert not confirmed(talk(told, "да"), change).confirmed


@pytest.mark.parametrize("way", ["4 декабря", "04.12.2026", "december 4", "dec 4", "2026-12-04", "12/04"])
def test_a_day_is_written_in_many_ways(way: str) -> None:
    assert way in spoken_day("2026-12-04")
