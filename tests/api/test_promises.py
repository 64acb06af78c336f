"""Promises in the console, by the clock and from the command line."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from agent.fake import InlineSteps
from agent.pledge import Owed
from agent.records.desk import Desk
from api.commands.promises import app
from api.promises import Promises
from tests.api.console_house import Console, console, escalated, form_token, send, signed_in
from tools.context import ConversationId

SAID = "Уточню у склада и вернусь до 18:00."
"""The house's clock stands at noon in Moscow."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


def clock_of(house: Console) -> Promises:
    built = house.building
    return Promises(records=built.records, pack=built.pack, phrases=built.phrases, clock=house.clock)


async def reply(house: Console, browser: Any, text: str = SAID) -> ConversationId:
    talk = await escalated(house.building)
    await send(browser, f"/console/dialogues/{talk}/claim")
    await send(browser, f"/console/dialogues/{talk}/reply", text=text)
    return talk


async def owed(house: Console, talk: ConversationId) -> Owed:
    (one,) = await house.building.records.promises(talk)
    return one


async def said(house: Console, talk: ConversationId) -> list[tuple[str, str]]:
    return [(m.author, m.text) for m in await house.building.records.messages(talk)]


async def test_a_reply_that_promises_is_recorded_at_once_and_seen_under_it(house: Console) -> None:
    async with signed_in(house, "olga") as olga:
        talk = await reply(house, olga)
        one = await owed(house, talk)
        assert (one.owner, one.name, one.words) == ("person", "olga", SAID)
        assert one.due.astimezone(ZoneInfo("Europe/Moscow")).hour == 18
        page = (await olga.get(f"/console/dialogues/{talk}")).text
        assert "Promise recorded: by" in page
        log = page.split('class="log"')[1].split('class="answer"')[0]
        assert log.index(f'id="m{one.seq}"') < log.index("promise-calm")
        assert "Promised by" in (await olga.get("/console/dialogues")).text


@pytest.mark.heavy
async def test_a_reply_that_promises_nothing_is_not(house: Console) -> None:
    async with signed_in(house, "olga") as olga:
        talk = await reply(house, olga, "Заказ приедет завтра до 18:00.")
        assert await house.building.records.promises(talk) == ()


async def test_its_time_is_corrected_and_every_change_is_in_the_audit(house: Console) -> None:
    async with signed_in(house, "olga") as olga, signed_in(house, "pavel") as pavel:
        talk = await reply(house, olga)
        path = f"/console/dialogues/{talk}/promises/{(await owed(house, talk)).id}"
        await send(pavel, f"{path}/due", due="2026-11-23T19:30")
        assert (await owed(house, talk)).due.astimezone(ZoneInfo("Europe/Moscow")).minute == 30
        for name, state in (("kept", "kept"), ("stands", "open"), ("mistaken", "withdrawn")):
            await send(pavel, f"{path}/{name}")
            assert (await owed(house, talk)).state == state
        acts = ("put_off", "marked", "reopened", "mistaken")
        assert [len(await house.audited(f"promise.{act}")) for act in acts] == [1, 1, 1, 1]


@pytest.mark.heavy
@pytest.mark.parametrize(("due", "trouble"), [("soon", "cannot be read"), ("2026-11-23T11:00", "has passed")])
async def test_a_time_that_cannot_be_is_refused_in_words(house: Console, due: str, trouble: str) -> None:
    async with signed_in(house, "olga") as olga:
        talk = await reply(house, olga)
        before = await owed(house, talk)
        answer = await olga.post(
            f"/console/dialogues/{talk}/promises/{before.id}/due",
            data={"due": due, "form_token": await form_token(olga)},
            follow_redirects=True,
        )
        assert trouble in answer.text
        assert await owed(house, talk) == before


@pytest.mark.heavy
async def test_a_promise_of_another_conversation_is_not_there(house: Console) -> None:
    async with signed_in(house, "olga") as olga:
        talk = await reply(house, olga)
        other = await escalated(house.building, customer="c-002")
        one = await owed(house, talk)
        token = await form_token(olga)
        answer = await olga.post(
            f"/console/dialogues/{other}/promises/{one.id}/kept", data={"form_token": token}
        )
        assert answer.status_code == 404
        assert await owed(house, talk) == one


async def test_the_owner_is_reminded_and_the_open_page_learns_it(house: Console) -> None:
    async with signed_in(house, "olga") as olga:
        talk = await reply(house, olga)
        page = (await olga.get(f"/console/dialogues/{talk}")).text
        marks = [part.split('"')[0] for part in page.split('data-mark="')[1:]]
        house.clock.pass_by(hours=5, minutes=50)
        lists = await olga.get(f"/console/dialogues/list?known={marks[0]}")
        assert "Promise due in 10 min" in lists.text
        assert "soon due" in (await olga.get(f"/console/dialogues/{talk}/part?known={marks[1]}")).text


