"""Whether the next model call still fits what the company wants to spend. Pure."""

from collections.abc import Iterable
from typing import Literal, get_args

from agent.pack import Caps
from agent.spending import Account, Spent

Budget = Literal[
    "budget_turn_tokens",
    "budget_turn_usd",
    "budget_conversation_tokens",
    "budget_conversation_usd",
    "budget_day_tokens",
    "budget_day_usd",
]


def spent(reasons: Iterable[str]) -> bool:
    """Return whether a better model was not asked because a budget is used up; `reasons` are `Draft.withheld`."""
    return not set(get_args(Budget)).isdisjoint(reasons)


def over(caps: Caps, account: Account, *, tokens: int, usd: float) -> Budget | None:
    """Return the first budget that a call of so many tokens and dollars would break, None when it fits.

    The whole call is counted before it is made, its longest possible answer included: a cap that is found
    broken afterwards is no cap.
    """
    spans: tuple[tuple[Spent, int, float, Budget, Budget], ...] = (
        (account.turn, caps.tokens_per_turn, caps.usd_per_turn, "budget_turn_tokens", "budget_turn_usd"),
        (
            account.conversation,
            caps.tokens_per_conversation,
            caps.usd_per_conversation,
            "budget_conversation_tokens",
            "budget_conversation_usd",
        ),
        (account.day, caps.tokens_per_day, caps.usd_per_day, "budget_day_tokens", "budget_day_usd"),
    )
    for spent, most_tokens, most_usd, by_tokens, by_usd in spans:
        if spent.tokens + tokens > most_tokens:
            return by_tokens
        if usd > 0 and spent.usd + usd > most_usd:
            return by_usd
    return None
