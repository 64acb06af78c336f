"""What the parts of the records share: the engine, the clock, transactions, and the bell after a commit."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.ports import Clock
from agent.records.engine import near
from agent.records.page import Page
from tools.context import ConversationId, Language

Card = Callable[[str, Language], Mapping[str, Any]]
"""Purpose and language in; the consent card's `text`, `gives` and `version` out."""


class Store:
    """Holds no state but its engine; every method of its children is one transaction.

    `versions` are the purposes' current text versions: an older consent is not live. `rang` is called
    after a commit that wrote events, with the conversation's id.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        clock: Clock,
        card: Card,
        versions: Mapping[str, str],
        rang: Callable[[ConversationId], None] = lambda conversation: None,
    ) -> None:
        self.engine = near(engine)
        self.clock = clock
        self.card = card
        self.versions = versions
        self.rang = rang

    @asynccontextmanager
    async def _page(self, conversation: ConversationId) -> AsyncIterator[Page]:
        """Lock one conversation, write what the block does to it, commit, ring."""
        async with self.engine.begin() as connection:
            page = await Page.open(connection, conversation, self.clock.now())
            yield page
            await page.close()
        self.rang(conversation)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        async with self.engine.connect() as connection:
            yield connection
