"""The circuit breaker of one provider: rest, one probe, and back."""

import pytest

from tools.breaker import LONGEST_REST, Breaker


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def test_two_failures_running_make_it_rest_and_an_answer_between_them_does_not(time: Time) -> None:
    breaker = Breaker(rest=30, clock=time)
    breaker.failed()
    breaker.passed()
    breaker.failed()
    assert breaker.state == "closed"
    breaker.failed()
    assert breaker.state == "open"
    assert not breaker.admit()
    assert breaker.seconds_left == 30


def test_after_the_rest_one_call_at_a_time_tries_whether_it_is_back(time: Time) -> None:
    breaker = Breaker(rest=30, clock=time)
    breaker.failed()
    breaker.failed()
    time.now += 30
    assert breaker.state == "half_open"
    assert breaker.admit()
    assert not breaker.admit(), "the others wait for the probe"
    breaker.passed()
    assert breaker.state == "closed"
    assert breaker.admit()


def test_a_probe_that_fails_doubles_the_rest_up_to_a_bound(time: Time) -> None:
    breaker = Breaker(rest=30, clock=time)
    breaker.failed()
    breaker.failed()
    rests = []
    for _ in range(8):
        time.now += breaker.seconds_left
        assert breaker.admit()
        breaker.failed()
        rests.append(breaker.seconds_left)
    assert rests == [60, 120, 240, 480, *[LONGEST_REST] * 4]


def test_a_provider_that_says_how_long_to_wait_is_left_alone_so_long_at_once(time: Time) -> None:
    breaker = Breaker(rest=30, clock=time)
    breaker.failed(wait=7)
    assert breaker.seconds_left == 7
    breaker.passed()
    breaker.failed(wait=1e9)
    assert breaker.seconds_left == LONGEST_REST


def test_a_probe_given_up_for_a_reason_of_our_own_makes_room_for_the_next(time: Time) -> None:
    breaker = Breaker(rest=30, clock=time)
    breaker.failed()
    breaker.failed()
    time.now += 30
    assert breaker.admit()
    breaker.cancelled()
    assert breaker.admit()
