"""The retailer as a domain: a fresh shop for every run, filled once for each database and copied."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.ext.asyncio import create_async_engine

from evals.tau.domain import Json, World
from evals.tau.retail.bench import Bench, bench
from evals.tau.retail.reading import shop_of
from evals.tau.retail.world import RetailWorld
from tools.shop import create_tables, fill

FILE = "retail.sqlite"


@dataclass(slots=True)  # mutable: keeps the shops it has filled
class Retail:
    """`Domain` over the embedded shop in an SQLite file."""

    name: str = "retail"
    verifies: frozenset[str] = frozenset({"find_user_id_by_email", "find_user_id_by_name_zip"})
    _free: list[Bench] = field(default_factory=list)
    _filled: dict[str, bytes] = field(default_factory=dict)

    async def open(self, database: Mapping[str, Json], *, folder: Path) -> World:
        """Return a new world; `KeyError` or `ValueError` for what is no retail database."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE
        path.write_bytes(await self._shop(database))
        kept = self._free.pop() if self._free else bench(path)
        kept.path = path
        return RetailWorld(kept, database, give_back=self._free.append)

    async def _shop(self, database: Mapping[str, Json]) -> bytes:
        key = hashlib.sha256(json.dumps(database, sort_keys=True).encode()).hexdigest()
        if key not in self._filled:
            with TemporaryDirectory() as folder:
                path = Path(folder) / FILE
                engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
                try:
                    await create_tables(engine)
                    await fill(engine, shop_of(database))
                finally:
                    await engine.dispose()
                with sqlite3.connect(path) as connection:
                    self._filled[key] = connection.serialize()
                connection.close()
        return self._filled[key]
