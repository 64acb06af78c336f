"""How somebody asks to be forgotten: one row, which a job of the server carries out (`erasures`)."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.records.errors import UnknownTurn
from agent.records.rights_tables import erasures
from agent.records.store import Store
from agent.records.tables import conversations, turns
from tools.context import TurnId

FAREWELL = timedelta(seconds=5)
"""After a request in the chat, until it begins: its answer is to be seen first."""


class Forgetting(Store):
    """The turn's side of it."""

    async def ask_erasure(self, turn: TurnId) -> str:
        """Write down that the customer of the turn's conversation, or else the conversation, is to be forgotten.

        Returns the request's id. Idempotent: one request stands until it is carried out. Raises `UnknownTurn`.
        """
        whose = (
            select(conversations.c.id, conversations.c.customer_id)
            .join(turns, turns.c.conversation == conversations.c.id)
            .where(turns.c.id == turn)
        )
        async with self.engine.begin() as connection:
            row = (await connection.execute(whose)).one_or_none()
            if row is None:
                raise UnknownTurn()
            at = self.clock.now() + FAREWELL
            return await ask_erasure(connection, row.customer_id, row.id, at=at)


async def ask_erasure(
    connection: AsyncConnection, customer: str | None, conversation: str, *, at: datetime, whole: bool = False
) -> str:
    """Return the id of the open request of a customer, of the conversation where nobody is known; made if there is none.

    It is not begun before `at`. `whole`: the shop's rows go too although orders are under way.
    """
    named = {"customer_id": customer, "conversation": None if customer is not None else conversation}
    same = [erasures.c[column].is_not_distinct_from(value) for column, value in named.items()]
    known = select(erasures.c.id).where(erasures.c.state != "done", *same)
    if (id := (await connection.execute(known)).scalar_one_or_none()) is not None:
        return str(id)
    id = secrets.token_urlsafe(16)
    await connection.execute(
        insert(erasures).values(
            id=id, **named, whole=whole, state="asked", asked=at, since=at, counts={}, kept=[], proof=""
        )
    )
    return id
