"""The journal of writes sent to plugged-in servers: `Journal` over SQLite or PostgreSQL.

```
begin ─► open ─┬─► done | refused      the server answered
               ├─► (no row)            it was not reached
               └─► open for ever       nothing was heard: a person looks
```
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import JSON, Column, String, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tools.context import CustomerId
from tools.errors import Unavailable
from tools.mcp.port import Entry, Journal
from tools.proposal import Fact
from tools.tables import Moment, metadata

writes = Table(
    "mcp_writes",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("tool", String(64), nullable=False),
    Column("owner", String(200), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("at", Moment, nullable=False),
)


class SqlJournal(Journal):
    """One row a key; the row is committed before the server hears of the write."""

    def __init__(
        self, engine: AsyncEngine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._now = now

    async def begin(
        self, key: str, *, tool: str, owner: CustomerId, digest: str, facts: Mapping[str, Fact]
    ) -> Entry | None:
        row = {"key": key, "tool": tool, "owner": owner, "digest": digest, "facts": dict(facts)}
        try:
            async with self._writing() as connection:
                await connection.execute(insert(writes).values(**row, state="open", at=self._now()))
        except IntegrityError:
            return await self.look(key)
        return None

    async def settle(self, key: str, state: Literal["done", "refused"]) -> None:
        async with self._writing() as connection:
            await connection.execute(update(writes).where(writes.c.key == key).values(state=state))

    async def forget(self, key: str) -> None:
        async with self._writing() as connection:
            await connection.execute(delete(writes).where(writes.c.key == key, writes.c.state == "open"))

    async def look(self, key: str) -> Entry | None:
        async with self._writing() as connection:
            row = (await connection.execute(select(writes).where(writes.c.key == key))).one_or_none()
        return None if row is None else Entry(digest=row.digest, state=row.state, facts=row.facts)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError) as silent:
            raise Unavailable(str(silent.orig)) from silent
