"""A house small enough for tests of the front door: real records, engine and pack, a turn made of rules."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import uvicorn
from fastapi import FastAPI

import agent
from agent.cards import Card, Step
from agent.domain import (
    Action,
    Answered,
    Button,
    Citation,
    Escalated,
    Held,
    Reply,
    Ticket,
    TurnRecord,
    Verified,
    Waiting,
)
from agent.models import ModelSettings, chain
from agent.pack import load_pack
from agent.policy.consent import change
from agent.ports import Situation, Steps
from agent.records.engine import connect
from agent.records.sql import SqlRecords
from api.container import Building
from api.main import create_app
from api.notices import LiveNotices
from api.settings import ROOT, Settings
from knowledge.types import DocumentId, Passage, PassageId
from tests.migrated import migrated
from tools.context import Language, TurnId
from tools.phrases import Phrases

SECRET = "s" * 40
CARD = Card(
    kind="tracking",
    subject="1045-A",
    title="Order 1045-A",
    state="On its way",
    steps=(Step(name="shipped", label="Shipped", state="now", when="1 May"),),
)
PASSAGE = Passage(
    id=PassageId("returns#2"),
    document=DocumentId("returns"),
    title="Returns",
    heading="How long",
    text="You have **14 days**.",
    language="en",
    n=2,
    tokens=5,
)
CITED = Citation(document="returns", passage="returns#2", title="Returns", quote="14 days")


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Shelf:
    """A library of one passage."""

    async def expect(self, query: str) -> None:
        """Nothing to prepare."""

    async def live(self, ids: Sequence[str]) -> Mapping[str, Passage]:
        return {id: PASSAGE for id in ids if id == PASSAGE.id}


class RuleTurn:
    """Answers by rule: the first word of the message says what happens."""

    def __init__(self, records: SqlRecords, notices: LiveNotices) -> None:
        self.records = records
        self.notices = notices
        self.began: list[str] = []
        self.gate = asyncio.Event()
        self.reached = asyncio.Event()
        self.prepared: list[list[str]] = []

    async def ahead(self, said: Sequence[str]) -> None:
        """Note what is prepared for; one word breaks it."""
        self.prepared.append(list(said))
        if "unprepared" in said:
            raise RuntimeError("nothing can be prepared")

    async def run(self, turn: TurnId, *, steps: Steps, waited: float = 0.0) -> TurnRecord:
        situation = await steps.run("situation", lambda: self.records.situation(turn), of=Situation)
        text = "\n".join(i.text or _said(i.action) for i in situation.batch)
        self.began.append(text)
        await self.notices.status(situation.conversation.id, turn, "looking…")
        record = await self._decide(turn, situation, text, attempt=steps.attempt)
        await self.records.commit(record, attempt=steps.attempt)
        return record

    async def _decide(self, turn: TurnId, situation: Situation, text: str, *, attempt: int) -> TurnRecord:
        action = situation.batch[-1].action
        base = TurnRecord(
            turn=turn,
            conversation=situation.conversation.id,
            outcome=Answered(),
            language=situation.conversation.language,
            replies=(
                Reply(
                    text=f"You said: {text}",
                    citations=(CITED,),
                    cards=(CARD,) if text.startswith("card") else (),
                ),
            ),
            confidence=0.9,
        )
        if situation.conversation.holder in ("person", "queued"):
            return replace(base, outcome=Held(), replies=())
        if action is not None and action.kind == "consent":
            await self.records.consent(
                turn, change(PACK.purposes[action.target], granted=action.yes, language="en")
            )
            return replace(base, replies=(Reply(text="Thanks."),))
        match "person" if action is not None and action.kind == "person" else text.split(" ")[0]:
            case "boom":
                raise ValueError("the turn broke")
            case "slow":
                self.reached.set()
                await self.gate.wait()
            case "show":
                await self.records.append(turn, 0, Verified(text="One.", citations=(CITED,)), attempt=attempt)
                self.reached.set()
                await self.gate.wait()
            case "stream":
                for n, word in enumerate(text.split(" ")[1:]):
                    said = Verified(text=f"{word}.", citations=(CITED,))
                    await self.records.append(turn, n, said, attempt=attempt)
            case "orders":
                waiting = Waiting(what="consent", target="orders:read")
                allow = Button(label="Allow", action=Action(kind="consent", target="orders:read"))
                return replace(base, outcome=waiting, replies=(Reply(text="May I?", buttons=(allow,)),))
            case "person":
                ticket = Ticket(
                    reason="customer_asked", department="care", summary=text, rejected="secret draft"
                )
                return replace(
                    base, outcome=Escalated(reason="customer_asked"), holder="queued", ticket=ticket
                )
        return base


def _said(action: Action | None) -> str:
    return action.target if action is not None and action.kind == "say" else ""


PACK = load_pack(ROOT / "demo")


def _card(purpose: str, language: Language) -> Mapping[str, Any]:
    known = PACK.purposes[purpose]
    return {"text": known.text[language], "gives": known.gives[language], "version": known.version}


@asynccontextmanager
async def building(settings: Settings) -> AsyncIterator[Building]:
    await asyncio.to_thread(migrated, settings.database_url)
    engine = connect(settings.database_url)
    notices = LiveNotices()
    records = SqlRecords(
        engine,
        clock=SystemClock(),
        card=_card,
        purposes=PACK.purposes,
        rang=notices.ring,
    )
    house = SimpleNamespace(
        settings=settings,
        pack=PACK,
        engine=engine,
        records=records,
        library=Shelf(),
        phrases=Phrases(Path(agent.__file__).with_name("texts")),
        models=chain(ModelSettings()),
        webhooks=(),
        turn=RuleTurn(records, notices),
        clock=SystemClock(),
        notices=notices,
        identity_secret=SECRET,
    )
    try:
        yield cast(Building, house)
    finally:
        await engine.dispose()


class Door:
    """A running server: its application, its client, and shortcuts."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, server: uvicorn.Server) -> None:
        self.app = app
        self.client = client
        self.server = server

    @property
    def house(self) -> Any:
        return self.app.state.opened

    async def visit(self, **body: Any) -> "Visit":
        response = await self.client.post("/v1/conversations", json={"language": "en", **body})
        assert response.status_code == 201, response.text
        return Visit(self, response.json())


