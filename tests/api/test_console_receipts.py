"""Receipts in the console: what an answer was made of, for the staff who read the conversation, and who read it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.domain import Answered, Reply, TurnRecord
from agent.receipt import Basis, FieldUse, ModelRead, Receipt
from tests.api.console_house import Console, answered, console, escalated, signed_in
from tools.context import ConversationId, TurnId

USED = Receipt(
    data=(FieldUse(what="orders", fields=("order", "status"), purpose="orders:read", tool="order_status"),),
    bases=(Basis(purpose="orders:read", kind="contract"),),
    models=(
        ModelRead(
            model="openai:gpt-5-mini", external=True, masked=True, parts=("question",), kinds={"phone": 2}
        ),
    ),
)
SECRET = "8 916 123-45-67"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


async def asked(house: Console) -> tuple[ConversationId, TurnId]:
    """A conversation with one answer that read an order, and a model outside that read two phones masked."""
    records = house.building.records
    talk = await records.open_conversation(channel="widget", language="ru")
    await records.accept(talk.id, key="k1", text=f"Мой телефон {SECRET}. Где заказ?")
    turn = await records.next_batch(talk.id)
    assert turn is not None
    record = TurnRecord(
        turn=turn,
        conversation=talk.id,
        outcome=Answered(),
        language="ru",
        replies=(Reply(text="Заказ в пути."), Reply(text="Что-нибудь ещё?")),
        confidence=0.91,
        holder="ai",
        receipt=USED,
    )
    await records.commit(record)
    return talk.id, turn


async def test_an_operator_opens_the_receipt_of_an_answer_in_the_own_language(house: Console) -> None:
    talk, turn = await asked(house)
    async with signed_in(house, "olga") as browser:
        page = (await browser.get(f"/console/dialogues/{talk}")).text
        links = re.findall(r'href="(/console/dialogues/[^"]+/receipts/[^"]+)"', page)
        assert links == [f"/console/dialogues/{talk}/receipts/{turn}"], (
            "one for a turn, under its last message"
        )
        whole = await browser.get(links[0])
        part = await browser.get(links[0], headers={"X-Part": "1"})
    for answer in (whole, part):
        assert answer.status_code == 200
        words = (
            "Your orders: order number and status.",
            "your contract with the company",
            "2\u00a0phones",
            "91%",
            turn,
        )
        assert [word for word in words if word not in answer.text] == []
    assert "<html" in whole.text
    assert "<html" not in part.text
    assert SECRET not in whole.text, "values stay in the conversation"


async def test_reading_a_receipt_is_in_the_audit_like_reading_the_conversation(house: Console) -> None:
    talk, turn = await asked(house)
    async with signed_in(house, "olga") as browser:
        await browser.get(f"/console/dialogues/{talk}/receipts/{turn}")
    (row,) = await house.audited("read")
    assert (row.actor, row.target, row.about) == ("olga", talk, f"conversation:{talk}")
    assert row.detail == {"receipt": turn}
    assert (await house.building.records.trail.verified()).holds


async def test_a_turn_of_another_conversation_is_none_of_this_one_and_nothing_is_written_down(
    house: Console,
) -> None:
    talk, turn = await asked(house)
    other = await escalated(house.building)
    async with signed_in(house, "marina") as browser:
        for address in (
            f"{other}/receipts/{turn}",
            f"{talk}/receipts/forged",
            f"{talk}/receipts/%00",
            "no/receipts/x",
        ):
            assert (await browser.get(f"/console/dialogues/{address}")).status_code == 404, address
    assert await house.audited("read") == []


async def test_a_turn_that_is_not_decided_has_none_yet(house: Console) -> None:
    talk = await answered(house.building)
    await house.building.records.accept(talk, key="k2", text="А самовывоз?")
    turn = await house.building.records.next_batch(talk)
    async with signed_in(house, "olga") as browser:
        assert (await browser.get(f"/console/dialogues/{talk}/receipts/{turn}")).status_code == 404


async def test_messages_that_answer_nothing_have_no_receipt(house: Console) -> None:
    talk = await house.building.records.open_conversation(
        channel="widget", language="ru", disclosure=Reply(text="Я программа.")
    )
    async with signed_in(house, "olga") as browser:
        assert "/receipts/" not in (await browser.get(f"/console/dialogues/{talk.id}")).text
