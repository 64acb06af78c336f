"""What people of the company do: claim, speak, give back, close; and the audit of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from agent.domain import Message, Reply
from agent.pledge import Pledge
from agent.records import promises
from agent.records.chain import NOBODY, Entry, Subject
from agent.records.codec import message_of
from agent.records.errors import NotYours, TakenAlready
from agent.records.handoff_tables import handoffs
from agent.records.page import Page
from agent.records.restarting import cut_off, take_back
from agent.records.rules import Handoff, OpenTicket, clean
from agent.records.store import Store
from agent.records.tables import messages, outbox, tickets, turns
from tools.context import ConversationId, TurnId


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
            await cut_off(page)
            page.pass_on("claim", cause="claimed", actor=operator, operator=operator, name=name)
            await _withdraw(page)
            if said:
                page.say("person", Reply(text=said), name=name)
            await page.connection.execute(
                update(tickets)
                .where(tickets.c.conversation == conversation, tickets.c.state == "open")
                .values(state="claimed", operator=operator, claimed=page.now)
            )
            page.audit("claim", actor=operator)

    async def person_says(
        self,
        conversation: ConversationId,
        text: str,
        *,
        operator: str,
        name: str,
        key: str = "",
        pledge: Pledge | None = None,
    ) -> Message:
        """Send the person's words to the customer, once per `key` where there is one. Raises `NotYours`.

        They keep what was promised before; `pledge`, which they make themselves, takes its place.
        """
        marked = f"{conversation}:{key}" if key else ""
        async with self._page(conversation) as page:
            if marked and (said := await _said(page, marked)) is not None:
                return said
            if page.holder != "person" or page.row.operator != operator:
                raise NotYours()
            if page.stage == "snoozed":
                page.pass_on("wake", cause="person_spoke", actor=operator)
            message = page.say("person", Reply(text=clean(text)), name=name, key=marked)
            page.set(due=None)
            await promises.end(page, "answered" if pledge is None else "renewed")
            if pledge is not None:
                department = page.row.department
                mine: dict[str, Any] = {"owner": "person", "name": operator, "department": department}
                await promises.make(page, pledge, seq=message.seq, **mine)
            page.audit("reply", actor=operator, seq=message.seq)
            return message

    async def return_to_ai(self, conversation: ConversationId, *, operator: str, said: str = "") -> None:
        """Give the conversation back to the AI, which will say again what it is. Raises `NotPossible`."""
        async with self._page(conversation) as page:
            _check_holder(page, operator)
            page.pass_on("return", cause="given_back", actor=operator)
            await take_back(page)
            if said:
                page.say("system", Reply(text=said))
            await _resolve(page)
            page.audit("return", actor=operator)

    async def close(self, conversation: ConversationId, *, operator: str, said: str = "") -> None:
        """Close the case and ask the customer how it went. Raises `NotPossible`."""
        async with self._page(conversation) as page:
            _check_holder(page, operator)
            if said:
                page.say("system", Reply(text=said))
            page.pass_on("close", cause="case_closed", actor=operator)
            last = await page.connection.execute(
                select(turns.c.id)
                .where(turns.c.conversation == conversation, turns.c.outcome.is_not(None))
                .order_by(turns.c.closed.desc())
                .limit(1)
            )
            page.tell("csat", {"turn": last.scalar_one_or_none() or ""})
            await _resolve(page)
            page.audit("close", actor=operator)

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
                contact=row.contact,
            )
            for row in rows
        )

    async def handoffs(self, conversation: ConversationId) -> tuple[Handoff, ...]:
        """Return how the conversation went between AI and people, oldest first."""
        wanted = select(handoffs).where(handoffs.c.conversation == conversation).order_by(handoffs.c.id)
        async with self._reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return tuple(
            Handoff(
                before=row.before,
                event=row.event,
                after=row.after,
                cause=row.cause,
                actor=row.actor,
                department=row.department,
                at=row.at,
            )
            for row in rows
        )

    async def audit(
        self,
        act: str,
        *,
        actor: str,
        target: str,
        detail: Mapping[str, Any] | None = None,
        about: Subject = NOBODY,
        shown: Sequence[Subject] = (),
    ) -> None:
        """Add one line to the audit; see `agent.records.chain.Entry`."""
        entry = Entry(act=act, actor=actor, target=target, about=about, detail=detail or {}, shown=shown)
        await self.trail.write(entry)

    async def audited(self, act: str, *, actor: str, target: str) -> Mapping[str, Any] | None:
        """Return what the newest line about this act of this person on this target tells, None for none."""
        return await self.trail.newest(act, actor=actor, target=target)


async def _said(page: Page, key: str) -> Message | None:
    """Return what was said under this key."""
    known = select(messages).where(messages.c.conversation == page.id, messages.c.key == key)
    row = (await page.connection.execute(known)).one_or_none()
    return None if row is None else message_of(row)


async def _withdraw(page: Page) -> None:
    """Let no word of the AI leave after the person came that had not begun to leave by then."""
    by_ai = select(messages.c.seq).where(messages.c.conversation == page.id, messages.c.author == "ai")
    await page.connection.execute(
        update(outbox)
        .where(outbox.c.conversation == page.id, outbox.c.state == "pending", outbox.c.seq.in_(by_ai))
        .values(state="withdrawn")
    )


def _check_holder(page: Page, operator: str) -> None:
    if page.holder == "person" and page.row.operator != operator:
        raise TakenAlready(page.row.operator)


async def _resolve(page: Page) -> None:
    """The call is over, and what the department promised with it; what a person promised stands."""
    await promises.end(page, "case_closed", owner="department")
    await page.connection.execute(
        update(tickets)
        .where(tickets.c.conversation == page.id, tickets.c.state != "resolved")
        .values(state="resolved", resolved=page.now)
    )
