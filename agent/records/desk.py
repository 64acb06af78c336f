"""What people of the company see first: conversations that called for a person, who waits, and since when.

Reads only. A conversation is on the desk when it waits for a person, a person holds it, or it once left a ticket.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.domain import Conversation, TurnRecord
from agent.pledge import Owed
from agent.records.codec import record_of
from agent.records.promises import promised_in, standing_of
from agent.records.rules import OpenTicket, conversation_of
from agent.records.tables import conversations, inbox, messages, outbox, tickets, turns
from tools.context import ConversationId, TurnId

Shelf = Literal["open", "waiting", "mine", "done"]
"""`open`: waiting, held by a person or promised an answer; `mine`: held by the reader, or theirs to answer; `done`: a person was called, now none is needed."""
SHELVES: tuple[Shelf, ...] = get_args(Shelf)
MOST = 100
RECORDS = 30
"""Turns whose tools are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One conversation on the desk.

    `words` is the customer's latest message. `since` is when their wait began: when a person was called, or, in
    somebody's hands, their first message without an answer; None when nobody waits. `reason` is empty where a person
    took the conversation unasked.
    """

    conversation: Conversation
    words: str
    said_at: datetime | None
    reason: str
    since: datetime | None
    updated: datetime
    promise: Owed | None = None
    """What was promised there and still stands, the first due."""


class Desk:
    """The staff's reading room of the records."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def lines(
        self, shelf: Shelf, *, operator: str, department: str = "", limit: int = MOST
    ) -> tuple[Line, ...]:
        """Return the conversations of a shelf: the longest waiting first, then the latest."""
        wanted = (
            select(conversations)
            .where(*_on(shelf, operator), *_of(department))
            .order_by(conversations.c.updated.desc())
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(wanted)).all()
            ids = [row.id for row in rows]
            called = await _called(connection, ids)
            words = await _words(connection, ids)
            unanswered = await _unanswered(connection, ids)
            promised = await standing_of(connection, ids)
        lines = [
            Line(
                conversation=conversation_of(row),
                words=words[row.id].text if row.id in words else "",
                said_at=words[row.id].at if row.id in words else None,
                reason=called[row.id].reason if row.id in called else "",
                since=_since(row, called.get(row.id), unanswered.get(row.id)),
                updated=row.updated,
                promise=promised.get(row.id),
            )
            for row in rows
        ]
        if shelf == "done":
            return tuple(lines)
        return tuple(sorted(lines, key=_urgency))

    async def counts(self, *, operator: str, department: str = "") -> Mapping[Shelf, int]:
        """Return how many conversations each shelf has; `done`, which only grows, is not counted."""
        counted = [shelf for shelf in SHELVES if shelf != "done"]
        each = [func.count(case((and_(*_on(shelf, operator)), conversations.c.id))) for shelf in counted]
        wanted = select(*each).where(*_on("open", operator), *_of(department))
        async with self._engine.connect() as connection:
            row = (await connection.execute(wanted)).one()
        return dict(zip(counted, row, strict=True))

    async def last_ticket(self, conversation: ConversationId) -> OpenTicket | None:
        """Return the latest call for a person, resolved ones too."""
        async with self._engine.connect() as connection:
            row = (await _called(connection, [conversation])).get(conversation)
        if row is None:
            return None
        return OpenTicket(
            id=row.id,
            conversation=conversation,
            turn=TurnId(row.turn),
            reason=row.reason,
            department=row.department,
            summary=row.summary,
            rejected=row.rejected,
            language=row.language,
            state=row.state,
            operator=row.operator,
            created=row.created,
            contact=row.contact,
        )

    async def since(self, conversation: ConversationId) -> datetime | None:
        """Return when the customer's present wait began, None where nobody waits."""
        wanted = select(conversations).where(conversations.c.id == conversation)
        async with self._engine.connect() as connection:
            row = (await connection.execute(wanted)).one_or_none()
            called = await _called(connection, [conversation])
            unanswered = await _unanswered(connection, [conversation])
        if row is None:
            return None
        return _since(row, called.get(conversation), unanswered.get(conversation))

    async def accounts(self, conversation: ConversationId) -> tuple[TurnRecord, ...]:
        """Return the records of the latest turns that ended, oldest first, at most `RECORDS`."""
        wanted = (
            select(turns.c.record)
            .where(turns.c.conversation == conversation, turns.c.outcome.is_not(None))
            .order_by(turns.c.closed.desc())
            .limit(RECORDS)
        )
        async with self._engine.connect() as connection:
            found = [record for record in (await connection.execute(wanted)).scalars() if record is not None]
        return tuple(record_of(record) for record in reversed(found))

    async def disliked(self, conversation: ConversationId) -> frozenset[TurnId]:
        """Return the turns whose answer got a thumbs-down."""
        wanted = select(inbox.c.action).where(
            inbox.c.conversation == conversation, inbox.c.action.is_not(None)
        )
        async with self._engine.connect() as connection:
            actions = [action for action in (await connection.execute(wanted)).scalars() if action]
        return frozenset(
            TurnId(one["target"]) for one in actions if one["kind"] == "rate" and not one.get("yes", True)
        )

    async def deliveries(self, conversation: ConversationId) -> Mapping[int, str]:
        """Return `pending`, `unknown`, `delivered` or `failed` by message number, for channels that are delivered to."""
        wanted = select(outbox.c.seq, outbox.c.state).where(outbox.c.conversation == conversation)
        async with self._engine.connect() as connection:
            return {row.seq: row.state for row in await connection.execute(wanted)}


