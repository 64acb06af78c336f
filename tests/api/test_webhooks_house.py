"""Webhooks in a house: a conversation at the door is told as it goes, and whoever runs Mayak sees how they stand."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from starlette.responses import Response
from typer.testing import CliRunner

from agent.records.engine import connect
from agent.records.hooks import SqlHooks
from agent.records.sql import SqlRecords
from agent.webhooks import Webhook
from api.commands.webhooks import app as command
from api.health import examine_webhooks
from api.house import open_sandbox
from api.settings import BadSetting, Settings
from api.webhooks import postman as carrying
from api.webhooks.choose import Subscription
from api.webhooks.door import webhooks_door
from tests.agent.test_webhooks import pack_with
from tests.api.desk import Door, SystemClock, Visit, building, open_door, settings_in
from tests.api.receiver import OTHER, SECRET, Receiver
from tests.api.telegram_desk import sometime
from tests.contracts.memory import card
from tests.migrated import migrated


@asynccontextmanager
async def telling(folder: Path, receiver: Receiver) -> AsyncIterator[Door]:
    """A house that tells the receiver."""
    webhook = Webhook(name="crm", url=receiver.url, include=("text",))

    @asynccontextmanager
    async def house(settings: Settings) -> AsyncIterator[Any]:
        async with building(settings) as built:
            mutable: Any = built
            mutable.webhooks = (Subscription(webhook=webhook, secrets=(SECRET,)),)
            mutable.records.webhooks = (webhook,)
            yield built

    settings = settings_in(folder, webhook_hosts=(f"127.0.0.1:{receiver.port}",))
    router = webhooks_door()
    async with open_door(settings, house=house, extras=[lambda app: app.include_router(router)]) as door:
        yield door


async def answered(visit: Visit, words: str) -> None:
    seq = await visit.say(words)

    async def decided() -> bool:
        return (await visit.get(f"/turns?message={seq}")).json()["turn"] is not None

    await sometime(decided, seconds=90)


async def test_a_conversation_at_the_door_is_told_and_the_metrics_count_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "LOOK_AFTER_SECONDS", 0.05)
    receiver = Receiver()
    async with receiver.open(), telling(tmp_path, receiver) as door:
        visit = await door.visit()
        for words in ("hello", "person please"):
            await answered(visit, words)
        source = door.house.building.settings.base_url
        await door.house.building.records.claim(visit.id, operator="olga", name="Olga")

        async def told() -> bool:
            return bool(receiver.taken) and receiver.taken[-1]["type"] == "mayak.handoff.claimed"

        await sometime(told, seconds=60)

        async def counted() -> bool:
            page = (await door.client.get("/metrics")).text
            return all(
                line in page
                for line in (
                    f'mayak_webhook_attempts_total{{result="delivered",webhook="crm"}} {len(receiver.taken)}.0',
                    'mayak_webhook_backlog{webhook="crm"} 0.0',
                    'mayak_webhook_dead{webhook="crm"} 0.0',
                    'mayak_webhook_oldest_seconds{webhook="crm"} 0.0',
                )
            )

        await sometime(counted, seconds=60)
        assert "mayak_webhook_seconds_bucket" in (await door.client.get("/metrics")).text
    types = [event["type"].removeprefix("mayak.") for event in receiver.taken]
    assert types == [
        "message.sent",
        "message.received",
        "message.sent",
        "turn.answered",
        "message.received",
        "message.sent",
        "turn.escalated",
        "handoff.queued",
        "handoff.claimed",
    ]
    texts = [event["data"]["text"] for event in receiver.taken if "seq" in event["data"]]
    assert texts[1:] == ["hello", "You said: hello", "person please", "You said: person please"]
    assert receiver.numbers() == {visit.id: list(range(1, 10))}
    assert {event["source"] for event in receiver.taken} == {source}


async def test_what_was_told_to_nobody_while_the_house_was_closed_is_told_when_it_opens(
    tmp_path: Path,
) -> None:
    receiver = Receiver(behave=lambda event: Response(status_code=503))
    async with receiver.open(), telling(tmp_path, receiver) as door:
        visit = await door.visit()
        await answered(visit, "hello")
    assert receiver.taken == []
    receiver.behave = lambda event: None
    async with receiver.open(), telling(tmp_path, receiver):

        async def told() -> bool:
            return len(receiver.taken) == 4

        await sometime(told, seconds=60)
    assert receiver.numbers() == {visit.id: [1, 2, 3, 4]}


class Shop:
    """An installation whose pack has one webhook, and commands that are run on it."""

    def __init__(self, folder: Path, url: str, **more: Any) -> None:
        (folder / "pack").mkdir()
        table = f'[[webhooks]]\nname = "crm"\nurl = "{url}"\nevents = ["turn.*"]\n'
        self.settings = Settings(
            company=pack_with(folder / "pack", table),
            data=folder / "data",
            **{"webhook_secrets": (f"crm={SECRET}",), "webhook_hosts": ("127.0.0.1",), **more},
        )

    def run(self, *arguments: str) -> Result:
        context = SimpleNamespace(settings=lambda: self.settings)
        return CliRunner().invoke(command, list(arguments), obj=context)

    async def with_dead(self) -> str:
        """Give one event up and leave one waiting; return the given up one's id."""
        self.settings.data.mkdir(parents=True, exist_ok=True)
        migrated(self.settings.database_url)
        engine, clock = connect(self.settings.database_url), SystemClock()
        hook = Webhook(name="crm", url="https://crm.example/")
        records = SqlRecords(engine, clock=clock, card=card, purposes={}, webhooks=(hook,))
        chat = (await records.open_conversation(channel="widget", language="en")).id
        async with records._page(chat) as page:
            page.note("turn.answered", turn="t1")
            page.note("turn.answered", turn="t2")
        hooks = SqlHooks(engine, clock=clock)
        taken = await hooks.take("crm", chat, seconds=1)
        assert taken is not None
        await hooks.given_up(taken.id, fault="answered 410")
        await engine.dispose()
        return taken.event


