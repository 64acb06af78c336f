"""The calculator of the retail benchmark: sums in digits, nothing else."""

import pytest

from evals.tau.domain import Refused
from evals.tau.retail.sums import calculated


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("3131.1 + 4777.75", "7908.85"),
        (" (1+2)*-3/4", "-2.25"),
        ("2**3", "8.0"),
        ("7//2", "3.0"),
        ("+1", "1.0"),
    ],
)
def test_sums_are_rounded_to_cents(expression: str, value: str) -> None:
    assert calculated(expression) == value


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("__import__('os')", "ValueError: Invalid characters in expression"),
        ("1" * 1001, "ValueError: Invalid characters in expression"),
        ("1/0", "ZeroDivisionError: division by zero"),
        ("1+", "SyntaxError: invalid syntax (<string>, line 1)"),
        ("9**9**9**9", "OverflowError: the power is too high"),
        ("1(2)", "TypeError: not a sum"),
    ],
)
def test_what_is_no_sum_is_refused(expression: str, error: str) -> None:
    with pytest.raises(Refused) as wrong:
        calculated(expression)
    assert str(wrong.value) == error
