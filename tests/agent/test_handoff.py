"""Who holds the conversation."""

from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as some

from agent.domain import Holder
from agent.handoff import TABLE, Event, NotPossible, step

EVENTS: tuple[Event, ...] = get_args(Event)


@given(some.lists(some.sampled_from(EVENTS), max_size=40))
def test_a_conversation_always_has_exactly_one_holder(events: list[Event]) -> None:
    holder: Holder = "ai"
    for event in events:
        with suppress(NotPossible):
            holder = step(holder, event)
        assert holder in get_args(Holder)


def test_the_table_covers_every_holder() -> None:
    assert set(TABLE) == set(get_args(Holder))


def test_what_does_not_fit_is_refused_with_a_remedy() -> None:
    with pytest.raises(NotPossible) as refused:
        step("ai", "return")
    assert refused.value.remedy


@pytest.mark.parametrize("holder", get_args(Holder))
def test_a_person_can_always_take_over(holder: Holder) -> None:
    assert step(holder, "claim") == "person"


def test_the_ai_speaks_again_only_after_a_return_a_choice_or_a_closed_case() -> None:
    to_ai = {(h, e) for h, row in TABLE.items() for e, after in row.items() if after == "ai" and h != "ai"}
    assert to_ai == {
        ("queued", "return"),
        ("queued", "ai_resume"),
        ("person", "return"),
        ("closed", "customer_writes"),
    }


def test_a_closed_case_does_not_loop_into_the_queue_by_itself() -> None:
    assert step(step("person", "close"), "customer_writes") == "ai"