async def test_what_was_given_up_is_listed_found_by_doctor_and_sent_again_on_request(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "http://127.0.0.1:9/")
    event = await shop.with_dead()
    (finding,) = await examine_webhooks(shop.settings)
    assert not finding.ok
    assert "crm: 1 waiting, 1 given up" in finding.detail
    assert "mayak webhooks retry crm" in finding.remedy

    listed = await asyncio.to_thread(shop.run, "list", "--json")
    (row,) = json.loads(listed.output)
    assert (row["name"], row["waiting"], row["dead"]) == ("crm", 1, 1)
    (troubled,) = row["troubled"]
    assert (troubled["event"], troubled["state"], troubled["fault"]) == (event, "given up", "answered 410")
    assert SECRET.removeprefix("whsec_") not in listed.output
    words = await asyncio.to_thread(shop.run, "list")
    assert "waiting: 1, given up: 1" in words.output
    unknown = await asyncio.to_thread(shop.run, "retry", "crm", "--event", "evt_none")
    assert isinstance(unknown.exception, BadSetting)
    again = await asyncio.to_thread(shop.run, "retry", "crm", "--json")
    assert json.loads(again.output) == {"webhook": "crm", "again": 1}
    (finding,) = await examine_webhooks(shop.settings)
    assert finding.ok
    assert "crm: 2 waiting, 0 given up" in finding.detail


async def test_a_trial_posts_one_signed_event_and_tells_what_came_of_it(tmp_path: Path) -> None:
    receiver = Receiver()
    async with receiver.open():
        shop = Shop(tmp_path, receiver.url)
        took = await asyncio.to_thread(shop.run, "test", "crm", "--json")
        assert json.loads(took.output) == {"webhook": "crm", "taken": True, "problem": ""}
        receiver.secret = OTHER
        refused = await asyncio.to_thread(shop.run, "test", "crm")
        assert refused.exit_code == 1
        assert "answered 401" in refused.output
    assert [event["type"] for event in receiver.taken] == ["mayak.webhook.test"]
    assert receiver.forged == 1
    nobody = await asyncio.to_thread(shop.run, "test", "erp")
    assert isinstance(nobody.exception, BadSetting)
    assert "crm" in nobody.exception.remedy


async def test_doctor_names_what_is_wrong_with_the_settings_and_says_nothing_without_webhooks(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, "http://127.0.0.1:9/", webhook_secrets=())
    (finding,) = await examine_webhooks(shop.settings)
    assert (finding.ok, "has no secret" in finding.detail) == (False, True)
    assert await examine_webhooks(replace(shop.settings, webhooks=False)) == ()
    assert await examine_webhooks(settings_in(tmp_path)) == ()


async def test_a_sandbox_tells_nobody_and_writes_nothing_down(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "http://127.0.0.1:9/", embedder="fake")
    async with open_sandbox(shop.settings, {}) as house:
        assert house._building is not None
        assert house._building.webhooks == ()
        assert house._building.records.webhooks == ()
