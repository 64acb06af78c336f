"""The suggested answer: the turn's own path without an effect, taken by hand, and what became of it written down."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup, Tag
from sqlalchemy import func, select

from agent.domain import Draft
from agent.ports import Brief, Steps
from agent.records.suggestion_tables import suggestions
from agent.records.tables import metadata
from tests.api.console_house import Console, console, escalated, send, signed_in
from tools.context import ConversationId, Language, TurnId

RETURNS = "# Возврат товара\n\nВернуть товар можно в течение 14 дней. Деньги вернутся на карту за 10 дней."
QUESTION = "За сколько дней можно вернуть товар?"
KEPT = "Вернуть товар можно в течение 14 дней."


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        library = opened.building.library
        await library.save_draft("returns", RETURNS, title="Возврат товара", language="ru", by="test")
        await library.publish("returns", by="test")
        yield opened


@pytest.fixture
async def olga(house: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(house, "olga") as browser:
        yield browser


async def claimed(
    house: Console, browser: httpx.AsyncClient, says: str = QUESTION, *, language: Language = "ru", **how: Any
) -> ConversationId:
    talk = await escalated(house.building, says=says, language=language, **how)
    house.clock.pass_by(minutes=1)
    await send(browser, f"/console/dialogues/{talk}/claim")
    return talk


async def counts(house: Console) -> dict[str, int]:
    """How many rows each table of the agent's room has."""
    async with house.building.engine.connect() as connection:
        return {
            name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for name, table in metadata.tables.items()
        }


async def kept(house: Console) -> list[Any]:
    async with house.building.engine.connect() as connection:
        return list(await connection.execute(select(suggestions).order_by(suggestions.c.at)))


def part(page: str, css: str) -> Tag:
    found = BeautifulSoup(page, "html.parser").select_one(css)
    assert found is not None, page[:2000]
    return found


async def suggested(browser: httpx.AsyncClient, talk: ConversationId, **fields: str) -> str:
    """Ask for a suggestion; return the page that shows it."""
    answer = await send(browser, f"/console/dialogues/{talk}/suggest", **fields)
    if answer.status_code == 303:
        return (await browser.get(answer.headers["Location"])).text
    return answer.text


async def test_a_suggestion_stands_with_its_sources_above_the_field_and_is_not_sent(
    house: Console, olga: httpx.AsyncClient
) -> None:
    talk = await claimed(house, olga)
    before = await counts(house)
    page = await suggested(olga, talk)
    assert KEPT in part(page, ".suggested-text").text
    assert "Возврат товара" in part(page, ".suggested .sources").text
    assert part(page, "#reply").text.strip() == ""
    after = await counts(house)
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"suggestions", "audit", "audit_keys"}, "nothing else was written"
    [row] = await house.audited("suggested")
    assert (row.actor, row.target, row.detail["seq"]) == ("olga", talk, 1)
    assert KEPT not in str(row.detail)


async def test_the_link_fills_the_field_without_a_script_and_an_unchanged_reply_is_kept(
    house: Console, olga: httpx.AsyncClient
) -> None:
    talk = await claimed(house, olga)
    page = await suggested(olga, talk)
    filled = (await olga.get(str(part(page, "a[data-take]")["href"]))).text
    text, id = part(filled, "#reply").text.strip(), str(part(filled, "input[name=suggestion]")["value"])
    assert text == part(page, ".suggested-text").text.strip()
    answer = await send(olga, f"/console/dialogues/{talk}/reply", text=text, suggestion=id)
    assert "said=replied" in answer.headers["Location"]
    [row] = await kept(house)
    assert (row.state, row.distance, row.by) == ("kept", 0.0, "olga")
    messages = await house.building.records.messages(talk)
    assert (messages[-1].seq, messages[-1].text) == (row.reply, text)
    assert "suggested" not in str(part((await olga.get(f"/console/dialogues/{talk}")).text, ".answer"))


async def test_what_was_edited_is_measured_and_what_was_not_taken_is_discarded(
    house: Console, olga: httpx.AsyncClient
) -> None:
    for taken, state in ((True, "edited"), (False, "discarded")):
        talk = await claimed(house, olga)
        page = await suggested(olga, talk)
        id = str(part(page, "a[data-take]")["data-take"]) if taken else ""
        text = part(page, ".suggested-text").text.strip() + " Спасибо."
        await send(olga, f"/console/dialogues/{talk}/reply", text=text, suggestion=id)
        row = (await kept(house))[-1]
        assert (row.state, row.distance is not None) == (state, taken)
        line = (await house.audited("suggestion"))[-1]
        assert (line.detail["state"], line.detail["distance"]) == (state, row.distance)


