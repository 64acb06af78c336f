"""Carries bells and signs of presence between the processes of one PostgreSQL database, by LISTEN and NOTIFY.

```
ring, show ─► waiting ─► NOTIFY mayak_live ═══► LISTEN ─► the other process's watchers
```
A notice says only that there is something to look at. One that is lost delays a page until its next look by itself;
after a break of the line every watcher looks.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.around import KINDS, Sign
from api.notices import LiveNotices
from tools.context import ConversationId

CHANNEL = "mayak_live"
GATHER_SECONDS = 0.02
"""What comes within so long leaves together."""
AT_ONCE = 30
"""Entries of one notice: PostgreSQL takes less than 8000 bytes."""
WAITING_MOST = 5_000
AGAIN_SECONDS = 1.0

logger = logging.getLogger("mayak.relay")


class Relay:
    """One process's end of the line; `name` tells its own notices from the others'."""

    def __init__(self, engine: AsyncEngine, notices: LiveNotices) -> None:
        self._engine = engine
        self._notices = notices
        self._name = secrets.token_hex(6)
        self._waiting: dict[tuple[Any, ...], None] = {}
        self._news = asyncio.Event()
        notices.spread = lambda conversation: self._take(("rang", conversation))
        notices.around.spread = lambda sign, there: self._take(("sign", there, *sign))

    async def send(self) -> None:
        """Send what waits, for ever."""
        while True:
            await self._news.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._news.clear()
            entries = list(self._waiting)
            self._waiting.clear()
            try:
                await self._notify(entries)
            except Exception as fault:
                # The others look by themselves; what was to be told is old by then.
                logger.warning("notices were not sent to the other processes: %r", fault)

    async def listen(self) -> None:
        """Hear what the others tell, for ever."""
        url = self._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        while True:
            try:
                line = await psycopg.AsyncConnection.connect(url, autocommit=True)
                try:
                    await self._hear(line)
                finally:
                    await line.close()
            except psycopg.Error as fault:
                logger.warning("the line to the other processes broke: %r", fault)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _hear(self, line: psycopg.AsyncConnection[Any]) -> None:
        await line.execute(f"LISTEN {CHANNEL}")
        self._notices.ring_all()
        async with aclosing(line.notifies()) as notices:
            async for notice in notices:
                self.heard(notice.payload)

    def heard(self, payload: str) -> None:
        """Take up one notice of another process; whoever else writes into the channel can do no more than wake."""
        try:
            told = json.loads(payload)
            if told["from"] == self._name:
                return
            for entry in told["news"]:
                self._take_up(entry)
        except (ValueError, KeyError, TypeError) as fault:
            logger.warning("a notice that is none of ours: %r", fault)

    def _take_up(self, entry: list[Any]) -> None:
        if entry[0] == "rang":
            self._notices.ring(ConversationId(str(entry[1])), elsewhere=True)
            return
        _, there, kind, conversation, who, source = entry
        if kind not in KINDS:
            raise ValueError(kind)
        sign = Sign(kind, ConversationId(str(conversation)), str(who), str(source))
        if there:
            self._notices.around.show(sign, elsewhere=True)
        else:
            self._notices.around.hide(sign, elsewhere=True)

    def _take(self, entry: tuple[Any, ...]) -> None:
        # Once more is as good as once, but the last word about a sign must stay the last.
        self._waiting.pop(entry, None)
        if len(self._waiting) < WAITING_MOST:
            self._waiting[entry] = None
        self._news.set()

    async def _notify(self, entries: list[tuple[Any, ...]]) -> None:
        async with self._engine.begin() as connection:
            for at in range(0, len(entries), AT_ONCE):
                payload = json.dumps({"from": self._name, "news": entries[at : at + AT_ONCE]})
                await connection.execute(
                    text("SELECT pg_notify(:channel, :payload)"), {"channel": CHANNEL, "payload": payload}
                )


@asynccontextmanager
async def relayed(engine: AsyncEngine, notices: LiveNotices) -> AsyncIterator[None]:
    """Connect this process with the others of its database while the block runs; alone there is nothing to connect."""
    if engine.dialect.name == "sqlite":
        yield
        return
    relay = Relay(engine, notices)
    tasks = [asyncio.create_task(relay.send()), asyncio.create_task(relay.listen())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
