"""Real servers, a provider that writes slowly, and customers who read along; some of the servers are killed meanwhile."""

import asyncio
import json
import os
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.api.dictation import Dictation, asking, dictation
from tests.api.killing import (
    QUESTIONS,
    Customer,
    Forge,
    arrive,
    call,
    forge,
    foundry,
    prepared,
    ready,
    send,
    settled,
)
from tests.api.test_kill import assert_nothing_lost_nothing_doubled

pytestmark = pytest.mark.heavy

__all__ = ["forge", "foundry", "prepared"]

KILLS = int(os.environ.get("MAYAK_TEST_STREAM_KILLS", "8"))


def sure_pack(forge: Forge, folder: Path) -> None:
    """Let the company's gate stand open: which questions it opens for is another matter."""
    pack = folder / "sure"
    shutil.copytree(forge.environment["MAYAK_COMPANY"], pack)
    policy = pack / "policy.toml"
    written = policy.read_text("utf-8")
    assert "answer = 0.5" in written
    policy.write_text(written.replace("answer = 0.5", "answer = 0.0"), "utf-8")
    forge.environment["MAYAK_COMPANY"] = str(pack)


async def events(client: httpx.AsyncClient, who: Customer) -> AsyncIterator[tuple[str, dict[str, str]]]:
    url, headers = f"/v1/conversations/{who.id}/events", {"Authorization": f"Bearer {who.token}"}
    async with client.stream("GET", url, headers=headers, timeout=30) as response:
        kind = ""
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield kind, json.loads(line.removeprefix("data: "))


async def test_the_customer_reads_the_first_sentence_before_the_second_is_written(
    forge: Forge, tmp_path: Path
) -> None:
    sure_pack(forge, tmp_path)
    async with dictation(held=True) as provider:
        forge.environment |= asking(provider)
        forge.start()
        async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=20) as client:
            await ready(forge, client)
            who = await arrive(client)
            read: list[str] = []
            await send(client, who, text=QUESTIONS[0])
            async for kind, data in events(client, who):
                if kind == "sentence":
                    read.append(data["text"])
                    if len(read) == 1:
                        assert len(provider.finished) == 1, "the second one is not written yet"
                        provider.may_go_on.set()
                elif kind == "message" and data["author"] == "ai" and read:
                    break
            turn = await settled(client, who, who.seqs[0])
    assert turn["outcome"] == "answered"
    assert len(read) > 1
    assert turn["text"].endswith(" ".join(read))
    assert turn["ms"]["first_sentence_model"] <= turn["ms"]["first"] < turn["ms"]["total"]


async def test_a_message_after_the_first_streamed_sentence_is_a_turn_of_its_own(
    forge: Forge, tmp_path: Path
) -> None:
    sure_pack(forge, tmp_path)
    async with dictation(held=True) as provider:
        forge.environment |= asking(provider)
        forge.start()
        async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=20) as client:
            await ready(forge, client)
            who = await arrive(client)
            await send(client, who, text=QUESTIONS[0])
            async for kind, _ in events(client, who):
                if kind == "sentence":
                    break
            await send(client, who, text=QUESTIONS[1])
            provider.may_go_on.set()
            first, second = [await settled(client, who, seq) for seq in who.seqs]
    assert first["turn"] != second["turn"]
    assert [told["question"] for told in provider.asked] == [QUESTIONS[0], QUESTIONS[1]]


async def test_killed_in_mid_stream_an_answer_goes_on_after_what_was_shown_and_never_begins_anew(
    forge: Forge, tmp_path: Path
) -> None:
    sure_pack(forge, tmp_path)
    chance = random.Random(20261128)
    everybody: list[Customer] = []
    async with dictation(pace=0.03) as provider:
        forge.environment |= asking(provider)
        forge.start()
        async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=20) as client:
            await ready(forge, client)
            for _ in range(KILLS):
                everybody.append(await arrive(client))
                before = len(provider.finished)
                await send(client, everybody[-1], text=QUESTIONS[0])
                await written(provider, sentences=before + chance.choice((1, 1, 2)))
                await asyncio.sleep(chance.uniform(0.0, 0.15))
                forge.kill()
                forge.start()
                await ready(forge, client)
            for who in everybody:
                await settled(client, who, who.seqs[0])
                lines = (await call(client, who, "GET", "/messages"))["messages"]
                assert [line["author"] for line in lines][:2] == ["ai", "customer"]
        forge.kill()
    path = forge.data / "mayak.sqlite"
    assert_nothing_lost_nothing_doubled(path, everybody, [])
    assert sum("said" in told for told in provider.asked) >= KILLS // 4, "too few of the kills hit a stream"
    base = sqlite3.connect(path)
    for who in everybody:
        rows = base.execute(
            "SELECT s.text FROM sentences s JOIN turns t ON s.turn = t.id WHERE t.conversation = ? ORDER BY s.n",
            (who.id,),
        ).fetchall()
        shown = [text for (text,) in rows]
        assert shown, "an answer that had begun was lost"
        assert len(shown) == len(set(shown)), "a sentence was said twice"
    outcomes = {outcome for (outcome,) in base.execute("SELECT outcome FROM turns")}
    base.close()
    assert outcomes <= {"answered", "escalated"}


async def written(provider: Dictation, *, sentences: int) -> None:
    async with asyncio.timeout(20):
        while True:
            if len(provider.finished) >= sentences:
                return
            await asyncio.sleep(0.005)
