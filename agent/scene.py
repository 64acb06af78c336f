"""What every step of one turn shares."""

from dataclasses import dataclass

from agent.domain import Incoming, Verified
from agent.pack import Pack
from agent.policy import consent as consents
from agent.policy.standing import standing
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


def caller_of(situation: Situation, *, turn: TurnId, language: Language, pack: Pack) -> Caller:
    """Return who is asking, as the tools see it: how sure we are of them, and what they allow, at this moment."""
    conversation, codes = situation.conversation, pack.policy.assurance.codes
    now = situation.batch[-1].at
    return Caller(
        conversation=conversation.id,
        turn=turn,
        language=language,
        channel=conversation.channel,
        customer_id=conversation.customer_id,
        assurance=standing(
            conversation.assurance,
            proved=conversation.proved,
            now=now,
            verified_for=codes.verified_for,
            stepped_up_for=codes.stepped_up_for,
        ),
        purposes=consents.live_purposes(pack.purposes, situation.purposes),
        now=now,
    )


def said(incoming: Incoming) -> str:
    """Return what a message says: its text, or the words a button stands for."""
    action = incoming.action
    return (
        action.target if action is not None and action.kind == "say" and not incoming.text else incoming.text
    )
