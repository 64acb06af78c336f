"""A small house with a Telegram line, beside a Bot API of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from agent.records.tables import conversations, inbox, outbox
from api.main import create_app
from api.serving import channels
from tests.api.desk import building, settings_in
from tests.telegram_api import TOKEN, TelegramApi
from tools.context import ConversationId


async def sometime(happened: Callable[[], Awaitable[bool]], *, seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await happened():
                return
            await asyncio.sleep(0.02)


class Post:
    """The house while its line is open."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient) -> None:
        self.app = app
        self.client = client

    @property
    def house(self) -> Any:
        return self.app.state.opened

    @property
    def records(self) -> Any:
        return self.house.building.records

    async def rows(self, table: Any) -> list[Any]:
        async with self.house.building.engine.connect() as connection:
            return list((await connection.execute(select(table))).all())

    async def inbox(self) -> list[tuple[str, str]]:
        """Every stored message: key and text, in order."""
        return [(row.key, row.text) for row in await self.rows(inbox)]

    async def states(self) -> list[str]:
        return [row.state for row in await self.rows(outbox)]

    async def conversation(self, chat: int) -> ConversationId:
        (found,) = [row.id for row in await self.rows(conversations) if row.external_id == str(chat)]
        return ConversationId(found)

    async def lines(self, chat: int) -> list[tuple[str, str]]:
        found = await self.records.messages(await self.conversation(chat))
        return [(message.author, message.text) for message in found]

    async def settled(self, messages: int) -> None:
        """Wait until so many messages are stored and every one has its answer delivered."""

        async def done() -> bool:
            stored = len(await self.inbox()) >= messages and not await self.records.pending_conversations()
            return stored and set(await self.states()) == {"delivered"}

        await sometime(done, seconds=60)

    async def stored(self, chat: int, count: int) -> list[str]:
        """Wait until so many messages of a chat are stored; return their texts."""
        await sometime(lambda: self._has(chat, count))
        return await self.texts(chat)

    async def _has(self, chat: int, count: int) -> bool:
        return len(await self.texts(chat)) >= count

    async def texts(self, chat: int) -> list[str]:
        """Every stored message of a chat, in order; none where there is no conversation."""
        ids = {row.id for row in await self.rows(conversations) if row.external_id == str(chat)}
        return [row.text for row in await self.rows(inbox) if row.conversation in ids]

    def counted(self, result: str) -> float:
        value = self.house.metrics.registry.get_sample_value(
            "mayak_deliveries_total", {"channel": "telegram", "result": result}
        )
        return value or 0.0


@asynccontextmanager
async def open_post(folder: Path, api: TelegramApi, **more: Any) -> AsyncIterator[Post]:
    settings = settings_in(
        folder, **{"telegram_token": TOKEN, "telegram_api": api.url, "public_url": "http://mayak", **more}
    )
    app = create_app(lambda: building(settings), extras=channels(settings))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mayak") as client:
            yield Post(app, client)
