"""How messages come in: conversations, the inbox, leases, and batches of messages that become turns."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, or_, select, union, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import Action, Conversation, Incoming, Reply
from agent.policy.proof import discreet
from agent.records.codec import action_json, action_of
from agent.records.errors import UnknownConversation, UnknownTurn
from agent.records.page import Page
from agent.records.restarting import open_turn, take_back, waiting
from agent.records.rules import (
    FIRST,
    LAST,
    TAKEN_BACK,
    Accepted,
    clean,
    conversation_of,
    one_turn,
    restarts,
)
from agent.records.store import Store
from agent.records.tables import (
    conversations,
    inbox,
    messages,
    outbox,
    turns,
)
from agent.stages import totalled
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
            "proving": "",
            "parked": "",
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
                if disclosure is not None:
                    page = await Page.open(connection, id, now, webhooks=self.webhooks)
                    page.say("ai", disclosure)
                    await page.close()
        except IntegrityError:
            # Two first messages of one messenger chat at the same moment: the other one opened it.
            if external_id is None or (known := await self._external(channel, external_id)) is None:
                raise
            return known
        if disclosure is not None:
            self.rang(id)
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
        carried it. A rating is about what was said before: it does not open a closed conversation. A contact or a one-time code is
        not shown where one is awaited; the inbox holds it until its turn is decided. A message that
        comes while a turn runs and nothing of it was sent takes the turn back: it begins again with this message.
        """
        async with self._page(conversation) as page:
            known = select(inbox.c.id, inbox.c.seq).where(
                inbox.c.conversation == conversation, inbox.c.key == key
            )
            if (row := (await page.connection.execute(known)).one_or_none()) is not None:
                return Accepted(id=row.id, seq=row.seq, new=False)
            if page.holder == "ai" and restarts(action) and not await waiting(page):
                await take_back(page)
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
            shown = (
                discreet(said, page.row.proving)
                or await self._label(page.connection, conversation, action)
                or label
            )
            if shown.strip():
                page.say("customer", Reply(text=shown), seq=seq)
            rates = action is not None and action.kind == "rate"
            if not rates:
                page.pass_on("customer_writes", cause="customer_wrote")
                if page.row.holder == "closed":
                    # What a person came between and closed is not answered as if nothing had happened.
                    await take_back(page)
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
        """Return accepted messages that are in no turn yet, oldest first; none while a turn runs."""
        async with self._reading() as connection:
            running = open_turn(conversation).where(turns.c.attempt != TAKEN_BACK)
            if (await connection.execute(running)).first() is not None:
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
        """Return the open turn, or make one of the messages that wait; None when nothing waits.

        The turn's id is the id of its first message. There are never two open turns: the table forbids it. A turn
        that was taken back is given the late messages and its last attempt.
        """
        if conversation not in await self.pending_conversations(only=conversation):
            return None
        async with self._page(conversation) as page:
            known = (await page.connection.execute(open_turn(conversation))).one_or_none()
            if known is not None and known.attempt != TAKEN_BACK:
                return TurnId(known.id)
            waiting = (
                select(inbox.c.id, inbox.c.action)
                .where(inbox.c.conversation == conversation, inbox.c.turn.is_(None))
                .order_by(inbox.c.seq)
            )
            rows = (await page.connection.execute(waiting)).all()
            ids = [row.id for row in rows[: one_turn([action_of(row.action) for row in rows])]]
            if known is None and not ids:
                return None
            turn = TurnId(ids[0] if known is None else known.id)
            if known is None:
                await _open(page, turn)
            else:
                again = update(turns).where(turns.c.id == turn).values(attempt=LAST, claims=page.row.claims)
                await page.connection.execute(again)
            await page.connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(turn=turn))
            return turn

    async def attempt_of(self, turn: TurnId) -> int:
        """Return which attempt of the turn may write: 1 or 2, and 0 while it was taken back.

        Raises `UnknownTurn`.
        """
        async with self._reading() as connection:
            found = await connection.execute(select(turns.c.attempt).where(turns.c.id == turn))
            attempt = found.scalar_one_or_none()
        if attempt is None:
            raise UnknownTurn()
        return int(attempt)

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

    async def release(
        self, conversation: ConversationId, owner: str, *, committing: Mapping[TurnId, float] | None = None
    ) -> None:
        """Give the right back. `committing`: what the commits of turns took, in ms, for their records.

        A commit cannot say of itself how long it will have taken, and this transaction is due anyway.
        """
        given = (
            update(conversations)
            .where(conversations.c.id == conversation, conversations.c.lease_owner == owner)
            .values(lease_owner="", lease_until=None)
        )
        async with self.engine.begin() as connection:
            await connection.execute(given)
            for turn, ms in (committing or {}).items():
                await _add_commit(connection, turn, ms)


async def _open(page: Page, turn: TurnId) -> None:
    await page.connection.execute(
        insert(turns).values(
            id=turn,
            conversation=page.id,
            opened=page.now,
            attempt=FIRST,
            reason="",
            language=page.row.language,
            model="",
            withheld=False,
            claims=page.row.claims,
        )
    )


async def _add_commit(connection: AsyncConnection, turn: TurnId, ms: float) -> None:
    found = await connection.execute(select(turns.c.record).where(turns.c.id == turn))
    record = found.scalar_one_or_none()
    if record is not None:
        record["ms"] = totalled({**record["ms"], "commit": ms})
        await connection.execute(update(turns).where(turns.c.id == turn).values(record=record))


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
