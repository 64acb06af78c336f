"""A server is killed while a promise to a customer stands: the next one finds it due, by the table alone, and says so once."""

import asyncio
import sqlite3
from contextlib import closing

import httpx
import pytest

from tests.api.killing import Forge, arrive, forge, foundry, prepared, ready, send, settled

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]

__all__ = ["forge", "foundry", "prepared"]
PAST = "2026-01-01 00:00:00.000000"
ROW = """
INSERT INTO promises (id, conversation, seq, owner, name, department, words, language, due, exact, state, made, "end", told,
                      renews, actor)
SELECT 'p1', id, 1, 'person', 'olga', 'care', 'Back soon.', 'ru', ?, 1, 'open', ?, '', '', '', '' FROM conversations
"""
TOLD = "SELECT count(*) FROM messages WHERE author = 'system' AND key LIKE '%:late:p1'"


def read(forge: Forge, query: str) -> tuple[str, ...]:
    with closing(sqlite3.connect(forge.data / "mayak.sqlite")) as database:
        return tuple(database.execute(query).fetchone())


async def test_a_promise_that_comes_due_while_no_server_runs_is_late_with_the_next_one(forge: Forge) -> None:
    forge.start()
    async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=30) as client:
        await ready(forge, client)
        who = await arrive(client, customer=None)
        await send(client, who, text="Позовите человека!")
        await settled(client, who, who.seqs[-1])
        forge.kill()
        with closing(sqlite3.connect(forge.data / "mayak.sqlite")) as database:
            database.execute("DELETE FROM promises")
            database.execute(ROW, (PAST, PAST))
            database.commit()
        for _ in range(2):
            forge.start()
            await ready(forge, client)
            for _ in range(150):
                if read(forge, "SELECT state FROM promises WHERE id = 'p1'") == ("late",):
                    break
                await asyncio.sleep(0.2)
            await asyncio.sleep(2)
            assert read(forge, "SELECT state FROM promises WHERE id = 'p1'") == ("late",)
            forge.kill()
    told, due = read(forge, TOLD), read(forge, "SELECT told FROM promises WHERE id = 'p1'")
    assert told == ((0,) if due == ("",) else (1,)), "told once, and in quiet hours not yet"
