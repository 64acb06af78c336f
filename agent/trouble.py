"""The end of a turn that broke, and what an operator reads first. Pure; needs no model, no search, no tool."""

from agent.departments import department_for
from agent.domain import Escalated, Reply, Ticket, TurnRecord
from agent.pack import Pack
from agent.ports import Situation
from tools.context import TurnId
from tools.phrases import Phrases

SUMMARY_LINES = 5


def in_trouble(situation: Situation, turn: TurnId, *, pack: Pack, phrases: Phrases) -> TurnRecord:
    """Return the record of a turn that broke: the customer is told, a person is called, nothing is lost.

    Depends on nothing that can have broken the turn: no model, no search, no tool.
    """
    language = situation.conversation.language
    question = "\n".join(incoming.text for incoming in situation.batch)
    department = department_for(question, pack=pack, language=language)
    ticket = Ticket(reason="internal_error", department=department.id, summary=summary(situation, question))
    return TurnRecord(
        turn=turn,
        conversation=situation.conversation.id,
        outcome=Escalated(reason="internal_error"),
        language=language,
        replies=(Reply(text=phrases.say("trouble.internal", language)),),
        holder="queued",
        ticket=ticket,
        recall=situation.recall,
    )


def summary(situation: Situation, question: str) -> str:
    """Return what an operator reads first: the customer's last words, newest last, at most five lines."""
    said = [m.text for m in situation.history if m.author == "customer"]
    said += question.splitlines()
    lines = [line.strip() for line in dict.fromkeys(said) if line.strip()]
    return "\n".join(lines[-SUMMARY_LINES:])
