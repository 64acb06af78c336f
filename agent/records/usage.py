"""Which documents answers rested on, and how that went on: reads only, counts without words.

A citation counts as wrong when its answer got a thumbs-down, or a person had to be called right after it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.records.tables import inbox, messages, turns

MOST = 20_000
"""Answers that are looked at, newest first."""
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """How many answers cited a document, how many of these went wrong, and when it was cited last."""

    answers: int = 0
    wrong: int = 0
    last: datetime | None = None


class Usage:
    """Counts what was cited."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def since(self, since: datetime) -> Mapping[str, Used]:
        """Return the figures of every document cited since a moment, by its id."""
        cited = (
            select(messages.c.conversation, messages.c.turn, messages.c.citations, messages.c.at)
            .where(messages.c.author == "ai", messages.c.at >= since, messages.c.turn.is_not(None))
            .order_by(messages.c.at.desc())
            .limit(MOST)
        )
        async with self._engine.connect() as connection:
            rows = [row for row in await connection.execute(cited) if row.citations]
            wrong = await _wrong(connection, sorted({row.conversation for row in rows}))
        told: dict[tuple[str, str], datetime] = {}
        for row in rows:
            for citation in row.citations:
                # One answer may be several messages.
                told.setdefault((str(citation["document"]), row.turn), row.at)
        out: dict[str, Used] = defaultdict(Used)
        for (document, turn), at in told.items():
            one = out[document]
            out[document] = replace(
                one,
                answers=one.answers + 1,
                wrong=one.wrong + (turn in wrong),
                last=max(at, one.last) if one.last is not None else at,
            )
        return dict(out)


async def _wrong(connection: AsyncConnection, conversations: Sequence[str]) -> set[str]:
    """Return the turns whose answer was disliked, or after which a person was called at once."""
    out: set[str] = set()
    for start in range(0, len(conversations), _CHUNK):
        some = conversations[start : start + _CHUNK]
        said = select(inbox.c.action).where(inbox.c.conversation.in_(some), inbox.c.action.is_not(None))
        for (action,) in await connection.execute(said):
            if action and action.get("kind") == "rate" and not action.get("yes", True):
                out.add(str(action.get("target")))
        ended = select(turns.c.id, turns.c.conversation, turns.c.outcome).where(
            turns.c.conversation.in_(some), turns.c.outcome.is_not(None)
        )
        before: dict[str, str] = {}
        for row in await connection.execute(ended.order_by(turns.c.conversation, turns.c.opened, turns.c.id)):
            if row.outcome == "escalated":
                out |= {row.id, before.get(row.conversation, row.id)}
            before[row.conversation] = row.id
    return out
