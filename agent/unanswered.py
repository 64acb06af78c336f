"""Which of the customer's words still wait for an answer, and which are only talk. Pure.

```
customer  «Где мой заказ?» ── AI answered ──┐
customer  «это не то»                       │ nobody of the company has answered, and the last words are only talk:
customer  «позовите человека»               ┘ the question that was answered badly is open still
```
A greeting that goes out with a claim is no answer, and neither is what the AI says when it calls a person.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent import dialogue
from agent import language as words
from agent.domain import Message
from agent.gist import gist
from tools.context import TurnId

ANSWERS = frozenset({"answered", "clarify", "declined", "waiting"})
"""Outcomes whose words answered something."""
CALL = 5
"""Words that carry meaning up to which a message that asks for a person asks nothing else."""
LATEST = 12
"""Messages in a row that are read as one question; who writes more than that has gone on to something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Words without an answer: `seq` is the last message of them, `text` all of them, line by line."""

    seq: int
    first: int
    text: str


def open_question(
    messages: Sequence[Message],
    *,
    outcomes: Mapping[TurnId, str],
    greetings: Collection[datetime] = (),
) -> Open | None:
    """Return what of the transcript (oldest first) waits for an answer, None where nothing does.

    `outcomes` are those of the turns, `greetings` the moments at which somebody claimed the conversation.
    """
    answered = max((m.seq for m in messages if _answers(m, outcomes, greetings)), default=0)
    by_person = max((m.seq for m in messages if _by_person(m, greetings)), default=0)
    said = [m for m in messages if m.author == "customer" and m.seq > by_person]
    asked = [m for m in said[-LATEST:] if not only_talk(m.text)]
    waiting = [m for m in asked if m.seq > answered] or (asked[-1:] if _went_on(messages, answered) else [])
    if not waiting:
        return None
    text = "\n".join(m.text.strip() for m in waiting)
    return Open(seq=waiting[-1].seq, first=waiting[0].seq, text=text)


def only_talk(text: str) -> bool:
    """Tell whether a message asks and tells nothing: hello, thanks, "that is no help", a call for a person, no word at all."""
    said = words.readable(gist(text))
    if not any(mark.isalnum() for mark in said):
        return True
    if words.is_greeting(said) or words.is_thanks(said) or dialogue.is_remark(said):
        return True
    return words.wants_person(said) and len(words.content(said)) <= CALL and "?" not in said


def _answers(message: Message, outcomes: Mapping[TurnId, str], greetings: Collection[datetime]) -> bool:
    if message.author == "ai":
        return message.turn is not None and outcomes.get(message.turn, "") in ANSWERS
    return _by_person(message, greetings)


def _by_person(message: Message, greetings: Collection[datetime]) -> bool:
    return message.author == "person" and message.at not in greetings


def _went_on(messages: Sequence[Message], answered: int) -> bool:
    """Tell whether the customer wrote again after the last answer."""
    return any(m.author == "customer" and m.seq > answered for m in messages)
