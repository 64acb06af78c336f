"""What customers told once is remembered across conversations, seen and deleted: the real application on SQLite."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from api.identity import sign
from tests.api.identity_desk import SECRET, Town, Visit, open_town, settings_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

YES = {"kind": "consent", "target": "memory", "yes": True}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with open_town(settings_of(tmp_path_factory.mktemp("town"))) as town:
        yield town


async def of(town: Town, customer: str) -> Visit:
    return await town.visit(identity=sign(customer, secret=SECRET, audience="mayak"))


async def notes(town: Town, visit: Visit, method: str = "GET", id: str = "") -> Any:
    headers = {"Authorization": f"Bearer {visit._opened['token']}"}
    path = f"/v1/me/notes/{id}" if id else "/v1/me/notes"
    return await town.client.request(method, path, headers=headers)


async def test_a_fact_is_remembered_under_consent_shown_in_the_next_chat_and_deleted(town: Town) -> None:
    anna = await of(town, "c-001")
    asked = await anna.say("Запомните, что у меня цоколь E14")
    assert asked["waiting"] == {"what": "consent", "target": "memory"}
    assert (await notes(town, anna)).json() == {"notes": []}
    kept = await anna.say(**YES)
    assert "«у меня цоколь E14»" in kept["text"]
    await anna.say("Мне удобнее самовывоз, какие есть пункты?")
    again, boris, nobody = await of(town, "c-001"), await of(town, "c-002"), await town.visit()
    listed = (await notes(town, again)).json()["notes"]
    assert [(n["kind"], n["text"], n["purpose"]) for n in listed] == [
        ("socket", "у меня цоколь E14", "memory"),
        ("delivery", "Мне удобнее самовывоз", "memory"),
    ]
    assert listed[0]["source"]["conversation"] == anna.id
    shown = await again.say("Что вы обо мне помните?")
    assert "«Мне удобнее самовывоз»" in shown["text"]
    assert [b["action"]["kind"] for b in shown["buttons"]] == ["forget"] * 3
    for other in (boris, nobody):
        assert (await notes(town, other)).json() == {"notes": []}
        refused = await notes(town, other, "DELETE", listed[0]["id"])
        assert refused.status_code == 404
        assert refused.json()["remedy"]
        assert (await notes(town, other, "DELETE")).json() == {"forgotten": 0}
    assert (await notes(town, again, "DELETE", listed[0]["id"])).status_code == 204
    assert (await notes(town, again, "DELETE", listed[0]["id"])).status_code == 404
    gone = await again.say(**shown["buttons"][0]["action"])
    assert gone["text"] == "Такой записи уже нет."
    assert "Забыл: «Мне удобнее самовывоз»" in (await again.say(**shown["buttons"][1]["action"]))["text"]
    assert (await notes(town, anna)).json() == {"notes": []}


async def test_a_withdrawal_in_the_menu_forgets_everything_at_once(town: Town) -> None:
    boris = await of(town, "c-002")
    await boris.say("Запомните, что у меня цоколь E27")
    await boris.say(**YES)
    assert len((await notes(town, boris)).json()["notes"]) == 1
    headers = {"Authorization": f"Bearer {boris._opened['token']}"}
    path = f"/v1/conversations/{boris.id}/consents"
    withdrawn = await town.client.post(path, json={"purpose": "memory", "granted": False}, headers=headers)
    assert withdrawn.status_code == 200
    assert (await notes(town, boris)).json() == {"notes": []}
    await boris.say("У меня люстра Сириус, что к ней подойдёт?")
    assert (await notes(town, boris)).json() == {"notes": []}


ASKED = ("Здравствуйте", "У меня цоколь E14, какая лампа подойдёт?", "Сколько стоит доставка?", "спасибо")


async def test_with_personalisation_off_the_answers_are_those_of_a_stranger(town: Town) -> None:
    vera = await of(town, "c-003")
    await vera.say("Запомните, что у меня цоколь E14")
    await vera.say(**YES)
    known, nobody = await of(town, "c-003"), await town.visit()
    assert (await notes(town, known)).json()["notes"]
    for words in ASKED:
        one, two = await known.say(words), await nobody.say(words)
        same = ("outcome", "text", "citations", "buttons", "cards", "confidence", "reasons")
        assert {name: one[name] for name in same} == {name: two[name] for name in same}, words
