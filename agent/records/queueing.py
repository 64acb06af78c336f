"""The queue of those who wait for a person: whose next event is due, who could answer, and what was decided.

```
due_events ─► agent.routing.next_event ─► pass_along(expecting the `due` it was decided for)
```
Two processes that decide the same event at once are told apart by `due`: the one that comes second changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import Reply
from agent.pledge import Pledge
from agent.records import promises
from agent.records.handoff_tables import desks, handoffs
from agent.records.page import Page
from agent.records.staff import Role
from agent.records.staff_tables import staff, staff_sessions
from agent.records.store import Store
from agent.records.tables import conversations, tickets
from agent.routing import PRESENT, Case, Next, Operator
from tools.context import ConversationId

AT_ONCE = 100
"""Events one look takes up; the rest is due at the next."""
ANSWERING: tuple[Role, ...] = ("operator", "admin")


class Queueing(Store):
    """The clock's side of the records."""

    async def due_events(self) -> tuple[Case, ...]:
        """Return conversations whose next event is due, the longest due first, at most 100."""
        wanted = (
            select(conversations)
            .where(conversations.c.due <= self.clock.now())
            .order_by(conversations.c.due)
            .limit(AT_ONCE)
        )
        async with self._reading() as connection:
            rows = (await connection.execute(wanted)).all()
            woken = await woken_ones(connection, [row.id for row in rows if row.stage == "person"])
        return tuple(
            Case(
                conversation=ConversationId(row.id),
                stage=row.stage,
                department=row.department,
                language=row.language,
                since=row.since or row.due,
                due=row.due,
                assigned=row.assigned,
                tried=tuple(row.tried),
                passed=tuple(row.passed),
                told=row.told,
                operator=row.operator,
                woken=row.id in woken,
            )
            for row in rows
        )

    async def operators(self) -> tuple[Operator, ...]:
        """Return who may answer and has a console open now, with what they have in their hands."""
        now = self.clock.now()
        seen = func.max(staff_sessions.c.seen)
        signed_in = (
            select(staff_sessions.c.login, seen.label("seen"))
            .where(staff_sessions.c.seen >= now - PRESENT)
            .group_by(staff_sessions.c.login)
            .subquery()
        )
        present = (
            select(
                staff.c.login,
                staff.c.department,
                staff.c.roles,
                signed_in.c.seen,
                desks.c.languages,
                desks.c.capacity,
            )
            .join(signed_in, signed_in.c.login == staff.c.login)
            .outerjoin(desks, desks.c.login == staff.c.login)
            .where(staff.c.disabled.is_(False))
            .order_by(staff.c.login)
        )
        async with self._reading() as connection:
            rows = (await connection.execute(present)).all()
            loads = await _loads(connection) if rows else {}
        return tuple(
            Operator(
                login=row.login,
                department=row.department,
                languages=tuple(row.languages or ()),
                capacity=row.capacity or 0,
                load=loads.get(row.login, 0),
                seen=row.seen,
            )
            for row in rows
            if set(ANSWERING).intersection(row.roles)
        )

    async def pass_along(
        self,
        conversation: ConversationId,
        next: Next,
        *,
        expecting: datetime,
        said: Reply | None = None,
        pledge: Pledge | None = None,
    ) -> bool:
        """Do what was decided for the event that was due at `expecting`; `said` is what the customer is told.

        `pledge` is what those words promise.

        False, and nothing done, when somebody claimed, closed, gave back or decided meanwhile.
        """
        async with self._page(conversation) as page:
            if page.row.due != expecting:
                return False
            if next.requeue:
                await _let_go(page)
            elif next.wake:
                page.pass_on("wake", cause="time_came")
            elif page.stage == "queued":
                await _let_wait(page, next)
            else:
                page.set(due=next.due)
            if said is not None:
                message = page.say("system", said)
                page.set(told=next.tells)
                if pledge is not None:
                    await promises.make(page, pledge, seq=message.seq, department=next.department)
            return True


async def _let_wait(page: Page, next: Next) -> None:
    """Write down whom the queue chose, and when it is looked at again."""
    moved = next.department if next.department != page.row.department else ""
    if next.back is not None and page.row.due > page.row.since:
        page.pass_on("out_of_hours", cause="nobody_in", actor="", department=moved)
    elif page.row.assigned or moved:
        page.pass_on("not_accepted", cause="not_accepted", actor=page.row.assigned, department=moved)
    if moved:
        calls = (tickets.c.conversation == page.id) & (tickets.c.state == "open")
        await page.connection.execute(update(tickets).where(calls).values(department=moved))
    page.set(
        due=next.due,
        assigned=next.assigned,
        tried=list(next.tried),
        passed=list(next.passed),
    )


async def _let_go(page: Page) -> None:
    """Take the conversation back from a person who never answered; their ticket is open again."""
    operator = page.row.operator
    page.pass_on("not_answered", cause="not_answered", actor=operator)
    await page.connection.execute(
        update(tickets)
        .where(tickets.c.conversation == page.id, tickets.c.state == "claimed")
        .values(state="open", operator="", claimed=None)
    )
    page.audit("requeue", actor=operator)


async def woken_ones(connection: AsyncConnection, ids: Sequence[str]) -> frozenset[str]:
    """Return those of the conversations that are in a person's hands because their time came, and not yet answered."""
    if not ids:
        return frozenset()
    wanted = (
        select(conversations.c.id)
        .join(handoffs, handoffs.c.conversation == conversations.c.id)
        .where(
            conversations.c.id.in_(ids),
            conversations.c.stage == "person",
            conversations.c.due.is_not(None),
            handoffs.c.event == "wake",
            handoffs.c.at == conversations.c.since,
        )
    )
    return frozenset((await connection.execute(wanted)).scalars())


async def _loads(connection: AsyncConnection) -> Mapping[str, int]:
    """Return how many conversations each person holds or was chosen for."""
    holder = func.coalesce(func.nullif(conversations.c.operator, ""), conversations.c.assigned)
    wanted = (
        select(holder.label("login"), func.count().label("load"))
        .where(conversations.c.stage.in_(("person", "queued")), holder != "")
        .group_by(holder)
    )
    return {row.login: row.load for row in await connection.execute(wanted)}
