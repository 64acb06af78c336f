"""The arithmetic of the benches on numbers whose answer is known."""

import pytest

from api.bench.figures import curve, fifths, quantile, slope, spread


def test_a_quantile_is_a_value_that_occurred() -> None:
    values = [float(n) for n in range(1, 101)]
    assert quantile(values, 0.95) == 95
    assert quantile(values, 0.5) == 50
    assert quantile(values, 1.0) == 100
    assert quantile([7.0], 0.95) == 7
    assert quantile([], 0.95) == 0


def test_a_spread_of_nothing_is_nothing() -> None:
    assert spread([]) == {}
    assert spread([3.0, 1.0, 2.0]) == {"p50": 2.0, "p95": 3.0, "max": 3.0}


def test_a_slope_is_the_rise_of_a_line_and_not_moved_by_noise_that_cancels() -> None:
    assert slope([(x, 2.5 * x + 7) for x in range(10)]) == pytest.approx(2.5)
    assert slope([(0, 1), (1, 3), (2, 1), (3, 3), (4, 1)]) == pytest.approx(0)


def test_a_slope_needs_two_different_moments() -> None:
    assert slope([]) == 0
    assert slope([(1, 5)]) == 0
    assert slope([(1, 5), (1, 9)]) == 0


def test_a_power_law_is_found_again() -> None:
    found = curve({n: 0.003 * n**1.4 for n in (1_000, 10_000, 100_000)})
    assert found is not None
    assert found.factor == pytest.approx(0.003)
    assert found.exponent == pytest.approx(1.4)
    assert found.tail == pytest.approx(1.4)
    assert found.at(1_000_000) == pytest.approx(0.003 * 1_000_000**1.4)


def test_an_estimate_follows_the_last_two_sizes_not_the_fixed_cost_of_the_first() -> None:
    found = curve({n: 10 + 0.001 * n for n in (1_000, 10_000, 100_000)})
    assert found is not None
    assert found.tail > found.exponent
    assert found.at(1_000_000) == pytest.approx(110 * (110 / 20))


def test_one_size_or_costs_of_nothing_have_no_curve() -> None:
    assert curve({1_000: 5.0}) is None
    assert curve({1_000: 0.0, 10_000: 4.0}) is None
    assert curve({}) is None


def test_the_first_and_the_last_fifth_are_never_empty_where_there_is_anything() -> None:
    assert fifths(list(range(10))) == ([0, 1], [8, 9])
    assert fifths([4.0]) == ([4.0], [4.0])
    assert fifths([]) == ([], ())
