"""Short statements run where they are asked; what may wait never stops the loop, and nothing is overtaken."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from agent.records.engine import Database, connect


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    engine = connect(f"sqlite+aiosqlite:///{tmp_path / 'near.sqlite'}")

    @event.listens_for(engine.sync_engine, "connect")
    def tell_the_thread(connection: object, _: object) -> None:
        connection.create_function("thread", 0, threading.get_ident)  # type: ignore[attr-defined]

    async with engine.begin() as connection:
        await connection.execute(text("create table notes (n integer)"))
    yield engine
    await engine.dispose()


async def thread_of(engine: Database) -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(text("select thread()"))).scalar_one())


async def count(engine: Database) -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(text("select count(*) from notes"))).scalar_one())


async def write(engine: Database) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("insert into notes values (1)"))


async def test_a_short_transaction_runs_in_the_callers_thread_and_any_other_one_beside_it(
    database: Database,
) -> None:
    assert await thread_of(database.near) == threading.get_ident()
    assert await thread_of(database) != threading.get_ident()
    # The same connection of the pool, asked the other way round again.
    assert await thread_of(database.near) == threading.get_ident()


async def test_a_short_transaction_that_waits_for_another_program_does_not_stop_the_loop(
    database: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "near.sqlite", isolation_level=None)
    other.execute("begin immediate")
    writing = asyncio.create_task(write(database.near))
    for _ in range(5):
        await asyncio.sleep(0.01)
    assert not writing.done()
    other.execute("commit")
    other.close()
    await writing
    assert await count(database.near) == 1


async def test_what_a_cancelled_writer_left_behind_is_not_overtaken(
    database: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "near.sqlite", isolation_level=None)
    other.execute("begin immediate")
    writing = asyncio.create_task(write(database.near))
    await asyncio.sleep(0.05)
    writing.cancel()
    other.execute("commit")
    with pytest.raises(asyncio.CancelledError):
        await writing
    # Had its begin come after its rollback, its connection would hold the lock from now on.
    await write(database.near)
    other.execute("begin immediate")
    other.execute("commit")
    other.close()
    assert await count(database) == 1


async def test_short_and_other_writers_of_one_process_come_one_after_another(database: Database) -> None:
    await asyncio.gather(*(write(database.near if n % 2 else database) for n in range(20)))
    assert await count(database.near) == 20
