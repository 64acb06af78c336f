"""The card a person reads before they answer: what is wanted, what was tried, who it is, and since when they wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.briefing import Line, brief
from agent.domain import Conversation, Message, Reason
from agent.policy.measure import Mood, mood_of
from agent.policy.standing import standing
from agent.records.rules import OpenTicket
from agent.tried import Tried, tried
from agent.unanswered import Open, open_question
from api.console.visit import Visit
from tools.context import Assurance, TurnId

LATELY = 5
"""Messages of the customer that tell how they are now."""
CLAIMED = "claimed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What goes from hand to hand with a conversation.

    `restricted`: nothing of it may be read by a program, so that nothing is told of it here. `minutes` is how long the
    customer has waited since `since`, which is None where nobody waits.
    """

    lines: tuple[Line, ...]
    waiting: Open | None
    tried: Tried
    assurance: Assurance
    mood: Mood
    since: datetime | None
    minutes: int
    restricted: bool


async def hand_over(
    visit: Visit,
    conversation: Conversation,
    messages: Sequence[Message],
    *,
    ticket: OpenTicket | None,
    refused: Sequence[str],
    outcomes: Mapping[TurnId, str],
) -> Hand:
    """Gather it; `messages` is the whole transcript, `refused` the purposes the customer declined."""
    desk, building = visit.desk, visit.house.building
    since, now = await desk.since(conversation.id), building.clock.now()
    waited = max(timedelta(0), now - since) if since is not None else timedelta(0)
    assurance = _assurance(visit, conversation, now)
    if await building.records.restricted(conversation.id):
        return Hand(
            lines=(),
            waiting=None,
            tried=Tried(),
            assurance=assurance,
            mood="calm",
            since=since,
            minutes=waited // timedelta(minutes=1),
            restricted=True,
        )
    waiting = open_question(messages, outcomes=outcomes, greetings=await greetings(visit, conversation))
    reason: Reason | None = ticket.reason if ticket is not None else None  # type: ignore[assignment]
    return Hand(
        lines=brief(
            messages, waiting=waiting, outcomes=outcomes, reason=reason, refused=refused, assurance=assurance
        ),
        waiting=waiting,
        tried=tried(
            messages,
            await desk.accounts(conversation.id),
            outcomes=outcomes,
            disliked=await desk.disliked(conversation.id),
        ),
        assurance=assurance,
        mood=mood_of([m.text for m in messages if m.author == "customer"][-LATELY:]),
        since=since,
        minutes=waited // timedelta(minutes=1),
        restricted=False,
    )


async def greetings(visit: Visit, conversation: Conversation) -> frozenset[datetime]:
    """Return when somebody claimed the conversation: what they said at that moment greets, and answers nothing."""
    passed = await visit.house.building.records.handoffs(conversation.id)
    return frozenset(one.at for one in passed if one.cause == CLAIMED)


def _assurance(visit: Visit, conversation: Conversation, now: datetime) -> Assurance:
    """Return how sure we are of the customer at this moment: what a code proved wears off."""
    codes = visit.house.building.pack.policy.assurance.codes
    return standing(
        conversation.assurance,
        proved=conversation.proved,
        now=now,
        verified_for=codes.verified_for,
        stepped_up_for=codes.stepped_up_for,
    )
