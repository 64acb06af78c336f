"""What the records decide, as pure functions: what leaves, who holds, what is one turn."""

from collections.abc import Mapping, Sequence
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
    Stage,
    TurnRecord,
    Verified,
    Waiting,
)
from agent.handoff import OWNER, TIMED, Cause
from agent.handoff import Event as Happening
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
class Handoff:
    """One transition as it is written down; `actor` is a login, empty where no person of the company did it."""

    before: Stage
    event: str
    after: Stage
    cause: str
    actor: str
    department: str
    at: datetime


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
    contact: str = ""
    """Where the customer wants to be answered when they have left; empty where they did not say."""


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


@dataclass(frozen=True, slots=True)
class Leaving:
    """What of a finished turn reaches the customer, and who holds the conversation after it."""

    replies: tuple[Reply, ...]
    holder: Holder
    withheld: bool = False


def leaving(record: TurnRecord, *, holder: Holder, left: Sequence[Verified], late: bool = False) -> Leaving:
    """Decide what leaves when the conversation is held by `holder` now and `left` had streamed already.

    A person who claimed meanwhile is never talked over; what had been shown by then became a message before their own.
    What a turn says although it knows of the person (that a consent is withdrawn) leaves. A conversation closed
    meanwhile still gets its answer and stays closed. `late`: a person came, and went, since the turn began. What it
    decided is of another conversation then: it changes no holder and calls nobody, and it speaks only where the AI
    may and nothing of it had been cut off; that a change was made or refused is told wherever no person speaks.
    """
    meant = isinstance(record.outcome, Held) and record.holder == "person" and bool(record.replies)
    if holder == "person" and not meant:
        return Leaving((), holder=holder, withheld=bool(record.replies))
    if late and not meant:
        fits = holder == "ai" and not left and record.ticket is None
        if fits or record.closed_proposal is not None:
            return Leaving(record.replies, holder=holder)
        return Leaving((), holder=holder, withheld=bool(record.replies))
    if isinstance(record.outcome, Held):
        return Leaving(record.replies, holder=holder)
    closed = holder == "closed" and record.holder == "ai"
    return Leaving(record.replies, holder="closed" if closed else record.holder)


def passing(record: TurnRecord, out: Leaving, *, stage: Stage) -> tuple[Happening, Cause] | None:
    """Return what a turn that ends as `out` does to the conversation's stage, and why; None where nothing."""
    owner = OWNER[stage]
    if out.holder == "queued" and owner != "queued":
        return "ask_person", record.ticket.reason if record.ticket else "customer_asked"
    if out.holder != "ai" or out.withheld or not out.replies or isinstance(record.outcome, Held):
        return None
    if owner == "queued":
        return "ai_resume", "customer_chose_ai"
    if stage == "returned" and not record.disclosed:
        # It was written before a person came: what the AI is must still be said again.
        return None
    offers = any(button.action.kind == "person" for reply in out.replies for button in reply.buttons)
    return ("offer", "offered") if offers else ("ai_speaks", "spoke")


def entering(after: Stage, event: Happening, row: Any, *, now: datetime) -> dict[str, Any]:
    """Return what a conversation (its `row` so far) begins a stage with, as columns.

    A stage that a clock watches begins with its next event due at once: who looks at it then says when it is
    (`agent.routing`). Nobody who let the customer wait is chosen again while they still wait.
    """
    waits = {"since": now, "assigned": "", "tried": [], "passed": [], "told": ""}
    if after not in TIMED:
        return {**waits, "due": None}
    kept = {"tried": list(row.tried), "passed": list(row.passed), "told": row.told}
    if after == "snoozed":
        return {**waits, **kept, "due": now}
    if after == "person":
        # Who only takes up again what they had put aside did not come anew.
        return {**waits, **kept, "due": now, "claims": row.claims + (event == "claim")}
    again = {**kept, "tried": [*row.tried, row.operator]} if event == "not_answered" else {}
    return {**waits, **again, "due": now}


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


def clean(text: str) -> str:
    """Return the text without unseen characters and broken surrogates, which no database and no screen keeps alike."""
    return visible(text.encode("utf-8", "replace").decode("utf-8"))


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
        stage=row.stage,
        assigned=row.assigned,
    )
