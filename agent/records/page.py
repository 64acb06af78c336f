"""One conversation, locked inside one transaction: what is written to it gets its numbers here.

```
open ── locks the row ──► say, tell, …  ──► close ── one insert a table, one update of the row
                          note ──► a row of `hooks` for each webhook that wants it, in this very transaction
                          pass_on ► the stage, its owner, its next event by the clock, and a row of `handoffs`
                          audit ─► a line of the audit about whose conversation it is, likewise
```
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import Author, Holder, Message, Reply, Stage
from agent.handoff import OWNER, WRITTEN, Cause, Event, step
from agent.policy.disclosure import owed_after
from agent.records.audit import append
from agent.records.chain import Entry, subject_of
from agent.records.codec import (
    buttons_json,
    cards_json,
    citations_json,
    handoff_event,
    message_event,
)
from agent.records.errors import UnknownConversation
from agent.records.handoff_tables import handoffs
from agent.records.rules import entering
from agent.records.tables import conversations, events, hooks, messages, outbox
from agent.webhooks import EventType, Webhook
from tools.context import ConversationId, TurnId

WIDGET_CHANNELS = frozenset({"widget", "api", "cli", "eval"})
"""Channels whose customers read the transcript and its events themselves: nothing to deliver."""
EVENT_BYTES = 16
_HANDED: Mapping[Holder, EventType] = {
    "ai": "handoff.returned",
    "queued": "handoff.queued",
    "person": "handoff.claimed",
    "closed": "handoff.closed",
}


class Page:
    """The locked conversation; `row` is its state when it was locked."""

    def __init__(
        self, connection: AsyncConnection, row: Any, now: datetime, *, webhooks: Sequence[Webhook] = ()
    ) -> None:
        self.connection = connection
        self.row = row
        self.now = now
        self.webhooks = webhooks
        self._seq: int = row.seq
        self._event: int = row.event
        self._messages: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._outbox: list[dict[str, Any]] = []
        self._hooks: list[dict[str, Any]] = []
        self._handoffs: list[dict[str, Any]] = []
        self._audit: list[Entry] = []
        self._hooked: dict[str, int] = dict(row.hooked)
        self._columns: dict[str, Any] = {}

    @classmethod
    async def open(
        cls,
        connection: AsyncConnection,
        conversation: ConversationId,
        now: datetime,
        *,
        webhooks: Sequence[Webhook] = (),
    ) -> "Page":
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
        return cls(connection, row, now, webhooks=webhooks)

    @property
    def id(self) -> ConversationId:
        """The conversation's id."""
        return ConversationId(self.row.id)

    @property
    def stage(self) -> Stage:
        """Where the conversation is between AI and person, changes of this transaction included."""
        stage: Stage = self._columns.get("stage", self.row.stage)
        return stage

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
            cards=reply.cards,
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
                "cards": cards_json(message.cards),
                "name": name,
                "key": key or None,
            }
        )
        self.tell("message", message_event(message))
        if author == "customer":
            self.note("message.received", seq=message.seq)
        else:
            self.note("message.sent", seq=message.seq, author=author, turn=turn)
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

    def pass_on(
        self,
        event: Event,
        *,
        cause: Cause,
        actor: str = "",
        department: str = "",
        operator: str = "",
        name: str = "",
    ) -> None:
        """Let `event` happen: stage, owner, next event and a row of why. Raises `NotPossible`.

        The customer's screen is told where the owner changed; it shows `name`, not the login. Of what leaves the stage
        as it is only `agent.handoff.WRITTEN` gets a row.
        """
        before, after = self.stage, step(self.stage, event)
        if before == after and event not in WRITTEN:
            return
        self.set(stage=after)
        if before != after:
            self.set(**entering(after, event, self.row, now=self.now))
        if OWNER[after] != self.holder or department not in ("", self.row.department):
            self._hand(OWNER[after], department=department, operator=operator, name=name)
        self._handoffs.append(
            {
                "conversation": self.id,
                "before": before,
                "event": event,
                "after": after,
                "cause": cause,
                "actor": actor,
                "department": department or self.row.department,
                "at": self.now,
            }
        )

    def _hand(self, holder: Holder, *, department: str = "", operator: str = "", name: str = "") -> None:
        reopened = holder == "ai" and self.holder == "closed"
        if owed_after(self.holder, holder):
            self.set(disclosed=False)
        self.set(holder=holder, operator=operator)
        if department:
            self.set(department=department)
        shown = department or self.row.department
        self.tell("handoff", handoff_event(holder, department=shown, operator=name))
        self.note("handoff.reopened" if reopened else _HANDED[holder], department=shown)

    def wanted(self, *types: EventType) -> bool:
        """Return whether any webhook is told of one of these."""
        return any(webhook.wants(type) for webhook in self.webhooks for type in types)

    def note(self, type: EventType, **data: Any) -> None:
        """Give a fact of this transaction to the webhooks that want it; `data` are ids, names and outcomes only."""
        event = f"evt_{secrets.token_urlsafe(EVENT_BYTES)}"
        for webhook in self.webhooks:
            if not webhook.wants(type):
                continue
            self._hooked[webhook.name] = self._hooked.get(webhook.name, 0) + 1
            self._hooks.append(
                {
                    "webhook": webhook.name,
                    "conversation": self.id,
                    "n": self._hooked[webhook.name],
                    "event": event,
                    "type": type,
                    "data": {"channel": self.row.channel, "language": self.row.language, **data},
                    "state": "pending",
                    "attempts": 0,
                    "fault": "",
                    "next_at": self.now,
                    "at": self.now,
                    "since": self.now,
                }
            )

    def audit(self, act: str, *, actor: str, **detail: Any) -> None:
        """Write down who did what in this transaction; `detail` is JSON and holds nothing the customer said."""
        about = subject_of(self.id, self._columns.get("customer_id", self.row.customer_id))
        self._audit.append(Entry(act=act, actor=actor, target=self.id, about=about, detail=detail))

    def set(self, **columns: Any) -> None:
        """Change columns of the conversation."""
        self._columns.update(columns)

    async def close(self) -> None:
        """Write everything."""
        written = (
            (messages, self._messages),
            (events, self._events),
            (outbox, self._outbox),
            (hooks, self._hooks),
            (handoffs, self._handoffs),
        )
        for table, rows in written:
            if rows:
                await self.connection.execute(insert(table), rows)
        changed = {**self._columns, "seq": self._seq, "event": self._event}
        if self._hooks:
            changed["hooked"] = self._hooked
        await self.connection.execute(
            update(conversations).where(conversations.c.id == self.id).values(**changed)
        )
        # Last, because from here to the commit nobody else can add to the audit.
        await append(self.connection, self.now, self._audit)
