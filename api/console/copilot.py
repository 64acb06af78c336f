"""The assistant's answer for the person who answers: suggested on request, and what became of it written down."""

import logging
import secrets

from agent.domain import Conversation, Message
from agent.records.chain import Subject
from agent.records.errors import UnknownTurn
from agent.records.suggestions import SqlSuggestions
from agent.suggesting import Suggested, Suggesting, Unsuggested, Why
from agent.suggestions import Suggestion
from agent.unanswered import Open, open_question
from api.console.handing import greetings
from api.console.visit import Visit
from tools.context import TurnId

ID_BYTES = 16

logger = logging.getLogger("mayak.console")


def kept(visit: Visit) -> SqlSuggestions:
    """Return where suggestions are kept."""
    return SqlSuggestions(visit.house.building.engine)


async def suggest(visit: Visit, conversation: Conversation, *, about: Subject) -> Why | None:
    """Suggest an answer to what waits for one, and keep it; return why there is none, None where there is one."""
    records, now = visit.house.building.records, visit.house.building.clock.now()
    if await records.restricted(conversation.id):
        return "restricted"
    messages: list[Message] = []
    while part := await records.messages(conversation.id, after=messages[-1].seq if messages else 0):
        messages += part
    outcomes = await records.outcomes(conversation.id)
    question = open_question(messages, outcomes=outcomes, greetings=await greetings(visit, conversation))
    if question is None:
        return "no_question"
    found = await _answer(visit, conversation, messages, question)
    if isinstance(found, Unsuggested):
        await visit.note("unsuggested", conversation.id, about=about, seq=question.seq, why=found.why)
        return found.why
    suggestion = Suggestion(
        id=secrets.token_urlsafe(ID_BYTES),
        conversation=conversation.id,
        seq=question.seq,
        text=found.text,
        citations=found.citations,
        sure=found.sure,
        by=visit.who.login,
        at=now,
    )
    # Written down first: what cannot be written down does not happen.
    await visit.note("suggested", conversation.id, about=about, seq=question.seq, suggestion=suggestion.id)
    await kept(visit).offer(suggestion)
    return None


async def _answer(
    visit: Visit, conversation: Conversation, messages: list[Message], question: Open
) -> Suggested | Unsuggested:
    building = visit.house.building
    asked = next((m.seq for m in reversed(messages) if m.author == "customer" and m.seq <= question.seq), 0)
    try:
        turn = await building.records.turn_of(conversation.id, asked)
    except UnknownTurn:
        turn = None
    if turn is None:
        # It came this moment: its turn has not been opened yet.
        return Unsuggested(why="failed")
    situation = await building.records.situation(turn)
    attempt = TurnId(f"suggestion:{secrets.token_urlsafe(ID_BYTES)}")
    return await Suggesting(building.turn.replying).suggest(
        situation, messages, question, turn=attempt, now=building.clock.now()
    )


async def settle(
    visit: Visit, conversation: Conversation, reply: Message, *, taken: str, about: Subject
) -> None:
    """Write down what became of the suggestion that was offered when this reply was sent."""
    done = await kept(visit).settle(
        conversation.id, taken=taken, reply=reply.seq, text=reply.text, at=visit.house.building.clock.now()
    )
    if done is not None:
        await visit.note(
            "suggestion",
            conversation.id,
            about=about,
            suggestion=done.id,
            state=done.state,
            distance=done.distance,
        )
