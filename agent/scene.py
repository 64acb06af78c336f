"""What every step of one turn shares."""

from dataclasses import dataclass
from time import perf_counter

from agent.domain import Verified
from agent.ports import Situation, Steps
from tools.context import Caller, Language, TurnId


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One turn: its situation, the customer's language, who is asking, how effects run, when it began.

    `began` is a reading of `time.perf_counter`, seconds; `left` are sentences of a turn that ends otherwise than by
    the last of them.
    """

    turn: TurnId
    situation: Situation
    language: Language
    caller: Caller
    steps: Steps
    began: float
    left: tuple[Verified, ...] = ()

    @property
    def ms(self) -> float:
        """Milliseconds since the turn began."""
        return round((perf_counter() - self.began) * 1000, 2)
