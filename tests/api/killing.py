"""What tests that kill real servers share: servers on one data folder, and customers who send again."""

import asyncio
import json
import os
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
SECRET = "k" * 40
KILLS = int(os.environ.get("MAYAK_TEST_KILLS", "20"))
CANCELLABLE = ("paid", "packed")
QUESTIONS = ("Сколько дней на возврат товара?", "Сколько стоит курьер?", "How long do I have to return?")


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
            # A server whose files may not grow would leave cut-off bytecode behind for everybody.
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
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
            "MAYAK_SENDER": "outbox",
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


def cancellable_orders(pack: Path) -> list[dict[str, Any]]:
    """The rows of the pack's orders that may be cancelled and were paid by card."""
    orders = json.loads((pack / "shop" / "orders.json").read_text("utf-8"))["orders"]
    return [one for one in orders if one["status"] in CANCELLABLE and one["payment"]["method"] == "card"]


def ample(pack: Path, *, orders: int) -> Path:
    """Give the pack at least so many orders to cancel: those it has, again under other numbers."""
    path = pack / "shop" / "orders.json"
    content = json.loads(path.read_text("utf-8"))
    found = cancellable_orders(pack)
    more = max(0, orders - len(found))
    content["orders"] += [{**found[n % len(found)], "id": str(20_001 + n)} for n in range(more)]
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
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
    first = Forge(foundry, folder, ample(small_pack(folder), orders=KILLS))
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


def unfinished(data: Path) -> int:
    base = sqlite3.connect(data / "mayak.sqlite")
    (count,) = base.execute(
        "SELECT (SELECT count(*) FROM inbox WHERE turn IS NULL) + (SELECT count(*) FROM turns WHERE outcome IS NULL)"
    ).fetchone()
    base.close()
    return int(count)


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
