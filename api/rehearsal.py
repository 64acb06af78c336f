"""A turn played through without a customer: the same pipeline on other facts, and nothing of it is kept.

    Asked ─ one message of an unknown customer ─ Turn.run ─ TurnRecord ─ Told

The asker is anonymous and gives no consent, so nobody's data is read; a write ends as a proposal and is not carried
out. Where a model costs time and money, only what the search finds is told.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from agent.basis import ConsentRow
from agent.domain import (
    Citation,
    ConsentChange,
    Conversation,
    Incoming,
    Message,
    TurnRecord,
    Verified,
    outcome_name,
)
from agent.ports import Facts, Situation
from agent.receipt import Granted
from agent.replying import PASSAGES
from agent.turn import Turn
from knowledge.preview import Ask, Asked, Cited, Told
from knowledge.types import DocumentId, Passage, Query, Retrieval
from tools.context import Assurance, ConversationId, CustomerId, MessageId, TurnId

T = TypeVar("T")
CHANNEL = "rehearsal"
FOUND = 3
"""Passages told where only the search is rehearsed."""
_TURN = TurnId(CHANNEL)


class OneTurn:
    """Records of a single turn that end with it."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._said: list[Verified] = []

    async def situation(self, turn: TurnId) -> Situation:
        """Return what there is to answer."""
        return self._situation

    async def sent(self, turn: TurnId, *, whole: bool = False) -> tuple[Verified, ...]:
        """Return the sentences so far."""
        return tuple(self._said)

    async def append(
        self, turn: TurnId, n: int, sentence: Verified, *, attempt: int = 1, first: Sequence[str] = ()
    ) -> bool:
        """Take a sentence; nobody hears it."""
        self._said.append(sentence)
        return True

    async def consent(self, turn: TurnId, *changes: ConsentChange) -> None:
        """Forget it: nobody gave it."""

    async def ledger(
        self, conversation: ConversationId, customer: CustomerId | None
    ) -> tuple[ConsentRow, ...]:
        """Return nothing: nobody allowed anything."""
        return ()

    async def granted(self, turn: TurnId) -> tuple[Granted, ...]:
        """Return none."""
        return ()

    async def receipt(self, conversation: ConversationId, turn: TurnId) -> TurnRecord | None:
        """Return none: nothing was answered before."""
        return None

    async def identify(self, turn: TurnId, customer: CustomerId, assurance: Assurance) -> None:
        """Forget it: nobody is there."""

    async def done_since(self, customer: CustomerId, since: datetime) -> int:
        """Return none."""
        return 0

    async def ask_erasure(self, turn: TurnId) -> str:
        """Write nothing down: nothing is held of a rehearsal."""
        return ""

    async def commit(self, record: TurnRecord, *, attempt: int = 1) -> bool:
        """Keep nothing."""
        return True


class AtOnce:
    """Steps that are run and not recorded."""

    attempt = 1

    async def run(self, name: str, effect: Callable[[], Awaitable[T]], *, of: type[T]) -> T:
        """Run the effect."""
        return await effect()


class Silence:
    """Nobody watches."""

    async def status(self, conversation: ConversationId, turn: TurnId, text: str) -> None:
        """Show nothing."""


def answers(turn: Turn, facts: Facts, *, now: Callable[[], datetime]) -> Ask:
    """Return how the agent would answer on these facts, by the very turn that customers get."""

    async def ask(asked: Asked) -> Told:
        rehearsed = Turn(
            records=OneTurn(_situation(asked, now())),
            facts=facts,
            writer=turn.writer,
            actions=turn.actions,
            phrases=turn.replying.phrases,
            pack=turn.pack,
            notices=Silence(),
            calibration=turn.calibration,
            similarity=turn.replying.similarity,
            outside=turn.replying.outside,
        )
        record = await rehearsed.run(_TURN, steps=AtOnce())
        cited = [citation for reply in record.replies for citation in reply.citations]
        passages = await facts.live(sorted({one.passage for one in cited}))
        return Told(
            outcome=outcome_name(record.outcome),
            text="\n".join(reply.text for reply in record.replies),
            citations=tuple(_cited(one, passages) for one in cited),
            confidence=record.confidence,
        )

    return ask


def findings(facts: Facts) -> Ask:
    """Return what the agent would have before it on these facts: the best passages, and how sure the search is."""

    async def ask(asked: Asked) -> Told:
        found: Retrieval = await facts.search(
            Query(asked.text, language=asked.language, k=PASSAGES, context=asked.context)
        )
        best = [hit.passage for hit in found.hits[:FOUND]]
        return Told(
            outcome="found" if best else "nothing",
            text="",
            citations=tuple(
                Cited(document=one.document, passage=one.id, title=one.title, quote=one.text, words=one.text)
                for one in best
            ),
            confidence=found.confidence,
        )

    return ask


def _situation(asked: Asked, now: datetime) -> Situation:
    earlier = tuple(
        Message(seq=n, author="customer", text=text, at=now) for n, text in enumerate(asked.context, start=1)
    )
    seq = len(earlier) + 1
    return Situation(
        conversation=Conversation(
            id=ConversationId(CHANNEL),
            channel=CHANNEL,
            language=asked.language,
            holder="ai",
            disclosed=True,
            created=now,
        ),
        batch=(Incoming(id=MessageId(CHANNEL), seq=seq, key=CHANNEL, text=asked.text, at=now),),
        history=earlier,
        purposes=frozenset(),
        refused=frozenset(),
        proposal=None,
        question="",
        clarified=False,
    )


def _cited(citation: Citation, passages: Mapping[str, Passage]) -> Cited:
    passage = passages.get(citation.passage)
    return Cited(
        document=DocumentId(citation.document),
        passage=citation.passage,
        title=citation.title,
        quote=citation.quote,
        words=passage.text if passage is not None else "",
    )
