"""The promise about answers: a threshold only where the evidence carries it."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from agent.promise import Case, Promise, at_most, fewest, threshold

FIVE = Promise(at_most_wrong=0.05, confidence=0.9)


def cases(*marks: tuple[float, bool]) -> list[Case]:
    return [Case(confidence=confidence, right=right) for confidence, right in marks]


def test_the_tail_is_the_binomial_one() -> None:
    by_hand = sum(math.comb(20, k) * 0.05**k * 0.95 ** (20 - k) for k in range(3))
    assert at_most(2, of=20, chance=0.05) == pytest.approx(by_hand)
    assert at_most(20, of=20, chance=0.05) == 1.0
    assert at_most(0, of=45, chance=0.0) == 1.0


def test_too_few_answers_carry_no_promise_however_right_they_are() -> None:
    enough = fewest(FIVE)
    assert threshold(cases(*[(0.9, True)] * (enough - 1)), FIVE) is None
    assert threshold(cases(*[(0.9, True)] * enough), FIVE) == 0.9


def test_answers_below_the_threshold_are_those_that_go_wrong() -> None:
    sure = [(0.9 - n / 10_000, n % 100 != 50) for n in range(300)]
    unsure = [(0.4 - n / 10_000, n % 2 == 0) for n in range(200)]
    found = threshold(cases(*sure, *unsure), FIVE)
    assert found is not None
    assert 0.35 < found < 0.9


def test_a_wrong_answer_among_the_surest_few_does_not_end_everything() -> None:
    ordered = [(0.99, False), *((0.9 - n / 10_000, True) for n in range(400))]
    found = threshold(cases(*ordered), FIVE)
    assert found is not None
    assert sum(confidence >= found for confidence, _ in ordered) > 300


def test_a_harder_promise_never_sends_more() -> None:
    drawn = random.Random(3)
    judged = cases(*((p, drawn.random() < p) for p in (drawn.random() ** 0.2 for _ in range(800))))
    lax, strict = (threshold(judged, Promise(at_most_wrong=share, confidence=0.9)) for share in (0.2, 0.1))
    assert lax is not None
    assert strict is None or strict >= lax


def test_the_promise_holds_about_as_often_as_it_says() -> None:
    """Of many companies with answers drawn from one law, at most one in ten may break the promise."""
    drawn, broken, promised = random.Random(7), 0, Promise(at_most_wrong=0.1, confidence=0.9)
    rounds = 200
    for _ in range(rounds):
        seen = cases(*((p, drawn.random() < p) for p in (0.7 + 0.3 * drawn.random() for _ in range(300))))
        found = threshold(seen, promised)
        # Of confidences spread evenly over found…1 the mean share wrong is half of what is missing to 1.
        broken += found is not None and (1 - found) / 2 > promised.at_most_wrong
    assert broken / rounds <= 0.1


@given(some.lists(some.tuples(some.floats(0, 1), some.booleans()), max_size=120))
def test_the_threshold_is_a_confidence_that_occurred(marks: list[tuple[float, bool]]) -> None:
    found = threshold(cases(*marks), FIVE)
    assert found is None or found in {confidence for confidence, _ in marks}
