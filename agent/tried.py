"""What was tried before a person came: answers and how the customer took them, systems and what they said. Pure.

Only what has an end is told: an answer that reached the customer, a tool call that came back with a result or a fault.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent import dialogue
from agent.domain import Message, ToolUse, TurnRecord
from agent.gist import gist
from agent.language import content
from tools.context import TurnId

MOST_ANSWERS = 3
MOST_TOOLS = 6
LONGEST_ANSWER = 160
LONGEST_SUBJECT = 40
REMARK, BACK = 200, 6
"""Letters of a message that may be a remark about the answer, and messages before the answer it is read with."""

Taken = Literal["", "disliked", "no_help", "asked_again"]
"""How the customer took an answer: without a word, a thumbs-down, words that it is no help, the same question once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of the AI: how it began, the message it is, how it was taken."""

    seq: int
    text: str
    taken: Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool and what it was asked about; `fault` is empty where it answered."""

    name: str
    subject: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Both, oldest first."""

    answers: tuple[Answer, ...] = ()
    calls: tuple[Call, ...] = ()


def tried(
    messages: Sequence[Message],
    records: Iterable[TurnRecord],
    *,
    outcomes: Mapping[TurnId, str],
    disliked: Collection[TurnId] = (),
) -> Tried:
    """Return what was tried; `records` and `messages` oldest first, `disliked` the turns with a thumbs-down."""
    answers = [
        Answer(seq=m.seq, text=_begins(m.text), taken=_taken(messages, n, disliked))
        for n, m in enumerate(messages)
        if m.author == "ai" and m.turn is not None and outcomes.get(m.turn) == "answered"
    ]
    # The last call about a thing is how it stands now.
    calls = {(use.name, _subject(use)): use for record in records for use in record.tools}
    return Tried(
        answers=tuple(answers[-MOST_ANSWERS:]),
        calls=tuple(
            Call(name=name, subject=subject, fault="" if use.ok else use.fault or "unavailable")
            for (name, subject), use in [*calls.items()][-MOST_TOOLS:]
        ),
    )


def _taken(messages: Sequence[Message], n: int, disliked: Collection[TurnId]) -> Taken:
    if messages[n].turn in disliked:
        return "disliked"
    following = messages[n + 1] if n + 1 < len(messages) else None
    if following is None or following.author != "customer":
        return ""
    if len(following.text) <= REMARK:
        aside = dialogue.aside(following.text, messages[max(0, n - BACK) : n + 1])
        if isinstance(aside, dialogue.Unhelpful):
            return "no_help"
    question = next((m.text for m in reversed(messages[:n]) if m.author == "customer"), "")
    return "asked_again" if _same(following.text, question) else ""


def _same(one: str, other: str) -> bool:
    stems = frozenset(content(gist(one)))
    return len(stems) > 1 and stems == frozenset(content(gist(other)))


def _subject(use: ToolUse) -> str:
    """Return what a call was about: its words and numbers, not its flags."""
    said = (
        str(value) for value in use.arguments.values() if isinstance(value, str | int) and value is not True
    )
    return " ".join(" ".join(said).split())[:LONGEST_SUBJECT]


def _begins(text: str) -> str:
    flat = " ".join(text.split())
    if len(flat) <= LONGEST_ANSWER:
        return flat
    head, *_ = flat[:LONGEST_ANSWER].rsplit(maxsplit=1)
    return f"{head} …"
