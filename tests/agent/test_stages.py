"""Where the time of a turn goes: the stages are all of it, each moment once."""

from collections.abc import Callable
from functools import partial

from agent.stages import STAGES, Watch, outside_model, totalled


def clock(*seconds: float) -> Callable[[], float]:
    return partial(next, iter(seconds))


def test_the_stages_of_a_turn_sum_to_its_total_and_a_stage_passed_twice_is_added_up() -> None:
    watch = Watch(waited=4.0, clock=clock(1.0, 1.25, 1.5, 2.0, 2.25))
    for stage in ("situation", "decide", "retrieval", "decide"):
        watch.end(stage)
    assert watch.ms() == {"queue": 4.0, "situation": 250, "decide": 500, "retrieval": 500, "total": 1254.0}
    assert set(watch.ms()) - {"total"} <= set(STAGES)


def test_parts_of_a_stage_belong_to_others_and_are_not_counted_twice() -> None:
    watch = Watch(clock=clock(0.0, 1.0))
    watch.end("writer", model=700.0, tools=100.0)
    assert watch.ms() == {"model": 700.0, "tools": 100.0, "writer": 200.0, "total": 1000.0}


def test_parts_that_claim_more_than_there_was_get_what_there_was() -> None:
    watch = Watch(clock=clock(0.0, 1.0))
    watch.end("writer", model=60_000.0, tools=60_000.0)
    assert watch.ms() == {"model": 1000.0, "total": 1000.0}


def test_what_is_no_stage_is_kept_and_not_in_the_total() -> None:
    told = totalled(
        {"retrieval": 10.004, "model": 200.0, "first_sentence": 190.0, "total": 1.0, "commit": 5.5}
    )
    assert told == {"retrieval": 10.0, "model": 200.0, "first_sentence": 190.0, "commit": 5.5, "total": 215.5}


def test_waiting_for_the_model_is_outside_what_mayak_can_make_quicker() -> None:
    assert outside_model({"total": 260.0, "model": 200.0}) == 60.0
    assert outside_model({"total": 40.0}) == 40.0
    assert outside_model({}) == 0.0