class Visit:
    """One conversation at the door."""

    def __init__(self, door: Door, opened: Mapping[str, Any]) -> None:
        self.door = door
        self.opened = opened
        self.id = str(opened["id"])
        self.headers = {"Authorization": f"Bearer {opened['token']}"}

    async def get(self, path: str, **how: Any) -> httpx.Response:
        return await self.door.client.get(f"/v1/conversations/{self.id}{path}", headers=self.headers, **how)

    async def post(self, path: str, body: Any) -> httpx.Response:
        url = f"/v1/conversations/{self.id}{path}"
        return await self.door.client.post(url, headers=self.headers, json=body)

    async def say(self, text: str = "", **action: Any) -> int:
        body: dict[str, Any] = {"key": secrets.token_hex(8)}
        body |= {"action": action} if action else {"text": text}
        response = await self.post("/messages", body)
        assert response.status_code == 202, response.text
        return int(response.json()["seq"])

    async def answered(self, seq: int) -> dict[str, Any]:
        for _ in range(500):
            turn = (await self.get(f"/turns?message={seq}")).json()["turn"]
            if turn is not None:
                return dict(turn)
            await asyncio.sleep(0.02)
        raise AssertionError("no answer")

    async def lines(self) -> list[tuple[str, str]]:
        found = (await self.get("/messages")).json()["messages"]
        return [(line["author"], line["text"]) for line in found]

    async def events(self, *, until: str, after: int = 0, header: str = "") -> list[tuple[int, str, Any]]:
        """Read the stream until an event of type `until`; number 0 for events that have none."""
        headers = {**self.headers, **({"Last-Event-ID": header} if header else {})}
        url = f"/v1/conversations/{self.id}/events?after={after}"
        seen = []
        async with asyncio.timeout(20), self.door.client.stream("GET", url, headers=headers) as response:
            assert response.status_code == 200
            async for number, kind, data in frames(response):
                seen.append((number, kind, data))
                if kind == until:
                    break
        return seen


async def frames(response: httpx.Response) -> AsyncIterator[tuple[int, str, Any]]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and "event" in fields:
            yield int(fields.get("id", "0")), fields["event"], json.loads(fields["data"])
            fields = {}
        elif not line:
            fields = {}


@asynccontextmanager
async def open_door(
    settings: Settings, *, house: Any = building, extras: Sequence[Any] = ()
) -> AsyncIterator[Door]:
    app = create_app(lambda: house(settings), extras=extras)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=5
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
            assert not serving.done(), "the server did not start"
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=20) as client:
            yield Door(app, client, server)
        if app.state.opened is not None:
            app.state.opened.building.notices.stop()
        server.should_exit = True
        await serving


def settings_in(folder: Path, **more: Any) -> Settings:
    return Settings(
        **{"data": folder, "quiet_ms": 0, "demo": False, "widget_origins": ("https://shop.example",), **more}
    )
