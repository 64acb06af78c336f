"""What the parts of the records share: the engine, the clock, transactions, and the bell after a commit."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.ports import Clock
from agent.records.audit import SqlAudit
from agent.records.engine import near
from agent.records.errors import UnknownTurn
from agent.records.page import Page
from agent.records.tables import turns
from agent.terms import Purpose
from agent.webhooks import Webhook
from tools.context import ConversationId, Language, TurnId

Card = Callable[[str, Language], Mapping[str, Any]]
"""Purpose and language in; the consent card's `text`, `gives` and `version` out."""


class Store:
    """Holds no state but its engine; every method of its children is one transaction.

    `purposes` are the pack's: a consent to other words than theirs is not live. `rang` is called
    after a commit that wrote events, with the conversation's id. `webhooks` are told what is written. `trail` is the
    audit.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        clock: Clock,
        card: Card,
        purposes: Mapping[str, Purpose],
        rang: Callable[[ConversationId], None] = lambda conversation: None,
        webhooks: Sequence[Webhook] = (),
    ) -> None:
        self.engine = near(engine)
        self.clock = clock
        self.trail = SqlAudit(engine, clock=clock)
        self.card = card
        self.purposes = purposes
        self.rang = rang
        self.webhooks = tuple(webhooks)

    @asynccontextmanager
    async def _page(self, conversation: ConversationId) -> AsyncIterator[Page]:
        """Lock one conversation, write what the block does to it, commit, ring."""
        async with self.engine.begin() as connection:
            page = await Page.open(connection, conversation, self.clock.now(), webhooks=self.webhooks)
            yield page
            await page.close()
        self.rang(conversation)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        async with self.engine.connect() as connection:
            yield connection

    async def _conversation_of(self, turn: TurnId) -> ConversationId:
        async with self._reading() as connection:
            found = await connection.execute(select(turns.c.conversation).where(turns.c.id == turn))
            id = found.scalar_one_or_none()
        if id is None:
            raise UnknownTurn()
        return ConversationId(id)
