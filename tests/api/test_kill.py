"""A real server is killed, again and again, in the middle of its work: nothing is lost, nothing is done twice."""

import asyncio
import json
import os
import random
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.identity import sign

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("MAYAK_TEST_KILLS", "20"))
AGAIN = 0.2
"""Share of restarts that are killed in their turn, while they take up what was left."""
SECRET = "k" * 40
QUESTIONS = ("Сколько дней на возврат товара?", "Сколько стоит курьер?", "How long do I have to return?")
CANCELLABLE = ("paid", "packed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One message as the customer knows it; `body` has its key."""

    conversation: str
    body: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Customer:
    """A customer at the door: keeps what was not yet confirmed and sends it again, as the widget does."""

    id: str
    token: str
    sent: list[Sent] = field(default_factory=list)
    unconfirmed: list[Sent] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)


class Foundry:
    """The process that forks servers."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.api.forge"],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, environment: dict[str, str], *, newer: bool) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"environment": environment, "newer": newer}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


class Forge:
    """Servers on one data folder, one after the other."""

    def __init__(self, foundry: Foundry, folder: Path, pack: Path) -> None:
        self.foundry = foundry
        self.data = folder / "data"
        self.log = folder / "server.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = {
            "MAYAK_DATA": str(self.data),
            "MAYAK_PORT": str(self.port),
            "MAYAK_COMPANY": str(pack),
            "MAYAK_EMBEDDER": "fake",
            "MAYAK_QUIET_MS": "0",
            "MAYAK_IDENTITY_SECRET": SECRET,
            "MAYAK_LOG_LEVEL": "warning",
        }
        self.pid = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, newer: bool = False) -> None:
        self.pid = self.foundry.start({**self.environment, "FORGE_LOG": str(self.log)}, newer=newer)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.pid = 0

    def tail(self) -> str:
        return self.log.read_text("utf-8")[-3000:] if self.log.exists() else ""


def small_pack(folder: Path) -> Path:
    """The demo company with a handful of documents: enough to answer, quick to start."""
    pack = folder / "pack"
    (pack / "knowledge" / "ru").mkdir(parents=True)
    (pack / "knowledge" / "en").mkdir()
    for name in ("company.toml", "policy.toml"):
        shutil.copy(ROOT / "demo" / name, pack / name)
    shutil.copytree(ROOT / "demo" / "shop", pack / "shop")
    for name in ("ru/returns.md", "ru/courier.md", "en/returns.md"):
        shutil.copy(ROOT / "demo" / "knowledge" / name, pack / "knowledge" / name)
    return pack


@pytest.fixture(scope="module")
def foundry() -> Iterator[Foundry]:
    foundry = Foundry()
    yield foundry
    foundry.close()


@pytest.fixture(scope="module")
def prepared(foundry: Foundry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pack and a data folder into which it was imported."""
    folder = tmp_path_factory.mktemp("prepared")
    first = Forge(foundry, folder, small_pack(folder))
    first.start()

    async def wait() -> None:
        async with httpx.AsyncClient(base_url=first.url, trust_env=False) as client:
            await ready(first, client)

    asyncio.run(wait())
    first.kill()
    return folder


@pytest.fixture
def forge(foundry: Foundry, prepared: Path, tmp_path: Path) -> Iterator[Forge]:
    shutil.copytree(prepared / "data", tmp_path / "data")
    forge = Forge(foundry, tmp_path, prepared / "pack")
    yield forge
    if forge.pid:
        forge.kill()


async def ready(forge: Forge, client: httpx.AsyncClient, *, seconds: float = 60) -> None:
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    if (await client.get("/readyz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.03)
    except TimeoutError:
        raise AssertionError(f"the server did not start:\n{forge.tail()}") from None


async def arrive(client: httpx.AsyncClient, *, customer: str | None = None) -> Customer:
    body = {"identity": sign(customer, secret=SECRET, audience="mayak")} if customer else {}
    opened = (await client.post("/v1/conversations", json={"language": "ru", **body})).json()
    return Customer(id=opened["id"], token=opened["token"])


async def call(client: httpx.AsyncClient, who: Customer, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {who.token}"}
    url = f"/v1/conversations/{who.id}{path}"
    response = await client.request(method, url, headers=headers, json=body)
    assert response.status_code < 300, response.text
    return response.json()


async def send(client: httpx.AsyncClient, who: Customer, **message: Any) -> None:
    """Send one message; without a confirmation it is kept and sent again later under the same key."""
    sent = Sent(conversation=who.id, body={"key": secrets.token_hex(8), **message})
    who.sent.append(sent)
    await _deliver(client, who, sent)


async def _deliver(client: httpx.AsyncClient, who: Customer, sent: Sent) -> None:
    try:
        who.seqs.append((await call(client, who, "POST", "/messages", sent.body))["seq"])
    except httpx.HTTPError:
        who.unconfirmed.append(sent)


async def send_again(client: httpx.AsyncClient, who: Customer) -> None:
    waiting, who.unconfirmed = who.unconfirmed, []
    for sent in waiting:
        await _deliver(client, who, sent)


async def settled(client: httpx.AsyncClient, who: Customer, seq: int) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            turn = (await call(client, who, "GET", f"/turns?message={seq}"))["turn"]
            if turn is not None:
                return dict(turn)
            await asyncio.sleep(0.03)


async def propose(client: httpx.AsyncClient, owner: str, order: str) -> tuple[Customer, dict[str, Any]]:
    """Bring one customer to the question whether this order shall be cancelled; return the yes button."""
    who = await arrive(client, customer=owner)
    for purpose in ("orders:read", "orders:write"):
        await call(client, who, "POST", "/consents", {"purpose": purpose, "granted": True})
    await send(client, who, text=f"Отмените заказ {order}")
    turn = await settled(client, who, who.seqs[-1])
    (yes,) = [b["action"] for b in turn["buttons"] if b["action"]["kind"] == "confirm" and b["action"]["yes"]]
    return who, yes


def cancellable_orders(pack: Path) -> list[tuple[str, str]]:
    orders = json.loads((pack / "shop" / "orders.json").read_text("utf-8"))["orders"]
    return [
        (order["owner"], order["id"])
        for order in orders
        if order["status"] in CANCELLABLE and order["payment"]["method"] == "card"
    ]


async def test_killed_at_any_point_every_message_is_answered_once_and_every_write_happens_once(
    forge: Forge,
) -> None:
    chance = random.Random(20261122)
    orders = cancellable_orders(Path(forge.environment["MAYAK_COMPANY"]))
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
    assert_nothing_lost_nothing_doubled(forge.data / "mayak.sqlite", everybody, written)


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
            assert turn["outcome"] == "answered"
            lines = (await call(client, who, "GET", "/messages"))["messages"]
            assert [line["author"] for line in lines] == ["ai", "customer", "ai"]


def unfinished(data: Path) -> int:
    base = sqlite3.connect(data / "mayak.sqlite")
    (count,) = base.execute(
        "SELECT (SELECT count(*) FROM inbox WHERE turn IS NULL) + (SELECT count(*) FROM turns WHERE outcome IS NULL)"
    ).fetchone()
    base.close()
    return int(count)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    code: int
    out: str
    err: str


async def mayak(forge: Forge, *words: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "api.cli",
        *words,
        cwd=ROOT,
        env={**os.environ, **forge.environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 90)
    return Ended(code=process.returncode or 0, out=out.decode(), err=err.decode())
