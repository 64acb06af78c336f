"""What an operator does with a conversation beside answering it: notes for colleagues."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.records.audit import SqlAudit
from tests.api.console_house import Console, console, escalated, send, signed_in
from tests.api.test_console_dialogues import harmless
from tests.api.xss_payloads import PAYLOADS

SECRET = "Ругается на курьеров, сначала позвоните на склад."


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


async def test_a_note_is_read_by_colleagues_beside_the_message_it_was_written_at(house: Console) -> None:
    talk = await escalated(house.building, says="Где заказ?")
    async with signed_in(house, "olga") as browser:
        answer = await send(browser, f"/console/dialogues/{talk}/note", note=SECRET, key="k1")
        assert answer.headers["Location"].endswith("said=noted")
        await send(browser, f"/console/dialogues/{talk}/note", note=SECRET, key="k1")
    await house.building.records.accept(talk, key="k2", text="Вы тут?")
    async with signed_in(house, "pavel") as browser:
        page = (await browser.get(f"/console/dialogues/{talk}")).text
    assert page.count(SECRET) == 1
    assert page.index("Передаю разговор.") < page.index(SECRET) < page.index("Вы тут?</p>")
    jot = page.split('class="jot"')[1].split("</aside>")[0]
    assert ("Ольга" in jot, "staff only" in jot) == (True, True)


async def test_a_note_is_in_the_audit_without_its_words_and_colleagues_see_it_at_the_next_look(
    house: Console,
) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser, signed_in(house, "pavel") as other:
        page = (await other.get(f"/console/dialogues/{talk}")).text
        mark = page.split('class="case" data-mark="')[1].split('"')[0]
        await send(browser, f"/console/dialogues/{talk}/note", note=SECRET)
        fresh = await other.get(f"/console/dialogues/{talk}/part", params={"known": mark})
    assert SECRET in fresh.text
    (line,) = await house.audited("staff_note")
    assert (line.actor, line.target, line.detail) == ("olga", talk, {"n": 1})
    assert SECRET not in str(await SqlAudit(house.building.engine, clock=house.clock).listed(limit=500))


async def test_the_customers_side_never_has_it(house: Console) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser:
        await send(browser, f"/console/dialogues/{talk}/claim")
        await send(browser, f"/console/dialogues/{talk}/note", note=SECRET)
    records = house.building.records
    assert SECRET not in repr(await records.messages(talk)) + repr(await records.events(talk))


@pytest.mark.parametrize(("text", "words"), [(" \r\n ", "an empty one"), ("я" * 2001, "longer than 2,000")])
async def test_an_empty_or_endless_note_is_not_saved_and_its_words_stay(
    house: Console, text: str, words: str
) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser:
        answer = await send(browser, f"/console/dialogues/{talk}/note", note=text)
    assert answer.status_code == 422
    assert words in answer.text
    assert text.strip() in answer.text
    assert 'data-key="n" open' in answer.text
    assert await house.building.records.staff_notes(talk) == ()


async def test_what_a_note_says_never_becomes_markup(house: Console) -> None:
    talk = await escalated(house.building)
    for payload in PAYLOADS:
        await house.building.records.note_down(talk, payload, operator="olga", name=payload)
    async with signed_in(house, "olga") as browser:
        harmless((await browser.get(f"/console/dialogues/{talk}")).text)
