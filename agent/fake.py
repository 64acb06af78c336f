"""Fakes of the agent's ports, for tests and trials: they keep what they were asked and answer as told."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from agent.basis import Basis
from agent.domain import Draft
from agent.errors import WriterFailed
from agent.ports import Bases, Brief, Steps, Whose
from knowledge.types import Hit, Passage, PassageId, Query, Retrieval
from tools.context import ConversationId, TurnId
from tools.errors import NoBasis

T = TypeVar("T")


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self.time = now

    def now(self) -> datetime:
        """Return the time it was set to."""
        return self.time


class InlineSteps:
    """Runs every effect at once and remembers its result by name, as a durable engine would."""

    def __init__(self, *, attempt: int = 1) -> None:
        self.attempt = attempt
        self.done: dict[str, object] = {}

    async def run(self, name: str, effect: Callable[[], Awaitable[T]], *, of: type[T]) -> T:
        """Run `effect` unless a step of that name is finished."""
        if name not in self.done:
            self.done[name] = await effect()
        return self.done[name]  # type: ignore[return-value]


class FakeGate(Bases):
    """Knows what the caller was told at the beginning, and what is `also` allowed; `asked` keeps the questions.

    A purpose in `withdrawn` has no basis any more, whatever anybody was told.
    """

    def __init__(self, *also: str) -> None:
        self.also = frozenset(also)
        self.withdrawn: set[str] = set()
        self.asked: list[str] = []

    async def allows(self, whose: Whose, purpose: str) -> bool:
        """Return whether the purpose is allowed."""
        self.asked.append(purpose)
        told = self.also | getattr(whose, "purposes", frozenset())
        return purpose in told - self.withdrawn

    async def require(self, whose: Whose, purpose: str) -> Basis:
        """Return a basis without a row."""
        if not await self.allows(whose, purpose):
            raise NoBasis(purpose)
        return Basis(purpose=purpose, kind="consent")


class FakeNotices:
    """Keeps the status lines."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    async def status(self, conversation: ConversationId, turn: TurnId, text: str) -> None:
        """Remember the line."""
        self.shown.append(text)


class FakeWriter:
    """Plays drafts in order; keeps the briefs. Without a draft left it fails as a dead model does."""

    def __init__(self, *drafts: Draft) -> None:
        self.drafts = list(drafts)
        self.asked: list[Brief] = []

    async def write(self, brief: Brief, *, steps: Steps, status: Callable[[str], Awaitable[None]]) -> Draft:
        """Return the next draft."""
        self.asked.append(brief)
        if not self.drafts:
            raise WriterFailed("No model answered.", remedy="Give FakeWriter a draft.")
        return self.drafts.pop(0)


class FakeFacts:
    """Holds passages; every search returns all of them with the confidence it was given."""

    def __init__(self, *passages: Passage, confidence: float = 0.9) -> None:
        self.passages = {passage.id: passage for passage in passages}
        self.confidence = confidence
        self.searched: list[Query] = []
        self.expected: list[str] = []

    async def expect(self, query: str) -> None:
        """Note the hint."""
        self.expected.append(query)

    async def search(self, query: Query) -> Retrieval:
        """Return every passage, in the order given."""
        self.searched.append(query)
        hits = tuple(Hit(passage=passage, score=1.0) for passage in self.passages.values())
        return Retrieval(
            query=query.text, hits=hits, confidence=self.confidence, ms=0.0, understood=query.text
        )

    async def live(self, ids: Sequence[str]) -> Mapping[str, Passage]:
        """Return those of the ids it still holds."""
        return {id: self.passages[PassageId(id)] for id in ids if id in self.passages}

    def retire(self, id: str) -> None:
        """Forget a passage, as a retired document does."""
        del self.passages[PassageId(id)]
