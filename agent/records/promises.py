"""The ledger of promises: written with the message that makes one, ended with the message that keeps it.

```
person_says ─┬─► the standing promises of the conversation are kept, or renewed where the message makes one itself
             └─► make
commit ────────► make, for the department                 overdue ─► agent.overdue ─► be_late, one transaction
console ───────► mark_promise, put_off
```
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.domain import Reply
from agent.overdue import Lateness, Overdue, renewed
from agent.pledge import MARKS, STANDING, End, Owed, Owner, Pledge, PledgeId, State
from agent.records.errors import UnknownPromise
from agent.records.page import Page
from agent.records.promise_table import promises
from agent.records.restarting import open_turn
from agent.records.restricting import is_restricted
from agent.records.store import Store
from agent.records.tables import conversations, tickets
from tools.context import ConversationId, CustomerId

AT_ONCE = 100
"""Promises one look takes up; the rest is due at the next."""


class Promising(Store):
    """The ledger's side of the records."""

    async def promises(self, conversation: ConversationId) -> tuple[Owed, ...]:
        """Return what was promised in the conversation, oldest first."""
        return await self._owed(promises.c.conversation == conversation)

    async def standing(self, *, within: Collection[ConversationId] | None = None) -> tuple[Owed, ...]:
        """Return what somebody still has to do, in these conversations or in all of them, the first due first."""
        where = promises.c.state.in_(STANDING)
        return await self._owed(where if within is None else where & promises.c.conversation.in_(within))

    async def _owed(self, where: Any) -> tuple[Owed, ...]:
        async with self._reading() as connection:
            return await _read(connection, where)

    async def overdue(self) -> tuple[Overdue, ...]:
        """Return the promises whose time has passed and whose customer was told nothing of it, at most 100."""
        due = or_(
            (promises.c.state == "open") & (promises.c.due <= self.clock.now()),
            (promises.c.state == "late") & (promises.c.told == ""),
        )
        talk = conversations.c
        named = (talk.customer_id, talk.stage, talk.operator, talk.language.label("spoken"))
        wanted = (
            select(promises, *named)
            .join(conversations, talk.id == promises.c.conversation)
            .where(due)
            .order_by(promises.c.due)
            .limit(AT_ONCE)
        )
        async with self._reading() as connection:
            rows = (await connection.execute(wanted)).all()
            rests = {row.conversation: await is_restricted(connection, row.conversation) for row in rows}
        return tuple(
            Overdue(
                owed=owed_of(row),
                stage=row.stage,
                operator=row.operator,
                language=row.spoken,
                restricted=rests[row.conversation],
            )
            for row in rows
        )

    async def be_late(self, one: Overdue, late: Lateness, *, said: Reply | None = None) -> bool:
        """Do what was decided for a promise that is due; `said` is what the customer is told.

        False, and nothing done, when it came to its end meanwhile, was put off, somebody moved the conversation, or a
        turn is under way: that is waited for.
        """
        async with self._page(one.owed.conversation) as page:
            known = await page.connection.execute(select(promises).where(promises.c.id == one.owed.id))
            row = known.one_or_none()
            if row is None or (row.state, row.told, row.due) != (one.owed.state, one.owed.told, one.owed.due):
                return False
            if (page.stage, page.row.operator) != (one.stage, one.operator):
                return False
            if (await page.connection.execute(open_turn(page.id))).first() is not None:
                return False
            await change(page, one.owed.id, state="late", late=row.late or page.now, told=late.tells)
            if row.state == "open":
                await _move(page, one.owed, late)
            if said is not None:
                message = page.say("system", said, key=f"{page.id}:late:{one.owed.id}")
                again = renewed(late, said)
                if again is not None:
                    await make(page, again, seq=message.seq, department=late.department, renews=one.owed.id)
            return True

    async def mark_promise(
        self, conversation: ConversationId, promise: PledgeId, *, operator: str, end: End
    ) -> Owed:
        """Say that a promise is kept (`marked`), was none (`mistaken`) or stands after all. Raises `UnknownPromise`."""
        async with self._page(conversation) as page:
            owed = await _known(page, promise)
            state: State = MARKS[end]
            if state == "open" and page.now >= owed.due:
                # What is late stays late: the customer is not told twice.
                state = "late"
            ended = None if state in STANDING else page.now
            await change(page, promise, state=state, end=end, ended=ended, actor=operator)
            page.audit(f"promise.{end or 'reopened'}", actor=operator, promise=promise)
            return replace(owed, state=state, end=end, ended=ended)

    async def put_off(
        self, conversation: ConversationId, promise: PledgeId, *, operator: str, due: datetime
    ) -> Owed:
        """Correct until when a promise is; one that was late stands again where that is to come. Raises `UnknownPromise`."""
        async with self._page(conversation) as page:
            owed = await _known(page, promise)
            state: State = "open" if due > page.now else owed.state
            await change(page, promise, due=due, exact=True, state=state, end="", ended=None, actor=operator)
            page.audit("promise.put_off", actor=operator, promise=promise, until=due.isoformat())
            return replace(owed, due=due, exact=True, state=state, end="", ended=None)


