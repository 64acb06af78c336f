"""A SQLite file filled once and copied for every run over the same data: reading thousands of records takes a second."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from evals.tau.domain import Json

Fill = Callable[[AsyncConnection, Mapping[str, Json]], Awaitable[None]]


class Filled:
    """Engines over files of these tables; it remembers the last database it was asked for, and its file."""

    def __init__(self, metadata: MetaData, fill: Fill) -> None:
        self._metadata = metadata
        self._fill = fill
        self._of: Mapping[str, Json] | None = None
        self._bytes = b""

    async def engine(self, path: Path, database: Mapping[str, Json]) -> AsyncEngine:
        """Return an engine over a new file at `path` that holds the database. Raises what `fill` does."""
        if database is not self._of:
            await self._read(path, database)
        else:
            path.write_bytes(self._bytes)
        return create_async_engine(f"sqlite+aiosqlite:///{path}")

    async def _read(self, path: Path, database: Mapping[str, Json]) -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        try:
            async with engine.begin() as connection:
                await connection.run_sync(self._metadata.create_all)
                await self._fill(connection, database)
        finally:
            await engine.dispose()
        self._of, self._bytes = database, path.read_bytes()
