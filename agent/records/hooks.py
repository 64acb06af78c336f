"""What waits for webhooks: each event of a conversation after the one before it, until it arrived or was given up.

```
pending ──take──► sending ─┬─► delivered
   ▲                       ├─► dead        given up: revived only when somebody asks for it
   ├───── postponed ───────┤
   └── the claim ran out, or cut ──┘       whoever had taken it is gone: sent again, under the same id
```
`n` counts the events of one conversation that one webhook was given, from 1 and without gaps. Only the lowest one under
way may be taken, so a conversation waits for its own events and for nobody else's.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from agent.ports import Clock
from agent.records.engine import near
from agent.records.tables import hooks
from tools.context import ConversationId

LISTED = 200
"""Events one listing shows at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One event on its way to one webhook. `attempts` counts those begun, this one included.

    It happened `at`; it has been on its way `since` then, or since somebody had it sent again. `repeated`: nobody
    recorded how an earlier attempt ended.
    """

    id: int
    webhook: str
    conversation: ConversationId
    n: int
    event: str
    type: str
    data: dict[str, Any]
    state: str
    attempts: int
    fault: str
    at: datetime
    since: datetime
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How one webhook stands: events under way, since when the oldest of them, events given up."""

    webhook: str
    waiting: int = 0
    dead: int = 0
    oldest: datetime | None = None


class SqlHooks:
    """The table of hooks, for whoever delivers and whoever looks after it."""

    def __init__(self, engine: AsyncEngine, *, clock: Clock) -> None:
        self._engine = near(engine)
        self._clock = clock

    async def due(self, webhook: str, *, limit: int) -> tuple[ConversationId, ...]:
        """Return conversations whose next event may be sent now, the longest due first."""
        heads = (
            select(hooks.c.conversation, func.min(hooks.c.n).label("n"))
            .where(hooks.c.webhook == webhook, hooks.c.ended.is_(None))
            .group_by(hooks.c.conversation)
            .subquery()
        )
        wanted = (
            select(hooks.c.conversation)
            .join(heads, (heads.c.conversation == hooks.c.conversation) & (heads.c.n == hooks.c.n))
            .where(hooks.c.webhook == webhook, hooks.c.next_at <= self._clock.now())
            .order_by(hooks.c.next_at, hooks.c.id)
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            return tuple(ConversationId(id) for id in await connection.scalars(wanted))

    async def take(self, webhook: str, conversation: ConversationId, *, seconds: float) -> Hook | None:
        """Take the conversation's next event for `seconds`; None when none is due or somebody else has it."""
        now = self._clock.now()
        own = (hooks.c.webhook == webhook) & (hooks.c.conversation == conversation)
        head = select(hooks).where(own, hooks.c.ended.is_(None)).order_by(hooks.c.n).limit(1)
        async with self._engine.begin() as connection:
            row = (await connection.execute(head)).one_or_none()
            if row is None or row.next_at > now:
                return None
            # Another process may have read the same row: only one of them changes it.
            taken = (
                update(hooks)
                .where(hooks.c.id == row.id, hooks.c.ended.is_(None), hooks.c.next_at <= now)
                .values(
                    state="sending",
                    attempts=hooks.c.attempts + 1,
                    next_at=now + timedelta(seconds=seconds),
                )
            )
            if (await connection.execute(taken)).rowcount != 1:
                return None
        return replace(_hook(row), attempts=row.attempts + 1, repeated=row.state in ("sending", "cut"))

    async def delivered(self, hook: int) -> None:
        """Record that the other side has it."""
        await self._mark(_open(hook), state="delivered", ended=self._clock.now())

    async def postponed(self, hook: int, *, seconds: float, fault: str) -> None:
        """Record an attempt that failed; the next one is due in `seconds`."""
        next_at = self._clock.now() + timedelta(seconds=seconds)
        await self._mark(_open(hook), state="pending", fault=fault, next_at=next_at)

    async def given_up(self, hook: int, *, fault: str) -> None:
        """Record that it is not tried any more; the next one of its conversation may follow."""
        await self._mark(_open(hook), state="dead", fault=fault, ended=self._clock.now())

    async def reopen(self, webhook: str) -> int:
        """Make what was being sent due at once: whoever sent it is gone. Returns how many."""
        cut = (hooks.c.webhook == webhook) & (hooks.c.state == "sending")
        return await self._mark(cut, state="cut", next_at=self._clock.now())

    async def orphan(self, known: Collection[str], *, fault: str) -> int:
        """Give up what waits for webhooks that are no longer known. Returns how many."""
        gone = hooks.c.webhook.not_in(sorted(known)) & hooks.c.ended.is_(None)
        return await self._mark(gone, state="dead", fault=fault, ended=self._clock.now())

    async def revive(self, webhook: str, *, event: str = "") -> int:
        """Send again what was given up, or one such event. Returns how many."""
        dead = (hooks.c.webhook == webhook) & (hooks.c.state == "dead")
        if event:
            dead &= hooks.c.event == event
        now = self._clock.now()
        # Its patience begins anew, or it would be given up again at the first failure.
        return await self._mark(dead, state="pending", attempts=0, next_at=now, since=now, ended=None)

    async def forget(self, webhook: str, *, before: datetime) -> int:
        """Delete what ended before a moment. Returns how many."""
        old = delete(hooks).where(hooks.c.webhook == webhook, hooks.c.ended < before)
        async with self._engine.begin() as connection:
            return (await connection.execute(old)).rowcount

    async def backlog(self, webhook: str) -> Backlog:
        """Return how a webhook stands."""
        waiting = select(func.count(), func.min(hooks.c.since)).where(
            hooks.c.webhook == webhook, hooks.c.ended.is_(None)
        )
        dead = select(func.count()).where(hooks.c.webhook == webhook, hooks.c.state == "dead")
        async with self._engine.connect() as connection:
            count, oldest = (await connection.execute(waiting)).one()
            given_up = (await connection.execute(dead)).scalar_one()
        return Backlog(webhook=webhook, waiting=count, dead=given_up, oldest=oldest)

    async def listed(self, webhook: str, *, limit: int = LISTED) -> tuple[Hook, ...]:
        """Return what was given up, and what failed and is tried again, the oldest first."""
        troubled = (
            select(hooks)
            .where(hooks.c.webhook == webhook, hooks.c.state != "delivered", hooks.c.fault != "")
            .order_by(hooks.c.id)
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            return tuple(_hook(row) for row in await connection.execute(troubled))

    async def _mark(self, which: ColumnElement[bool], **columns: Any) -> int:
        async with self._engine.begin() as connection:
            return (await connection.execute(update(hooks).where(which).values(**columns))).rowcount


def _open(hook: int) -> ColumnElement[bool]:
    """Select the hook unless somebody else, who took it after us, recorded its end."""
    return (hooks.c.id == hook) & hooks.c.ended.is_(None)


def _hook(row: Any) -> Hook:
    return Hook(
        id=row.id,
        webhook=row.webhook,
        conversation=ConversationId(row.conversation),
        n=row.n,
        event=row.event,
        type=row.type,
        data=dict(row.data),
        state=row.state,
        attempts=row.attempts,
        fault=row.fault,
        at=row.at,
        since=row.since,
    )
