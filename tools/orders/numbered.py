"""Which order of a system that numbers in its own way a customer's number means. Pure.

Customers write digits and at most a letter after a dash: “12” is SO-00012 too, when no other order of theirs ends so.
"""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from tools.context import OrderId

T = TypeVar("T")

LONGEST = 64
_TAIL = re.compile(r"0*(\d+(?:-[^\W\d_])?)$")
_LATIN = str.maketrans("АВСЕНКМОРТХУ", "ABCEHKMOPTXY")
"""A canonical number has Cyrillic letters; a system's may have the Latin ones that look the same."""


def spellings(order_id: OrderId) -> tuple[str, ...]:
    """Return the number as it is, and with Latin letters."""
    return tuple(dict.fromkeys((order_id, order_id.translate(_LATIN))))


def tails(order_id: OrderId) -> tuple[str, ...]:
    """Return how a number ends that means this one, in both alphabets; none for one without an end."""
    tail = _tail(order_id)
    return tuple(dict.fromkeys((tail, tail.translate(_LATIN)))) if tail else ()


def meant(order_id: OrderId, orders: Iterable[T], *, number: Callable[[T], str]) -> T | None:
    """Return the one order that is meant: by the number itself, by one that looks the same, by its end alone."""
    known = list(orders)
    written, tail = spellings(order_id), _tail(order_id)
    for chosen in (
        [one for one in known if number(one) == order_id],
        [one for one in known if number(one) in written],
        [one for one in known if tail and _alike(number(one), tail)],
    ):
        if len(chosen) == 1:
            return chosen[0]
    return None


def _alike(number: str, tail: str) -> bool:
    return _tail(number).translate(_LATIN) == tail.translate(_LATIN)


def _tail(number: str) -> str:
    """Return the number without what a sequence puts before it, "00012" and "SO-12" as "12"; "" if it has no end."""
    found = _TAIL.search(number)
    return found[1] if found else ""
