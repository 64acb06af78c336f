"""What every step of one turn shares."""

from dataclasses import dataclass

from agent.domain import Incoming, Verified
from agent.ports import Situation, Steps
from agent.stages import Watch
from tools.context import Caller, Language, TurnId


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One turn: its situation, the customer's language, who is asking, how effects run, where its time goes.

    `left` are sentences of a turn that ends otherwise than by the last of them.
    """

    turn: TurnId
    situation: Situation
    language: Language
    caller: Caller
    steps: Steps
    watch: Watch
    left: tuple[Verified, ...] = ()

    @property
    def ms(self) -> float:
        """Milliseconds since the turn began."""
        return self.watch.so_far


def said(incoming: Incoming) -> str:
    """Return what a message says: its text, or the words a button stands for."""
    action = incoming.action
    return (
        action.target if action is not None and action.kind == "say" and not incoming.text else incoming.text
    )
