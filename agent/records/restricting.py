"""Restrictions and corrections: what of a customer no program may process, and what they say is wrong.

```
freeze ─► every turn of theirs calls a person, nothing of it is read by a model, nothing goes by its age ─► thaw
```
"""

from typing import Any

from sqlalchemy import ColumnElement, delete, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.records.audit import append
from agent.records.chain import Entry, conversation, customer
from agent.records.rights_tables import corrections, restrictions
from agent.records.store import Store
from agent.records.tables import conversations
from tools.context import ConversationId, CustomerId


class Restricting(Store):
    """The records' side of a customer's right to restriction and to rectification.

    Each takes a customer, or the conversation of nobody known.
    """

    async def freeze(self, whom: CustomerId | ConversationId, *, known: bool, by: str, why: str) -> bool:
        """Restrict a customer (`known`) or a conversation; False when that stands already."""
        async with self.engine.begin() as connection:
            if (
                await connection.execute(select(restrictions.c.id).where(_named(restrictions, whom, known)))
            ).first():
                return False
            row = {**_row(whom, known), "since": self.clock.now(), "by": by, "why": why}
            await connection.execute(insert(restrictions).values(**row))
            await self._audit(connection, "customer.freeze", whom, known=known, by=by)
            return True

    async def thaw(self, whom: CustomerId | ConversationId, *, known: bool, by: str) -> bool:
        """Lift the restriction; False when there is none."""
        async with self.engine.begin() as connection:
            done = await connection.execute(delete(restrictions).where(_named(restrictions, whom, known)))
            if done.rowcount:
                await self._audit(connection, "customer.thaw", whom, known=known, by=by)
            return done.rowcount > 0

    async def correct(self, whom: CustomerId | ConversationId, note: str, *, known: bool, by: str) -> None:
        """Write down what a customer says is wrong about them, beside what is held."""
        async with self.engine.begin() as connection:
            row = {**_row(whom, known), "note": note, "by": by, "at": self.clock.now()}
            await connection.execute(insert(corrections).values(**row))
            await self._audit(connection, "customer.rectify", whom, known=known, by=by)

    async def restricted(self, talk: ConversationId) -> bool:
        """Return whether nothing of the conversation may be processed."""
        async with self._reading() as connection:
            return await is_restricted(connection, talk)

    async def frozen(self, who: CustomerId) -> bool:
        """Return whether nothing of a customer may be processed, wherever they ask from."""
        wanted = select(exists().where(restrictions.c.customer_id == who))
        async with self._reading() as connection:
            return bool((await connection.execute(wanted)).scalar_one())

    async def _audit(
        self,
        connection: AsyncConnection,
        act: str,
        whom: CustomerId | ConversationId,
        *,
        known: bool,
        by: str,
    ) -> None:
        about = customer(whom) if known else conversation(whom)
        await append(connection, self.clock.now(), [Entry(act=act, actor=by, about=about, detail={})])


async def is_restricted(connection: AsyncConnection, talk: ConversationId) -> bool:
    """Return whether the conversation, or the customer it belongs to, is restricted."""
    whose = select(conversations.c.customer_id).where(conversations.c.id == talk).scalar_subquery()
    either = (restrictions.c.conversation == talk) | (restrictions.c.customer_id == whose)
    return bool((await connection.execute(select(exists().where(either)))).scalar_one())


def _row(whom: str, known: bool) -> dict[str, str | None]:
    return {"customer_id": whom if known else None, "conversation": None if known else whom}


def _named(table: Any, whom: str, known: bool) -> ColumnElement[bool]:
    column: ColumnElement[Any] = table.c.customer_id if known else table.c.conversation
    return column == whom
