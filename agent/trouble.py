"""The end of a turn that broke, and what an operator reads first. Pure; needs no model, no search, no tool."""

from collections.abc import Sequence

from agent.departments import department_for
from agent.domain import Escalated, Reply, Ticket, TurnRecord, Verified, one_message
from agent.itemising import documents
from agent.pack import Pack
from agent.policy import disclosure
from agent.policy.proof import discreet
from agent.ports import Situation
from agent.receipt import Receipt
from tools.context import TurnId
from tools.phrases import Phrases

SUMMARY_LINES = 5


def in_trouble(
    situation: Situation, turn: TurnId, *, pack: Pack, phrases: Phrases, left: Sequence[Verified] = ()
) -> TurnRecord:
    """Return the record of a turn that broke: the customer is told, a person is called, nothing is lost.

    `left` are the sentences it had sent, what the AI said of itself before them included; they stay said.

    Depends on nothing that can have broken the turn: no model, no search, no tool.
    """
    language = situation.conversation.language
    question = "\n".join(discreet(incoming.text, situation.proving) for incoming in situation.batch)
    department = department_for(question, pack=pack, language=language)
    due = disclosure.due(situation.conversation, situation.history)
    introduced = disclosure.introduction(due, language=language, company=pack.name[language], phrases=phrases)
    ticket = Ticket(reason="internal_error", department=department.id, summary=summary(situation, question))
    return TurnRecord(
        turn=turn,
        conversation=situation.conversation.id,
        outcome=Escalated(reason="internal_error", partial=bool(left)),
        language=language,
        replies=(
            *(line for line in introduced if line.text not in [sentence.text for sentence in left]),
            *_said(left),
            Reply(text=phrases.say("answer.cut" if left else "trouble.internal", language)),
        ),
        holder="queued",
        disclosed=bool(introduced),
        ticket=ticket,
        recall=situation.recall,
        receipt=Receipt(documents=documents(_said(left), {}), whole=False, at=situation.batch[-1].at),
    )


def _said(left: Sequence[Verified]) -> tuple[Reply, ...]:
    return (one_message(left),) if left else ()


def summary(situation: Situation, question: str) -> str:
    """Return what an operator reads first: the customer's last words, newest last, at most five lines."""
    said = [m.text for m in situation.history if m.author == "customer"]
    said += question.splitlines()
    lines = [line.strip() for line in dict.fromkeys(said) if line.strip()]
    return "\n".join(lines[-SUMMARY_LINES:])
