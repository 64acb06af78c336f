"""An outage of the storage in the middle of turns: they go on by themselves, each message gets its one answer."""

import asyncio
import resource
import sqlite3

import httpx
import pytest

from tests.api.killing import (  # noqa: F401
    Customer,
    Forge,
    arrive,
    call,
    forge,
    foundry,
    prepared,
    ready,
    send,
    send_again,
    settled,
    unfinished,
)

pytestmark = pytest.mark.heavy

LITTLE = 32 * 1024
QUESTION = "За сколько дней можно вернуть товар?"
ROOM = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


async def asked(client: httpx.AsyncClient) -> list[Customer]:
    askers = [await arrive(client) for _ in range(3)]
    for who in askers:
        await send(client, who, text=QUESTION)
    return askers


async def answered_once(client: httpx.AsyncClient, askers: list[Customer]) -> None:
    for who in askers:
        turn = await settled(client, who, who.seqs[0])
        assert turn["outcome"] == "answered", (turn["handoff"], turn["reasons"])
        lines = (await call(client, who, "GET", "/messages"))["messages"]
        assert [line["author"] for line in lines] == ["ai", "customer", "ai"]


async def test_turns_cut_off_by_a_full_disk_go_on_when_there_is_room(
    forge: Forge,  # noqa: F811
) -> None:
    forge.start()
    async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=30) as client:
        await ready(forge, client)
        askers = await asked(client)
        await asyncio.sleep(0.05)
        resource.prlimit(forge.pid, resource.RLIMIT_FSIZE, (LITTLE, resource.RLIM_INFINITY))
        await asyncio.sleep(1)
        assert unfinished(forge.data), "the disk was full too late to cut a turn off"
        resource.prlimit(forge.pid, resource.RLIMIT_FSIZE, ROOM)
        async with asyncio.timeout(20):
            await answered_once(client, askers)
    assert "waits. The disk does not take what is written" in forge.tail()


async def test_turns_held_up_by_a_locked_database_go_on_when_it_is_free(
    forge: Forge,  # noqa: F811
) -> None:
    forge.start()
    async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=30) as client:
        await ready(forge, client)
        askers = await asked(client)
        other = sqlite3.connect(forge.data / "mayak.sqlite", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            # Longer than the ten seconds that a connection waits.
            await asyncio.sleep(11)
            assert unfinished(forge.data), "the database was locked too late to hold a turn up"
        finally:
            other.execute("ROLLBACK")
            other.close()
        async with asyncio.timeout(20):
            await answered_once(client, askers)
