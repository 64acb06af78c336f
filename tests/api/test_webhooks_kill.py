"""A real server that tells a webhook is killed, again and again: every fact is told, in order, under one id."""

import asyncio
import random
import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.api.killing import (
    KILLS,
    QUESTIONS,
    Customer,
    Forge,
    arrive,
    forge,
    foundry,
    prepared,
    ready,
    send,
    send_again,
    unfinished,
)
from tests.api.receiver import SECRET, Receiver
from tests.api.telegram_desk import sometime

pytestmark = pytest.mark.heavy

__all__ = ["forge", "foundry", "prepared"]


def waiting(data: Path) -> int:
    base = sqlite3.connect(data / "mayak.sqlite")
    (count,) = base.execute("SELECT count(*) FROM hooks WHERE ended IS NULL").fetchone()
    base.close()
    return int(count)


def facts(data: Path) -> tuple[dict[str, int], int, int]:
    """Return the events of each conversation, the messages and the turns, as the database has them."""
    base = sqlite3.connect(data / "mayak.sqlite")
    events = dict(base.execute("SELECT conversation, max(n) FROM hooks GROUP BY conversation").fetchall())
    (messages,) = base.execute("SELECT count(*) FROM messages WHERE author = 'customer'").fetchone()
    (turns,) = base.execute("SELECT count(*) FROM turns WHERE outcome IS NOT NULL").fetchone()
    base.close()
    return events, int(messages), int(turns)


async def test_killed_at_any_point_every_fact_is_told_in_order(
    forge: Forge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(20261129)
    receiver = Receiver()
    async with receiver.open():
        pack = tmp_path / "pack"
        original = Path(forge.environment["MAYAK_COMPANY"])
        pack.mkdir()
        for each in original.iterdir():
            (pack / each.name).symlink_to(each)
        (pack / "company.toml").unlink()
        table = f'\n[[webhooks]]\nname = "crm"\nurl = "{receiver.url}"\n'
        (pack / "company.toml").write_text((original / "company.toml").read_text("utf-8") + table, "utf-8")
        forge.environment |= {
            "MAYAK_COMPANY": str(pack),
            "MAYAK_WEBHOOK_SECRETS": f"crm={SECRET}",
            "MAYAK_WEBHOOK_HOSTS": "127.0.0.1",
        }
        everybody: list[Customer] = []
        cut_off = 0
        forge.start()
        async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=20) as client:
            await ready(forge, client)
            for _ in range(KILLS):
                askers = [await arrive(client) for _ in range(3)]
                everybody += askers
                work = [
                    asyncio.create_task(send(client, one, text=chance.choice(QUESTIONS))) for one in askers
                ]
                await asyncio.sleep(chance.uniform(0.0, 0.6))
                forge.kill()
                await asyncio.gather(*work)
                cut_off += waiting(forge.data) > 0
                forge.start()
                await ready(forge, client)
                for one in everybody:
                    await send_again(client, one)

            async def told() -> bool:
                return unfinished(forge.data) == 0 and waiting(forge.data) == 0

            await sometime(told, seconds=120)
        forge.kill()
    events, messages, turns = facts(forge.data)
    arrived = receiver.numbers()
    assert {id: max(numbers) for id, numbers in arrived.items()} == events
    for numbers in arrived.values():
        assert numbers == sorted(numbers)
        assert sorted(set(numbers)) == list(range(1, numbers[-1] + 1))
    once = {event["id"]: event["type"] for event in receiver.taken}
    types = list(once.values())
    assert types.count("mayak.message.received") == messages >= 3 * KILLS
    assert sum(type.startswith("mayak.turn.") for type in types) == turns
    assert receiver.forged == 0
    repeated = len(receiver.taken) - len(once)
    with capsys.disabled():
        print(f"\n{KILLS} kills, {cut_off} with events under way: {len(once)} events, {repeated} repeated")
    assert cut_off > 0
