"""What customers asked and how it ended, for people who keep the knowledge: reads only, masked on the way out.

A question is a turn that searched: presses of buttons, greetings and what a person answered are none.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.privacy.hiding import hidden
from agent.records.chain import Subject, subject_of
from agent.records.tables import conversations, inbox, messages, turns
from tools.context import ConversationId, Language, TurnId

CONTEXT = 3
"""Earlier messages of the customer told with a question."""
REPLIES = 8
"""Replies of people told with a question."""
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of a customer and its outcome; texts are masked.

    `reason` is why a person was called. `person_after` says that the customer's next wish was a person, `disliked`
    that the answer got a thumbs-down. `replies` is what people of the company answered afterwards in the conversation.
    """

    turn: TurnId
    conversation: ConversationId
    text: str
    language: Language
    at: datetime
    outcome: str
    reason: str
    confidence: float | None
    context: tuple[str, ...] = ()
    disliked: bool = False
    person_after: bool = False
    replies: tuple[str, ...] = ()


@dataclass(slots=True)  # mutable: filled row by row
class _Said:
    """The customer's side of some conversations: words by turn, ratings by turn, turns in order."""

    words: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    disliked: set[str] = field(default_factory=set)
    turns: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))


class Questions:
    """The curators' reading room of the records; `mask` takes out what names a person."""

    def __init__(self, engine: AsyncEngine, *, mask: Callable[[str], str] = hidden) -> None:
        self._engine = engine
        self._mask = mask

    async def latest(self, limit: int, *, since: datetime | None = None) -> tuple[Question, ...]:
        """Return the latest `limit` questions whose turn is over, newest first; none from before `since`."""
        out: list[Question] = []
        before: datetime | None = None
        async with self._engine.connect() as connection:
            while len(out) < limit:
                rows = await _closed(connection, before=before, since=since)
                if not rows:
                    break
                out += await self._questions(connection, [row for row in rows if searched(row)])
                before = rows[-1].closed
        return tuple(out[:limit])

    async def asked_by(self, turns_: Collection[str]) -> tuple[Subject, ...]:
        """Return whose questions these turns were, each subject once."""
        found: dict[Subject, None] = {}
        async with self._engine.connect() as connection:
            for some in _parts(sorted(set(turns_))):
                wanted = select(conversations.c.id, conversations.c.customer_id).distinct()
                joined = wanted.join(turns, turns.c.conversation == conversations.c.id)
                for row in await connection.execute(joined.where(turns.c.id.in_(some))):
                    found[subject_of(row.id, row.customer_id)] = None
        return tuple(found)

    async def _questions(self, connection: AsyncConnection, rows: Sequence[Any]) -> list[Question]:
        conversations = sorted({row.conversation for row in rows})
        said = await _said(connection, conversations)
        replies = await _replies(connection, conversations)
        found = (self._question(row, said, replies[row.conversation]) for row in rows)
        return [question for question in found if any(letter.isalnum() for letter in question.text)]

    def _question(self, row: Any, said: _Said, replies: Sequence[Any]) -> Question:
        own = said.turns[row.conversation]
        at = next((n for n, turn in enumerate(own) if turn.id == row.id), len(own))
        following = own[at + 1] if at + 1 < len(own) else None
        earlier = [" ".join(said.words[turn.id]) for turn in own[:at] if said.words[turn.id]]
        # A person answers this question until the customer asks the assistant another one.
        until = next((turn.opened for turn in own[at + 1 :] if searched(turn)), None)
        answers = [
            reply.text for reply in replies if reply.at >= row.opened and (until is None or reply.at < until)
        ]
        return Question(
            turn=TurnId(row.id),
            conversation=ConversationId(row.conversation),
            text=self._mask("\n".join(said.words[row.id])),
            language=row.language,
            at=row.closed,
            outcome=row.outcome,
            reason=row.reason,
            confidence=row.confidence,
            context=tuple(map(self._mask, earlier[-CONTEXT:])),
            disliked=row.id in said.disliked,
            person_after=following is not None and following.reason == "customer_asked",
            replies=tuple(map(self._mask, answers[:REPLIES])),
        )


async def _closed(
    connection: AsyncConnection, *, before: datetime | None, since: datetime | None
) -> Sequence[Any]:
    """Return a page of closed turns, newest first. Two turns that closed in one instant stay on one page."""
    wanted = select(turns).where(turns.c.outcome.is_not(None), turns.c.closed.is_not(None))
    if before is not None:
        wanted = wanted.where(turns.c.closed < before)
    if since is not None:
        wanted = wanted.where(turns.c.closed >= since)
    rows = list(await connection.execute(wanted.order_by(turns.c.closed.desc(), turns.c.id).limit(_PAGE)))
    if len(rows) == _PAGE:
        edge = rows[-1].closed
        rest = select(turns).where(turns.c.closed == edge, turns.c.outcome.is_not(None))
        known = {row.id for row in rows}
        rows += [row for row in await connection.execute(rest) if row.id not in known]
    return rows


async def _said(connection: AsyncConnection, conversations: Sequence[str]) -> _Said:
    out = _Said()
    for some in _parts(conversations):
        wanted = select(turns).where(turns.c.conversation.in_(some)).order_by(turns.c.opened, turns.c.id)
        for row in await connection.execute(wanted):
            out.turns[row.conversation].append(row)
        lines = select(inbox).where(inbox.c.conversation.in_(some)).order_by(inbox.c.seq)
        for row in await connection.execute(lines):
            _hear(out, row)
    return out


def _hear(out: _Said, row: Any) -> None:
    action: Mapping[str, Any] = row.action or {}
    kind = action.get("kind")
    if kind == "rate":
        if not action.get("yes", True):
            out.disliked.add(str(action.get("target")))
    elif kind in (None, "say") and row.turn:
        words = row.text or str(action.get("target", ""))
        out.words[row.turn].append(words.strip())


async def _replies(connection: AsyncConnection, conversations: Sequence[str]) -> dict[str, list[Any]]:
    out: dict[str, list[Any]] = defaultdict(list)
    for some in _parts(conversations):
        wanted = select(messages).where(messages.c.conversation.in_(some), messages.c.author == "person")
        for row in await connection.execute(wanted.order_by(messages.c.conversation, messages.c.seq)):
            out[row.conversation].append(row)
    return out


def searched(row: Any) -> bool:
    """Tell whether a turn looked for an answer: presses of buttons and greetings did not."""
    record: Mapping[str, Any] = row.record or {}
    return bool(record.get("evidence")) or "retrieval" in (record.get("ms") or {})


def _parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[i : i + _PAGE] for i in range(0, len(names), _PAGE)]
