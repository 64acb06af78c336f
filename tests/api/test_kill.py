"""A real server is killed, again and again, in the middle of its work: nothing is lost, nothing is done twice."""

import asyncio
import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.killing import (
    KILLS,
    QUESTIONS,
    Customer,
    Forge,
    arrive,
    call,
    cancellable_orders,
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

__all__ = ["forge", "foundry", "prepared"]

AGAIN = 0.2
"""Share of restarts that are killed in their turn, while they take up what was left."""
MORE = ("И ещё вопрос: сколько стоит курьер?", "And how much is the courier?", "Позовите человека!")


async def propose(client: httpx.AsyncClient, owner: str, order: str) -> tuple[Customer, dict[str, Any]]:
    """Bring one customer to the question whether this order shall be cancelled; return the yes button."""
    who = await arrive(client, customer=owner)
    for purpose in ("orders:read", "orders:write"):
        await call(client, who, "POST", "/consents", {"purpose": purpose, "granted": True})
    await send(client, who, text=f"Отмените заказ {order}")
    turn = await settled(client, who, who.seqs[-1])
    (yes,) = [b["action"] for b in turn["buttons"] if b["action"]["kind"] == "confirm" and b["action"]["yes"]]
    return who, yes


async def test_killed_at_any_point_every_message_is_answered_once_and_every_write_happens_once(
    forge: Forge,
) -> None:
    chance = random.Random(20261122)
    pack = Path(forge.environment["MAYAK_COMPANY"])
    orders = [(row["owner"], row["id"]) for row in cancellable_orders(pack)]
    everybody: list[Customer] = []
    written: list[str] = []
    cut_off = 0
    forge.start()
    async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=20) as client:
        await ready(forge, client)
        for _ in range(KILLS):
            owner, order = orders.pop()
            buyer, yes = await propose(client, owner, order)
            askers = [await arrive(client) for _ in range(2)]
            everybody += [buyer, *askers]
            written.append(order)
            work = [asyncio.create_task(send(client, buyer, action=yes))]
            work += [asyncio.create_task(send(client, a, text=chance.choice(QUESTIONS))) for a in askers]
            work += [
                asyncio.create_task(
                    say_more(client, askers[0], after=chance.uniform(0.0, 0.2), chance=chance)
                )
            ]
            await asyncio.sleep(chance.uniform(0.0, 0.35))
            forge.kill()
            await asyncio.gather(*work)
            cut_off += unfinished(forge.data) > 0
            forge.start()
            if chance.random() < AGAIN:
                await asyncio.sleep(chance.uniform(0.0, 1.5))
                forge.kill()
                forge.start()
            await ready(forge, client)
            for who in (buyer, *askers):
                await send_again(client, who)
        for who in everybody:
            for seq in who.seqs:
                await settled(client, who, seq)
    assert cut_off >= KILLS // 4, "too few of the kills hit a turn"
    forge.kill()
    path = forge.data / "mayak.sqlite"
    assert_nothing_lost_nothing_doubled(path, everybody, written)
    assert begun_again(path) >= KILLS // 10, "too few messages came late"


async def say_more(client: httpx.AsyncClient, who: Customer, *, after: float, chance: random.Random) -> None:
    """Two more messages while the first one may be in a turn, and one while the turn may have begun again."""
    for _ in range(2):
        await asyncio.sleep(after)
        await send(client, who, text=chance.choice(MORE))


def begun_again(path: Path) -> int:
    base = sqlite3.connect(path)
    (count,) = base.execute("SELECT count(*) FROM turns WHERE attempt = 2").fetchone()
    base.close()
    return int(count)


def assert_nothing_lost_nothing_doubled(path: Path, everybody: list[Customer], written: list[str]) -> None:
    base = sqlite3.connect(path)
    base.row_factory = sqlite3.Row

    def rows(query: str, *values: Any) -> list[sqlite3.Row]:
        return base.execute(query, values).fetchall()

    assert rows("PRAGMA integrity_check")[0][0] == "ok"
    for who in everybody:
        assert not who.unconfirmed
        keys = [
            row["key"] for row in rows("SELECT key FROM inbox WHERE conversation = ? ORDER BY seq", who.id)
        ]
        assert sorted(keys) == sorted(sent.body["key"] for sent in who.sent), "a message was lost or doubled"
    assert rows("SELECT id FROM inbox WHERE turn IS NULL") == []
    assert rows("SELECT id FROM turns WHERE outcome IS NULL") == []
    assert rows("SELECT id FROM turns WHERE attempt = 0") == []
    assert rows("SELECT id FROM turns WHERE id NOT IN (SELECT turn FROM inbox)") == []
    for turn in rows("SELECT id, conversation, outcome, record FROM turns"):
        replies = [reply["text"] for reply in json.loads(turn["record"])["replies"]]
        lines = rows("SELECT text FROM messages WHERE turn = ? AND author = 'ai' ORDER BY seq", turn["id"])
        assert [line["text"] for line in lines] == replies, "an answer was lost or doubled"
        sentences = rows("SELECT text FROM sentences WHERE turn = ? ORDER BY n", turn["id"])
        if sentences:
            assert " ".join(s["text"] for s in sentences) in replies, "what was shown is not what was said"
    for conversation in rows("SELECT id, seq, event FROM conversations"):
        numbers = [
            r["n"] for r in rows("SELECT n FROM events WHERE conversation = ? ORDER BY n", conversation["id"])
        ]
        assert numbers == list(range(1, conversation["event"] + 1)), "an event is missing"
    for order in written:
        assert len(rows("SELECT key FROM shop_effects WHERE facts LIKE ?", f'%"{order}"%')) == 1, order
        assert rows("SELECT status FROM shop_orders WHERE id = ?", order)[0]["status"] == "cancelled"
        assert len(rows("SELECT id FROM shop_refunds WHERE order_id = ?", order)) == 1, order
        assert (
            len(rows("SELECT id FROM shop_events WHERE order_id = ? AND kind = 'cancel_order'", order)) == 1
        )
    assert {row["state"] for row in rows("SELECT state FROM proposals")} <= {"done", "already_done"}
    assert rows("SELECT id FROM turns WHERE reason = 'internal_error'") == []
    base.close()


async def test_a_turn_left_by_one_release_is_finished_by_the_next(forge: Forge) -> None:
    forge.start()
    async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=20) as client:
        await ready(forge, client)
        askers = [await arrive(client) for _ in range(4)]
        for who in askers:
            await send(client, who, text=QUESTIONS[0])
        await asyncio.sleep(0.08)
        forge.kill()
        left = unfinished(forge.data)
        assert left, "the server was killed too late to leave a turn open"
        forge.start(newer=True)
        await ready(forge, client)
        assert (await client.get("/openapi.json")).json()["info"]["version"] == "9.9.9"
        for who in askers:
            turn = await settled(client, who, who.seqs[0])
            assert turn["outcome"] == "answered", turn
            lines = (await call(client, who, "GET", "/messages"))["messages"]
            assert [line["author"] for line in lines] == ["ai", "customer", "ai"]
