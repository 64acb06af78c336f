"""Dialogues in the console: who waits, taking over, answering, giving back; and nothing of it can run as script."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.cards import Card, Line, Row, Step
from agent.domain import Citation, Reply
from agent.policy.consent import change
from agent.records.desk import Desk
from api.console.cases import dropped
from api.console.page import phrases
from tests.api.console_house import (
    Console,
    answered,
    console,
    escalated,
    form_token,
    send,
    signed_in,
)
from tests.api.xss_payloads import PAYLOADS
from tools.context import ConversationId

DRAFT = "Вернём за 10 дней.\nnumber: Вычтем 490 ₽.\nunsupported: Курьер приедет сам."


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


async def said(house: Console, talk: ConversationId) -> list[tuple[str, str, str]]:
    return [(m.author, m.name, m.text) for m in await house.building.records.messages(talk)]


async def test_the_list_shows_who_waits_why_and_how_long(house: Console) -> None:
    talk = await escalated(house.building, says="Где мои деньги?", reason="not_sure", department="payments")
    await answered(house.building, says="Сколько стоит доставка?")
    house.clock.pass_by(minutes=7)
    async with signed_in(house, "olga") as browser:
        page = (await browser.get("/console/dialogues")).text
    row = page.split('id="row-')[1].split("</li>")[0]
    assert row.startswith(talk)
    assert [word in row for word in ("Где мои деньги?", "Not sure", "Payments", "7 min", "Guest")] == [
        True
    ] * 5
    assert "Сколько стоит доставка?" not in page


async def test_the_longest_waiting_comes_first_and_filters_live_in_the_address(house: Console) -> None:
    first = await escalated(house.building, department="delivery")
    house.clock.pass_by(minutes=5)
    second = await escalated(house.building, department="returns")

    async def shown(query: str) -> list[str]:
        page = (await browser.get(f"/console/dialogues{query}")).text
        return re.findall(r'id="row-([^"]+)"', page)

    async with signed_in(house, "olga") as browser:
        assert await shown("") == [first, second]
        assert await shown("?department=returns") == [second]
        assert await shown("?department=no-such") == [first, second]
        assert await shown("?show=mine") == []
        await send(browser, f"/console/dialogues/{second}/claim")
        assert await shown("?show=mine") == [second]
        assert await shown("?show=waiting") == [first]
        assert await shown("") == [first, second]
        await send(browser, f"/console/dialogues/{second}/close")
        assert await shown("") == [first]
        assert await shown("?show=done") == [second]


async def test_a_wait_begins_anew_with_the_first_message_a_person_has_not_answered(house: Console) -> None:
    talk = await escalated(house.building)
    desk, records = Desk(house.building.engine), house.building.records

    async def since() -> object:
        (line,) = await desk.lines("open", operator="olga")
        return line.since

    called = house.clock.now()
    house.clock.pass_by(minutes=1)
    async with signed_in(house, "olga") as browser:
        await send(browser, f"/console/dialogues/{talk}/claim")
        assert await since() == called, "the greeting of a claim is no answer"
        house.clock.pass_by(minutes=1)
        await send(browser, f"/console/dialogues/{talk}/reply", text="Смотрю.")
        assert await since() is None
        house.clock.pass_by(minutes=1)
        again = house.clock.now()
        await records.accept(talk, key="k2", text="Спасибо")
        house.clock.pass_by(minutes=1)
        await records.accept(talk, key="k3", text="Жду")
        assert await since() == again


async def test_a_reply_form_posted_twice_sends_once_and_other_words_from_the_same_page_are_sent(
    house: Console,
) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser:
        await send(browser, f"/console/dialogues/{talk}/claim")
        before = len(await said(house, talk))
        page = (await browser.get(f"/console/dialogues/{talk}")).text
        (key,) = re.findall(r'/reply".*?name="key" value="([^"]+)"', page, re.DOTALL)
        for text in ("Смотрю.", "Смотрю.", "Нашла!", "Смотрю."):
            answer = await send(browser, f"/console/dialogues/{talk}/reply", text=text, key=key)
            assert "said=replied" in answer.headers["Location"]
        assert [line[2] for line in (await said(house, talk))[before:]] == ["Смотрю.", "Нашла!"]
        page = (await browser.get(f"/console/dialogues/{talk}")).text
        (other,) = re.findall(r'/reply".*?name="key" value="([^"]+)"', page, re.DOTALL)
        assert other != key
        await send(browser, f"/console/dialogues/{talk}/reply", text="Смотрю.", key=other)
    assert (await said(house, talk))[-1][2] == "Смотрю."


async def test_claim_reply_return_and_close_reach_the_customer(house: Console) -> None:
    talk = await escalated(house.building, department="delivery")
    records = house.building.records
    async with signed_in(house, "olga") as browser:
        answer = await send(
            browser, f"/console/dialogues/{talk}/claim", show="waiting", department="delivery"
        )
        assert answer.headers["Location"] == (
            f"/console/dialogues/{talk}?show=waiting&department=delivery&said=claimed"
        )
        await send(browser, f"/console/dialogues/{talk}/reply", text="Здравствуйте!\r\nСмотрю ваш заказ.")
        held = await records.conversation(talk)
        assert (held.holder, held.operator) == ("person", "olga")
        await send(browser, f"/console/dialogues/{talk}/return")
        assert (await records.conversation(talk)).holder == "ai"
        await send(browser, f"/console/dialogues/{talk}/claim")
        await send(browser, f"/console/dialogues/{talk}/close")
    assert (await records.conversation(talk)).holder == "closed"
    joined = "Ольга, Доставка. Дальше отвечаю я."
    assert (await said(house, talk))[2:] == [
        ("person", "Ольга", joined),
        ("person", "Ольга", "Здравствуйте!\nСмотрю ваш заказ."),
        ("system", "", "Разговор снова у автоматического помощника."),
        ("person", "Ольга", joined),
        ("system", "", "Разговор завершён. Если появится вопрос, просто напишите."),
    ]
    told = [event.data for event in await records.events(talk) if event.type == "message"]
    assert joined in [data["text"] for data in told]
    assert [event.type for event in await records.events(talk)][-1] == "csat"


async def test_the_customer_is_greeted_in_their_own_language(house: Console) -> None:
    talk = await escalated(house.building, language="en", says="A person, please", department="delivery")
    async with signed_in(house, "olga") as browser:
        await send(browser, f"/console/dialogues/{talk}/claim")
    assert (await said(house, talk))[-1][2] == "Ольга, Delivery. I'll take it from here."


async def test_of_two_who_claim_at_once_one_wins_and_the_other_is_told(house: Console) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as one, signed_in(house, "pavel") as other:
        tokens = [await form_token(browser) for browser in (one, other)]
        answers = await asyncio.gather(
            *(
                browser.post(f"/console/dialogues/{talk}/claim", data={"form_token": token})
                for browser, token in zip((one, other), tokens, strict=True)
            )
        )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    winner = {"olga": "Ольга", "pavel": "Павел"}[(await house.building.records.conversation(talk)).operator]
    loser = next(answer for answer in answers if answer.status_code == 409)
    assert f"{winner} already holds this conversation" in loser.text
    assert [author for author, _, _ in await said(house, talk)].count("person") == 1


async def test_who_does_not_hold_the_conversation_cannot_speak_in_it_and_keeps_the_words(
    house: Console,
) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser, signed_in(house, "pavel") as other:
        early = await send(browser, f"/console/dialogues/{talk}/reply", text="Мои слова")
        assert early.status_code == 409
        assert "Мои слова" in early.text
        await send(browser, f"/console/dialogues/{talk}/claim")
        for act in ("reply", "return", "close"):
            answer = await send(other, f"/console/dialogues/{talk}/{act}", text="Чужие слова")
            assert answer.status_code == 409, act
    held = await house.building.records.conversation(talk)
    assert (held.holder, held.operator) == ("person", "olga")
    assert all("слова" not in text for _, _, text in await said(house, talk))


@pytest.mark.parametrize(("text", "words"), [(" \r\n ", "Write a reply"), ("я" * 4001, "longer than 4,000")])
async def test_an_empty_or_endless_reply_is_not_sent(house: Console, text: str, words: str) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser:
        await send(browser, f"/console/dialogues/{talk}/claim")
        before = await said(house, talk)
        answer = await send(browser, f"/console/dialogues/{talk}/reply", text=text)
    assert answer.status_code == 422
    assert words in answer.text
    assert await said(house, talk) == before


async def test_returning_what_the_assistant_already_has_is_told_and_changes_nothing(house: Console) -> None:
    talk = await answered(house.building)
    async with signed_in(house, "olga") as browser:
        answer = await send(browser, f"/console/dialogues/{talk}/return")
    assert answer.status_code == 409
    assert "has moved on" in answer.text


async def test_the_card_shows_the_rejected_draft_with_what_was_wrong(house: Console) -> None:
    talk = await escalated(house.building, reason="ungrounded", rejected=DRAFT)
    async with signed_in(house, "olga") as browser:
        page = (await browser.get(f"/console/dialogues/{talk}")).text
    card = page.split('class="card"')[1]
    for words in ("Вычтем 490 ₽.", "numbers differ", "not in the source", "supported, but not sent", "31%"):
        assert words in card
    assert "number:" not in card


def test_a_rejected_line_is_read_with_its_reason_and_prose_with_a_colon_is_left_alone() -> None:
    lines = dropped("number: 490 ₽.\nОтвет: да\nNote: fine\n\n")
    assert [(line.reason, line.text) for line in lines] == [
        ("number", "490 ₽."),
        ("", "Ответ: да"),
        ("", "Note: fine"),
    ]


async def test_sources_consents_and_the_way_a_customer_was_recognised_are_on_the_card(house: Console) -> None:
    talk = await escalated(house.building, customer="c-1")
    records = house.building.records
    allowed = change(house.building.pack.purposes["orders:read"], granted=True, language="ru")
    await records.consent_outside(talk, allowed)
    cited = Citation(document="returns", passage="returns#1", title="Возврат", quote="14 дней")
    async with records._page(talk) as page:
        page.say("ai", Reply(text="14 дней.", citations=(cited,)))
    async with signed_in(house, "olga") as browser:
        card = (await browser.get(f"/console/dialogues/{talk}")).text.split('class="card"')[1]
    for words in ("See orders — allowed", "Signed in", "Возврат", "14 дней", "Customer c-1"):
        assert words in card


def card_of(words: str) -> Card:
    """A card that says nothing but these words, everywhere."""
    return Card(
        kind="tracking",
        subject=words,
        title=words,
        state=words,
        steps=(Step(name="placed", label=words, state="now", when=words),),
        lines=(Line(title=words, note=words, value=words),),
        rows=(Row(name=words, label=words, value=words),),
        rest=words,
        link=words,
        link_label=words,
        more=words,
    )


async def test_staff_see_the_cards_the_customer_sees(house: Console) -> None:
    talk = await escalated(house.building)
    async with house.building.records._page(talk) as page:
        page.say(
            "ai", Reply(text="В пути.", cards=(replace(card_of("слово"), title="Заказ 1045-А", link=""),))
        )
    async with signed_in(house, "olga") as browser:
        shown = (await browser.get(f"/console/dialogues/{talk}")).text.split('class="shown"')[1]
    card = shown.split("</article>")[0]
    assert "<strong>Заказ 1045-А</strong>" in card
    assert re.findall(r'<li class="now" aria-current="step"><span>слово</span>', card)
    assert card.count("слово") == 10


async def test_reading_a_conversation_is_in_the_audit_and_looking_again_only_when_there_is_news(
    house: Console,
) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser:
        page = (await browser.get(f"/console/dialogues/{talk}")).text
        mark = re.search(r'class="case" data-mark="([^"]+)"', page)
        assert mark is not None
        part = f"/console/dialogues/{talk}/part"
        assert (await browser.get(part, params={"known": mark[1]})).status_code == 204
        assert len(await house.audited("read")) == 1
        await house.building.records.accept(talk, key="k2", text="Вы тут?")
        fresh = await browser.get(part, params={"known": mark[1]})
    assert "Вы тут?" in fresh.text
    rows = await house.audited("read")
    assert [(row.actor, row.target) for row in rows] == [("olga", talk)] * 2
    listed = await house.audited("list")
    assert len(listed[0].detail["shown"]) == 1
    assert talk not in str(listed), "whom a list showed is told by their key alone"
    assert {row.about for row in rows} == {f"conversation:{talk}"}
    assert (await house.building.records.trail.verified()).holds


async def test_a_list_that_did_not_change_is_not_sent_again(house: Console) -> None:
    await escalated(house.building)
    async with signed_in(house, "olga") as browser:
        page = (await browser.get("/console/dialogues")).text
        mark = re.search(r'class="list-in" data-mark="([^"]+)"', page)
        assert mark is not None
        address = "/console/dialogues/list"
        house.clock.pass_by(minutes=3)
        assert (await browser.get(address, params={"known": mark[1]})).status_code == 204
        await escalated(house.building, says="Ещё один")
        fresh = await browser.get(address, params={"known": mark[1]})
    assert (fresh.status_code, "Ещё один" in fresh.text) == (200, True)


async def test_a_long_conversation_opens_at_its_end_and_can_be_read_whole(house: Console) -> None:
    talk = await escalated(house.building)
    async with house.building.records._page(talk) as page:
        for n in range(600):
            page.say("system", Reply(text=f"line-{n:03}."))
    async with signed_in(house, "olga") as browser:
        short = (await browser.get(f"/console/dialogues/{talk}")).text
        whole = (await browser.get(f"/console/dialogues/{talk}?whole=1")).text
    assert ("line-599." in short, "line-000." in short) == (True, False)
    assert "Show 402\u00a0earlier messages" in short
    assert "line-000." in whole
    assert "line-599." in whole


async def test_an_unknown_conversation_is_a_page_in_words(house: Console) -> None:
    async with signed_in(house, "olga") as browser:
        for path in ("/console/dialogues/none", "/console/dialogues/none/part"):
            answer = await browser.get(path)
            assert answer.status_code == 404
            assert "There is no such conversation" in answer.text
        answer = await send(browser, "/console/dialogues/none/claim")
        assert answer.status_code == 404


async def test_moments_are_in_the_companys_zone(house: Console) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as browser:
        page = (await browser.get(f"/console/dialogues/{talk}")).text
    assert "12:00</time>" in page, "09:00 UTC is noon in Moscow"


async def test_empty_shelves_say_what_to_do_next(house: Console) -> None:
    async with signed_in(house, "olga") as browser:
        for show, words in (
            ("open", "appears here by itself"),
            ("mine", "press “Claim”"),
            ("done", "come here"),
        ):
            assert words in (await browser.get(f"/console/dialogues?show={show}")).text


def harmless(page: str) -> None:
    """Nothing of the payload became markup: no element, attribute or address that acts."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            assert tag not in (
                "iframe",
                "object",
                "embed",
                "image",
                "img",
                "math",
                "style",
                "base",
                "animate",
            )
            for name, value in attributes:
                assert not name.startswith("on"), (tag, name)
                assert name != "style"
                assert "javascript:" not in (value or "").lower() or name in (
                    "value",
                    "data-insert",
                    "placeholder",
                )
                if name in ("src", "href", "action") and value:
                    assert value.startswith(("/console", "?", "#")), (tag, name, value)

    Reader().feed(page)
    assert page.lower().count("<script") == 1


async def test_what_customers_and_staff_write_never_becomes_markup(house: Console) -> None:
    async with signed_in(house, "olga") as browser:
        token = await form_token(browser)
        for some in (PAYLOADS[n : n + 12] for n in range(0, len(PAYLOADS), 12)):
            rejected = "\n".join(f"number: {payload}" for payload in some)
            talk = await escalated(house.building, says=some[0], rejected=rejected)
            async with house.building.records._page(talk) as page:
                for payload in some:
                    cited = Citation(document="d", passage=payload, title=payload, quote=payload)
                    page.say("ai", Reply(text=payload, citations=(cited,), cards=(card_of(payload),)))
                    page.say("person", Reply(text=payload), name=payload)
                    page.say("system", Reply(text=payload))
                    page.say("customer", Reply(text=payload))
            form = {"form_token": token, "text": "".join(some) + "я" * 4000}
            await browser.post(f"/console/dialogues/{talk}/claim", data=form)
            harmless((await browser.get(f"/console/dialogues/{talk}")).text)
            harmless((await browser.post(f"/console/dialogues/{talk}/reply", data=form)).text)
        harmless((await browser.get("/console/dialogues")).text)


def test_both_languages_say_the_same_things() -> None:
    assert phrases().differences() == []
