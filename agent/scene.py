"""What every step of one turn shares."""

from dataclasses import dataclass
from time import perf_counter

from agent.ports import Situation, Steps
from tools.context import Caller, Language, TurnId


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One turn: its situation, the customer's language, who is asking, how effects run, when it began.

    `began` is a reading of `time.perf_counter`, seconds.
    """

    turn: TurnId
    situation: Situation
    language: Language
    caller: Caller
    steps: Steps
    began: float

    @property
    def ms(self) -> float:
        """Milliseconds since the turn began."""
        return round((perf_counter() - self.began) * 1000, 2)
