"""The book of intents in SQLite or PostgreSQL, beside the house's other tables."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tools.errors import Rejected, Unavailable
from tools.intents.port import Intent
from tools.proposal import Fact
from tools.tables import intents


class SqlIntents:
    """`Intents` over the table `tool_intents`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, key: str) -> Intent | None:
        async with self._connected() as connection:
            row = (await connection.execute(select(intents).where(intents.c.key == key))).one_or_none()
        return Intent(**row._mapping) if row is not None else None

    async def begin(self, intent: Intent) -> Intent | None:
        row = {column.name: getattr(intent, column.name) for column in intents.c}
        try:
            async with self._connected() as connection:
                await connection.execute(insert(intents).values(**row))
        except IntegrityError as taken:
            known = await self.find(intent.key)
            if known is None:
                raise Rejected("changed") from taken
            return known
        return None

    async def take(self, key: str, *, begun: datetime, now: datetime) -> bool:
        still = (intents.c.key == key, intents.c.begun == begun, intents.c.done.is_(None))
        async with self._connected() as connection:
            changed = await connection.execute(update(intents).where(*still).values(begun=now))
        return bool(changed.rowcount == 1)

    async def done(self, key: str, *, now: datetime, facts: Mapping[str, Fact] | None = None) -> None:
        told = {"facts": dict(facts)} if facts is not None else {}
        async with self._connected() as connection:
            await connection.execute(update(intents).where(intents.c.key == key).values(done=now, **told))

    async def forget(self, key: str) -> None:
        unfinished = (intents.c.key == key, intents.c.done.is_(None))
        async with self._connected() as connection:
            await connection.execute(delete(intents).where(*unfinished))

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError) as silent:
            raise Unavailable(str(silent.orig)) from silent
