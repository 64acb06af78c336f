"""What a conversation is made of: frozen values without I/O.

```
Conversation ── Message*            the transcript, the truth
      │
      └─ Turn ── Incoming+          one batch of customer messages, one outcome
           ├─ Draft ── Sentence*    what a writer proposes, with its evidence
           ├─ Outcome               Answered | Clarify | Declined | Escalated | Held | Waiting
           └─ TurnRecord            all of it, written in one transaction
```
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NewType

from agent.cards import Card
from agent.notes import NoteChanges
from agent.pledge import Pledge
from agent.receipt import ModelRead, Receipt
from tools.context import Assurance, ConversationId, CustomerId, Language, MessageId, TurnId

TicketId = NewType("TicketId", str)

Author = Literal["customer", "ai", "person", "system"]
Holder = Literal["ai", "queued", "person", "closed"]
"""Who may speak: the AI, nobody until a person claims (the AI is silent), a person, or nobody."""
Stage = Literal["ai", "offered", "queued", "person", "snoozed", "returned", "closed"]
"""Where the conversation is between AI and person; `agent.handoff.OWNER` tells who holds each."""

ActionKind = Literal["person", "ai", "consent", "confirm", "rate", "say", "code", "forget"]
"""`ai`: go on with the assistant while waiting for a person; `say`: a quick reply, read as typed text; `code`: send me a
one-time code; `forget`: the note with this id, or all."""
EvidenceKind = Literal["passage", "tool", "note"]
WaitingFor = Literal["consent", "confirmation", "contact", "name", "code"]
Proving = Literal["", "contact", "name", "code", "proved"]
"""What the customer's next message may hold: the contact a code shall be sent for, the code; or it just came true."""
Reason = Literal[
    "customer_asked",
    "not_sure",
    "ungrounded",
    "tool_failed",
    "effect_unknown",
    "needs_approval",
    "model_failed",
    "internal_error",
    "no_help",
    "repeated",
    "anger",
    "budget_spent",
    "distress",
    "restricted",
    "promise",
    "promise_late",
]
"""Why a person is called; a closed set, shown to operators and counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button the customer pressed. `target` is the purpose, proposal id, turn id or quick-reply text."""

    kind: ActionKind
    target: str = ""
    yes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One customer message as it was accepted; `key` is unique in its conversation."""

    id: MessageId
    seq: int
    key: str
    text: str
    action: Action | None = None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a sentence comes from: a passage that exists, with the words it rests on."""

    document: str
    passage: str
    title: str
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One tap for the customer; `action` is what pressing it sends."""

    label: str
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line of the transcript, `seq` counts from 1 within the conversation."""

    seq: int
    author: Author
    text: str
    at: datetime
    turn: TurnId | None = None
    citations: tuple[Citation, ...] = ()
    buttons: tuple[Button, ...] = ()
    name: str = ""
    cards: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """State of one conversation at one moment."""

    id: ConversationId
    channel: str
    language: Language
    holder: Holder
    customer_id: CustomerId | None = None
    assurance: Assurance = "anonymous"
    disclosed: bool = False
    created: datetime
    department: str = ""
    operator: str = ""
    proved: datetime | None = None
    """When a one-time code told who the customer is; None where a signed token did, or nothing."""
    stage: Stage = "ai"
    assigned: str = ""
    """Login of the person the queue chose and who has not claimed yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Something a sentence may rest on. `ref` is a passage id, `tool:<name>:<n>` or `note:<id>`."""

    ref: str
    kind: EvidenceKind
    title: str
    text: str
    document: str = ""
    score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A drafted sentence and the references its writer gave for it."""

    text: str
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """One finished tool call; `result` is the tool's JSON as parsed."""

    name: str
    arguments: Mapping[str, Any]
    ok: bool
    result: Mapping[str, Any]
    fault: str = ""
    ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Tokens and money of a turn's model calls; `usd` is 0 where the price is unknown."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A sentence that passed every check, with the citations it rests on; this is what streams."""

    text: str
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """How sure a model was of its least sure sentence, 0..1: 1 is no doubt at all.

    `mean` is the geometric mean probability of the tokens of the sentence's words; `least` the probability of the
    least probable such token of the whole answer.
    """

    mean: float
    least: float