async def test_a_late_promise_is_told_once_and_stands_first_until_it_is_kept(house: Console) -> None:
    async with signed_in(house, "olga") as olga:
        talk = await reply(house, olga)
        house.clock.pass_by(hours=6)
        waits = await escalated(house.building, customer="c-002")
        await olga.get("/console/dialogues")
        assert await clock_of(house).look() == 1
        assert await clock_of(house).look() == 0
        told = "Обещали ответить до 18:00 и не успели. Теперь ответим до 18:05."
        assert [text for author, text in await said(house, talk) if author == "system"] == [told]
        page = (await olga.get("/console/dialogues")).text
        assert "Promise overdue" in page
        assert page.index(f'id="row-{talk}"') < page.index(f'id="row-{waits}"')
        await send(olga, f"/console/dialogues/{talk}/reply", text="Лампа на складе, отправим сегодня.")
        assert {one.state for one in await house.building.records.promises(talk)} == {"kept"}
        assert "Promise overdue" not in (await olga.get("/console/dialogues")).text


@pytest.mark.heavy
async def test_the_promise_of_somebody_who_went_home_brings_the_conversation_back_to_the_queue(
    house: Console,
) -> None:
    async with signed_in(house, "olga") as olga:
        talk = await reply(house, olga)
        await send(olga, f"/console/dialogues/{talk}/close")
        lines = await Desk(house.building.engine).lines("mine", operator="olga")
        assert [line.conversation.id for line in lines] == [talk], "closed, and still theirs to answer"
        house.clock.pass_by(hours=6)
        assert await clock_of(house).look() == 1
        state = await house.building.records.conversation(talk)
        assert state.stage == "queued"
        told = "Обещали ответить до 18:00 и не успели. Ваш вопрос снова первый в очереди."
        assert (await said(house, talk))[-1] == ("system", told)


@pytest.mark.heavy
async def test_a_customer_in_the_middle_of_a_turn_is_told_after_it(house: Console) -> None:
    async with signed_in(house, "olga") as olga:
        talk = await reply(house, olga)
        await send(olga, f"/console/dialogues/{talk}/return")
    house.clock.pass_by(hours=6)
    records = house.building.records
    await records.accept(talk, key="k", text="Сколько стоит доставка?")
    assert await records.next_batch(talk) is not None
    assert await clock_of(house).look() == 0
    assert (await records.conversation(talk)).holder == "ai"


@pytest.mark.heavy
async def test_a_customer_with_restricted_data_is_told_nothing_by_a_program(house: Console) -> None:
    async with signed_in(house, "olga") as olga:
        talk = await reply(house, olga)
        known = (await house.building.records.conversation(talk)).customer_id
        whom = known if known is not None else talk
        await house.building.records.freeze(whom, known=known is not None, by="marina", why="asked")
        house.clock.pass_by(hours=6)
        before = await said(house, talk)
        assert await clock_of(house).look() == 1
        assert await said(house, talk) == before
        assert (await owed(house, talk)).told == "nothing"


@pytest.mark.heavy
async def test_at_night_a_promise_is_late_and_told_of_in_the_morning(house: Console) -> None:
    async with signed_in(house, "olga") as olga:
        talk = await reply(house, olga, "Вернусь с ответом до 22:00.")
    house.clock.pass_by(hours=10)
    before = len(await said(house, talk))
    assert await clock_of(house).look() == 1
    assert (len(await said(house, talk)), (await owed(house, talk)).state) == (before, "late")
    house.clock.pass_by(hours=11)
    assert await clock_of(house).look() == 1
    assert "не успели" in (await said(house, talk))[-1][1]


async def test_who_waits_out_of_hours_was_promised_an_answer_first_thing(house: Console) -> None:
    house.clock.pass_by(hours=9)
    records = house.building.records
    talk = (await records.open_conversation(channel="widget", language="ru")).id
    await records.accept(talk, key="k1", text="Позовите человека")
    turn = await records.next_batch(talk)
    assert turn is not None
    await house.building.turn.run(turn, steps=InlineSteps())
    one = await owed(house, talk)
    assert "ответят первым делом" in one.words
    assert (one.owner, one.state, one.exact) == ("department", "open", False)
    morning = one.due.astimezone(ZoneInfo("Europe/Moscow"))
    assert (morning.day, morning.hour) == (24, 9)
    house.clock.pass_by(hours=13)
    async with signed_in(house, "olga") as olga:
        await send(olga, f"/console/dialogues/{talk}/claim")
        await send(olga, f"/console/dialogues/{talk}/reply", text="Доброе утро. Вернём деньги на карту.")
    assert (await owed(house, talk)).state == "kept"


@pytest.mark.heavy
async def test_what_stands_is_listed_by_a_command(house: Console) -> None:
    async with signed_in(house, "olga") as olga:
        talk = await reply(house, olga)
    settings = house.building.settings

    def listed(*arguments: str) -> str:
        context = SimpleNamespace(settings=lambda: settings)
        done = CliRunner().invoke(app, ["list", *arguments], obj=context)
        assert done.exit_code == 0, done.output
        return done.output

    (row,) = json.loads(await asyncio.to_thread(listed, "--json"))
    assert (row["conversation"], row["owner"], row["name"], row["state"]) == (talk, "person", "olga", "open")
    assert SAID in await asyncio.to_thread(listed)
    assert len(await house.audited("promises")) == 2
    assert json.loads(await asyncio.to_thread(listed, "--late", "--json")) == []
    house.clock.pass_by(hours=6)
    await clock_of(house).look()
    assert len(json.loads(await asyncio.to_thread(listed, "--late", "--json"))) == 1
