"""What the agent needs from outside, as Protocols; adapters live in the rooms that have the effect."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, runtime_checkable

from agent.basis import Basis, ConsentRow
from agent.domain import (
    ConsentChange,
    Conversation,
    Draft,
    Evidence,
    Incoming,
    Message,
    Proving,
    Recall,
    Sentence,
    ToolUse,
    TurnRecord,
    Verified,
)
from agent.notes import Note
from agent.receipt import Granted
from knowledge.types import Approved, Passage, Query, Retrieval
from tools.context import Assurance, Caller, ConversationId, CustomerId, Language, TurnId
from tools.proposal import Effect, Proposal

if TYPE_CHECKING:
    from knowledge.embed.port import Vectors

T = TypeVar("T")


class Clock(Protocol):
    """The only source of time for decisions."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware UTC."""


class Steps(Protocol):
    """Runs effects so that a finished one is not repeated after a crash.

    Names must be deterministic and unique inside one turn; results must survive JSON. `attempt` counts from 1: a
    turn begins again when a message comes before anything was sent, and what the earlier attempt would still
    write is refused.
    """

    attempt: int

    async def run(self, name: str, effect: Callable[[], Awaitable[T]], *, of: type[T]) -> T:
        """Run `effect` once and return its result, or the recorded result of the earlier run.

        `of` is the result's type (dataclasses, JSON types and their containers): how it is written and read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All a turn needs to know before it decides, read at one moment."""

    conversation: Conversation
    batch: tuple[Incoming, ...]
    history: tuple[Message, ...]
    """Earlier messages, oldest first, bounded."""
    purposes: frozenset[str]
    """Purposes with a live basis at that moment (`agent.policy.consent.bases`)."""
    granted: tuple[Granted, ...] = ()
    """The rows of the ledger that stand behind them where they rest on a consent."""
    refused: frozenset[str]
    """Purposes the customer declined in this conversation and did not grant since."""
    asked: frozenset[str] = frozenset()
    """Purposes whose consent was asked for in this conversation, whatever came of it."""
    proposal: Mapping[str, Any] | None
    """The open proposal (JSON of tools' Proposal), if any."""
    chosen: Mapping[str, datetime] = field(default_factory=dict)
    """When the customer last said yes or no to each purpose, wherever that counts here."""
    question: str
    """The question that waits for a consent or a missing slot; empty if none."""
    awaiting: str = ""
    """The purpose whose consent was asked by the last AI turn; empty if none."""
    clarified: bool
    """Whether the last AI turn was a question back."""
    proving: Proving = ""
    """What the batch may hold that nobody but this house may read: a contact, or a one-time code."""
    parked: str = ""
    """The request that waits until we know who the customer is; empty if none."""
    recall: Recall = field(default_factory=Recall)
    """What is kept of the conversation beyond `history`."""
    restricted: bool = False
    """Whether the customer asked that no program process anything of theirs: a person answers."""
    notes: tuple[Note, ...] = ()
    """What is remembered of the customer, oldest first, whether or not it may be used now."""


class Ledger(Protocol):
    """The ledger of consents as decisions read it."""

    async def ledger(
        self, conversation: ConversationId, customer: CustomerId | None
    ) -> tuple[ConsentRow, ...]:
        """Return the rows that count for a customer in a conversation at this moment, oldest first."""


