"""How messages come in: conversations, the inbox, leases, and batches of messages that become turns."""

import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, or_, select, union, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import Action, Conversation, Incoming, Reply
from agent.handoff import step
from agent.records.codec import action_json, action_of
from agent.records.errors import UnknownConversation
from agent.records.rules import Accepted, clean, conversation_of
from agent.records.store import Store
from agent.records.tables import conversations, inbox, messages, outbox, turns
from tools.context import Assurance, ConversationId, CustomerId, Language, MessageId, TurnId

ID_BYTES = 16


class Intake(Store):
    """Accepts messages and hands them out as turns."""

    async def open_conversation(
        self,
        *,
        channel: str,
        language: Language,
        external_id: str | None = None,
        customer_id: CustomerId | None = None,
        assurance: Assurance = "anonymous",
        token_hash: str = "",
        disclosure: Reply | None = None,
        id: ConversationId | None = None,
    ) -> Conversation:
        """Open a conversation, or return the one that already has this `external_id` in this channel.

        `disclosure` becomes the first message of the transcript; without one the first turn discloses. `id` is
        given by a door whose token names it.
        """
        if external_id is not None and (known := await self._external(channel, external_id)) is not None:
            return known
        now = self.clock.now()
        id = id or ConversationId(secrets.token_urlsafe(ID_BYTES))
        values = {
            "id": id,
            "channel": channel,
            "external_id": external_id,
            "language": language,
            "holder": "ai",
            "customer_id": customer_id,
            "assurance": assurance,
            "disclosed": disclosure is not None,
            "question": "",
            "awaiting": "",
            "clarified": False,
            "department": "",
            "operator": "",
            "token_hash": token_hash,
            "seq": 0,
            "event": 0,
            "lease_owner": "",
            "created": now,
            "updated": now,
        }
        try:
            async with self.engine.begin() as connection:
                await connection.execute(insert(conversations).values(**values))
        except IntegrityError:
            # Two first messages of one messenger chat at the same moment: the other one opened it.
            if external_id is None or (known := await self._external(channel, external_id)) is None:
                raise
            return known
        if disclosure is not None:
            async with self._page(id) as page:
                page.say("ai", disclosure)
        return await self.conversation(id)

    async def conversation(self, conversation: ConversationId) -> Conversation:
        """Return the conversation's state. Raises `UnknownConversation`."""
        async with self._reading() as connection:
            found = await connection.execute(select(conversations).where(conversations.c.id == conversation))
            row = found.one_or_none()
        if row is None:
            raise UnknownConversation()
        return conversation_of(row)

    async def token_hash(self, conversation: ConversationId) -> str:
        """Return the hash of the conversation's bearer token, empty when there is no such conversation."""
        async with self._reading() as connection:
            found = await connection.execute(
                select(conversations.c.token_hash).where(conversations.c.id == conversation)
            )
            return found.scalar_one_or_none() or ""

    async def _external(self, channel: str, external_id: str) -> Conversation | None:
        async with self._reading() as connection:
            found = await connection.execute(
                select(conversations).where(
                    conversations.c.channel == channel, conversations.c.external_id == external_id
                )
            )
            row = found.one_or_none()
        return None if row is None else conversation_of(row)

    async def accept(
        self,
        conversation: ConversationId,
        *,
        key: str,
        text: str = "",
        action: Action | None = None,
        label: str = "",
    ) -> Accepted:
        """Commit one customer message: inbox row, transcript line, event. Idempotent by `key`.

        A press of a button is shown in the transcript by the label of that button, by `label` when no message
        carried it. A rating is about what was said before: it does not open a closed conversation.
        """
        async with self._page(conversation) as page:
            known = select(inbox.c.id, inbox.c.seq).where(
                inbox.c.conversation == conversation, inbox.c.key == key
            )
            if (row := (await page.connection.execute(known)).one_or_none()) is not None:
                return Accepted(id=row.id, seq=row.seq, new=False)
            said = clean(text)
            seq = page.number()
            id = secrets.token_urlsafe(ID_BYTES)
            await page.connection.execute(
                insert(inbox).values(
                    id=id,
                    conversation=conversation,
                    seq=seq,
                    key=key,
                    text=said,
                    action=action_json(action),
                    at=page.now,
                )
            )
            shown = said or await self._label(page.connection, conversation, action) or label
            if shown.strip():
                page.say("customer", Reply(text=shown), seq=seq)
            rates = action is not None and action.kind == "rate"
            holder = page.holder if rates else step(page.holder, "customer_writes")
            if holder != page.holder:
                page.hand(holder)
            return Accepted(id=id, seq=seq, new=True)

    async def knows(self, conversation: ConversationId, key: str) -> bool:
        """Return whether a message with this key has been accepted."""
        known = select(inbox.c.id).where(inbox.c.conversation == conversation, inbox.c.key == key)
        async with self._reading() as connection:
            return (await connection.execute(known)).first() is not None

    async def remark(
        self, conversation: ConversationId, *replies: Reply, key: str, discloses: bool = False
    ) -> bool:
        """Say something outside a turn, once per `key`, in a channel that is delivered to. False when said before.

        `discloses`: these words tell the customer that a program answers.
        """
        marked = f"{conversation}:{key}"
        async with self._page(conversation) as page:
            known = select(outbox.c.id).where(outbox.c.key == marked)
            if (await page.connection.execute(known)).first() is not None:
                return False
            for n, reply in enumerate(replies):
                page.say("system", reply, key=f"{marked}:{n}" if n else marked)
            page.set(disclosed=discloses or page.row.disclosed)
            return True

    async def _label(
        self, connection: AsyncConnection, conversation: ConversationId, action: Action | None
    ) -> str:
        """Return the words on the button that sends `action`, empty when no message has it."""
        if action is None:
            return ""
        if action.kind == "say":
            return clean(action.target)
        recent = (
            select(messages.c.buttons)
            .where(messages.c.conversation == conversation)
            .order_by(messages.c.seq.desc())
            .limit(10)
        )
        wanted = action_json(action)
        for buttons in (await connection.execute(recent)).scalars():
            for button in buttons:
                if button["action"] == wanted:
                    return str(button["label"])
        return ""

    async def unassigned(self, conversation: ConversationId) -> tuple[Incoming, ...]:
        """Return accepted messages that are in no turn yet, oldest first; none while a turn is open."""
        async with self._reading() as connection:
            open_turn = select(turns.c.id).where(
                turns.c.conversation == conversation, turns.c.outcome.is_(None)
            )
            if (await connection.execute(open_turn)).first() is not None:
                return ()
            waiting = (
                select(inbox)
                .where(inbox.c.conversation == conversation, inbox.c.turn.is_(None))
                .order_by(inbox.c.seq)
            )
            rows = (await connection.execute(waiting)).all()
        return tuple(incoming_of(row) for row in rows)

    async def pending_conversations(
        self, *, only: ConversationId | None = None
    ) -> tuple[ConversationId, ...]:
        """Return conversations (or `only` this one) with a message that has no outcome yet."""
        waiting = select(inbox.c.conversation).where(inbox.c.turn.is_(None))
        open_turns = select(turns.c.conversation).where(turns.c.outcome.is_(None))
        if only is not None:
            waiting = waiting.where(inbox.c.conversation == only)
            open_turns = open_turns.where(turns.c.conversation == only)
        async with self._reading() as connection:
            rows = await connection.execute(union(waiting, open_turns))
            return tuple(ConversationId(row[0]) for row in rows)

    async def next_batch(self, conversation: ConversationId) -> TurnId | None:
        """Return the open turn, or make one of all waiting messages; None when nothing waits.

        The turn's id is the id of its first message. There are never two open turns: the table forbids it.
        """
        if conversation not in await self.pending_conversations(only=conversation):
            return None
        async with self._page(conversation) as page:
            open_turn = select(turns.c.id).where(
                turns.c.conversation == conversation, turns.c.outcome.is_(None)
            )
            if (id := (await page.connection.execute(open_turn)).scalar_one_or_none()) is not None:
                return TurnId(id)
            waiting = (
                select(inbox.c.id)
                .where(inbox.c.conversation == conversation, inbox.c.turn.is_(None))
                .order_by(inbox.c.seq)
            )
            ids = list((await page.connection.execute(waiting)).scalars())
            if not ids:
                return None
            turn = TurnId(ids[0])
            await page.connection.execute(
                insert(turns).values(
                    id=turn,
                    conversation=conversation,
                    opened=page.now,
                    reason="",
                    language=page.row.language,
                    model="",
                    withheld=False,
                )
            )
            await page.connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(turn=turn))
            return turn

    async def lease(self, conversation: ConversationId, owner: str, *, seconds: float) -> bool:
        """Take or prolong the right to work on the conversation; False while somebody else has it."""
        now = self.clock.now()
        free = or_(
            conversations.c.lease_owner.in_(("", owner)),
            conversations.c.lease_until.is_(None),
            conversations.c.lease_until < now,
        )
        taken = (
            update(conversations)
            .where(conversations.c.id == conversation, free)
            .values(lease_owner=owner, lease_until=now + timedelta(seconds=seconds))
        )
        async with self.engine.begin() as connection:
            return (await connection.execute(taken)).rowcount == 1

    async def release(self, conversation: ConversationId, owner: str) -> None:
        """Give the right back."""
        given = (
            update(conversations)
            .where(conversations.c.id == conversation, conversations.c.lease_owner == owner)
            .values(lease_owner="", lease_until=None)
        )
        async with self.engine.begin() as connection:
            await connection.execute(given)


def incoming_of(row: Any) -> Incoming:
    """Read a row of `inbox`."""
    return Incoming(
        id=MessageId(row.id),
        seq=row.seq,
        key=row.key,
        text=row.text,
        action=action_of(row.action),
        at=row.at,
    )
