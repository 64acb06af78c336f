"""`/v1/me`: the bearer of a conversation's token gets all that is held of them, and nothing of anybody else."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from agent.records.chain import subject_of
from api.identity import sign
from api.rights.page import POLICY
from tests.api.desk import SECRET, Door, open_door, settings_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    settings = replace(settings_in(tmp_path_factory.mktemp("house")), identity_secret=SECRET)
    async with open_door(settings) as door:
        yield door


def identity(customer: str) -> str:
    return sign(customer, secret=SECRET, audience="mayak")


async def test_an_anonymous_bearer_gets_the_conversation_and_may_erase_it(door: Door) -> None:
    visit = await door.visit()
    await visit.answered(await visit.say("my secret is heliotrope"))
    mine = (await door.client.get("/v1/me", headers=visit.headers)).json()
    assert mine["can"] == ["export", "erase"]
    assert mine["conversation"]["id"] == visit.id
    assert [row["text"] for row in mine["inbox"]] == ["my secret is heliotrope"]


async def test_a_signed_in_customer_gets_all_conversations_of_theirs_and_no_others(door: Door) -> None:
    first, second = [await door.visit(identity=identity("agatha")) for _ in range(2)]
    stranger = await door.visit(identity=identity("boris"))
    await stranger.answered(await stranger.say("about my parquet"))
    await first.answered(await first.say("about my heliotrope"))
    answer = await door.client.get("/v1/me", headers=second.headers)
    mine = answer.json()
    assert mine["can"] == ["export", "erase"]
    assert {row["id"] for row in mine["conversations"]} == {first.id, second.id}
    assert "heliotrope" in answer.text
    assert "parquet" not in answer.text
    (line, *_) = await door.house.building.records.trail.listed(act="customer.export")
    assert line.fields is not None
    assert (line.fields.actor, line.fields.target, line.fields.about) == (
        "customer",
        second.id,
        subject_of(second.id, "agatha"),
    )


async def test_a_customer_of_a_linked_chat_gets_that_chat_alone_and_may_do_nothing(door: Door) -> None:
    signed = await door.visit(identity=identity("vera"))
    await signed.answered(await signed.say("about my heliotrope"))
    chat = await door.visit(identity=identity("vera"))
    records = door.house.building.records
    async with records._page(chat.id) as page:
        page.set(assurance="channel")
    answer = await door.client.get("/v1/me", headers=chat.headers)
    assert answer.json()["can"] == []
    assert [row["id"] for row in answer.json()["conversations"]] == [chat.id]
    assert "heliotrope" not in answer.text


async def test_the_page_may_load_and_run_nothing(door: Door) -> None:
    visit = await door.visit()
    await visit.answered(await visit.say("<img src=x onerror=alert(1)>"))
    answer = await door.client.get("/v1/me?format=html", headers=visit.headers)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["content-type"].startswith("text/html")
    assert "&lt;img src=x onerror=alert(1)&gt;" in answer.text
    assert "<img" not in answer.text
    assert (await door.client.get("/v1/me?format=xml", headers=visit.headers)).status_code == 422


async def test_the_bearer_has_everything_deleted_and_the_token_opens_nothing_afterwards(door: Door) -> None:
    first, second = [await door.visit(identity=identity("tanya")) for _ in range(2)]
    await first.answered(await first.say("about my heliotrope"))
    asked = await door.client.delete("/v1/me", headers=second.headers)
    assert asked.status_code == 202
    done = await reached(door, asked.json()["id"])
    assert done["counts"]["conversations"] == 2
    assert done["proof"]
    for visit in (first, second):
        assert (await door.client.get("/v1/me", headers=visit.headers)).status_code == 404
        late = await visit.post("/messages", {"key": "late", "text": "hello"})
        assert (late.status_code, late.json()["type"]) == (404, "urn:mayak:problem:unknown_conversation")
        assert (await door.client.delete("/v1/me", headers=visit.headers)).status_code == 404
    # Who signs in again is served again, and finds nothing of before.
    anew = await door.visit(identity=identity("tanya"))
    mine = (await door.client.get("/v1/me", headers=anew.headers)).json()
    assert [row["id"] for row in mine["conversations"]] == [anew.id]


async def test_an_erasure_asked_for_while_a_turn_runs_comes_after_it(door: Door) -> None:
    visit = await door.visit()
    turn = door.house.building.turn
    turn.gate.clear()
    turn.reached.clear()
    await visit.say("show one")
    await turn.reached.wait()
    asked = (await door.client.delete("/v1/me", headers=visit.headers)).json()
    await reached(door, asked["id"], state="waiting")
    assert (await visit.get("/messages")).status_code == 200
    turn.gate.set()
    done = await reached(door, asked["id"])
    assert done["counts"]["turns"] == 1


async def test_who_is_not_surely_the_customer_may_not_erase(door: Door) -> None:
    chat = await door.visit(identity=identity("olga"))
    async with door.house.building.records._page(chat.id) as page:
        page.set(assurance="channel")
    refused = await door.client.delete("/v1/me", headers=chat.headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:mayak:problem:not_sure_enough")
    assert refused.json()["remedy"]
    assert (await door.client.get("/v1/erasures/nothing")).json()[
        "type"
    ] == "urn:mayak:problem:unknown_erasure"
    assert (await door.client.delete("/v1/me")).status_code == 401


async def reached(door: Door, id: str, *, state: str = "done") -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            found = (await door.client.get(f"/v1/erasures/{id}")).json()
            if found["state"] == state:
                return dict(found)
            await asyncio.sleep(0.05)
