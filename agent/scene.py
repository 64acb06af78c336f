"""What every step of one turn shares."""

from dataclasses import dataclass, field

from agent.domain import Evidence, Incoming, Verified
from agent.pack import Pack
from agent.policy.frank import Named
from agent.policy.standing import standing
from agent.ports import Situation, Steps
from agent.stages import Watch
from agent.tally import Tally
from tools.context import Caller, Language, TurnId


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One turn: its situation, the customer's language, who is asking, how effects run, where its time goes, what it uses.

    `left` are sentences of a turn that ends otherwise than by the last of them; `frank`: by which word the customer asked,
    beside something else, what answers here;
    `notes`: what is remembered of the customer and may carry a sentence of the answer.
    """

    turn: TurnId
    situation: Situation
    language: Language
    caller: Caller
    steps: Steps
    watch: Watch
    tally: Tally = field(default_factory=Tally)
    left: tuple[Verified, ...] = ()
    frank: Named | None = None
    notes: tuple[Evidence, ...] = ()

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
        purposes=situation.purposes,
        now=now,
    )


def said(incoming: Incoming) -> str:
    """Return what a message says: its text, or the words a button stands for."""
    action = incoming.action
    return (
        action.target if action is not None and action.kind == "say" and not incoming.text else incoming.text
    )