DraftKind = Literal["answer", "clarify", "decline", "need"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a writer proposes after its tools ran. Nothing of it reaches the customer unchecked.

    `kind` is what the writer itself says it is: an answer, one question back, a decline because
    nothing fits, or the need for a purpose (`need`) without which a fitting tool does not exist.
    """

    kind: DraftKind
    sentences: tuple[Sentence, ...] = ()
    tools: tuple[ToolUse, ...] = ()
    need: str = ""
    proposal: Mapping[str, Any] | None = None
    options: tuple[str, ...] = ()
    model: str = ""
    cost: Cost = field(default_factory=Cost)
    withheld: tuple[str, ...] = ()
    """Why a better model was not asked: a purpose without consent, or a budget that is used up."""
    ms: float = 0.0
    model_ms: float = 0.0
    """Of `ms`, what the calls of models took."""
    streamed: bool = False
    """Whether sentences of this turn had left when the last of it was written."""
    after: int = 0
    """How many had left when its writing began: it goes on after these."""
    reads: tuple[ModelRead, ...] = ()
    """What each model that was asked had been given, whether or not its answer was taken."""
    doubt: Doubt | None = None
    """The model's own doubt of what it wrote; None where it does not tell, which is not the same as none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The customer has a grounded answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clarify:
    """One question back; at most one per topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """Outside the company's business: said politely, a person offered, no ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """A person is called; `partial` when verified sentences had already left."""

    reason: Reason
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A person holds the conversation (or it waits for one): the AI stays silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A consent, a confirmation, a contact or a code is asked for; `target` is the purpose or the proposal id."""

    what: WaitingFor
    target: str = ""


Outcome = Answered | Clarify | Declined | Escalated | Held | Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class DataUse:
    """One line of the answer object: which personal data was read, under which purpose."""

    what: str
    purpose: str
    tool: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One message of the AI inside a turn, ready to be sent."""

    text: str
    citations: tuple[Citation, ...] = ()
    buttons: tuple[Button, ...] = ()
    cards: tuple[Card, ...] = ()


def one_message(said: Sequence[Verified], *, cards: tuple[Card, ...] = ()) -> Reply:
    """Return sentences as one message of the transcript, with every citation once."""
    cited = {(c.passage, c.quote): c for sentence in said for c in sentence.citations}
    text = " ".join(sentence.text for sentence in said)
    return Reply(text=text, citations=tuple(cited.values()), cards=cards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The call for a person that an escalation leaves behind."""

    reason: Reason
    department: str
    summary: str
    rejected: str = ""
    """The draft that was not sent; only staff see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange:
    """The customer's answer to one purpose, as the append-only ledger stores it."""

    purpose: str
    granted: bool
    version: str
    text: str
    language: Language


FactKind = Literal["number", "name", "choice"]
"""What is kept of a long conversation word for word: an order or code, who writes, what was chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something the customer said or chose that later turns may rest on."""

    kind: FactKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """What is kept of a conversation beyond its last messages; bounded, carried from turn to turn."""

    facts: tuple[Fact, ...] = ()
    said: tuple[str, ...] = ()
    """What the customer asked, a line each, oldest first."""


Path = Literal["", "model", "approved", "receipt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """Everything one turn decided and used, committed in one transaction. `ms` is by stage."""

    turn: TurnId
    conversation: ConversationId
    outcome: Outcome
    language: Language
    replies: tuple[Reply, ...] = ()
    confidence: float | None = None
    reasons: tuple[str, ...] = ()
    signals: Mapping[str, float] = field(default_factory=dict)
    """What the confidence was computed from, by name; empty where no draft was judged."""
    tools: tuple[ToolUse, ...] = ()
    data_used: tuple[DataUse, ...] = ()
    receipt: Receipt | None = None
    """What the turn used, for its customer to read; None in records of earlier releases."""
    evidence: tuple[str, ...] = ()
    proposal: Mapping[str, Any] | None = None
    closed_proposal: tuple[str, str] | None = None
    """(proposal id, final state) when this turn settled one."""
    question: str = ""
    """The question that waits for a consent or a missing slot, to be taken up when it comes."""
    proving: Proving = ""
    """What the next message may hold that nobody but this house may read."""
    parked: str = ""
    """The request that waits until we know who the customer is."""
    recall: Recall = field(default_factory=Recall)
    """What the conversation is remembered by after this turn."""
    notes: NoteChanges = field(default_factory=NoteChanges)
    """What this turn remembers and forgets of the customer; it is in the notes, and in no record of the turn."""
    holder: Holder = "ai"
    disclosed: bool = False
    """Whether its replies say that an AI answers."""
    ticket: Ticket | None = None
    pledge: Pledge | None = None
    """What its words promise on behalf of a department; it is in the ledger of promises, and in no record of the turn."""
    contact: str = ""
    """Where a customer who waits for a person wants to be answered, as they wrote it."""
    path: Path = ""
    """Where its words come from: a writer's checked draft, an approved answer, an earlier receipt, or none of them."""
    model: str = ""
    cost: Cost = field(default_factory=Cost)
    ms: Mapping[str, float] = field(default_factory=dict)


OUTCOME_NAMES: Mapping[type, str] = {
    Answered: "answered",
    Clarify: "clarify",
    Declined: "declined",
    Escalated: "escalated",
    Held: "held",
    Waiting: "waiting",
}


def outcome_name(outcome: Outcome) -> str:
    """The public name of an outcome, as the API and `mayak ask` print it."""
    return OUTCOME_NAMES[type(outcome)]
