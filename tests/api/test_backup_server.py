"""A server that answers is backed up; restored elsewhere it goes on from that moment, and says nothing twice."""

import asyncio
import contextlib
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.killing import (
    QUESTIONS,
    Customer,
    Forge,
    arrive,
    forge,
    foundry,
    mayak,
    prepared,
    ready,
    send,
    settled,
    unfinished,
)

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]

__all__ = ["forge", "foundry", "prepared"]

CROWD = 6
BACKUPS = 2


async def chatting(client: httpx.AsyncClient, crowd: list[Customer]) -> None:
    """Come, ask some questions, and come again as somebody else, until it is cancelled."""
    while True:
        who = await arrive(client)
        crowd.append(who)
        for text in QUESTIONS:
            await send(client, who, text=text)
            await settled(client, who, who.seqs[-1])


def read(data: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data / "mayak.sqlite")) as base:
        return base.execute(query).fetchall()


async def finished(data: Path) -> None:
    async with asyncio.timeout(60):
        while True:
            if not unfinished(data):
                return
            await asyncio.sleep(0.1)


async def search(forge: Forge) -> Any:
    done = await mayak(forge, "knowledge", "search", QUESTIONS[0], "--json")
    found = json.loads(done.out)
    assert found["hits"], "nothing is found, so nothing is compared"
    # The last digits of a sum hang on the order in which rows come.
    return [(hit["passage"]["id"], hit["passage"]["text"], round(hit["score"], 4)) for hit in found["hits"]]


async def test_a_backup_under_load_restores_to_that_moment_and_goes_on(forge: Forge, tmp_path: Path) -> None:
    files: list[tuple[Path, set[tuple[str, int]]]] = []
    forge.start()
    async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=20) as client:
        await ready(forge, client)
        crowd: list[Customer] = []
        work = [asyncio.create_task(chatting(client, crowd)) for _ in range(CROWD)]
        for n in range(BACKUPS):
            await asyncio.sleep(0.5)
            confirmed = {(who.id, seq) for who in crowd for seq in who.seqs}
            file = tmp_path / f"{n}.mayak"
            done = await mayak(forge, "backup", str(file), "--json")
            assert done.code == 0, done.err
            files.append((file, confirmed))
        for one in work:
            one.cancel()
        for one in work:
            with contextlib.suppress(asyncio.CancelledError):
                await one
        await finished(forge.data)
    forge.kill()
    truth = {row[:2]: row for row in read(forge.data, "SELECT conversation, seq, author, text FROM messages")}
    cut, known = 0, await search(forge)
    for file, confirmed in files:
        other = Forge(forge.foundry, tmp_path / file.stem, Path(forge.environment["MAYAK_COMPANY"]))
        done = await mayak(other, "restore", str(file), "--json")
        assert done.code == 0, done.err
        told = json.loads(done.out)
        assert told["digest_equal"] is True
        for table in ("conversations", "inbox", "turns", "messages", "sentences"):
            assert read(other.data, f"SELECT count(*) FROM {table}") == [(told["counts"][table],)]
        cut += unfinished(other.data) > 0
        # What was said up to the moment is word for word what was said; nothing confirmed before is missing.
        said = read(other.data, "SELECT conversation, seq, author, text FROM messages")
        assert all(truth[row[:2]] == row for row in said)
        assert confirmed <= {(row[0], row[1]) for row in said if row[2] == "customer"}
        other.start()
        async with httpx.AsyncClient(base_url=other.url, trust_env=False, timeout=20) as client:
            await ready(other, client)
            await finished(other.data)
        other.kill()
        assert_answered_once(other.data)
        assert await search(other) == known
        shutil.rmtree(other.data)
    assert cut, "no backup was taken in the middle of a turn"


def assert_answered_once(data: Path) -> None:
    """Every message has one turn, every turn one outcome and one message with its words, none twice."""
    assert read(data, "SELECT count(*) FROM inbox WHERE turn IS NULL") == [(0,)]
    assert read(data, "SELECT count(*) FROM turns WHERE outcome IS NULL") == [(0,)]
    twice = "SELECT turn, text FROM messages WHERE author = 'ai' AND turn IS NOT NULL GROUP BY turn, text HAVING count(*) > 1"
    assert read(data, twice) == []
    for turn, record in read(data, "SELECT id, record FROM turns"):
        lines = read(data, f"SELECT text FROM messages WHERE turn = '{turn}' AND author = 'ai' ORDER BY seq")
        assert [text for (text,) in lines] == [reply["text"] for reply in json.loads(record)["replies"]]
    parts = "SELECT turn, n FROM sentences GROUP BY turn, n HAVING count(*) > 1"
    assert read(data, parts) == []
