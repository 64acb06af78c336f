"""What people of the company do: claim, speak, give back, close; and the audit of it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import Message, Reply
from agent.handoff import step
from agent.records.codec import message_of
from agent.records.errors import NotYours, TakenAlready
from agent.records.page import Page
from agent.records.rules import OpenTicket, clean
from agent.records.store import Store
from agent.records.tables import audit, messages, tickets, turns
from tools.context import ConversationId, TurnId

AUDIT_LOCK = 0x6D6179616B
"""Key of the PostgreSQL advisory lock under which the audit chain grows."""


class Staffing(Store):
    """The staff's side of the records. `operator` is a login; `name` is what the customer sees."""

    async def claim(self, conversation: ConversationId, *, operator: str, name: str, said: str = "") -> None:
        """Take the conversation; `said` greets the customer. Raises `TakenAlready`, `NotPossible`.

        Idempotent for the person who holds it. From this commit on the AI does not speak.
        """
        async with self._page(conversation) as page:
            if page.holder == "person":
                if page.row.operator == operator:
                    return
                raise TakenAlready(page.row.operator)
            page.hand(step(page.holder, "claim"), operator=operator, name=name)
            if said:
                page.say("person", Reply(text=said), name=name)
            await page.connection.execute(
                update(tickets)
                .where(tickets.c.conversation == conversation, tickets.c.state == "open")
                .values(state="claimed", operator=operator, claimed=page.now)
            )
            await _audit(page, operator, "claim")

    async def person_says(
        self, conversation: ConversationId, text: str, *, operator: str, name: str, key: str = ""
    ) -> Message:
        """Send the person's words to the customer, once per `key` where there is one. Raises `NotYours`."""
        marked = f"{conversation}:{key}" if key else ""
        async with self._page(conversation) as page:
            if marked and (said := await _said(page, marked)) is not None:
                return said
            if page.holder != "person" or page.row.operator != operator:
                raise NotYours()
            message = page.say("person", Reply(text=clean(text)), name=name, key=marked)
            await _audit(page, operator, "reply", {"seq": message.seq})
            return message

    async def return_to_ai(self, conversation: ConversationId, *, operator: str, said: str = "") -> None:
        """Give the conversation back to the AI, which will say again what it is. Raises `NotPossible`."""
        async with self._page(conversation) as page:
            _check_holder(page, operator)
            page.hand(step(page.holder, "return"))
            page.set(disclosed=False)
            if said:
                page.say("system", Reply(text=said))
            await _resolve(page)
            await _audit(page, operator, "return")

    async def close(self, conversation: ConversationId, *, operator: str, said: str = "") -> None:
        """Close the case and ask the customer how it went. Raises `NotPossible`."""
        async with self._page(conversation) as page:
            _check_holder(page, operator)
            if said:
                page.say("system", Reply(text=said))
            page.hand(step(page.holder, "close"))
            page.set(disclosed=False)
            last = await page.connection.execute(
                select(turns.c.id)
                .where(turns.c.conversation == conversation, turns.c.outcome.is_not(None))
                .order_by(turns.c.closed.desc())
                .limit(1)
            )
            page.tell("csat", {"turn": last.scalar_one_or_none() or ""})
            await _resolve(page)
            await _audit(page, operator, "close")

    async def tickets(self, *, department: str | None = None) -> tuple[OpenTicket, ...]:
        """Return tickets that are not resolved, the longest waiting first."""
        wanted = select(tickets).where(tickets.c.state != "resolved").order_by(tickets.c.created)
        if department is not None:
            wanted = wanted.where(tickets.c.department == department)
        async with self._reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return tuple(
            OpenTicket(
                id=row.id,
                conversation=ConversationId(row.conversation),
                turn=TurnId(row.turn),
                reason=row.reason,
                department=row.department,
                summary=row.summary,
                rejected=row.rejected,
                language=row.language,
                state=row.state,
                operator=row.operator,
                created=row.created,
            )
            for row in rows
        )

    async def audit(
        self, act: str, *, actor: str, target: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Append one line to the audit."""
        async with self.engine.begin() as connection:
            await _append(connection, self.clock.now(), actor, act, target, detail or {})

    async def audited(self, act: str, *, actor: str, target: str) -> Mapping[str, Any] | None:
        """Return what the newest line about this act of this person on this target tells, None for none."""
        own = (audit.c.act == act) & (audit.c.actor == actor) & (audit.c.target == target)
        async with self._reading() as connection:
            found = await connection.execute(select(audit.c.detail).where(own).order_by(audit.c.id.desc()))
            detail: Mapping[str, Any] | None = found.scalars().first()
            return detail

    async def audit_holds(self) -> bool:
        """Return whether no line of the audit was changed or taken out since it was written."""
        previous = ""
        async with self._reading() as connection:
            for row in await connection.execute(select(audit).order_by(audit.c.id)):
                line = _line(row.at.isoformat(), row.actor, row.act, row.target, row.detail)
                if row.previous != previous or row.hash != _chained(previous, line):
                    return False
                previous = row.hash
        return True


async def _said(page: Page, key: str) -> Message | None:
    """Return what was said under this key."""
    known = select(messages).where(messages.c.conversation == page.id, messages.c.key == key)
    row = (await page.connection.execute(known)).one_or_none()
    return None if row is None else message_of(row)


def _check_holder(page: Page, operator: str) -> None:
    if page.holder == "person" and page.row.operator != operator:
        raise TakenAlready(page.row.operator)


async def _resolve(page: Page) -> None:
    await page.connection.execute(
        update(tickets)
        .where(tickets.c.conversation == page.id, tickets.c.state != "resolved")
        .values(state="resolved", resolved=page.now)
    )


async def _audit(page: Page, actor: str, act: str, detail: Mapping[str, Any] | None = None) -> None:
    await _append(page.connection, page.now, actor, act, page.id, detail or {})


async def _append(
    connection: AsyncConnection, at: datetime, actor: str, act: str, target: str, detail: Mapping[str, Any]
) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": AUDIT_LOCK})
    last = await connection.execute(select(audit.c.hash).order_by(audit.c.id.desc()).limit(1))
    previous = last.scalar_one_or_none() or ""
    await connection.execute(
        insert(audit).values(
            at=at,
            actor=actor,
            act=act,
            target=target,
            detail=dict(detail),
            previous=previous,
            hash=_chained(previous, _line(at.isoformat(), actor, act, target, detail)),
        )
    )


def _line(at: str, actor: str, act: str, target: str, detail: Mapping[str, Any]) -> str:
    return json.dumps([at, actor, act, target, dict(detail)], ensure_ascii=False, sort_keys=True)


def _chained(previous: str, line: str) -> str:
    return hashlib.sha256(f"{previous}\n{line}".encode()).hexdigest()
