"""What the records decide, as pure functions: what leaves, who holds, which consents are live."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.domain import (
    Action,
    Clarify,
    Conversation,
    Held,
    Holder,
    Proving,
    Reply,
    TurnRecord,
    Verified,
    Waiting,
)
from agent.hygiene import visible
from agent.policy import proof
from agent.policy.assent import settles
from tools.context import ConversationId, CustomerId, Language, TurnId

HISTORY = 30
"""Earlier messages a turn sees."""
DONE = ("done", "already_done")
"""States of proposals that were carried out."""
FIRST, TAKEN_BACK, LAST = 1, 0, 2
"""Which attempt of a turn may write: the first; none until the late messages are complete; the second and last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A customer message that is safe; `new` is false when its key had been accepted before."""

    id: str
    seq: int
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One numbered event of a conversation, as the customer's screen gets it."""

    n: int
    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRow:
    """One row of the consent ledger."""

    purpose: str
    granted: bool
    version: str
    text: str
    language: Language
    actor: str
    at: datetime
    conversation: ConversationId


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    """A call for a person that is not resolved."""

    id: str
    conversation: ConversationId
    turn: TurnId
    reason: str
    department: str
    summary: str
    rejected: str
    language: Language
    state: str
    operator: str
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message on its way to a channel other than the widget.

    `unknown`: an earlier attempt began and nobody recorded how it ended; the customer may have the message.
    """

    id: int
    conversation: ConversationId
    channel: str
    address: str
    seq: int
    key: str
    attempts: int
    unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What of a finished turn reaches the customer, and who holds the conversation after it."""

    replies: tuple[Reply, ...]
    holder: Holder
    withheld: bool


def leaving(record: TurnRecord, *, holder: Holder, left: Sequence[Verified]) -> Leaving:
    """Decide what leaves when the conversation is held by `holder` now and `left` had streamed already.

    A person who claimed meanwhile is never talked over: only sentences that were already shown become
    a message. A conversation closed meanwhile still gets its answer and stays closed.
    """
    if holder == "person":
        shown = " ".join(sentence.text for sentence in left)
        cited = tuple(citation for sentence in left for citation in sentence.citations)
        replies = (Reply(text=shown, citations=cited),) if shown else ()
        return Leaving(replies=replies, holder="person", withheld=bool(record.replies))
    if isinstance(record.outcome, Held):
        return Leaving(replies=record.replies, holder=holder, withheld=False)
    closed = holder == "closed" and record.holder == "ai"
    return Leaving(replies=record.replies, holder="closed" if closed else record.holder, withheld=False)


def lasting(record: TurnRecord) -> dict[str, Any]:
    """Return what the turn leaves behind for the next one, as columns of the conversation."""
    if isinstance(record.outcome, Held):
        # Who waits for a person may go on in another language.
        return {"language": record.language}
    waits = isinstance(record.outcome, Waiting) and record.outcome.what == "consent"
    return {
        "question": record.question,
        "awaiting": record.outcome.target if waits and isinstance(record.outcome, Waiting) else "",
        "clarified": isinstance(record.outcome, Clarify),
        "proving": record.proving,
        "parked": record.parked,
        "language": record.language,
    }


def restarts(action: Action | None) -> bool:
    """Return whether a message may let an open turn begin again: typed words, or a request for a person."""
    return action is None or action.kind in ("say", "person")


def typed(action: Action | None) -> bool:
    """Return whether a message is read as words; a quick reply is."""
    return action is None or action.kind == "say"


def may_begin_again(
    batch: Sequence[tuple[str, Action | None]], *, asked: bool, proving: Proving = ""
) -> bool:
    """Return whether a turn on these messages (text, button) may be thrown away while nothing of it was sent.

    A button's turn may not: it writes consents and has effects. Nor may what may be a yes or a no where we `asked` for one, or
    a contact or a code where one is awaited: they are taken once.
    """
    if not all(typed(action) for _, action in batch):
        return False
    text = "\n".join(text or (action.target if action else "") for text, action in batch)
    if proof.discreet(text, proving) != text:
        return False
    return not (asked and settles(text))


def one_turn(actions: Sequence[Action | None]) -> int:
    """Return how many of the waiting messages, oldest first, are one turn.

    Words belong together; a request for a person ends them. Any other button is a turn of its own: it answers
    something, and words beside it would hide it or be hidden.
    """
    for n, action in enumerate(actions):
        if not typed(action):
            return n + 1 if n == 0 or restarts(action) else n
    return len(actions)


def live_purposes(rows: Iterable[ConsentRow], versions: Mapping[str, str]) -> frozenset[str]:
    """Return purposes whose latest row grants the current version of the text; rows are oldest first."""
    latest = {row.purpose: row for row in rows}
    return frozenset(
        purpose for purpose, row in latest.items() if row.granted and versions.get(purpose) == row.version
    )


def refused_purposes(rows: Iterable[ConsentRow], conversation: ConversationId) -> frozenset[str]:
    """Return purposes last declined in this conversation."""
    latest = {row.purpose: row for row in rows}
    return frozenset(
        purpose for purpose, row in latest.items() if not row.granted and row.conversation == conversation
    )


def clean(text: str) -> str:
    """Return the text without unseen characters and broken surrogates, which no database and no screen keeps alike."""
    return visible(text.encode("utf-8", "replace").decode("utf-8"))


def digest(text: str) -> str:
    """Return the SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def conversation_of(row: Any) -> Conversation:
    """Read a row of `conversations`."""
    return Conversation(
        id=ConversationId(row.id),
        channel=row.channel,
        language=row.language,
        holder=row.holder,
        customer_id=CustomerId(row.customer_id) if row.customer_id else None,
        assurance=row.assurance,
        disclosed=row.disclosed,
        created=row.created,
        department=row.department,
        operator=row.operator,
        proved=row.proved,
    )
