"""What the rights of customers are served with: settings, pack, database, clock; no model, no index, no engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncEngine

from agent.pack import Pack, load_pack
from agent.ports import Clock
from agent.records.engine import connect
from api.container import SystemClock
from api.identity import identity_secret
from api.migrate import migrate_or_say
from api.settings import Settings

if TYPE_CHECKING:
    from api.container import Building


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """One installation, as far as its tables and files go. `secret` is the installation's own."""

    settings: Settings
    pack: Pack
    engine: AsyncEngine
    clock: Clock
    secret: str


def premises_of(building: "Building") -> Premises:
    """Return those of an open house."""
    return Premises(
        settings=building.settings,
        pack=building.pack,
        engine=building.engine,
        clock=building.clock,
        secret=building.identity_secret,
    )


@asynccontextmanager
async def open_premises(settings: Settings) -> AsyncIterator[Premises]:
    """Open them for a command, beside a running server or without one; the database is migrated."""
    pack = load_pack(settings.company)
    settings.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(migrate_or_say, settings.database_url)
    engine = connect(settings.database_url)
    try:
        yield Premises(
            settings=settings,
            pack=pack,
            engine=engine,
            clock=SystemClock(),
            secret=identity_secret(settings),
        )
    finally:
        await engine.dispose()
