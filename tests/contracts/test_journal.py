"""Every journal of writes to other systems: one row a key, known before the call and after it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.records.engine import connect
from api.migrate import migrate
from tools.context import CustomerId
from tools.mcp.fake import MemoryJournal
from tools.mcp.journal import SqlJournal
from tools.mcp.port import Entry, Journal

ROW: Any = {"tool": "parcels_book_pickup", "owner": CustomerId("c-001"), "digest": "d" * 64}
FACTS = {"day": "понедельник", "floor": 3, "price": 2.5}


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    if request.param == "memory":
        yield MemoryJournal()
        return
    url = (
        f"sqlite+aiosqlite:///{tmp_path / 'm.sqlite'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_database")
    )
    await asyncio.to_thread(migrate, url)
    engine = connect(url)
    yield SqlJournal(engine)
    await engine.dispose()


async def test_a_key_is_free_once(journal: Journal) -> None:
    assert await journal.begin("k", **ROW, facts=FACTS) is None
    assert await journal.begin("k", **ROW, facts={}) == Entry(digest="d" * 64, state="open", facts=FACTS)
    await journal.settle("k", "done")
    assert await journal.look("k") == Entry(digest="d" * 64, state="done", facts=FACTS)


async def test_a_key_given_back_is_free_again(journal: Journal) -> None:
    await journal.begin("k", **ROW, facts=FACTS)
    await journal.forget("k")
    assert await journal.look("k") is None
    assert await journal.begin("k", **ROW, facts=FACTS) is None


async def test_what_ended_is_never_forgotten(journal: Journal) -> None:
    await journal.begin("k", **ROW, facts=FACTS)
    await journal.settle("k", "done")
    await journal.forget("k")
    assert await journal.look("k") is not None


async def test_of_ten_at_once_one_takes_the_key(journal: Journal) -> None:
    taken = await asyncio.gather(*(journal.begin("k", **ROW, facts=FACTS) for _ in range(10)))
    assert [entry is None for entry in taken].count(True) == 1