async def test_words_in_the_field_stay_where_they_are(house: Console, olga: httpx.AsyncClient) -> None:
    talk = await claimed(house, olga)
    page = await suggested(olga, talk, text="Половина\r\nответа")
    assert part(page, "#reply").text.strip() == "Половина\nответа"
    assert KEPT in part(page, ".suggested-text").text


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("Позовите человека", "no question is open"),
        ("Какого цвета была лошадь Наполеона?", "No answer was found"),
    ],
)
async def test_where_nothing_can_be_suggested_the_reason_is_told(
    house: Console, olga: httpx.AsyncClient, says: str, told: str
) -> None:
    talk = await claimed(house, olga, says)
    page = await suggested(olga, talk, text="Мой ответ")
    assert told in part(page, ".suggested-none").text
    assert part(page, "#reply").text.strip() == "Мой ответ"
    assert await kept(house) == []


async def test_of_whom_no_program_may_read_nothing_is_suggested(
    house: Console, olga: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = await claimed(house, olga)
    await house.building.records.freeze(talk, known=False, by="olga", why="asked")

    async def read(*_: Any, **__: Any) -> None:
        raise AssertionError("a model was asked")

    monkeypatch.setattr(house.building.turn.writer, "write", read)
    assert "nothing is suggested" in part(await suggested(olga, talk), ".suggested-none").text


async def test_orders_are_not_read_for_staff_without_the_customers_consent(
    house: Console, olga: httpx.AsyncClient
) -> None:
    talk = await claimed(house, olga, "Где мой заказ 1045?", customer="c-1")
    told = part(await suggested(olga, talk), ".suggested-none").text
    assert "didn't allow" in told or "isn't signed in" in told
    assert await house.audited("tool") == []


async def test_only_who_holds_the_conversation_is_given_a_suggestion(
    house: Console, olga: httpx.AsyncClient
) -> None:
    talk = await claimed(house, olga)
    async with signed_in(house, "pavel") as other:
        answer = await send(other, f"/console/dialogues/{talk}/suggest", text="Мои слова")
        assert answer.status_code == 409
        assert "Мои слова" in answer.text
        await suggested(olga, talk)
        page = (await other.get(f"/console/dialogues/{talk}")).text
    assert "suggested-text" not in page


async def test_the_customer_sees_no_sign_that_an_answer_was_suggested(
    house: Console, olga: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = await claimed(house, olga)
    shown: list[str] = []
    said: list[str] = []
    writer, replying = house.building.turn.writer, house.building.turn.replying
    write = writer.write

    async def aloud(brief: Brief, *, steps: Steps, status: Callable[[str], Awaitable[None]]) -> Draft:
        said.append("looking")
        await status("looking")
        return await write(brief, steps=steps, status=status)

    class Screen:
        async def status(self, conversation: ConversationId, turn: TurnId, text: str) -> None:
            shown.append(text)

    monkeypatch.setattr(writer, "write", aloud)
    monkeypatch.setattr(replying, "notices", Screen())
    before = await house.building.records.last_event(talk)
    assert KEPT in await suggested(olga, talk)
    assert said == ["looking"], "the writer had something to tell"
    assert shown == []
    assert await house.building.records.last_event(talk) == before


async def test_the_page_of_accuracy_tells_how_far_suggestions_are_changed(
    house: Console, olga: httpx.AsyncClient
) -> None:
    talk = await claimed(house, olga)
    page = await suggested(olga, talk)
    async with signed_in(house, "kirill") as curator:
        assert "1 suggestion, no reply sent yet" in (await curator.get("/console/accuracy")).text.replace(
            "\xa0", " "
        )
        id, text = str(part(page, "a[data-take]")["data-take"]), part(page, ".suggested-text").text
        await send(olga, f"/console/dialogues/{talk}/reply", text=text, suggestion=id)
        told = (await curator.get("/console/accuracy")).text.replace("\xa0", " ")
    assert "1 suggestion, 100% sent unchanged; the median edit is 0% of letters" in told
    assert "Sent as they were: 1. Edited: 0. Not taken: 0." in told
