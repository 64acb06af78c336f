"""How a turn reads its situation and how it ends: its sentences, and the one commit of its record."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import Author, Escalated, Recall, TurnRecord, Verified, Waiting, outcome_name
from agent.notes import PURPOSE
from agent.policy import consent as consents
from agent.policy.proof import discreet
from agent.ports import Situation
from agent.receipt import granted_of
from agent.records import promises
from agent.records.codec import (
    citations_json,
    message_of,
    recall_of,
    record_json,
    sentence_event,
    verified_of,
)
from agent.records.consents import counting
from agent.records.errors import OtherCustomer, Superseded, UnknownTurn
from agent.records.intake import incoming_of
from agent.records.notes import forget_notes, keep_notes, notes_for
from agent.records.noting import note_turn, note_write
from agent.records.page import Page
from agent.records.restricting import is_restricted
from agent.records.rules import (
    DONE,
    FIRST,
    HISTORY,
    Leaving,
    conversation_of,
    lasting,
    leaving,
    passing,
)
from agent.records.store import Store
from agent.records.tables import (
    conversations,
    inbox,
    messages,
    proposals,
    sentences,
    tickets,
    turns,
)
from tools.context import Assurance, ConversationId, CustomerId, TurnId


class Settling(Store):
    """The turn's side of the records (`agent.ports.Records`)."""

    async def situation(self, turn: TurnId) -> Situation:
        """Read the conversation, the turn's batch and what came before. Raises `UnknownTurn`."""
        async with self._reading() as connection:
            batch_rows = (
                await connection.execute(select(inbox).where(inbox.c.turn == turn).order_by(inbox.c.seq))
            ).all()
            if not batch_rows:
                raise UnknownTurn()
            id = ConversationId(batch_rows[0].conversation)
            row = (await connection.execute(select(conversations).where(conversations.c.id == id))).one()
            batch = tuple(incoming_of(each) for each in batch_rows)
            # By number, not by time: an answer to an earlier message may be younger than this batch.
            earlier = (
                select(messages)
                .where(messages.c.conversation == id, messages.c.seq.not_in([each.seq for each in batch]))
                .order_by(messages.c.seq.desc())
                .limit(HISTORY)
            )
            history = [message_of(each) for each in (await connection.execute(earlier)).all()]
            ledger = await counting(connection, id, row.customer_id)
            recall = await _recall(connection, id, before=batch[0].seq)
            asked = await _asked(connection, id)
            proposal = await _open_proposal(connection, id)
            restricted = await is_restricted(connection, id)
            state = conversation_of(row)
            notes = await notes_for(connection, state, now=self.clock.now())
        live = consents.bases(self.purposes, ledger)
        return Situation(
            conversation=state,
            batch=batch,
            history=tuple(reversed(history)),
            purposes=frozenset(live),
            granted=granted_of(live),
            refused=consents.declined(ledger, id),
            chosen={each.purpose: each.at for each in ledger},
            asked=asked,
            proposal=proposal,
            question=row.question,
            awaiting=row.awaiting,
            clarified=row.clarified,
            proving=row.proving,
            parked=row.parked,
            recall=recall,
            restricted=restricted,
            notes=notes,
        )

    async def sent(self, turn: TurnId, *, whole: bool = False) -> tuple[Verified, ...]:
        """Return the sentences the turn has appended, in order; `whole`: after what the AI said of itself."""
        async with self._reading() as connection:
            return await _sent(connection, turn, whole=whole)

    async def append(
        self, turn: TurnId, n: int, sentence: Verified, *, attempt: int = FIRST, first: Sequence[str] = ()
    ) -> bool:
        """Append sentence `n` and its event unless a person came since the turn began; idempotent.

        Raises `Superseded` when another attempt of the turn may write.
        """
        async with self._page(await self._conversation_of(turn)) as page:
            known = select(sentences.c.n).where(sentences.c.turn == turn, sentences.c.n == n)
            if (await page.connection.execute(known)).first() is not None:
                return True
            allowed = select(turns.c.attempt, turns.c.claims).where(turns.c.id == turn)
            begun = (await page.connection.execute(allowed)).one()
            if begun.attempt != attempt:
                raise Superseded()
            if page.holder == "person" or begun.claims != page.row.claims:
                return False
            lines = [Verified(text=text) for text in first] if n == 0 else []
            for number, each in enumerate((*lines, sentence), start=n - len(lines)):
                row = {"turn": turn, "n": number, "text": each.text, "at": page.now}
                cited = citations_json(each.citations)
                await page.connection.execute(insert(sentences).values(**row, citations=cited))
                # Screens count from 0, whatever leaves first.
                event = sentence_event(turn, number + len(first), each, opening=number < 0)
                page.tell("sentence", event)
            return True

    async def identify(self, turn: TurnId, customer: CustomerId, assurance: Assurance) -> None:
        """Bind the conversation to the customer; idempotent. Raises `OtherCustomer`."""
        async with self._page(await self._conversation_of(turn)) as page:
            if page.row.customer_id not in (None, customer):
                raise OtherCustomer()
            page.set(customer_id=customer, assurance=assurance, proved=page.now)

    async def done_since(self, customer: CustomerId, since: datetime) -> int:
        """Count the customer's proposals that were carried out since a moment."""
        theirs = proposals.join(conversations, conversations.c.id == proposals.c.conversation)
        wanted = (
            select(func.count())
            .select_from(theirs)
            .where(conversations.c.customer_id == customer, proposals.c.state.in_(DONE))
            .where(proposals.c.closed > since)
        )
        async with self._reading() as connection:
            return int((await connection.execute(wanted)).scalar_one())

    async def commit(self, record: TurnRecord, *, attempt: int = FIRST) -> bool:
        """Write everything the turn decided, once. False when the turn has an outcome already.

        Raises `Superseded` when it has none and another attempt of the turn may write.
        """
        async with self._page(record.conversation) as page:
            left = await _sent(page.connection, record.turn, whole=True)
            await _keep_quiet(page, record.turn)
            out = leaving(record, holder=page.holder, left=left, late=await _is_late(page, record.turn))
            if not await _close_turn(page, record, out, attempt=attempt):
                return False
            # Beside a person it is the house that says what must be said: there is one voice.
            author: Author = "system" if page.holder == "person" and not out.withheld else "ai"
            said = [page.say(author, reply, turn=record.turn) for reply in out.replies]
            if record.pledge is not None and record.ticket is not None and said:
                department = record.ticket.department
                await promises.make(page, record.pledge, seq=said[-1].seq, department=department)
            note_turn(page, record, withheld=out.withheld)
            self._tell_card(page, record, out)
            await _settle_proposals(page, record)
            await self._settle_notes(page, record)
            await _call_person(page, record, out)
            await _note_contact(page, record.contact)
            page.set(disclosed=page.row.disclosed or (record.disclosed and bool(out.replies)))
            page.set(**lasting(record))
            if (passed := passing(record, out, stage=page.stage)) is not None:
                event, cause = passed
                page.pass_on(event, cause=cause, department=record.ticket.department if record.ticket else "")
            return True

    async def decided(self, of: Collection[TurnId]) -> frozenset[TurnId]:
        """Return those of the turns that have an outcome."""
        wanted = select(turns.c.id).where(turns.c.id.in_(of), turns.c.outcome.is_not(None))
        async with self._reading() as connection:
            return frozenset(TurnId(id) for id in (await connection.execute(wanted)).scalars())

    async def _settle_notes(self, page: Page, record: TurnRecord) -> None:
        """Forget and keep what the turn decided; nothing is kept where the ledger does not allow it at this moment."""
        customer = page.row.customer_id
        if customer is None or not record.notes:
            return
        await forget_notes(page, record.notes.forget)
        rows = await counting(page.connection, page.id, customer)
        basis = consents.bases(self.purposes, rows).get(PURPOSE)
        if basis is not None and basis.row is not None:
            await keep_notes(page, record.notes.keep, consent=basis.row.number)

    def _tell_card(self, page: Page, record: TurnRecord, out: Leaving) -> None:
        """Open the consent card on the customer's screen."""
        outcome = record.outcome
        if out.withheld or not isinstance(outcome, Waiting) or outcome.what != "consent":
            return
        card = self.card(outcome.target, record.language)
        page.tell("consent", {"purpose": outcome.target, **card, "turn": record.turn})


