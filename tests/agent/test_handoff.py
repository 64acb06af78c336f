"""Who holds the conversation: the table, its drawing, and what may never be in it."""

from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as some

import agent.handoff
from agent.domain import Holder, Reason, Stage
from agent.handoff import CLOCKED, OWNER, TABLE, TIMED, Cause, Event, NotPossible, step

EVENTS: tuple[Event, ...] = get_args(Event)
STAGES: tuple[Stage, ...] = get_args(Stage)


def drawn() -> tuple[list[str], list[list[str]]]:
    """The heads and the rows of the table in the docstring."""
    lines = [line for line in (agent.handoff.__doc__ or "").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return cells[0], cells[2:]


def test_the_drawing_is_the_table() -> None:
    heads, rows = drawn()
    assert heads == ["stage", "owner", *heads[2:]]
    assert set(heads[2:]) == set(EVENTS)
    assert [row[0] for row in rows] == list(STAGES)
    for stage, owner, *after in rows:
        assert OWNER[stage] == owner  # type: ignore[index]
        told = {event: cell for event, cell in zip(heads[2:], after, strict=True) if cell != "–"}
        assert TABLE[stage] == told  # type: ignore[index]


def test_every_stage_has_exactly_one_owner_and_every_owner_a_stage() -> None:
    assert set(TABLE) == set(OWNER) == set(STAGES)
    assert set(OWNER.values()) == set(get_args(Holder))


@given(some.lists(some.sampled_from(EVENTS), max_size=40))
def test_no_order_of_events_leaves_the_table(events: list[Event]) -> None:
    stage: Stage = "ai"
    for event in events:
        with suppress(NotPossible):
            stage = step(stage, event)
        assert stage in STAGES


def test_what_does_not_fit_is_refused_with_a_remedy() -> None:
    with pytest.raises(NotPossible) as refused:
        step("ai", "return")
    assert refused.value.remedy


@pytest.mark.parametrize("stage", STAGES)
def test_a_person_can_always_come_and_anybody_can_always_be_sent_for_one(stage: Stage) -> None:
    assert step(stage, "claim") == "person"
    assert OWNER[step(stage, "ask_person")] in ("queued", "person")


@pytest.mark.parametrize("stage", STAGES)
def test_a_crash_moves_nothing(stage: Stage) -> None:
    assert step(stage, "crash") == stage


def test_the_ai_speaks_again_only_after_a_return_a_choice_or_a_closed_case() -> None:
    silent = {stage for stage in STAGES if OWNER[stage] != "ai"}
    to_ai = {(s, e) for s in silent for e, after in TABLE[s].items() if OWNER[after] == "ai"}
    assert to_ai == {
        ("queued", "return"),
        ("queued", "ai_resume"),
        ("person", "return"),
        ("snoozed", "return"),
        ("closed", "customer_writes"),
    }


@pytest.mark.parametrize("stage", ["returned", "closed"])
def test_what_was_given_back_or_closed_does_not_go_to_the_queue_by_itself(stage: Stage) -> None:
    by_itself: tuple[Event, ...] = (*sorted(CLOCKED), "customer_writes", "customer_leaves", "crash")
    for event in by_itself:
        with suppress(NotPossible):
            assert step(stage, event) not in TIMED


def test_whoever_is_let_wait_in_a_stage_has_a_clock_that_leads_on() -> None:
    assert {stage for stage in STAGES if CLOCKED.intersection(TABLE[stage])} == TIMED
    assert step("queued", "not_accepted") == step("person", "not_answered") == "queued"


def test_a_call_for_a_person_is_written_down_with_its_own_reason() -> None:
    reasons, causes = get_args(Reason), [get_args(part) for part in get_args(Cause)]
    assert set(reasons) <= {code for part in causes for code in part} | set(get_args(Cause))
