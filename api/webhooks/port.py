"""What a postman needs: the events that wait, what they may tell of a conversation, and a way to post."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from agent.domain import Conversation, Message
from agent.records.hooks import Backlog, Hook
from tools.context import ConversationId


class Undelivered(Exception):
    """An attempt failed. `seconds`: how long the other side asked to be left alone, 0 when it did not say.

    `final`: it will never take this event, so there is no use in another attempt.
    """

    def __init__(self, what: str, *, seconds: float = 0.0, final: bool = False) -> None:
        super().__init__(what)
        self.seconds = seconds
        self.final = final


class Hooks(Protocol):
    """The events that wait (see `agent/records/hooks.py`)."""

    async def due(self, webhook: str, *, limit: int) -> tuple[ConversationId, ...]: ...

    async def take(self, webhook: str, conversation: ConversationId, *, seconds: float) -> Hook | None: ...

    async def delivered(self, hook: int) -> None: ...

    async def postponed(self, hook: int, *, seconds: float, fault: str) -> None: ...

    async def given_up(self, hook: int, *, fault: str) -> None: ...

    async def reopen(self, webhook: str) -> int: ...

    async def orphan(self, known: Collection[str], *, fault: str) -> int: ...

    async def revive(self, webhook: str, *, event: str = "") -> int: ...

    async def listed(self, webhook: str, *, limit: int = ...) -> tuple[Hook, ...]: ...

    async def forget(self, webhook: str, *, before: datetime) -> int: ...

    async def backlog(self, webhook: str) -> Backlog: ...


class Transcripts(Protocol):
    """The part of the records that an event may be filled up from."""

    async def message(self, conversation: ConversationId, seq: int) -> Message | None: ...

    async def conversation(self, conversation: ConversationId) -> Conversation: ...


class Post(Protocol):
    """Carries one signed body to one address."""

    async def send(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Return when the other side took it. Raises `Undelivered`."""

    async def close(self) -> None:
        """Close its connections."""
