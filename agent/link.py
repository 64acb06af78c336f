"""One model of the chain, one question to the chain, one answer: what the chain and its race pass around."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.errors import ModelUnavailable
from agent.provider import Call, Profile
from agent.spending import Charge
from tools.breaker import Breaker

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage


@dataclass(slots=True, kw_only=True)  # mutable: learns which way of asking the provider takes
class Link:
    """One model of the chain. `fault` is set when its settings cannot work; then it is never called.

    `plain` are the simpler ways to ask the same model, taken for good once the better one was rejected.
    """

    name: str
    model: "BaseChatModel | None"
    timeout: float
    local: bool
    price: tuple[float, float] = (0.0, 0.0)
    fault: ModelUnavailable | None = None
    plain: "tuple[BaseChatModel, ...]" = ()
    profile: Profile = "large"
    external: bool = True
    max_tokens: int = 1000
    breaker: Breaker = field(default_factory=lambda: Breaker(rest=30.0, clock=time.monotonic))

    def knows(self, way: "BaseChatModel") -> bool:
        """Say whether this client is one of the ways the model is asked in."""
        return way is self.model or any(way is one for one in self.plain)

    def keep_to(self, way: "BaseChatModel") -> None:
        """Ask in no better way than this one from now on."""
        if way is not self.model:
            rest = [n for n, one in enumerate(self.plain, start=1) if one is way]
            self.model, self.plain = way, self.plain[rest[0] :] if rest else self.plain

    def usd(self, *, prompt: int, completion: int) -> float:
        """Return the price of one call; 0 where it is unknown."""
        return (prompt * self.price[0] + completion * self.price[1]) / 1_000_000

    def charge(self, *, prompt: int, completion: int, estimated: bool = False) -> Charge:
        """Return what a call of this model cost."""
        return Charge(
            model=self.name,
            prompt=prompt,
            completion=completion,
            usd=self.usd(prompt=prompt, completion=completion),
            estimated=estimated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A usable answer: which link gave it, why earlier ones did not, and what all of them cost.

    `withheld` are the reasons for which links were passed over without being asked.
    """

    message: "AIMessage"
    link: int
    ms: float
    tried: tuple[str, ...]
    charges: tuple[Charge, ...] = ()
    withheld: tuple[str, ...] = ()


def anyone(link: Link) -> str:
    """Permit every link."""
    return ""


def nobody() -> int | None:
    """No model is heard while it writes."""
    return None


def anything(message: "AIMessage") -> None:
    """Accept every usable answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One question to the chain. `seconds` is what remote models get together, `tokens` the prompt's length.

    `permit` returns why a link may not be asked, "" when it may; `accept` raises `ModelUnavailable` for an
    answer that is whole and still of no use; `speaker` is the link whose words have reached the customer already.
    """

    call: Call
    start: int = 0
    seconds: float = float("inf")
    tokens: int = 0
    permit: Callable[[Link], str] = anyone
    accept: "Callable[[AIMessage], None]" = anything
    speaker: Callable[[], int | None] = nobody
