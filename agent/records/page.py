"""One conversation, locked inside one transaction: what is written to it gets its numbers here.

```
open ── locks the row ──► say, tell, …  ──► close ── one insert a table, one update of the row
```
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import Author, Holder, Message, Reply
from agent.records.codec import buttons_json, citations_json, handoff_event, message_event
from agent.records.errors import UnknownConversation
from agent.records.tables import conversations, events, messages, outbox
from tools.context import ConversationId, TurnId

WIDGET_CHANNELS = frozenset({"widget", "api", "cli", "eval"})
"""Channels whose customers read the transcript and its events themselves: nothing to deliver."""


class Page:
    """The locked conversation; `row` is its state when it was locked."""

    def __init__(self, connection: AsyncConnection, row: Any, now: datetime) -> None:
        self.connection = connection
        self.row = row
        self.now = now
        self._seq: int = row.seq
        self._event: int = row.event
        self._messages: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._outbox: list[dict[str, Any]] = []
        self._columns: dict[str, Any] = {}

    @classmethod
    async def open(cls, connection: AsyncConnection, conversation: ConversationId, now: datetime) -> "Page":
        """Lock the conversation until the transaction ends. Raises `UnknownConversation`."""
        touched = (
            update(conversations)
            .where(conversations.c.id == conversation)
            .values(updated=now)
            .returning(*conversations.c)
        )
        row = (await connection.execute(touched)).one_or_none()
        if row is None:
            raise UnknownConversation()
        return cls(connection, row, now)

    @property
    def id(self) -> ConversationId:
        """The conversation's id."""
        return ConversationId(self.row.id)

    @property
    def holder(self) -> Holder:
        """Who holds the conversation, changes of this transaction included."""
        holder: Holder = self._columns.get("holder", self.row.holder)
        return holder

    def number(self) -> int:
        """Take the next sequence number of the transcript."""
        self._seq += 1
        return self._seq

    def say(
        self,
        author: Author,
        reply: Reply,
        *,
        seq: int | None = None,
        turn: TurnId | None = None,
        name: str = "",
        key: str = "",
    ) -> Message:
        """Write one message to the transcript, its event and, where the channel needs it, its delivery.

        `key` names words that must not be said twice, and their delivery.
        """
        message = Message(
            seq=self.number() if seq is None else seq,
            author=author,
            text=reply.text,
            at=self.now,
            turn=turn,
            citations=reply.citations,
            buttons=reply.buttons,
            name=name,
        )
        self._messages.append(
            {
                "conversation": self.id,
                "seq": message.seq,
                "author": author,
                "text": message.text,
                "at": self.now,
                "turn": turn,
                "citations": citations_json(message.citations),
                "buttons": buttons_json(message.buttons),
                "name": name,
                "key": key or None,
            }
        )
        self.tell("message", message_event(message))
        if author != "customer" and self.row.channel not in WIDGET_CHANNELS:
            self._deliver(message, key=key or f"{self.id}:{message.seq}")
        return message

    def _deliver(self, message: Message, *, key: str) -> None:
        self._outbox.append(
            {
                "conversation": self.id,
                "channel": self.row.channel,
                "address": self.row.external_id or "",
                "seq": message.seq,
                "key": key,
                "state": "pending",
                "attempts": 0,
                "fault": "",
                # In one transaction the messages must keep their order even where the clock stands.
                "next_at": self.now + timedelta(microseconds=len(self._outbox)),
                "at": self.now,
            }
        )

    def tell(self, type: str, data: Mapping[str, Any]) -> int:
        """Write one numbered event; return its number."""
        self._event += 1
        self._events.append(
            {
                "conversation": self.id,
                "n": self._event,
                "type": type,
                "data": dict(data),
                "at": self.now,
            }
        )
        return self._event

    def hand(self, holder: Holder, *, department: str = "", operator: str = "", name: str = "") -> None:
        """Change who holds the conversation and tell the customer's screen; it shows `name`, not the login."""
        self.set(holder=holder, operator=operator)
        if department:
            self.set(department=department)
        shown = department or self.row.department
        self.tell("handoff", handoff_event(holder, department=shown, operator=name))

    def set(self, **columns: Any) -> None:
        """Change columns of the conversation."""
        self._columns.update(columns)

    async def close(self) -> None:
        """Write everything."""
        for table, rows in ((messages, self._messages), (events, self._events), (outbox, self._outbox)):
            if rows:
                await self.connection.execute(insert(table), rows)
        changed = {**self._columns, "seq": self._seq, "event": self._event}
        await self.connection.execute(
            update(conversations).where(conversations.c.id == self.id).values(**changed)
        )
