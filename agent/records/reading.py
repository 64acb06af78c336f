"""Reading what is written, and what is written outside a turn: how deliveries end.

```
pending ─► unknown ─┬─► delivered
   ▲      (begun)   ├─► failed      will never be taken
   │                ├─► unknown     it may have arrived: tried again, and known to be a possible repetition
   └────────────────┴─► withdrawn   words of the AI, and a person speaks by now
```
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, select, update

from agent.domain import Message, TurnRecord
from agent.records.codec import message_of, record_of
from agent.records.errors import UnknownTurn
from agent.records.rules import Delivery, Event
from agent.records.store import Store
from agent.records.tables import conversations, events, inbox, messages, outbox, turns
from tools.context import ConversationId, TurnId

PAGE = 500
"""Rows one read returns at most."""
UNDER_WAY = ("pending", "unknown")
"""States of a delivery that has not come to its end."""


class Reading(Store):
    """Transcripts, events, receipts, the outbox."""

    async def messages(self, conversation: ConversationId, *, after: int = 0) -> tuple[Message, ...]:
        """Return the transcript after `after`, oldest first, at most 500."""
        wanted = (
            select(messages)
            .where(messages.c.conversation == conversation, messages.c.seq > after)
            .order_by(messages.c.seq)
            .limit(PAGE)
        )
        async with self._reading() as connection:
            return tuple(message_of(row) for row in await connection.execute(wanted))

    async def message(self, conversation: ConversationId, seq: int) -> Message | None:
        """Return one line of the transcript, None when there is none with this number."""
        wanted = select(messages).where(messages.c.conversation == conversation, messages.c.seq == seq)
        async with self._reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        return None if row is None else message_of(row)

    async def events(self, conversation: ConversationId, *, after: int = 0) -> tuple[Event, ...]:
        """Return the events after number `after`, oldest first, at most 500."""
        wanted = (
            select(events)
            .where(events.c.conversation == conversation, events.c.n > after)
            .order_by(events.c.n)
            .limit(PAGE)
        )
        async with self._reading() as connection:
            rows = await connection.execute(wanted)
            return tuple(Event(n=row.n, type=row.type, data=row.data) for row in rows)

    async def last_event(self, conversation: ConversationId) -> int:
        """Return the number of the newest event, 0 when there is none."""
        async with self._reading() as connection:
            found = await connection.execute(
                select(conversations.c.event).where(conversations.c.id == conversation)
            )
            return found.scalar_one_or_none() or 0

    async def turn_of(self, conversation: ConversationId, seq: int) -> TurnId | None:
        """Return the turn that took up customer message `seq`; None while it waits.

        Raises `UnknownTurn` when there is no such message.
        """
        wanted = select(inbox.c.turn).where(inbox.c.conversation == conversation, inbox.c.seq == seq)
        async with self._reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise UnknownTurn()
        return TurnId(row.turn) if row.turn else None

    async def receipt(self, conversation: ConversationId, turn: TurnId) -> TurnRecord | None:
        """Return the turn's record, None while it is open. Raises `UnknownTurn`."""
        wanted = select(turns.c.record).where(turns.c.conversation == conversation, turns.c.id == turn)
        async with self._reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise UnknownTurn()
        return record_of(row.record) if row.record is not None else None

    async def outcomes(self, conversation: ConversationId) -> Mapping[TurnId, str]:
        """Return the outcome's name of every turn, empty for an open one."""
        wanted = select(turns.c.id, turns.c.outcome).where(turns.c.conversation == conversation)
        async with self._reading() as connection:
            return {TurnId(row.id): row.outcome or "" for row in await connection.execute(wanted)}

    async def due(self, channel: str, *, limit: int = 50) -> tuple[Delivery, ...]:
        """Return deliveries of a channel whose time has come, in order.

        None overtakes an earlier message of its conversation that still waits for its own time.
        """
        now, earlier = self.clock.now(), outbox.alias()
        waits = exists().where(
            earlier.c.channel == outbox.c.channel,
            earlier.c.state.in_(UNDER_WAY),
            earlier.c.next_at > now,
            earlier.c.conversation == outbox.c.conversation,
            earlier.c.id < outbox.c.id,
        )
        wanted = (
            select(outbox)
            .where(outbox.c.channel == channel, outbox.c.state.in_(UNDER_WAY))
            .where(outbox.c.next_at <= now, ~waits)
            .order_by(outbox.c.id)
            .limit(limit)
        )
        async with self._reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return tuple(
            Delivery(
                id=row.id,
                conversation=ConversationId(row.conversation),
                channel=row.channel,
                address=row.address,
                seq=row.seq,
                key=row.key,
                attempts=row.attempts,
                unknown=row.state == "unknown",
            )
            for row in rows
        )

    async def begin_delivery(self, delivery: int, *, seconds: float) -> bool:
        """Take a due delivery for `seconds`; False when somebody else has. From here on its end is unknown.

        Whoever takes it records the end with `delivered` or `postponed`; otherwise it is due again afterwards. Words of
        the AI are withdrawn instead where a person holds the conversation at this moment.
        """
        now = self.clock.now()
        by_ai = exists().where(
            messages.c.conversation == outbox.c.conversation,
            messages.c.seq == outbox.c.seq,
            messages.c.author == "ai",
            conversations.c.id == outbox.c.conversation,
            conversations.c.holder == "person",
        )
        late = (
            update(outbox)
            .where(outbox.c.id == delivery, outbox.c.state.in_(UNDER_WAY), by_ai)
            .values(state="withdrawn")
        )
        taken = (
            update(outbox)
            .where(outbox.c.id == delivery, outbox.c.state.in_(UNDER_WAY), outbox.c.next_at <= now)
            .values(state="unknown", next_at=now + timedelta(seconds=seconds))
        )
        async with self.engine.begin() as connection:
            await connection.execute(late)
            return (await connection.execute(taken)).rowcount == 1

    async def reopen_deliveries(self, channel: str) -> int:
        """Make what was begun due at once: whoever had begun it is gone. Returns how many."""
        now = self.clock.now()
        left = (
            update(outbox)
            .where(outbox.c.channel == channel, outbox.c.state == "unknown", outbox.c.next_at > now)
            .values(next_at=now)
        )
        async with self.engine.begin() as connection:
            return (await connection.execute(left)).rowcount

    async def delivered(self, delivery: int) -> None:
        """Record that the other side has the message."""
        await self._mark(delivery, state="delivered", delivered=self.clock.now())

    async def postponed(
        self, delivery: int, *, seconds: float, fault: str, give_up: bool = False, unknown: bool = False
    ) -> None:
        """Record a failed attempt; the next one is due in `seconds`, or never when given up.

        `unknown` keeps in mind that the message may have arrived all the same.
        """
        next_at = self.clock.now() + timedelta(seconds=seconds)
        state = "failed" if give_up else "unknown" if unknown else "pending"
        await self._mark(delivery, state=state, fault=fault, next_at=next_at, attempts=outbox.c.attempts + 1)

    async def _mark(self, delivery: int, **columns: Any) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(update(outbox).where(outbox.c.id == delivery).values(**columns))
