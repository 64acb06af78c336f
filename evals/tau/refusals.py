"""A refusal that says about what: `Turned`, and tool bodies that tell it in the customer's words."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tools.answer import Answer
from tools.errors import Rejected
from tools.phrases import Phrases
from tools.proposal import Fact


class Turned(Rejected):
    """The business refuses: `reason` has a text under `fault.rejected`, `about` fills it.

    Never raised for what is somebody else's: that is `NotFound`, or a reason that fits the absent as well.
    """

    def __init__(self, reason: str, **about: Fact) -> None:
        super().__init__(reason)
        self.about: Mapping[str, Fact] = about


def explaining(
    phrases: Phrases,
) -> Callable[[Callable[..., Awaitable[Answer]]], Callable[..., Awaitable[Answer]]]:
    """Make a tool body `(…, runtime) -> Answer` tell what it was turned down for, with the facts of it."""

    def wrap(body: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
        @functools.wraps(body)
        async def explained(*args: Any, **kwargs: Any) -> Answer:
            try:
                return await body(*args, **kwargs)
            except Turned as no:
                fault = f"rejected.{no.reason}"
                said = phrases.say(f"fault.{fault}", kwargs["runtime"].context.language, **no.about)
                return Answer(kind="fault", sentences=(said,), facts=no.about, fault=fault)

        return explained

    return wrap
