"""The ledger of consents: the only SQL that reads or writes it. Rows are added and never changed.

```
anonymous ─► a row counts in its own conversation
verified ──► a grant counts in every conversation of the customer
anybody ───► a row that takes something back counts in every conversation of its customer, whoever they were when it was
             written: nothing is looked up because a "no" was said before signing in
```
The database itself refuses to change what a row proves (`agent.records.tables`).
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.basis import ConsentRow, digest
from agent.domain import ConsentChange
from agent.receipt import Granted, granted
from agent.records.errors import UnknownConversation
from agent.records.notes import drop_notes
from agent.records.noting import note_consent
from agent.records.page import Page
from agent.records.store import Store
from agent.records.tables import consents, conversations
from tools.context import ConversationId, CustomerId, TurnId

SURE = ("verified", "stepped_up")
"""How sure we must be of a customer for a grant to follow them out of its conversation."""


class Consents(Store):
    """What customers allowed and took back."""

    async def consent(self, turn: TurnId, *changes: ConsentChange) -> None:
        """Append the customer's answer of a turn; idempotent by (turn, purpose)."""
        async with self._page(await self._conversation_of(turn)) as page:
            for change in changes:
                known = select(consents.c.id).where(
                    consents.c.turn == turn, consents.c.purpose == change.purpose
                )
                if (await page.connection.execute(known)).first() is None:
                    await _append(page, change, turn=turn, actor="customer")

    async def consent_outside(
        self, conversation: ConversationId, *changes: ConsentChange, actor: str = "customer"
    ) -> None:
        """Append what was chosen outside a turn, such as a withdrawal in the menu. Raises `UnknownConversation`."""
        async with self._page(conversation) as page:
            for change in changes:
                await _append(page, change, turn=None, actor=actor)

    async def consents(self, conversation: ConversationId) -> tuple[ConsentRow, ...]:
        """Return the rows that count in a conversation, oldest first. Raises `UnknownConversation`."""
        async with self._reading() as connection:
            found = await connection.execute(
                select(conversations.c.customer_id).where(conversations.c.id == conversation)
            )
            if (row := found.one_or_none()) is None:
                raise UnknownConversation()
            return await counting(connection, conversation, row.customer_id)

    async def ledger(
        self, conversation: ConversationId, customer: CustomerId | None
    ) -> tuple[ConsentRow, ...]:
        """Return the rows that count for a customer in a conversation, whether or not it is written down here."""
        async with self._reading() as connection:
            return await counting(connection, conversation, customer)

    async def granted(self, turn: TurnId) -> tuple[Granted, ...]:
        """Return what the customer granted in a turn, as its receipt names it."""
        async with self._reading() as connection:
            rows = await _rows(connection, and_(consents.c.turn == turn, consents.c.granted))
        return tuple(map(granted, rows))

    async def consents_of(self, customer: CustomerId) -> tuple[ConsentRow, ...]:
        """Return everything a customer ever chose, in whatever conversation, oldest first."""
        async with self._reading() as connection:
            return await _rows(connection, or_(consents.c.customer_id == customer, _theirs(customer)))

    async def wordings(self, versions: Collection[str]) -> tuple[ConsentRow, ...]:
        """Return the newest row of each wording that was agreed to under one of the versions."""
        of = (consents.c.purpose, consents.c.version, consents.c.language, consents.c.text_sha256)
        newest = select(func.max(consents.c.id)).where(consents.c.granted, consents.c.version.in_(versions))
        async with self._reading() as connection:
            return await _rows(connection, consents.c.id.in_(newest.group_by(*of)))


async def counting(
    connection: AsyncConnection, conversation: ConversationId, customer: CustomerId | None
) -> tuple[ConsentRow, ...]:
    """Return the rows that count for a customer in a conversation, oldest first."""
    own: ColumnElement[bool] = consents.c.conversation == conversation
    if customer is None:
        return await _rows(connection, own)
    followed = and_(
        consents.c.customer_id == customer, or_(consents.c.assurance.in_(SURE), ~consents.c.granted)
    )
    return await _rows(connection, or_(own, followed, and_(~consents.c.granted, _theirs(customer))))


def answered(turn: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether the ledger has a row of the turn."""
    return exists().where(consents.c.turn == turn)


async def _append(page: Page, change: ConsentChange, *, turn: TurnId | None, actor: str) -> None:
    whose = page.row
    mine = consents.c.conversation == page.id
    if whose.customer_id is not None:
        # A "no" reaches further than a "yes": it takes back what was allowed in any conversation of theirs.
        mine = or_(mine, consents.c.customer_id == whose.customer_id, _theirs(whose.customer_id))
    before = await _rows(page.connection, mine)
    granted = {row.purpose: row.granted for row in before}.get(change.purpose, False)
    note_consent(page, change, by="customer" if actor == "customer" else "staff", granted=granted)
    await drop_notes(page, change)
    told = {
        "purpose": change.purpose,
        "granted": change.granted,
        "version": change.version,
        "text_sha256": digest(change.text),
    }
    written = insert(consents).values(
        **told,
        conversation=page.id,
        customer_id=whose.customer_id,
        assurance=whose.assurance,
        text=change.text,
        language=change.language,
        channel=whose.channel,
        address=whose.external_id or "",
        actor=actor,
        turn=turn,
        at=page.now,
    )
    number = (await page.connection.execute(written.returning(consents.c.id))).scalar_one()
    page.audit("consent", actor=actor, row=number, **told)


def _theirs(customer: CustomerId) -> ColumnElement[bool]:
    """Return whether a row's conversation is known to be the customer's by now."""
    own = select(conversations.c.id).where(conversations.c.customer_id == customer)
    return consents.c.conversation.in_(own)


async def _rows(connection: AsyncConnection, which: ColumnElement[bool]) -> tuple[ConsentRow, ...]:
    rows = await connection.execute(select(consents).where(which).order_by(consents.c.id))
    return tuple(
        ConsentRow(
            number=row.id,
            conversation=ConversationId(row.conversation),
            customer_id=CustomerId(row.customer_id) if row.customer_id else None,
            assurance=row.assurance,
            purpose=row.purpose,
            granted=row.granted,
            version=row.version,
            text=row.text,
            text_sha256=row.text_sha256,
            language=row.language,
            channel=row.channel,
            address=row.address,
            actor=row.actor,
            turn=TurnId(row.turn) if row.turn else None,
            at=row.at,
        )
        for row in rows
    )
