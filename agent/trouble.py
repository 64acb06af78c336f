"""The end of a turn that broke, and what an operator reads first. Pure; needs no model, no search, no tool."""

from collections.abc import Sequence

from agent.departments import department_for
from agent.domain import Escalated, Reply, Ticket, TurnRecord, Verified, one_message
from agent.pack import Pack
from agent.policy.proof import discreet
from agent.ports import Situation
from tools.context import TurnId
from tools.phrases import Phrases

SUMMARY_LINES = 5


def in_trouble(
    situation: Situation, turn: TurnId, *, pack: Pack, phrases: Phrases, left: Sequence[Verified] = ()
) -> TurnRecord:
    """Return the record of a turn that broke: the customer is told, a person is called, nothing is lost.

    `left` are the sentences it had sent; they stay said.

    Depends on nothing that can have broken the turn: no model, no search, no tool.
    """
    language = situation.conversation.language
    question = "\n".join(discreet(incoming.text, situation.proving) for incoming in situation.batch)
    department = department_for(question, pack=pack, language=language)
    ticket = Ticket(reason="internal_error", department=department.id, summary=summary(situation, question))
    return TurnRecord(
        turn=turn,
        conversation=situation.conversation.id,
        outcome=Escalated(reason="internal_error", partial=bool(left)),
        language=language,
        replies=(
            *_said(left),
            Reply(text=phrases.say("answer.cut" if left else "trouble.internal", language)),
        ),
        holder="queued",
        ticket=ticket,
        recall=situation.recall,
    )


def _said(left: Sequence[Verified]) -> tuple[Reply, ...]:
    return (one_message(left),) if left else ()


def summary(situation: Situation, question: str) -> str:
    """Return what an operator reads first: the customer's last words, newest last, at most five lines."""
    said = [m.text for m in situation.history if m.author == "customer"]
    said += question.splitlines()
    lines = [line.strip() for line in dict.fromkeys(said) if line.strip()]
    return "\n".join(lines[-SUMMARY_LINES:])
