"""What people of the company see first: conversations that called for a person, who waits, and since when.

Reads only. A conversation is on the desk when it waits for a person, a person holds it, or it once left a ticket.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.domain import Conversation, TurnRecord
from agent.pledge import Owed
from agent.records.codec import record_of
from agent.records.handoff_tables import handoffs
from agent.records.promises import promised_in, standing_of
from agent.records.rules import OpenTicket, conversation_of
from agent.records.tables import conversations, inbox, messages, outbox, tickets, turns
from tools.context import ConversationId, TurnId

Shelf = Literal["open", "waiting", "mine", "snoozed", "done"]
"""`open`: waiting, held by a person or promised an answer; `mine`: held by the reader, or theirs to answer; `snoozed`: put aside
by the reader or a colleague, and on no other shelf; `done`: a person was called, now none is needed."""
SHELVES: tuple[Shelf, ...] = get_args(Shelf)
MOST = 100
RECORDS = 30
"""Turns whose tools are looked at."""
Brought = Literal["", "transfer", "wake"]
"""How a conversation came to where it lies: a colleague passed it on, its time came, or neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One conversation on the desk.

    `words` is the customer's latest message. `since` is when their wait began: when a person was called, or, in
    somebody's hands, their first message without an answer; None when nobody waits. `reason` is empty where a person
    took the conversation unasked. `until`: the moment a conversation that is put aside comes back. `brought` by whom and
    why, as the row of `handoffs` tells.
    """

    conversation: Conversation
    words: str
    said_at: datetime | None
    reason: str
    since: datetime | None
    updated: datetime
    promise: Owed | None = None
    """What was promised there and still stands, the first due."""
    until: datetime | None = None
    brought: Brought = ""
    by: str = ""
    why: str = ""


class Desk:
    """The staff's reading room of the records."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def lines(
        self, shelf: Shelf, *, operator: str, department: str = "", home: str = "", limit: int = MOST
    ) -> tuple[Line, ...]:
        """Return the conversations of a shelf: the longest waiting first, then the latest.

        Before them: what is offered to the reader or was passed on to their `home` department, and what they had put
        aside and is back. What is put aside stands by the moment it comes back, the reader's own first.
        """
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
            last = await _last(connection, ids)
        lines = [
            Line(
                conversation=conversation_of(row),
                words=words[row.id].text if row.id in words else "",
                said_at=words[row.id].at if row.id in words else None,
                reason=called[row.id].reason if row.id in called else "",
                since=_since(row, called.get(row.id), unanswered.get(row.id), last.get(row.id)),
                updated=row.updated,
                promise=promised.get(row.id),
                until=row.due if row.stage == "snoozed" else None,
                **_brought(row, last.get(row.id)),
            )
            for row in rows
        ]
        if shelf == "done":
            return tuple(lines)
        return ordered(lines, operator=operator, home=home)

    async def until(self, conversation: ConversationId) -> datetime | None:
        """Return when a conversation that is put aside comes back, None where it is not."""
        wanted = select(conversations.c.due).where(
            conversations.c.id == conversation, conversations.c.stage == "snoozed"
        )
        async with self._engine.connect() as connection:
            return (await connection.execute(wanted)).scalar_one_or_none()

    async def counts(self, *, operator: str, department: str = "") -> Mapping[Shelf, int]:
        """Return how many conversations each shelf has; `done`, which only grows, is not counted."""
        counted = [shelf for shelf in SHELVES if shelf != "done"]
        each = [func.count(case((and_(*_on(shelf, operator)), conversations.c.id))) for shelf in counted]
        held = conversations.c.holder.in_(("queued", "person"))
        wanted = select(*each).where(held, *_of(department))
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
            last = await _last(connection, [conversation])
        if row is None:
            return None
        return _since(row, called.get(conversation), unanswered.get(conversation), last.get(conversation))

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


def ordered(lines: Iterable[Line], *, operator: str, home: str) -> tuple[Line, ...]:
    """Return the lines as they stand for one reader."""
    return tuple(sorted(lines, key=lambda line: _place(line, operator=operator, home=home)))


def _on(shelf: Shelf, operator: str) -> list[ColumnElement[bool]]:
    holder, stage = conversations.c.holder, conversations.c.stage
    if shelf == "open":
        held = or_(holder.in_(("queued", "person")), promised_in(conversations.c.id))
        return [held, stage != "snoozed"]
    if shelf == "waiting":
        return [holder == "queued"]
    if shelf == "mine":
        own = and_(holder == "person", conversations.c.operator == operator)
        return [or_(own, promised_in(conversations.c.id, by=operator)), stage != "snoozed"]
    if shelf == "snoozed":
        return [stage == "snoozed"]
    return [holder.in_(("ai", "closed")), exists().where(tickets.c.conversation == conversations.c.id)]


def _of(department: str) -> list[ColumnElement[bool]]:
    return [conversations.c.department == department] if department else []


def _place(line: Line, *, operator: str, home: str) -> tuple[bool, bool, bool, bool, datetime]:
    """Return where a line stands: what was promised and is late, then what is the reader's to begin with."""
    held, promise = line.conversation, line.promise
    if line.until is not None:
        return held.operator != operator, False, False, False, line.until
    on_time = promise is None or promise.state != "late"
    passed = line.brought == "transfer" and bool(home) and held.department == home
    back = line.brought == "wake" and held.operator == operator
    first = held.assigned == operator or passed or back
    due = promise.due if promise else None
    return on_time, not first, line.since is None, due is None, line.since or due or line.updated


def _brought(row: Any, last: Any) -> dict[str, Any]:
    """Return how the conversation came into its stage, where a colleague or its time brought it there."""
    if last is None or last.event not in ("transfer", "wake") or row.stage not in ("queued", "person"):
        return {}
    # Answered, it is like any other in a person's hands.
    if row.stage == "person" and row.due is None:
        return {}
    return {"brought": last.event, "by": last.actor, "why": last.cause}


def _since(row: Any, ticket: Any, unanswered: datetime | None, last: Any) -> datetime | None:
    if row.holder == "queued" and last is not None and last.event == "transfer":
        return unanswered or row.since
    if row.holder == "queued":
        return ticket.created if ticket is not None else unanswered
    return unanswered if row.holder == "person" else None


async def _called(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, Any]:
    """Return the latest ticket of each conversation."""
    wanted = select(tickets).where(tickets.c.conversation.in_(ids)).order_by(tickets.c.created)
    return {row.conversation: row for row in await connection.execute(wanted)}


async def _last(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, Any]:
    """Return the latest transition of each conversation that was not the queue's own search for somebody."""
    own = handoffs.c.event.not_in(("not_accepted", "out_of_hours"))
    newest = (select(func.max(handoffs.c.id)).where(handoffs.c.conversation.in_(ids), own)).group_by(
        handoffs.c.conversation
    )
    wanted = select(handoffs).where(handoffs.c.id.in_(newest))
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
