"""The event stream: numbered, resumable, ending when the customer leaves or the server stops."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.routes import events
from tests.api.desk import Door, frames, open_door, settings_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    async with open_door(settings_in(tmp_path_factory.mktemp("house"))) as door:
        yield door


async def test_sentences_come_one_by_one_and_then_the_message_that_replaces_them(door: Door) -> None:
    visit = await door.visit()
    turn = (await visit.answered(await visit.say("stream One Two")))["turn"]
    seen = await visit.events(until="message", after=2)
    kinds = [(number, kind) for number, kind, _ in seen]
    assert kinds == [(3, "sentence"), (4, "sentence"), (5, "message")]
    one, two, message = (data for _, _, data in seen)
    assert (one["text"], one["html"], one["turn"], one["n"]) == ("One.", "<p>One.</p>", turn, 0)
    assert two["citations"][0]["quote"] == "14 days"
    assert (message["author"], message["turn"]) == ("ai", turn)


async def test_a_stream_that_is_open_sees_status_and_answer_without_asking_again(door: Door) -> None:
    visit = await door.visit()
    watching = asyncio.create_task(visit.events(until="handoff", after=1))
    while door.house.building.notices.watching(visit.id) == 0:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await visit.say("person please")
    seen = await watching
    kinds = [kind for _, kind, _ in seen]
    assert kinds == ["message", "status", "message", "handoff"]
    assert seen[1][0] == 0
    assert seen[1][2]["text"] == "looking…"
    assert seen[-1][2] == {"holder": "queued", "department": "care", "operator": "", "text": ""}


async def test_a_stream_resumes_after_the_last_event_the_client_has(door: Door) -> None:
    visit = await door.visit()
    await visit.answered(await visit.say("hello"))
    whole = await visit.events(until="message", after=2)
    resumed = await visit.events(until="message", header="2")
    assert resumed == whole
    assert [number for number, _, _ in resumed] == [3]


async def test_every_event_comes_once_in_order_over_many_broken_connections(door: Door) -> None:
    visit = await door.visit()
    got: list[int] = []

    async def follow() -> None:
        while not got or got[-1] < 13:
            url = f"/v1/conversations/{visit.id}/events"
            headers = {**visit.headers, "Last-Event-ID": str(got[-1] if got else 0)}
            async with door.client.stream("GET", url, headers=headers) as response:
                async for number, kind, _ in frames(response):
                    if kind == "status":
                        continue
                    got.append(number)
                    if number % 3 == 0 or number >= 13:
                        break

    async with asyncio.timeout(30):
        following = asyncio.create_task(follow())
        for n in range(6):
            await visit.answered(await visit.say(f"message {n}"))
        await following
    assert got == list(range(1, 14))


async def test_a_quiet_stream_sends_heartbeats(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.05)
    visit = await door.visit()
    beats = 0
    url = f"/v1/conversations/{visit.id}/events?after=9"
    async with asyncio.timeout(10), door.client.stream("GET", url, headers=visit.headers) as response:
        async for line in response.aiter_lines():
            beats += line == ": here"
            if beats == 3:
                break


async def test_a_stream_is_forgotten_when_the_customer_leaves(door: Door) -> None:
    visit = await door.visit()
    await visit.events(until="message")
    async with asyncio.timeout(5):
        while door.house.building.notices.watching(visit.id):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_one_conversation_may_not_open_streams_without_end(door: Door) -> None:
    visit = await door.visit()
    watchers = [door.house.building.notices.watch(visit.id) for _ in range(events.STREAMS)]
    for watcher in watchers:
        watcher.__enter__()
    response = await visit.get("/events")
    assert response.status_code == 429
    assert response.headers["retry-after"]
    for watcher in watchers:
        watcher.__exit__(None, None, None)


async def test_streams_end_by_themselves_when_the_server_stops(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path)) as door:
        visit = await door.visit()
        ended = asyncio.create_task(visit.events(until="never"))
        while door.house.building.notices.watching(visit.id) == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        door.house.building.notices.stop()
        seen = await asyncio.wait_for(ended, 5)
        assert [kind for _, kind, _ in seen] == ["message"]
