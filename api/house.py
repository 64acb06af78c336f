"""The built house for commands and evals: a client at the customers' door (see `api/door.py`).

```
open_house ─┬─ a server owns the data folder ─► its socket
            └─ nobody does ─► the application in this process, started and stopped around the block
```
"""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from agent.records.engine import connect
from agent.records.flags import Flags
from api.door import DoorClosed, Visit, open_visit
from api.identity import customer_token, identity_secret
from api.lock import owner_of
from api.settings import Settings
from api.systems.choose import TRIAL
from tools.context import Language
from tools.shop import standing

if TYPE_CHECKING:
    from api.container import Building

OTHER_MODEL = "openai:sandbox"
"""What a model behind a sandbox's own endpoint is called."""
KEPT = "visits"
"""Folder, inside the data folder, of the tokens of conversations that commands opened (mode 0600)."""


class DoorHouse:
    """`House` over HTTP: every call is what a customer's own client could do."""

    def __init__(
        self, client: httpx.AsyncClient, settings: Settings, building: "Building | None" = None
    ) -> None:
        self._client = client
        self._building = building
        self._settings = settings
        self._visits: dict[str, Visit] = {}

    async def ask(
        self,
        text: str,
        *,
        customer: str | None = None,
        conversation: str | None = None,
        language: Language | None = None,
        action: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """Run one turn and return its public answer object."""
        visit = await self._visit(conversation, customer=customer, language=language)
        seq = await visit.send(text, action=action)
        return await visit.turn_after(seq)

    async def start(self, *, customer: str | None = None, language: Language | None = None) -> str:
        """Open a conversation and return its id."""
        return (await self._visit(None, customer=customer, language=language)).id

    async def consent(self, conversation: str, purpose: str, *, granted: bool) -> None:
        """Record the customer's consent or its withdrawal."""
        visit = await self._visit(conversation, customer=None, language=None)
        await visit.post("/consents", {"purpose": purpose, "granted": granted})

    @asynccontextmanager
    async def sandbox(self, world: Mapping[str, Any], *, endpoint: str = "") -> AsyncIterator["DoorHouse"]:
        """A throw-away house in this process: a copy of the prepared data, with `world` on top."""
        settings = self._settings
        if endpoint:
            settings = replace(
                settings, model=OTHER_MODEL, model_url=endpoint, model_fallbacks=(), model_profile="large"
            )
        async with open_sandbox(settings, world) as house:
            yield house

    async def orders(self) -> Mapping[str, str]:
        """Return how each order stands, by its number; only a house in this process can tell."""
        if self._building is None:
            raise DoorClosed("A server's orders are not read past its door.", remedy="Ask a sandbox.")
        return await standing(self._building.engine)

    async def letters(self) -> Sequence[str]:
        """Return the letters a sandbox wrote to files, oldest first; a server's are not read past its door."""
        if self._building is None:
            raise DoorClosed("A server's letters are not read past its door.", remedy="Ask a sandbox.")
        from api.sending import OUTBOX

        folder = self._settings.data / OUTBOX
        return [path.read_text("utf-8") for path in sorted(folder.glob("*.txt"))]

    async def flagged(self, flag: str) -> Mapping[str, Any]:
        """Return the case a flag becomes; it is read beside a running server, which customers' door does not show."""
        engine = connect(self._settings.database_url)
        try:
            return await Flags(engine).case(flag)
        finally:
            await engine.dispose()

    async def messages(self, conversation: str) -> Sequence[Mapping[str, Any]]:
        """Return the transcript as the customer's own screen reads it."""
        visit = await self._visit(conversation, customer=None, language=None)
        found: Sequence[Mapping[str, Any]] = (await visit.get("/messages"))["messages"]
        return found

    async def events(self, conversation: str) -> AsyncIterator[Mapping[str, Any]]:
        """Follow the conversation's numbered events."""
        visit = await self._visit(conversation, customer=None, language=None)
        async for number, kind, data in visit.events():
            yield {"id": number, "type": kind, "data": data}

    async def _visit(
        self, conversation: str | None, *, customer: str | None, language: Language | None
    ) -> Visit:
        if conversation is not None:
            return self._visits.get(conversation) or self._kept(conversation)
        identity = customer_token(customer, settings=self._settings) if customer else None
        visit = await open_visit(self._client, language=language, identity=identity)
        self._visits[visit.id] = visit
        self._keep(visit)
        return visit

    def _keep(self, visit: Visit) -> None:
        folder = self._settings.data / KEPT
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{visit.id}.json"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({"id": visit.id, "token": visit.token}, file)

    def _kept(self, conversation: str) -> Visit:
        path = self._settings.data / KEPT / f"{Path(conversation).name}.json"
        if not path.exists():
            raise DoorClosed(
                f"Conversation {conversation} was not opened by `mayak ask` on this data folder.",
                remedy="Leave --conversation out to start a new one; its id is printed.",
            )
        return Visit(self._client, json.loads(path.read_text("utf-8")))


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[DoorHouse]:
    """Open the house on this installation's data folder, wherever it runs."""
    address = owner_of(settings.data)
    if address is not None:
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client:
            yield DoorHouse(client, settings)
        return
    async with _in_process(settings) as house:
        yield house


@asynccontextmanager
async def open_sandbox(settings: Settings, world: Mapping[str, Any]) -> AsyncIterator[DoorHouse]:
    """Run a house on a temporary data folder: the installation's copied, `world` added, deleted at the end."""
    from api.sending import OUTBOX
    from api.world import apply_world

    folder = Path(tempfile.mkdtemp(prefix="mayak-sandbox-"))
    try:
        if settings.data.is_dir():
            shutil.copytree(settings.data, folder / "data", ignore=shutil.ignore_patterns("*.lock", KEPT))
        inside = replace(
            settings,
            data=folder / "data",
            database="",
            durable_database="",
            # What is tried out here must never reach the company's own systems.
            orders=TRIAL,
            crm=TRIAL,
            quiet_ms=0,
            # A trial must not reach systems that are somebody's for real.
            mcp=False,
            pack_systems=False,
            webhooks=False,
            # Nobody is written to by a trial.
            sender=OUTBOX,
            identity_secret=identity_secret(settings) or secrets.token_hex(32),
        )
        async with _in_process(inside, prepare=lambda building: apply_world(building, world)) as house:
            yield house
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _in_process(settings: Settings, prepare: Any = None) -> AsyncIterator[DoorHouse]:
    from api.serving import started

    async with started(settings, prepare=prepare) as app:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mayak", timeout=60) as client:
            yield DoorHouse(client, settings, app.state.opened.building)
