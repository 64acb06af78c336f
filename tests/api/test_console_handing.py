"""The card a person reads first: what is wanted, what was tried, who it is, how long they wait."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup, Tag

from agent.domain import Action, Answered, Citation, Reason, Reply, ToolUse, TurnRecord
from agent.policy.consent import change
from tests.api.console_house import Console, console, escalated, send, signed_in
from tests.api.test_console_dialogues import harmless
from tests.api.xss_payloads import PAYLOADS
from tools.context import ConversationId, CustomerId
from tools.crm.port import Customer

ANNA = Customer(
    id=CustomerId("c-1"), login=None, name="Анна", email="", phone="", language="ru", city="Тверь"
)
CITED = Citation(document="returns", passage="returns#1", title="Возврат", quote="14 дней")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


async def answers(house: Console, talk: ConversationId, key: str, *, says: str, text: str = "") -> str:
    """The assistant answers one message; return the turn."""
    records = house.building.records
    await records.accept(talk, key=key, text=says)
    turn = await records.next_batch(talk)
    assert turn is not None
    tools = (
        ToolUse(
            name="order_status",
            arguments={"order_id": "1077"},
            ok=False,
            result={},
            fault="not_found",
        ),
        ToolUse(name="list_orders", arguments={}, ok=True, result={}),
    )
    told = Reply(text=text or "Вернуть можно за 14 дней.", citations=(CITED,))
    await records.commit(
        TurnRecord(
            turn=turn,
            conversation=talk,
            outcome=Answered(),
            language="ru",
            replies=(told,),
            tools=tools,
        )
    )
    return turn


async def card(browser: httpx.AsyncClient, talk: ConversationId) -> Tag:
    page = BeautifulSoup((await browser.get(f"/console/dialogues/{talk}")).text, "html.parser")
    found = page.select_one(".card")
    assert found is not None
    return found


def lines(found: Tag) -> dict[str, str]:
    return {
        str(one.select_one("dt").text): " ".join(one.select_one("dd").text.split())  # type: ignore[union-attr]
        for one in found.select(".brief-lines > div")
    }


async def called(house: Console, *, reason: Reason = "no_help") -> ConversationId:
    """An order that was asked about in vain, and then a person was called."""
    talk = (await house.building.records.open_conversation(channel="widget", language="ru")).id
    turn = await answers(house, talk, "k1", says="Где мой заказ 1077? Жду третий день.")
    rates = Action(kind="rate", target=turn, yes=False)
    await house.building.records.accept(talk, key="k2", action=rates, label="Не помогло")
    return await escalated(house.building, conversation=talk, says="Позовите человека", reason=reason)


async def test_the_card_tells_the_request_what_was_tried_and_what_is_missing(house: Console) -> None:
    talk = await called(house)
    house.clock.pass_by(minutes=7)
    async with signed_in(house, "olga") as browser:
        found = await card(browser, talk)
    assert lines(found) == {
        "Asks": "Где мой заказ 1077?",
        "Adds": "Жду третий день.",
        "Names": "1077",
        "The assistant said": "Вернуть можно за 14 дней.",
        "Missing": "proof of who is writing",
    }
    tried = [" ".join(one.text.split()) for one in found.select(".tried li")]
    assert tried == [
        "The assistant's answer Вернуть можно за 14 дней. thumbs down from the customer",
        "Order status 1077 — not found",
        "List of orders — received",
    ]
    assert "Waiting for an answer: 7 min" in found.text
    assert "Complains" in found.text


async def test_a_purpose_that_was_declined_is_named_by_what_is_missing(house: Console) -> None:
    talk = await escalated(house.building, says="Где мой заказ?", customer="c-1", reason="ungrounded")
    purpose = house.building.pack.purposes["orders:read"]
    await house.building.records.consent_outside(talk, change(purpose, granted=False, language="ru"))
    async with signed_in(house, "olga") as browser:
        told = lines(await card(browser, talk))
    assert told["Missing"] == "an answer in the documents; consent: See orders"


async def test_of_whom_no_program_may_read_nothing_is_summarised(house: Console) -> None:
    talk = await called(house)
    await house.building.records.freeze(talk, known=False, by="olga", why="asked")
    async with signed_in(house, "olga") as browser:
        found = await card(browser, talk)
    assert lines(found) == {}
    assert "so there is no summary" in found.text
    assert "Complains" not in found.text
    assert found.select(".tried") == []


async def test_what_a_code_proved_wears_off_on_the_card_too(house: Console) -> None:
    talk = await escalated(house.building)
    async with house.building.records._page(talk) as page:
        page.set(customer_id=CustomerId("c-1"), assurance="verified", proved=house.clock.now())
    async with signed_in(house, "olga") as browser:
        assert "Signed in" in (await card(browser, talk)).text
        codes = house.building.pack.policy.assurance.codes
        house.clock.time += codes.verified_for + timedelta(seconds=1)
        async with signed_in(house, "olga") as again:
            found = await card(again, talk)
    assert "Signed in" not in found.text
    assert "Known by messenger" in found.text


async def test_a_document_is_opened_from_the_card_by_who_may_read_documents(house: Console) -> None:
    talk = await called(house)
    async with signed_in(house, "olga") as browser, signed_in(house, "marina") as other:
        for visitor, links in ((browser, []), (other, ["/console/knowledge/returns"])):
            found = await card(visitor, talk)
            assert [one["href"] for one in found.select(".sources a")] == links
            assert "14 дней" in found.text


async def test_nobody_waits_after_an_answer_and_a_conversation_without_words_has_a_card(
    house: Console,
) -> None:
    talk = await called(house)
    empty = (await house.building.records.open_conversation(channel="widget", language="ru")).id
    async with signed_in(house, "olga") as browser:
        await send(browser, f"/console/dialogues/{talk}/claim")
        house.clock.pass_by(minutes=1)
        await send(browser, f"/console/dialogues/{talk}/reply", text="Смотрю.")
        assert "Waiting for an answer" not in (await card(browser, talk)).text
        assert "hasn't written anything" in (await card(browser, empty)).text


async def test_nothing_a_customer_writes_or_is_called_runs_in_the_card(house: Console) -> None:
    @dataclass(frozen=True)
    class Register:
        name: str

        async def customer(self, customer: CustomerId) -> Customer:
            return replace(ANNA, name=self.name, city=self.name)

    worst = " ".join(PAYLOADS)
    talk = await escalated(house.building, says=f"{worst} где мой заказ «{worst}»?", customer="c-1")
    register: Any = Register(worst)
    house.app.state.opened.building = replace(house.building, crm=register)
    async with signed_in(house, "olga") as browser:
        page = (await browser.get(f"/console/dialogues/{talk}")).text
    harmless(page)
    shown = BeautifulSoup(page, "html.parser").select_one(".card-who strong")
    assert shown is not None
    assert shown.text == worst
