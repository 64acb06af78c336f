"""The notes of customers in SQL: read, kept under a live consent, deleted.

```
commit of a turn ─► forget_notes: those to forget and expired ones go ─► keep_notes, where the ledger allows it
consent withdrawn ─► drop_notes: all of the customer's go in the same transaction
/v1/me/notes ────► notes_of, forget
```
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.domain import ConsentChange, Conversation
from agent.notes import PURPOSE, Keeping, Note, NoteId
from agent.records.page import Page
from agent.records.store import Store
from agent.records.tables import consents, notes
from tools.context import ConversationId, CustomerId


class Notebook(Store):
    """What customers may see and delete of themselves outside a turn."""

    async def notes_of(self, customer: CustomerId) -> tuple[Note, ...]:
        """Return what is remembered of the customer and has not expired, oldest first."""
        async with self._reading() as connection:
            return await read_notes(connection, customer, now=self.clock.now())

    async def forget(self, customer: CustomerId, ids: Collection[NoteId] | None = None) -> int:
        """Delete these notes of the customer, or all of them; those of others are left. Returns how many went."""
        async with self.engine.begin() as connection:
            return await _delete(connection, customer, ids)


async def read_notes(connection: AsyncConnection, customer: CustomerId, *, now: datetime) -> tuple[Note, ...]:
    """Return the customer's notes that have not expired, oldest first."""
    wanted = (
        select(notes)
        .where(notes.c.customer_id == customer, notes.c.expires > now)
        .order_by(notes.c.at, notes.c.n)
    )
    return tuple(
        Note(
            id=NoteId(row.id),
            kind=row.kind,
            text=row.text,
            language=row.language,
            conversation=ConversationId(row.conversation),
            channel=row.channel,
            seq=row.seq,
            consent=row.consent,
            at=row.at,
            expires=row.expires,
        )
        for row in await connection.execute(wanted)
    )


async def notes_for(
    connection: AsyncConnection, conversation: Conversation, *, now: datetime
) -> tuple[Note, ...]:
    """Return what is remembered of the conversation's customer, nothing of one we do not know."""
    if conversation.customer_id is None or conversation.assurance == "anonymous":
        return ()
    return await read_notes(connection, conversation.customer_id, now=now)


async def forget_notes(page: Page, ids: Collection[NoteId]) -> None:
    """Delete these notes of the conversation's customer, and those that have expired.

    From here on a withdrawal of the customer's in another conversation waits: it comes wholly before or wholly after.
    """
    customer = page.row.customer_id
    await _lock(page.connection, customer)
    await _delete(page.connection, customer, ids)
    await page.connection.execute(
        delete(notes).where(notes.c.customer_id == customer, notes.c.expires <= page.now)
    )


async def keep_notes(page: Page, keep: Sequence[Keeping], *, consent: int) -> None:
    """Write notes of the conversation's customer down, under the ledger's row with this number."""
    rows = [
        {
            "id": secrets.token_urlsafe(16),
            "customer_id": page.row.customer_id,
            "n": n,
            "kind": kept.kind,
            "text": kept.text,
            "language": kept.language,
            "purpose": PURPOSE,
            "consent": consent,
            "conversation": page.id,
            "channel": page.row.channel,
            "seq": kept.seq,
            "at": page.now,
            "expires": kept.expires,
        }
        for n, kept in enumerate(keep)
    ]
    if rows:
        await page.connection.execute(insert(notes), rows)


async def drop_notes(page: Page, change: ConsentChange) -> None:
    """Delete the customer's notes where this takes their basis away; call it before the ledger's new row is written."""
    customer = page.row.customer_id
    if change.purpose == PURPOSE and not change.granted and customer is not None:
        await _lock(page.connection, customer)
        await _delete(page.connection, customer, None)


async def _lock(connection: AsyncConnection, customer: str) -> None:
    answers = select(consents.c.id).where(consents.c.customer_id == customer, consents.c.purpose == PURPOSE)
    await connection.execute(answers.with_for_update())


async def _delete(connection: AsyncConnection, customer: str, ids: Collection[NoteId] | None) -> int:
    gone = delete(notes).where(notes.c.customer_id == customer)
    if ids is not None:
        gone = gone.where(notes.c.id.in_(ids))
    return (await connection.execute(gone)).rowcount
