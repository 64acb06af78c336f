"""A server is killed while customers wait for a person: the next one goes on with each of them, by the tables alone."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest

from tests.api.killing import Forge, arrive, forge, foundry, prepared, ready, send, settled

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]

__all__ = ["forge", "foundry", "prepared"]
CUSTOMERS = 3
PAST = "2026-01-01 00:00:00.000000"


def waiting(forge: Forge) -> list[tuple[str, str]]:
    """The stage and the next event of every conversation that waits."""
    with closing(sqlite3.connect(forge.data / "mayak.sqlite")) as database:
        return list(database.execute("SELECT stage, due FROM conversations WHERE holder = 'queued'"))


def make_due(forge: Forge) -> None:
    """Let the time come while no server runs."""
    with closing(sqlite3.connect(forge.data / "mayak.sqlite")) as database:
        database.execute("UPDATE conversations SET due = ? WHERE holder = 'queued'", (PAST,))
        database.commit()


async def test_what_comes_due_while_no_server_runs_is_taken_up_by_the_next_one(forge: Forge) -> None:
    forge.start()
    async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=30) as client:
        await ready(forge, client)
        for _ in range(CUSTOMERS):
            who = await arrive(client, customer=None)
            await send(client, who, text="Позовите человека!")
            await settled(client, who, who.seqs[-1])
        forge.kill()
        found = waiting(forge)
        assert [stage for stage, _ in found] == ["queued"] * CUSTOMERS
        assert all(due for _, due in found), "in the queue without a next event"
        make_due(forge)
        forge.start()
        await ready(forge, client)
        for _ in range(150):
            if all(due != PAST for _, due in waiting(forge)):
                break
            await asyncio.sleep(0.2)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    assert [stage for stage, _ in waiting(forge)] == ["queued"] * CUSTOMERS
    assert all(due > now for _, due in waiting(forge)), "the next event is in the past: nobody would come"
