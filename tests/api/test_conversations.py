"""The customer's API: opening, writing, reading, consents, receipts; everything over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.api.desk import Door, open_door, settings_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    async with open_door(settings_in(tmp_path_factory.mktemp("house"))) as door:
        yield door


async def test_a_conversation_opens_with_the_disclosure_and_every_purpose(door: Door) -> None:
    visit = await door.visit()
    opened = visit.opened
    assert "automated assistant" in opened["disclosure"]
    assert opened["language"] == "en"
    assert opened["holder"] == "ai"
    assert opened["quick_replies"]
    assert {c["purpose"]: c["state"] for c in opened["consents"]}["orders:read"] == "none"
    assert await visit.lines() == [("ai", opened["disclosure"])]


async def test_a_language_the_company_does_not_speak_is_refused_by_the_schema(door: Door) -> None:
    response = await door.client.post("/v1/conversations", json={"language": "de"})
    assert response.status_code == 422


async def test_a_message_is_answered_and_shown_in_order(door: Door) -> None:
    visit = await door.visit()
    seq = await visit.say("hello")
    answer = await visit.answered(seq)
    assert (answer["outcome"], answer["text"]) == ("answered", "You said: hello")
    assert (await visit.lines())[1:] == [("customer", "hello"), ("ai", "You said: hello")]


async def test_the_same_key_is_answered_once(door: Door) -> None:
    visit = await door.visit()
    body = {"key": "same", "text": "hello"}
    answers = await asyncio.gather(*(visit.post("/messages", body) for _ in range(5)))
    assert {a.json()["seq"] for a in answers} == {2}
    await visit.answered(2)
    assert len(await visit.lines()) == 3


async def test_a_broken_turn_calls_a_person_and_says_so(door: Door) -> None:
    visit = await door.visit()
    answer = await visit.answered(await visit.say("boom"))
    assert (answer["outcome"], answer["handoff"]["reason"]) == ("escalated", "internal_error")
    assert (await visit.lines())[-1][0] == "ai"
    assert (await visit.get("/messages")).json()["holder"] == "queued"


async def test_a_message_after_the_first_sentence_becomes_the_next_turn(door: Door) -> None:
    visit = await door.visit()
    turn = door.house.building.turn
    turn.gate.clear()
    turn.reached.clear()
    first = await visit.say("show one")
    await turn.reached.wait()
    second = await visit.say("and another")
    turn.gate.set()
    one, two = await visit.answered(first), await visit.answered(second)
    assert one["turn"] != two["turn"]
    assert (await visit.lines())[-1] == ("ai", "You said: and another")


async def test_a_card_stands_in_the_transcript_the_answer_and_the_event(door: Door) -> None:
    visit = await door.visit()
    answer = await visit.answered(await visit.say("card please"))
    lines = (await visit.get("/messages")).json()["messages"]
    events = await door.house.building.records.events(visit.id)
    told = [event.data for event in events if event.type == "message"]
    assert [line["cards"] for line in lines[:-1]] == [[] for _ in lines[:-1]]
    (card,) = lines[-1]["cards"]
    assert (card["kind"], card["title"], card["state"]) == ("tracking", "Order 1045-A", "On its way")
    assert card["steps"] == [{"name": "shipped", "label": "Shipped", "state": "now", "when": "1 May"}]
    assert answer["cards"] == told[-1]["cards"] == [card]
    assert lines[-1]["text"] == "You said: card please"


async def test_the_schema_says_what_a_card_is(door: Door) -> None:
    schemas = (await door.client.get("/openapi.json")).json()["components"]["schemas"]
    assert schemas["Spoken"]["properties"]["cards"]["items"]["$ref"].endswith("/Card")
    assert schemas["Card"]["properties"]["kind"]["enum"] == ["order", "tracking", "product"]


async def test_a_consent_card_is_answered_by_its_button_and_listed(door: Door) -> None:
    visit = await door.visit()
    await visit.answered(await visit.say("orders"))
    await visit.answered(await visit.say(kind="consent", target="orders:read", yes=True))
    assert ("customer", "Allow") in await visit.lines()
    states = {c["purpose"]: c for c in (await visit.get("/consents")).json()["consents"]}
    assert states["orders:read"]["state"] == "granted"
    assert states["orders:read"]["at"]
    withdrawn = await visit.post("/consents", {"purpose": "orders:read", "granted": False})
    assert {c["purpose"]: c["state"] for c in withdrawn.json()["consents"]}["orders:read"] == "refused"


async def test_an_unknown_purpose_is_a_problem(door: Door) -> None:
    visit = await door.visit()
    response = await visit.post("/consents", {"purpose": "nothing", "granted": True})
    assert (response.status_code, response.json()["type"]) == (404, "urn:mayak:problem:unknown_purpose")


async def test_a_yes_to_another_text_or_in_another_language_is_a_problem(door: Door) -> None:
    visit = await door.visit()
    known = {c["purpose"]: c for c in visit.opened["consents"]}["orders:read"]
    old = await visit.post("/consents", {"purpose": "orders:read", "granted": True, "version": "1999-01-01"})
    assert (old.status_code, old.json()["type"]) == (409, "urn:mayak:problem:stale_consent")
    assert old.json()["remedy"]
    for body in ({"version": ""}, {"language": "de"}):
        wrong = await visit.post("/consents", {"purpose": "orders:read", "granted": True, **body})
        assert wrong.status_code in (409, 422)
    read = {"purpose": "orders:read", "granted": True, "version": known["version"], "language": "ru"}
    states = (await visit.post("/consents", read)).json()["consents"]
    assert {c["purpose"]: c["state"] for c in states}["orders:read"] == "granted"


async def test_a_receipt_tells_what_was_used_and_never_the_rejected_draft(door: Door) -> None:
    visit = await door.visit()
    turn = (await visit.answered(await visit.say("person please")))["turn"]
    response = await visit.get(f"/receipts/{turn}")
    receipt = response.json()
    assert (receipt["turn"], receipt["outcome"], receipt["confidence"]) == (turn, "escalated", 0.9)
    assert receipt["citations"][0]["passage"] == "returns#2"
    assert "secret draft" not in response.text
    assert [line["text"] for line in receipt["told"][0]["lines"]] == ["“Returns”, version 1"]
    assert "not complete" in receipt["warning"], "this turn kept no receipt"
    russian = (await visit.get(f"/receipts/{turn}?language=ru")).json()
    assert russian["told"][1]["title"] == "Ваши данные"


async def test_a_forged_receipt_and_another_customers_are_the_same_refusal(door: Door) -> None:
    visit, other = await door.visit(), await door.visit()
    theirs = (await other.answered(await other.say("hello")))["turn"]
    refusals = [await visit.get(f"/receipts/{turn}") for turn in (theirs, "nothing", "a%00b", "x" * 300)]
    assert {refusal.status_code for refusal in refusals} == {404}
    assert len({refusal.text for refusal in refusals}) == 1
    assert refusals[0].json()["type"] == "urn:mayak:problem:unknown_turn"
    assert refusals[0].json()["remedy"]


async def test_a_receipt_is_a_record_for_programs_by_parameter_or_by_what_they_accept(door: Door) -> None:
    visit = await door.visit()
    turn = (await visit.answered(await visit.say("hello")))["turn"]
    asked = await visit.get(f"/receipts/{turn}?format=iso27560")
    accepted = await door.client.get(
        f"/v1/conversations/{visit.id}/receipts/{turn}",
        headers={**visit.headers, "Accept": "application/ld+json"},
    )
    assert asked.headers["content-type"] == accepted.headers["content-type"] == "application/ld+json"
    assert asked.json() == accepted.json()
    assert asked.json()["dct:source"][0]["dct:identifier"] == "returns#2"
    assert (await visit.get(f"/receipts/{turn}?format=pdf")).status_code == 422


async def test_a_cited_passage_can_be_opened_and_another_cannot(door: Door) -> None:
    visit = await door.visit()
    passage = (await visit.get("/passages/returns%232")).json()
    assert passage["text"] == "You have **14 days**."
    assert passage["html"] == "<p>You have <strong>14 days</strong>.</p>"
    assert (await visit.get("/passages/staff%231")).json()["type"] == "urn:mayak:problem:unknown_passage"


async def test_what_is_stored_can_be_taken_along(door: Door) -> None:
    visit = await door.visit()
    await visit.answered(await visit.say("my secret is heliotrope"))
    mine = (await door.client.get("/v1/me", headers=visit.headers)).json()
    assert "my secret is heliotrope" in str(mine["messages"])
    assert "token_hash" not in str(mine)
    other = await door.visit()
    assert "heliotrope" not in (await door.client.get("/v1/me", headers=other.headers)).text


async def test_html_of_an_answer_is_harmless_and_a_customers_text_is_shown_as_typed(door: Door) -> None:
    visit = await door.visit()
    await visit.answered(await visit.say("<img src=x onerror=alert(1)> [a](javascript:x) & **b**"))
    lines = (await visit.get("/messages")).json()["messages"]
    customer, ai = lines[-2]["html"], lines[-1]["html"]
    assert customer == "<p>&lt;img src=x onerror=alert(1)&gt; [a](javascript:x) &amp; **b**</p>"
    assert "<img" not in ai
    assert "<a" not in ai
    assert "<strong>b</strong>" in ai


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"key": "k"}, 422),
        ({"key": "k", "text": "a", "action": {"kind": "person"}}, 422),
        ({"text": "a"}, 422),
        ({"key": "bad key", "text": "a"}, 422),
        ({"key": "k" * 129, "text": "a"}, 422),
        ({"key": "k", "action": {"kind": "explode"}}, 422),
        ({"key": "k", "text": "a", "customer_id": "boris"}, 422),
        ({"key": "k", "text": "a" * 8001}, 413),
        ({"key": "k", "text": "a" * 100_000}, 413),
        ([], 422),
    ],
)
async def test_what_is_no_message_is_a_problem_with_a_remedy(door: Door, body: object, status: int) -> None:
    visit = await door.visit()
    response = await visit.post("/messages", body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["remedy"]
    assert len(await visit.lines()) == 1


@pytest.mark.parametrize(
    "text", ["", "   ", "\u0000\u0007", "\U0001f600" * 50, "я" * 8000, "\u202eabc", "';--"]
)
async def test_strange_texts_are_accepted_and_answered(door: Door, text: str) -> None:
    visit = await door.visit()
    answer = await visit.answered(await visit.say(text))
    assert answer["outcome"] == "answered"


async def test_a_lone_surrogate_breaks_nothing(door: Door) -> None:
    visit = await door.visit()
    raw = b'{"key": "k", "text": "a\\ud800b"}'
    headers = {**visit.headers, "Content-Type": "application/json"}
    url = f"/v1/conversations/{visit.id}/messages"
    response = await door.client.post(url, content=raw, headers=headers)
    assert response.status_code == 202
    assert (await visit.answered(response.json()["seq"]))["text"] == "You said: a?b"
    bad = b'{"key": "\\ud800", "text": "\\ud800", "\\ud800": 1}'
    assert (await door.client.post(url, content=bad, headers=headers)).status_code == 422


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"null", b"[[[[", b'{"key": NaN}'])
async def test_a_body_that_is_no_json_is_a_problem(door: Door, raw: bytes) -> None:
    visit = await door.visit()
    headers = {**visit.headers, "Content-Type": "application/json"}
    url = f"/v1/conversations/{visit.id}/messages"
    response = await door.client.post(url, content=raw, headers=headers)
    assert response.status_code == 422
    assert response.json()["remedy"]


async def test_an_unknown_address_is_a_problem(door: Door) -> None:
    response = await door.client.get("/v1/nothing")
    assert (response.status_code, response.json()["status"]) == (404, 404)
    assert response.headers["content-type"] == "application/problem+json"
    assert (await door.client.put("/v1/conversations")).status_code == 405


async def test_typing_is_noted_without_an_answer(door: Door) -> None:
    visit = await door.visit()
    assert (await visit.post("/typing", {})).status_code == 204


async def test_an_operators_words_reach_the_customer_and_the_ai_is_silent(door: Door) -> None:
    visit = await door.visit()
    await visit.answered(await visit.say("person"))
    records = door.house.building.records
    await records.claim(visit.id, operator="olga", name="Olga", said="Olga here.")
    answer = await visit.answered(await visit.say("are you there?"))
    assert answer["outcome"] == "held"
    await records.person_says(visit.id, "Yes.", operator="olga", name="Olga")
    assert (await visit.lines())[-3:] == [
        ("person", "Olga here."),
        ("customer", "are you there?"),
        ("person", "Yes."),
    ]


async def test_the_server_says_that_it_lives_and_is_ready_and_counts(door: Door) -> None:
    assert (await door.client.get("/healthz")).json() == {"status": "ok"}
    assert (await door.client.get("/readyz")).json()["status"] == "ready"
    page = (await door.client.get("/metrics")).text
    assert 'mayak_turns_total{language="en",outcome="answered"}' in page
    assert (
        'mayak_http_requests_total{method="POST",route="/v1/conversations/{id}/messages",status="202"}'
        in page
    )
    assert "hello" not in page


async def test_the_explorer_is_served_from_here_without_inline_scripts(door: Door) -> None:
    page = await door.client.get("/docs")
    assert "https://" not in page.text
    assert (
        "unsafe-inline"
        not in page.headers["content-security-policy"].partition("script-src")[2].split(";")[0]
    )
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        assert (await door.client.get(f"/docs/{name}")).status_code == 200
    assert (await door.client.get("/docs/../errors.py")).status_code == 404
    paths = (await door.client.get("/openapi.json")).json()["paths"]
    assert "/v1/conversations/{id}/messages" in paths


async def test_a_note_of_staff_is_in_nothing_the_customers_screen_reads(door: Door) -> None:
    visit = await door.visit()
    records = door.house.building.records
    await visit.answered(await visit.say("hello"))
    await records.claim(visit.id, operator="olga", name="Olga")
    await records.note_down(visit.id, "Swears at couriers.", operator="olga", name="Olga")
    # Closing ends what the stream has to tell, so all of it was read.
    await records.close(visit.id, operator="olga", said="Closed.")
    told = await visit.events(until="csat")
    assert "Swears" not in str(told) + (await visit.get("/messages")).text


async def test_a_stopped_worker_is_not_ready(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path)) as other:
        await other.house.worker.stop(seconds=0)
        response = await other.client.get("/readyz")
        assert (response.status_code, response.json()["type"]) == (503, "urn:mayak:problem:worker_stopped")