async def all_standing(engine: AsyncEngine) -> tuple[Owed, ...]:
    """Return what somebody still has to do, in all conversations, the first due first."""
    async with engine.connect() as connection:
        return await _read(connection, promises.c.state.in_(STANDING))


async def _read(connection: AsyncConnection, where: Any) -> tuple[Owed, ...]:
    wanted = (
        select(promises, conversations.c.customer_id)
        .join(conversations, conversations.c.id == promises.c.conversation)
        .where(where)
        .order_by(promises.c.due, promises.c.seq)
    )
    return tuple(owed_of(row) for row in await connection.execute(wanted))


async def standing_of(connection: AsyncConnection, ids: Collection[str]) -> Mapping[ConversationId, Owed]:
    """Return the standing promise of each conversation that is due first."""
    found = await _read(connection, promises.c.state.in_(STANDING) & promises.c.conversation.in_(ids))
    return {one.conversation: one for one in reversed(found)}


def promised_in(conversation: Any, *, by: str = "") -> ColumnElement[bool]:
    """Select conversations in which a promise stands, `by` this person where one is named."""
    mine = (promises.c.owner == "person") & (promises.c.name == by)
    stands = (promises.c.conversation == conversation) & promises.c.state.in_(STANDING)
    return exists().where(stands & mine if by else stands)


async def make(
    page: Page,
    pledge: Pledge,
    *,
    seq: int,
    owner: Owner = "department",
    name: str = "",
    department: str,
    renews: str = "",
) -> None:
    """Write down what the message promises; a department's is in its own name."""
    await page.connection.execute(
        insert(promises).values(
            id=secrets.token_urlsafe(16),
            conversation=page.id,
            seq=seq,
            owner=owner,
            name=name or department,
            department=department,
            words=pledge.words,
            language=page.row.language,
            due=pledge.due,
            exact=pledge.exact,
            state="open",
            made=page.now,
            end="",
            told="",
            renews=renews,
            actor="",
        )
    )


async def end(page: Page, how: End, *, owner: Owner | None = None) -> None:
    """End the conversation's standing promises: of one kind of owner, or all."""
    where = (promises.c.conversation == page.id) & promises.c.state.in_(STANDING)
    if owner is not None:
        where &= promises.c.owner == owner
    state: State = "kept" if how == "answered" else "withdrawn"
    values = {"state": state, "end": how, "ended": page.now}
    await page.connection.execute(update(promises).where(where).values(**values))


async def change(page: Page, promise: PledgeId, **values: Any) -> None:
    """Change columns of a promise."""
    await page.connection.execute(update(promises).where(promises.c.id == promise).values(**values))


async def _known(page: Page, promise: PledgeId) -> Owed:
    found = await _read(page.connection, (promises.c.id == promise) & (promises.c.conversation == page.id))
    if not found:
        raise UnknownPromise()
    return found[0]


async def _move(page: Page, owed: Owed, late: Lateness) -> None:
    """Bring the conversation to somebody who can answer; one that was put aside comes back."""
    if page.stage == "snoozed":
        page.pass_on("wake", cause="promise_late")
    if late.move == "stays":
        return
    if late.move == "let_go":
        page.pass_on("not_answered", cause="promise_late", actor=page.row.operator)
        claimed = (tickets.c.conversation == page.id) & (tickets.c.state == "claimed")
        reopened = update(tickets).where(claimed).values(state="open", operator="", claimed=None)
        done = await page.connection.execute(reopened)
        if done.rowcount:
            return
    else:
        page.pass_on("ask_person", cause="promise_late", department=late.department)
    await page.connection.execute(
        insert(tickets).values(
            id=secrets.token_urlsafe(16),
            conversation=page.id,
            turn=f"promise:{owed.id}",
            reason="promise_late",
            department=late.department,
            summary=owed.words,
            rejected="",
            language=page.row.language,
            state="open",
            operator="",
            created=page.now,
        )
    )


def owed_of(row: Any) -> Owed:
    """Read a row of `promises` with its customer."""
    return Owed(
        id=PledgeId(row.id),
        conversation=ConversationId(row.conversation),
        seq=row.seq,
        owner=row.owner,
        name=row.name,
        department=row.department,
        words=row.words,
        language=row.language,
        due=row.due,
        exact=row.exact,
        state=row.state,
        made=row.made,
        late=row.late,
        ended=row.ended,
        end=row.end,
        told=row.told,
        renews=row.renews,
        customer=CustomerId(row.customer_id) if row.customer_id else None,
    )