class Records(Ledger, Protocol):
    """The agent's memory in SQL. One writer per conversation at a time (the lease holder)."""

    async def situation(self, turn: TurnId) -> Situation:
        """Read the state of the turn's conversation with the turn's batch of messages."""

    async def sent(self, turn: TurnId, *, whole: bool = False) -> tuple[Verified, ...]:
        """Return the sentences already appended by this turn, in order: the fixed prefix after a crash.

        `whole`: after what the AI said of itself before them.
        """

    async def append(
        self, turn: TurnId, n: int, sentence: Verified, *, attempt: int = 1, first: Sequence[str] = ()
    ) -> bool:
        """Append sentence `n` (from 0) and its customer event, if the AI still holds the conversation.

        `first` is what the AI has to say of itself in this turn: it leaves in the transaction of sentence 0, before it.

        Idempotent by (turn, n). Returns False, and writes nothing, when a person took over meanwhile. Raises
        `Superseded` when the turn begins again: the first sentence and a late message exclude each other.
        """

    async def consent(self, turn: TurnId, *changes: ConsentChange) -> None:
        """Append a row for each change to the ledger of consents, before anything is read under it.

        Idempotent by (turn, purpose): a crash between this and the next step writes one row.
        """

    async def granted(self, turn: TurnId) -> tuple[Granted, ...]:
        """Return the consents the customer gave in this turn, as the ledger has them."""

    async def receipt(self, conversation: ConversationId, turn: TurnId) -> TurnRecord | None:
        """Return the record of a turn of this conversation, None while it is open. Raises `UnknownTurn`."""

    async def identify(self, turn: TurnId, customer: CustomerId, assurance: Assurance) -> None:
        """Bind the turn's conversation to the customer whom a one-time code proved, from now on.

        Idempotent. Raises `OtherCustomer` when it belongs to somebody else: a conversation never changes hands.
        """

    async def ask_erasure(self, turn: TurnId) -> str:
        """Write down that the turn's customer, or the conversation of nobody known, is to be forgotten.

        Idempotent; returns the request's id. A job carries it out when the turn is over.
        """

    async def done_since(self, customer: CustomerId, since: datetime) -> int:
        """Return how many changes the customer confirmed and got since a moment, in whatever conversation."""

    async def commit(self, record: TurnRecord, *, attempt: int = 1) -> bool:
        """Write the turn's record, messages, ticket, proposal and outbox in one transaction.

        Idempotent by turn: a second commit of the same turn changes nothing and returns False. When a
        person claimed the conversation meanwhile, replies that did not leave are kept for staff only. Raises
        `Superseded` when the turn begins again.
        """


class Whose(Protocol):
    """Whose data is touched: a `Caller`, or anything else that knows conversation and customer."""

    @property
    def conversation(self) -> ConversationId: ...

    @property
    def customer_id(self) -> CustomerId | None: ...


class Bases(Protocol):
    """What may be done now: asked at the moment of each call that touches personal data."""

    async def allows(self, whose: Whose, purpose: str) -> bool:
        """Return whether the purpose has a live basis now."""

    async def require(self, whose: Whose, purpose: str) -> Basis:
        """Return the basis to act under. Raises `NoBasis` (tools.errors) where there is none."""


class Notices(Protocol):
    """Short-lived signs of life to the customer; may be lost without harm."""

    async def status(self, conversation: ConversationId, turn: TurnId, text: str) -> None:
        """Show a status line such as «ищу ваш заказ…»; an empty text clears it."""


Heard = Literal["left", "passed", "held", "over"]
"""What came of a sentence: it left; it is left out; nothing leaves before the whole is there; nothing more will leave."""


class Listener(Protocol):
    """Hears an answer while it is written, so that its first sentence need not wait for its last."""

    @property
    def said(self) -> tuple[str, ...]:
        """Return the sentences of this turn that have left, in order: who writes goes on after them."""

    async def hear(self, sentence: Sentence, *, tools: Sequence[ToolUse]) -> Heard:
        """Take the next finished sentence; `tools` are the calls that had finished before it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a writer gets: the question, what was said, the evidence, who is asking.

    Without a `listener` nothing leaves before the draft is whole.
    """

    question: str
    language: Language
    history: tuple[Message, ...]
    evidence: tuple[Evidence, ...]
    caller: Caller
    refused: frozenset[str] = frozenset()
    today: str = ""
    recall: Recall = field(default_factory=Recall)
    listener: Listener | None = None


class Writer(Protocol):
    """Model and tools: drafts an answer. Raises `WriterFailed` when no model of the chain answers."""

    async def write(self, brief: Brief, *, steps: Steps, status: Callable[[str], Awaitable[None]]) -> Draft:
        """Run the model-and-tools loop; every model and tool call goes through `steps`."""


