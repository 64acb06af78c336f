"""A real server, commands beside it, and the signal that stops it."""

import asyncio
import json
import os
import signal

import httpx
import pytest

from tests.api.killing import (
    QUESTIONS,
    Forge,
    arrive,
    call,
    forge,
    foundry,
    mayak,
    prepared,
    ready,
    send,
    settled,
)

pytestmark = pytest.mark.heavy

__all__ = ["forge", "foundry", "prepared"]


async def test_commands_beside_a_server_go_through_its_door_and_never_run_its_turns(forge: Forge) -> None:
    forge.start()
    async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=20) as client:
        await ready(forge, client)
        askers = [await arrive(client) for _ in range(5)]
        for who in askers:
            await send(client, who, text=QUESTIONS[0])
        asked = await mayak(forge, "ask", QUESTIONS[0], "--json")
        assert asked.code == 0, asked.err
        assert json.loads(asked.out)["outcome"] == "answered"
        for who in askers:
            await settled(client, who, who.seqs[0])
            lines = (await call(client, who, "GET", "/messages"))["messages"]
            assert [line["author"] for line in lines] == ["ai", "customer", "ai"]
        second = await mayak(forge, "serve")
        assert second.code == 1
        assert "owns the data folder" in second.err
        assert "What to do" in second.err
        await ready(forge, client, seconds=5)


async def test_a_stop_signal_ends_open_streams_and_the_server_with_them(forge: Forge) -> None:
    forge.start()
    async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=20) as client:
        await ready(forge, client)
        who = await arrive(client)
        url, headers = f"/v1/conversations/{who.id}/events", {"Authorization": f"Bearer {who.token}"}
        async with asyncio.timeout(4), client.stream("GET", url, headers=headers) as response:
            lines = response.aiter_lines()
            assert await anext(lines) == "retry: 1000"
            os.kill(forge.pid, signal.SIGTERM)
            rest = [line async for line in lines]
        assert any(line.startswith("event: message") for line in rest)
        async with asyncio.timeout(10):
            while True:
                try:
                    await client.get("/healthz")
                except httpx.HTTPError:
                    break
                await asyncio.sleep(0.05)
    forge.start()
