"""What an operator does with a conversation beside answering it: notes for colleagues, passing on, putting aside."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from agent.domain import Reply
from agent.records.audit import SqlAudit
from agent.records.staff_tables import staff
from tests.api.console_house import Console, console, escalated, send, signed_in
from tests.api.test_console_dialogues import card_of, harmless
from tests.api.test_console_queue import queue_of
from tests.api.xss_payloads import PAYLOADS

SECRET = "Ругается на курьеров, сначала позвоните на склад."


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


async def test_a_note_is_read_by_colleagues_beside_the_message_it_was_written_at(house: Console) -> None:
    talk = await escalated(house.building, says="Где заказ?")
    async with signed_in(house, "olga") as browser:
        answer = await send(browser, f"/console/dialogues/{talk}/note", note=SECRET, note_key="k1")
        assert answer.headers["Location"].endswith("said=noted")
        await send(browser, f"/console/dialogues/{talk}/note", note=SECRET, note_key="k1")
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


async def test_a_transfer_tells_the_customer_and_is_first_where_it_was_passed_to(house: Console) -> None:
    async with house.building.engine.begin() as connection:
        await connection.execute(update(staff).where(staff.c.login == "pavel").values(department="delivery"))
    early = await escalated(house.building, department="delivery")
    house.clock.pass_by(minutes=5)
    talk = await escalated(house.building, department="care", says="Где курьер?")
    async with signed_in(house, "olga") as browser, signed_in(house, "pavel") as pavel:
        await send(browser, f"/console/dialogues/{talk}/claim")
        answer = await send(
            browser,
            f"/console/dialogues/{talk}/transfer",
            to="department:delivery",
            why="other_topic",
            note=SECRET,
        )
        assert answer.headers["Location"].endswith("said=transferred")
        page = (await pavel.get(f"/console/dialogues/{talk}")).text
        listed = (await browser.get("/console/dialogues")).text
    assert re.findall(r'id="row-([^"]+)"', page) == [talk, early], "first for whom it was passed to"
    assert re.findall(r'id="row-([^"]+)"', listed) == [early, talk], "the longest waiting for the others"
    for words in ("Passed on by a colleague", "Ольга: a question for another department", SECRET):
        assert words in page
    told = [m.text for m in await house.building.records.messages(talk) if m.author == "system"]
    assert told == [
        "Разговор передан в отдел доставки. Обычно отвечают за 10\u00a0минут. Пересказывать ничего не нужно."
    ]
    (line,) = await house.audited("transfer")
    assert line.detail == {"department": "delivery", "to": "", "why": "other_topic"}


async def test_a_transfer_to_where_nobody_is_is_said_first_and_done_when_it_is_sent_again(
    house: Console,
) -> None:
    talk = await escalated(house.building, department="care")
    house.clock.pass_by(hours=11)
    form = {"to": "department:payments", "why": "other_topic", "note": "слова"}
    async with signed_in(house, "olga") as browser:
        page = (await browser.get(f"/console/dialogues/{talk}")).text
        assert "Payments — back tomorrow at 10:00" in page
        answer = await send(browser, f"/console/dialogues/{talk}/transfer", **form)
        assert answer.status_code == 422
        for words in ("They are out at this hour", "слова", 'data-key="t" open', "Transfer all the same"):
            assert words in answer.text
        other = await send(
            browser, f"/console/dialogues/{talk}/transfer", **form | {"sure": "department:returns"}
        )
        assert other.status_code == 422, "sure of another department is not sure of this one"
        assert (await house.building.records.conversation(talk)).department == "care"
        await send(browser, f"/console/dialogues/{talk}/transfer", **form | {"sure": form["to"]})
    assert (await house.building.records.conversation(talk)).department == "payments"
    assert "сотрудники вернутся завтра" in (await house.building.records.messages(talk))[-1].text


async def test_a_transfer_to_a_colleague_is_offered_to_them(house: Console) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser, signed_in(house, "pavel") as pavel:
        await pavel.get("/console/dialogues")
        await send(browser, f"/console/dialogues/{talk}/claim")
        await send(browser, f"/console/dialogues/{talk}/transfer", to="person:pavel", why="shift_ends")
        assert (await house.building.records.conversation(talk)).assigned == "pavel"
        assert "Offered to you" in (await pavel.get("/console/dialogues")).text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"to": "", "why": "other_topic"}, "Choose whom"),
        ({"to": "person:olga", "why": "other_topic"}, "Choose whom"),
        ({"to": "person:kirill", "why": "other_topic"}, "Choose whom"),
        ({"to": "department:none", "why": "other_topic"}, "Choose whom"),
        ({"to": "department:delivery", "why": "tired"}, "Choose why"),
    ],
)
async def test_a_transfer_to_nobody_or_without_a_reason_is_not_done(
    house: Console, fields: dict[str, str], words: str
) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser:
        answer = await send(browser, f"/console/dialogues/{talk}/transfer", **fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert len(await house.building.records.handoffs(talk)) == 1


async def test_what_is_put_aside_leaves_the_open_list_for_a_shelf_and_comes_back_marked(
    house: Console,
) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser:

        async def shown(show: str) -> bool:
            return talk in re.findall(
                r'id="row-([^"]+)"', (await browser.get(f"/console/dialogues?show={show}")).text
            )

        await send(browser, f"/console/dialogues/{talk}/claim")
        early = await send(browser, f"/console/dialogues/{talk}/snooze", when="hour")
        assert early.status_code == 409
        assert "The customer waits for an answer" in early.text
        await send(browser, f"/console/dialogues/{talk}/reply", text="Узнаю на складе.")
        answer = await send(browser, f"/console/dialogues/{talk}/snooze", when="hour")
        assert answer.headers["Location"].endswith("said=snoozed")
        assert [await shown(one) for one in ("open", "mine", "snoozed")] == [False, False, True]
        shelf = (await browser.get("/console/dialogues?show=snoozed")).text
        assert re.search(r"until [^<]*13:00</span>", shelf)
        house.clock.pass_by(minutes=61)
        await queue_of(house).look()
        assert [await shown(one) for one in ("open", "mine", "snoozed")] == [True, True, False]
        assert "Time to go on" in (await browser.get("/console/dialogues")).text
        (line,) = await house.audited("snooze")
        assert line.actor == "olga"
        bad = await send(browser, f"/console/dialogues/{talk}/snooze", at="2026-11-20T09:00")
        assert bad.status_code == 422
        assert "That time does not fit" in bad.text


async def test_what_is_put_aside_is_taken_up_by_its_owner_alone(house: Console) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser, signed_in(house, "pavel") as pavel:
        await send(browser, f"/console/dialogues/{talk}/claim")
        await send(browser, f"/console/dialogues/{talk}/reply", text="Узнаю на складе.")
        await send(browser, f"/console/dialogues/{talk}/snooze", when="tomorrow")
        assert (await send(pavel, f"/console/dialogues/{talk}/wake")).status_code == 409
        assert (await send(pavel, f"/console/dialogues/{talk}/snooze", when="hour")).status_code == 409
        await send(browser, f"/console/dialogues/{talk}/wake")
    assert (await house.building.records.conversation(talk)).stage == "person"


async def test_answers_that_are_ready_are_filled_in_the_customers_language_under_titles_in_the_readers(
    house: Console,
) -> None:
    talk = await escalated(house.building)
    async with house.building.records._page(talk) as page:
        page.say("ai", Reply(text="В пути.", cards=(replace(card_of("слово"), subject="1045-А"),)))
    async with signed_in(house, "olga") as browser:
        await send(browser, f"/console/dialogues/{talk}/claim")
        shown = (await browser.get(f"/console/dialogues/{talk}")).text
        assert "<strong>Asking the courier</strong>" in shown
        assert "где сейчас заказ 1045-А. Напишу сюда" in shown
        page = (
            await send(browser, f"/console/dialogues/{talk}/ready", ready="thanks", text="Добрый день.")
        ).text
        field = page.split('id="reply"')[1].split("</textarea>")[0]
        assert field.endswith(">Добрый день.\n⟨имя клиента⟩, спасибо, что обратились. Ольга, Фонарь.")


async def test_a_reply_with_a_gap_is_not_sent_and_its_words_stay(house: Console) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser:
        await send(browser, f"/console/dialogues/{talk}/claim")
        before = await house.building.records.messages(talk)
        answer = await send(browser, f"/console/dialogues/{talk}/reply", text="Заказ ⟨номер заказа⟩ едет.")
        assert answer.status_code == 422
        assert "There is a gap" in answer.text
        assert ">Заказ ⟨номер заказа⟩ едет.</textarea>" in answer.text
        assert await house.building.records.messages(talk) == before