def _urgency(line: Line) -> tuple[bool, bool, bool, datetime]:
    """Sort what was promised and is late first, then the longest waiting, then what is due first."""
    on_time = line.promise is None or line.promise.state != "late"
    due = line.promise.due if line.promise else None
    return on_time, line.since is None, due is None, line.since or due or line.updated


def _on(shelf: Shelf, operator: str) -> list[ColumnElement[bool]]:
    holder = conversations.c.holder
    if shelf == "open":
        return [or_(holder.in_(("queued", "person")), promised_in(conversations.c.id))]
    if shelf == "waiting":
        return [holder == "queued"]
    if shelf == "mine":
        held = and_(holder == "person", conversations.c.operator == operator)
        return [or_(held, promised_in(conversations.c.id, by=operator))]
    return [holder.in_(("ai", "closed")), exists().where(tickets.c.conversation == conversations.c.id)]


def _of(department: str) -> list[ColumnElement[bool]]:
    return [conversations.c.department == department] if department else []


def _since(row: Any, ticket: Any, unanswered: datetime | None) -> datetime | None:
    if row.holder == "queued":
        return ticket.created if ticket is not None else unanswered
    return unanswered if row.holder == "person" else None


async def _called(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, Any]:
    """Return the latest ticket of each conversation."""
    wanted = select(tickets).where(tickets.c.conversation.in_(ids)).order_by(tickets.c.created)
    return {row.conversation: row for row in await connection.execute(wanted)}


async def _words(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, Any]:
    """Return the customer's latest message of each conversation."""
    latest = (
        select(messages.c.conversation, func.max(messages.c.seq).label("seq"))
        .where(messages.c.conversation.in_(ids), messages.c.author == "customer")
        .group_by(messages.c.conversation)
        .subquery()
    )
    wanted = select(messages.c.conversation, messages.c.text, messages.c.at).join(
        latest, (latest.c.conversation == messages.c.conversation) & (latest.c.seq == messages.c.seq)
    )
    return {row.conversation: row for row in await connection.execute(wanted)}


async def _unanswered(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, datetime]:
    """Return when the first customer message came that no person has answered since.

    The greeting that goes out with a claim is no answer; it has the claim's own time.
    """
    answers = messages.alias()
    greeted = exists().where(
        tickets.c.conversation == answers.c.conversation, tickets.c.claimed == answers.c.at
    )
    answered = (
        select(func.coalesce(func.max(answers.c.seq), 0))
        .where(answers.c.conversation == messages.c.conversation, answers.c.author == "person", ~greeted)
        .scalar_subquery()
    )
    wanted = (
        select(messages.c.conversation, func.min(messages.c.at).label("at"))
        .where(messages.c.conversation.in_(ids), messages.c.author == "customer", messages.c.seq > answered)
        .group_by(messages.c.conversation)
    )
    return {row.conversation: row.at for row in await connection.execute(wanted)}