async def _is_late(page: Page, turn: TurnId) -> bool:
    """Return whether a person came to the conversation since the turn began."""
    begun = await page.connection.execute(select(turns.c.claims).where(turns.c.id == turn))
    return begun.scalar_one_or_none() not in (None, page.row.claims)


async def _sent(connection: AsyncConnection, turn: TurnId, *, whole: bool) -> tuple[Verified, ...]:
    """Return what left, in order; what the AI says of itself has numbers below 0."""
    wanted = select(sentences).where(sentences.c.turn == turn).order_by(sentences.c.n)
    rows = await connection.execute(wanted if whole else wanted.where(sentences.c.n >= 0))
    return tuple(verified_of(row) for row in rows)


async def _recall(connection: AsyncConnection, conversation: ConversationId, *, before: int) -> Recall:
    """Return what the turn before remembered: the turn of the last message before this number."""
    last = (
        select(inbox.c.turn)
        .where(inbox.c.conversation == conversation, inbox.c.turn.is_not(None), inbox.c.seq < before)
        .order_by(inbox.c.seq.desc())
        .limit(1)
    )
    found = select(turns.c.record).where(turns.c.id == last.scalar_subquery())
    return recall_of((await connection.execute(found)).scalar_one_or_none())


async def _asked(connection: AsyncConnection, conversation: ConversationId) -> frozenset[str]:
    """Return the purposes whose consent was asked for in the conversation."""
    waits = turns.c.record["outcome"]
    wanted = select(waits["target"].as_string()).where(
        turns.c.conversation == conversation,
        turns.c.outcome == outcome_name(Waiting(what="consent", target="")),
        waits["what"].as_string() == "consent",
    )
    return frozenset(await connection.scalars(wanted))


