"""The real application on a small company, its customers and their mailboxes: for identity by one-time code."""

import asyncio
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from api.main import create_app
from api.serving import channels, prepared
from api.settings import ROOT, Settings
from tests.migrated import migrated
from tools.context import ConversationId

SECRET = "s" * 40
MINE = "Где мой заказ 1045-А?"
CODE = {"kind": "code"}
ALLOW = {"kind": "consent", "target": "orders:read", "yes": True}


class Town:
    """The application, its client, and the mailboxes."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, settings: Settings) -> None:
        self.app = app
        self.client = client
        self.settings = settings

    @property
    def building(self) -> Any:
        return self.app.state.opened.building

    def letters(self) -> list[str]:
        return [path.read_text("utf-8") for path in sorted((self.settings.data / "outbox").glob("*.txt"))]

    async def code(self, *, after: int) -> str:
        """Wait for another letter than the first `after`; return the digits in it."""
        async with asyncio.timeout(10):
            while True:
                if len(self.letters()) > after:
                    break
                await asyncio.sleep(0.02)
        return str(re.findall(r"\b\d{6}\b", self.letters()[-1])[0])

    async def visit(self, **body: Any) -> "Visit":
        answer = await self.client.post("/v1/conversations", json={"language": "ru", **body})
        assert answer.status_code == 201, answer.text
        return Visit(self, answer.json())

    async def everything(self) -> str:
        """Every row of every table, as text."""
        async with self.building.engine.connect() as connection:
            names = (
                await connection.execute(text("SELECT name FROM sqlite_master WHERE type='table'"))
            ).scalars()
            rows = [
                repr(row)
                for name in names.all()
                if not name.startswith("shop_")
                for row in await connection.execute(text(f'SELECT * FROM "{name}"'))
            ]
        return "\n".join(rows)


class Visit:
    """One conversation, by its token."""

    def __init__(self, town: Town, opened: dict[str, Any]) -> None:
        self.town = town
        self.id = ConversationId(opened["id"])
        self._opened = opened

    async def say(self, words: str = "", **action: Any) -> dict[str, Any]:
        """Send a message or press a button; return the turn's answer object."""
        headers = {"Authorization": f"Bearer {self._opened['token']}"}
        path, client = f"/v1/conversations/{self.id}", self.town.client
        body: dict[str, Any] = {"key": secrets.token_hex(8)}
        body |= {"action": action} if action else {"text": words}
        sent = await client.post(f"{path}/messages", json=body, headers=headers)
        assert sent.status_code == 202, sent.text
        async with asyncio.timeout(30):
            while True:
                turn = (
                    await client.get(f"{path}/turns?message={sent.json()['seq']}", headers=headers)
                ).json()
                if turn["turn"] is not None:
                    return dict(turn["turn"])
                await asyncio.sleep(0.02)

    async def lines(self) -> list[str]:
        return [m.text for m in await self.town.building.records.messages(self.id)]

    async def state(self) -> Any:
        return await self.town.building.records.conversation(self.id)

    async def coded(self, contact: str = "anna@example.com") -> str:
        """Ask for a code for this contact; return it."""
        before = len(self.town.letters())
        await self.say(**CODE)
        await self.say(contact)
        return await self.town.code(after=before)


@asynccontextmanager
async def open_town(settings: Settings) -> AsyncIterator[Town]:
    await asyncio.to_thread(migrated, settings.database_url)
    app = create_app(partial(prepared, settings), extras=channels(settings))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mayak") as client:
            yield Town(app, client, settings)


def settings_of(folder: Path, *, policy: tuple[tuple[str, str], ...] = (), **more: Any) -> Settings:
    """A copy of the demo company without documents; `policy` are replacements in its policy.toml."""
    folder.mkdir(exist_ok=True)
    company = folder / "company"
    shutil.copytree(ROOT / "demo", company, ignore=shutil.ignore_patterns("knowledge", "sources"))
    written = (company / "policy.toml").read_text("utf-8")
    for before, after in (
        ("per_conversation = 3", "per_conversation = 9"),
        ("per_contact = 3", "per_contact = 99"),
        *policy,
    ):
        assert before in written
        written = written.replace(before, after, 1)
    (company / "policy.toml").write_text(written, "utf-8")
    how = {"embedder": "fake", "quiet_ms": 0, "identity_secret": SECRET, "sender": "outbox", "demo": False}
    (folder / "data").mkdir()
    return Settings(data=folder / "data", company=company, **{**how, **more})