class Facts(Protocol):
    """The knowledge room as a turn sees it."""

    async def search(self, query: Query) -> Retrieval:
        """Return live passages for the query, best first, with the retrieval's confidence."""

    async def expect(self, query: str) -> None:
        """Get ready for a search that is likely to come: a hint, which may be ignored and changes no answer."""

    async def live(self, ids: Sequence[str]) -> Mapping[str, Passage]:
        """Return those of the passages that may still be cited at this moment."""


class Approvals(Protocol):
    """The questions whose answers curators approved."""

    async def approved(self, language: Language) -> Sequence[Approved]:
        """Return all of them in a language, whether or not each counts today; the same object until one changes."""


class Actions(Protocol):
    """The tools room as a turn sees it: execution of what the customer confirmed."""

    async def execute(self, proposal: Proposal, caller: Caller, *, key: str) -> Effect:
        """Carry out a confirmed proposal once per key."""

    def scope(self, name: str) -> str | None:
        """Return the purpose a tool reads or writes personal data under; None for a public one."""

    def recipients(self, name: str) -> tuple[str, ...]:
        """Return the arguments of a tool that say where something goes: they must be the customer's own words."""

    def effect(self, name: str) -> Literal["read", "write"]:
        """Return whether the tool only reads or prepares a change."""

    def unreached(self, name: str, arguments: Mapping[str, Any], language: Language) -> str:
        """Return what could not be done where such a call got no answer: "see how order 1051 stands"; "" without words."""

    def confirmation(self, proposal: Proposal, language: Language) -> str:
        """Return the question that the confirm button answers."""

    def effect_text(self, effect: Effect, language: Language) -> str:
        """Return what happened, in words."""


class Similarity(Protocol):
    """Semantic closeness of one text to others, each 0..1."""

    def __call__(self, text: str, others: Sequence[str]) -> list[float]:
        """Return one number per other text, in order."""


@runtime_checkable
class Encoder(Similarity, Protocol):
    """A similarity that also gives the directions of texts it compares; `name` says by which model."""

    @property
    def name(self) -> str: ...

    def __hash__(self) -> int: ...

    def vectors(self, texts: Sequence[str]) -> "Vectors":
        """Return a row of length one per text, `[n, dim]`."""
        ...


class Channel(Protocol):
    """A way to reach a customer outside the widget."""

    name: str

    async def deliver(self, address: str, message: Message, *, key: str) -> None:
        """Send one message; `key` lets the other side drop a repetition where it can."""


class House(Protocol):
    """The built application as evals and commands use it: the real composition, no second path."""

    async def ask(
        self,
        text: str,
        *,
        customer: str | None = None,
        conversation: str | None = None,
        language: Language | None = None,
        action: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """Run one turn and return the public answer object (see docs/contract.md)."""

    async def consent(self, conversation: str, purpose: str, *, granted: bool) -> None:
        """Record the customer's consent or its withdrawal."""

    def sandbox(
        self, world: Mapping[str, Any], *, endpoint: str = ""
    ) -> AbstractAsyncContextManager["House"]:
        """A throw-away house on a fresh database whose shop and knowledge hold `world` on top of the pack.

        `endpoint` is the base URL of an OpenAI-compatible server to ask instead of the installation's models.
        """

    async def orders(self) -> Mapping[str, str]:
        """Return how each order of a sandbox's shop stands by its number, each customer's home address by `home:ID`.

        Equal words, nothing changed.
        """

    async def letters(self) -> Sequence[str]:
        """Return every letter a sandbox sent, oldest first: addressee, subject and text."""

    async def messages(self, conversation: str) -> Sequence[Mapping[str, Any]]:
        """Return the transcript as the customer's own screen reads it."""

    async def flagged(self, flag: str) -> Mapping[str, Any]:
        """Return the case that a flag of staff becomes, a row of the case files; no word of it names a customer.

        Raises `UnknownFlag` and `NothingToSay`.
        """

    def events(self, conversation: str) -> AsyncIterator[Mapping[str, Any]]:
        """Follow the conversation's numbered events."""