async def _open_proposal(
    connection: AsyncConnection, conversation: ConversationId
) -> Mapping[str, Any] | None:
    found = await connection.execute(
        select(proposals.c.data)
        .where(proposals.c.conversation == conversation, proposals.c.state == "open")
        .order_by(proposals.c.created.desc())
        .limit(1)
    )
    data: Mapping[str, Any] | None = found.scalar_one_or_none()
    return data


async def _keep_quiet(page: Page, turn: TurnId) -> None:
    """Hide in the inbox what nobody may read any more: the turn that needed it is decided."""
    batch = select(inbox.c.id, inbox.c.text).where(inbox.c.turn == turn)
    for row in (await page.connection.execute(batch)).all():
        shown = discreet(row.text, page.row.proving)
        if shown != row.text:
            await page.connection.execute(update(inbox).where(inbox.c.id == row.id).values(text=shown))


async def _close_turn(page: Page, record: TurnRecord, out: Leaving, *, attempt: int) -> bool:
    """Give the turn its outcome; False when it has one. Raises `UnknownTurn`, `Superseded`."""
    reason = record.outcome.reason if isinstance(record.outcome, Escalated) else ""
    closed = await page.connection.execute(
        update(turns)
        .where(turns.c.id == record.turn, turns.c.conversation == page.id)
        .where(turns.c.outcome.is_(None), turns.c.attempt == attempt)
        .values(
            outcome=outcome_name(record.outcome),
            reason=reason,
            closed=page.now,
            language=record.language,
            confidence=record.confidence,
            model=record.model,
            withheld=out.withheld,
            record=record_json(record),
        )
    )
    if closed.rowcount == 1:
        return True
    known = await page.connection.execute(select(turns.c.outcome).where(turns.c.id == record.turn))
    row = known.one_or_none()
    if row is None:
        raise UnknownTurn()
    if row.outcome is None:
        raise Superseded()
    return False


async def _settle_proposals(page: Page, record: TurnRecord) -> None:
    """Close what the turn settled and open what it proposed; at most one proposal is open."""
    if record.closed_proposal is not None:
        id, state = record.closed_proposal
        await note_write(page, record, proposal=id, state=state)
        await _close_proposals(page, state, proposals.c.id == id)
    if record.proposal is None:
        return
    await _close_proposals(page, "superseded", proposals.c.state == "open")
    page.note(
        "write.proposed",
        turn=record.turn,
        proposal=record.proposal["id"],
        tool=record.proposal.get("tool", ""),
    )
    await page.connection.execute(
        insert(proposals).values(
            id=str(record.proposal["id"]),
            conversation=page.id,
            turn=record.turn,
            data=dict(record.proposal),
            state="open",
            created=page.now,
        )
    )


async def _close_proposals(page: Page, state: str, which: Any) -> None:
    await page.connection.execute(
        update(proposals)
        .where(proposals.c.conversation == page.id, which)
        .values(state=state, closed=page.now)
    )


async def _note_contact(page: Page, contact: str) -> None:
    """Write on the open call where the customer wants to be answered."""
    if contact:
        open_calls = (tickets.c.conversation == page.id) & (tickets.c.state != "resolved")
        await page.connection.execute(update(tickets).where(open_calls).values(contact=contact))


async def _call_person(page: Page, record: TurnRecord, out: Leaving) -> None:
    """Leave the ticket; where a person came meanwhile it is theirs already, and void where they have gone again."""
    if record.ticket is None or out.holder not in ("queued", "person"):
        return
    taken = out.holder == "person"
    await page.connection.execute(
        insert(tickets).values(
            id=secrets.token_urlsafe(16),
            conversation=page.id,
            turn=record.turn,
            reason=record.ticket.reason,
            department=record.ticket.department,
            summary=record.ticket.summary,
            rejected=record.ticket.rejected,
            language=record.language,
            state="claimed" if taken else "open",
            operator=page.row.operator if taken else "",
            created=page.now,
            claimed=page.now if taken else None,
        )
    )
