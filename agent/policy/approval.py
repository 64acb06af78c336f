"""What a customer's own yes is not enough for: changes above the company's limits wait for a person. Pure.

```
amount      the most money the change is about: the order's total, a refund, a surcharge
per_day     changes of this customer in the last 24 hours, this one included
order_age   days since the order was placed
```
A figure that cannot be read, or is in another currency than the limit, is above it; a change without one (an address kept in a profile) is not.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal

from agent.terms import WriteLimits
from tools.proposal import Fact

Over = Literal["amount", "per_day", "order_age"]
DAY = timedelta(hours=24)
MONEY = ("total", "refund", "charge", "later", "difference")
"""Facts of a proposal that are money the change moves."""
WORTH = "worth"
"""The order's total, for changes that move no money."""
PLACED = "placed"


CURRENCY = "currency"


def above(
    facts: Mapping[str, Fact], *, limits: WriteLimits, done: int, today: date, currency: str = ""
) -> tuple[Over, ...]:
    """Return the limits the change is above, none when the customer's yes is enough.

    `facts` are the proposal's, amounts in major units; `done` counts what the customer changed since a day ago;
    `currency` is the company's, in which its limit is written.
    """
    found: list[Over] = []
    if limits.amount is not None and _amount(facts, currency=currency) > limits.amount:
        found.append("amount")
    if limits.per_day is not None and done >= limits.per_day:
        found.append("per_day")
    if limits.order_age_days is not None and _older(facts, days=limits.order_age_days, today=today):
        found.append("order_age")
    return tuple(found)


def since(now: datetime) -> datetime:
    """Return the moment from which changes count."""
    return now - DAY


def _amount(facts: Mapping[str, Fact], *, currency: str) -> Decimal:
    named = [name for name in MONEY if name in facts] or [name for name in (WORTH,) if name in facts]
    if named and currency and str(facts.get(CURRENCY) or currency) != currency:
        # Nobody here knows a rate, and 90 000 of one money may be little or much of another.
        return Decimal("Infinity")
    return max((abs(_decimal(facts[name])) for name in named), default=Decimal(0))


def _decimal(fact: Fact) -> Decimal:
    try:
        value = Decimal(str(fact))
    except InvalidOperation:
        return Decimal("Infinity")
    return value if value.is_finite() else Decimal("Infinity")


def _older(facts: Mapping[str, Fact], *, days: int, today: date) -> bool:
    if PLACED not in facts:
        return False
    try:
        placed = date.fromisoformat(str(facts[PLACED]))
    except ValueError:
        return True
    return today - placed > timedelta(days=days)
