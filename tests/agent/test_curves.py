"""Curves of a calibration, as numbers."""

from agent.curves import at_coverages, reliability, risk_coverage
from agent.promise import Case


def cases(*rows: tuple[float, bool]) -> list[Case]:
    return [Case(confidence=confidence, right=right) for confidence, right in rows]


def test_bins_are_equally_full_and_hold_every_answer_once() -> None:
    found = reliability(cases(*[(n / 23, n % 2 == 0) for n in range(23)]))
    assert [one.answers for one in found] == [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]
    assert [one.confidence for one in found] == sorted(one.confidence for one in found)


def test_fewer_answers_than_bins_and_none_at_all_are_no_fault() -> None:
    (one,) = reliability(cases((0.7, True)))
    assert (one.confidence, one.right, one.answers) == (0.7, 1.0, 1)
    assert reliability([]) == ()
    assert risk_coverage([]) == ()
    assert at_coverages(()) == ()


def test_risk_is_of_the_surest_answers_and_equal_ones_go_together() -> None:
    rows = risk_coverage(cases((0.9, True), (0.5, False), (0.9, False), (0.2, True)))
    assert [(row.coverage, row.risk, row.confidence) for row in rows] == [
        (0.5, 0.5, 0.9),
        (0.75, 0.6667, 0.5),
        (1.0, 0.5, 0.2),
    ]


def test_the_table_shows_each_tenth_once() -> None:
    rows = risk_coverage(cases(*[(1 - n / 100, n % 5 > 0) for n in range(100)]))
    shown = at_coverages(rows)
    assert [row.coverage for row in shown] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
