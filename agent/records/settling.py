"""How a turn reads its situation and how it ends: sentences, consents, and the one commit of its record."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import ConsentChange, Escalated, Recall, TurnRecord, Verified, Waiting, outcome_name
from agent.policy.proof import discreet
from agent.ports import Situation
from agent.records.codec import (
    citations_json,
    message_of,
    recall_of,
    record_json,
    sentence_event,
    verified_of,
)
from agent.records.errors import OtherCustomer, Superseded, UnknownTurn
from agent.records.intake import incoming_of
from agent.records.page import Page
from agent.records.rules import (
    DONE,
    FIRST,
    HISTORY,
    ConsentRow,
    Leaving,
    conversation_of,
    digest,
    lasting,
    leaving,
    live_purposes,
    refused_purposes,
)
from agent.records.store import Store
from agent.records.tables import (
    consents,
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
            ledger = await consent_rows(connection, row)
            recall = await _recall(connection, id, before=batch[0].seq)
            asked = await _asked(connection, id)
            proposal = await _open_proposal(connection, id)
        return Situation(
            conversation=conversation_of(row),
            batch=batch,
            history=tuple(reversed(history)),
            purposes=live_purposes(ledger, self.versions),
            refused=refused_purposes(ledger, id),
            asked=asked,
            proposal=proposal,
            question=row.question,
            awaiting=row.awaiting,
            clarified=row.clarified,
            proving=row.proving,
            parked=row.parked,
            recall=recall,
        )

    async def sent(self, turn: TurnId) -> tuple[Verified, ...]:
        """Return the sentences the turn has appended, in order."""
        async with self._reading() as connection:
            rows = await _sent(connection, turn)
        return rows

    async def append(self, turn: TurnId, n: int, sentence: Verified, *, attempt: int = FIRST) -> bool:
        """Append sentence `n` and its event unless a person holds the conversation; idempotent.

        Raises `Superseded` when another attempt of the turn may write.
        """
        async with self._page(await self._conversation_of(turn)) as page:
            known = select(sentences.c.n).where(sentences.c.turn == turn, sentences.c.n == n)
            if (await page.connection.execute(known)).first() is not None:
                return True
            allowed = select(turns.c.attempt).where(turns.c.id == turn)
            if (await page.connection.execute(allowed)).scalar_one() != attempt:
                raise Superseded()
            if page.holder == "person":
                return False
            await page.connection.execute(
                insert(sentences).values(
                    turn=turn,
                    n=n,
                    text=sentence.text,
                    citations=citations_json(sentence.citations),
                    at=page.now,
                )
            )
            page.tell("sentence", sentence_event(turn, n, sentence))
            return True

    async def consent(self, turn: TurnId, change: ConsentChange) -> None:
        """Append the customer's answer to the ledger; idempotent by (turn, purpose)."""
        async with self._page(await self._conversation_of(turn)) as page:
            known = select(consents.c.id).where(consents.c.turn == turn, consents.c.purpose == change.purpose)
            if (await page.connection.execute(known)).first() is None:
                row = ledger_row(page, change, turn=turn, actor="customer")
                await page.connection.execute(insert(consents).values(**row))

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
            left = await _sent(page.connection, record.turn)
            await _keep_quiet(page, record.turn)
            out = leaving(record, holder=page.holder, left=left)
            if not await _close_turn(page, record, out, attempt=attempt):
                return False
            for reply in out.replies:
                page.say("ai", reply, turn=record.turn)
            self._tell_card(page, record, out)
            await _settle_proposals(page, record)
            await _call_person(page, record, out)
            page.set(disclosed=page.row.disclosed or (record.disclosed and bool(out.replies)))
            page.set(**lasting(record))
            if out.holder != page.row.holder:
                page.hand(out.holder, department=record.ticket.department if record.ticket else "")
            return True

    async def decided(self, of: Collection[TurnId]) -> frozenset[TurnId]:
        """Return those of the turns that have an outcome."""
        wanted = select(turns.c.id).where(turns.c.id.in_(of), turns.c.outcome.is_not(None))
        async with self._reading() as connection:
            return frozenset(TurnId(id) for id in (await connection.execute(wanted)).scalars())

    def _tell_card(self, page: Page, record: TurnRecord, out: Leaving) -> None:
        """Open the consent card on the customer's screen."""
        outcome = record.outcome
        if out.withheld or not isinstance(outcome, Waiting) or outcome.what != "consent":
            return
        card = self.card(outcome.target, record.language)
        page.tell("consent", {"purpose": outcome.target, **card, "turn": record.turn})

    async def _conversation_of(self, turn: TurnId) -> ConversationId:
        async with self._reading() as connection:
            found = await connection.execute(select(turns.c.conversation).where(turns.c.id == turn))
            id = found.scalar_one_or_none()
        if id is None:
            raise UnknownTurn()
        return ConversationId(id)


async def _sent(connection: AsyncConnection, turn: TurnId) -> tuple[Verified, ...]:
    rows = await connection.execute(select(sentences).where(sentences.c.turn == turn).order_by(sentences.c.n))
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
        await _close_proposals(page, state, proposals.c.id == id)
    if record.proposal is None:
        return
    await _close_proposals(page, "superseded", proposals.c.state == "open")
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


async def _call_person(page: Page, record: TurnRecord, out: Leaving) -> None:
    """Leave the ticket; where a person came meanwhile it is theirs already."""
    if record.ticket is None:
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


def ledger_row(page: Page, change: ConsentChange, *, turn: TurnId | None, actor: str) -> dict[str, Any]:
    """Return a row of the ledger: the exact text agreed to, its hash, and whose yes it was."""
    return {
        "conversation": page.id,
        "customer_id": page.row.customer_id,
        "purpose": change.purpose,
        "granted": change.granted,
        "version": change.version,
        "text": change.text,
        "text_sha256": digest(change.text),
        "language": change.language,
        "channel": page.row.channel,
        "address": page.row.external_id or "",
        "actor": actor,
        "turn": turn,
        "at": page.now,
    }


async def consent_rows(connection: AsyncConnection, conversation: Any) -> tuple[ConsentRow, ...]:
    """Return the ledger of the conversation and, where it is known, of its customer, oldest first."""
    whose = consents.c.conversation == conversation.id
    if conversation.customer_id is not None:
        whose = whose | (consents.c.customer_id == conversation.customer_id)
    return await consents_where(connection, whose)


async def consents_where(connection: AsyncConnection, whose: ColumnElement[bool]) -> tuple[ConsentRow, ...]:
    """Return the rows of the ledger that fit, oldest first."""
    rows = await connection.execute(select(consents).where(whose).order_by(consents.c.id))
    return tuple(
        ConsentRow(
            purpose=row.purpose,
            granted=row.granted,
            version=row.version,
            text=row.text,
            language=row.language,
            actor=row.actor,
            at=row.at,
            conversation=ConversationId(row.conversation),
        )
        for row in rows
    )
