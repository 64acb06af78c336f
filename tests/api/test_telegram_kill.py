"""A real server with a Telegram line is killed at the worst moments: every answer arrives, and order is kept."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.api.killing import Forge, forge, foundry, prepared, ready
from tests.api.telegram_desk import sometime
from tests.telegram_api import TOKEN, Fault, TelegramApi, telegram_api

pytestmark = pytest.mark.heavy

__all__ = ["forge", "foundry", "prepared"]

QUESTION = "Сколько дней на возврат товара?"
ANNA = 1


@pytest.fixture
async def api(forge: Forge) -> AsyncIterator[TelegramApi]:
    async with telegram_api() as api:
        api.languages = {ANNA: "ru"}
        forge.environment |= {"MAYAK_TELEGRAM_TOKEN": TOKEN, "MAYAK_TELEGRAM_API": api.url}
        yield api


@asynccontextmanager
async def server(forge: Forge) -> AsyncIterator[httpx.AsyncClient]:
    forge.start()
    async with httpx.AsyncClient(base_url=forge.url, trust_env=False, timeout=20) as client:
        try:
            await ready(forge, client)
            yield client
        finally:
            forge.kill()


async def counted(client: httpx.AsyncClient, result: str, times: int) -> None:
    line = f'mayak_deliveries_total{{channel="telegram",result="{result}"}} {times}.0'

    async def told() -> bool:
        return line in (await client.get("/metrics")).text

    await sometime(told)


def outbox(forge: Forge) -> list[tuple[str, int]]:
    base = sqlite3.connect(forge.data / "mayak.sqlite")
    found = base.execute("SELECT state, attempts FROM outbox ORDER BY id").fetchall()
    base.close()
    return found


async def test_what_a_killed_server_had_not_delivered_is_delivered_by_the_next_one(
    forge: Forge, api: TelegramApi
) -> None:
    api.faults.append(Fault("flood", seconds=1, times=99))
    async with server(forge):
        await api.says(ANNA, QUESTION)

        async def refused() -> bool:
            return len(api.made("sendMessage")) > 0

        await sometime(refused, seconds=40)
    assert {state for state, _ in outbox(forge)} <= {"pending", "unknown"}
    assert api.texts(ANNA) == []
    api.faults.clear()
    async with server(forge) as client:
        greeting, answer = await api.until(ANNA, 2, seconds=40)
        assert "автоматический помощник" in greeting
        assert "14" in answer
        assert "¹" in answer, "an answer names its source"
        await counted(client, "delivered", 2)
        assert len(api.chat(ANNA)) == 2
    assert TOKEN.partition(":")[2] not in forge.log.read_text("utf-8")


async def test_killed_between_sending_and_recording_the_message_is_sent_again_and_counted(
    forge: Forge, api: TelegramApi
) -> None:
    api.faults.append(Fault("hang"))
    async with server(forge):
        await api.says(ANNA, QUESTION)
        (greeting,) = await api.until(ANNA, 1, seconds=40)
    assert [state for state, _ in outbox(forge)] == ["unknown", "pending"]
    async with server(forge) as client:
        texts = await api.until(ANNA, 3, seconds=40)
        assert texts[:2] == [greeting, greeting]
        assert "14" in texts[2]
        await counted(client, "delivered", 2)
        await counted(client, "repeated", 1)
    assert [state for state, _ in outbox(forge)] == ["delivered", "delivered"]
    assert "repeated: sent again, it may have arrived before" in forge.log.read_text("utf-8")


async def test_killed_while_messages_come_in_every_one_is_answered_once(
    forge: Forge, api: TelegramApi
) -> None:
    chats = range(10, 16)
    for round in range(3):
        async with server(forge):
            for chat in chats:
                api.languages[chat] = "ru"
                await api.says(chat, f"{QUESTION} {round}")
            await asyncio.sleep(0.1 + 0.15 * round)
    async with server(forge):
        for chat in chats:
            await api.until(chat, 2, seconds=40)

        async def done() -> bool:
            return not api.waiting and {state for state, _ in outbox(forge)} == {"delivered"}

        await sometime(done, seconds=40)
        await asyncio.sleep(1)
    base = sqlite3.connect(forge.data / "mayak.sqlite")
    for chat in chats:
        rows = base.execute(
            "SELECT inbox.text FROM inbox JOIN conversations c ON c.id = inbox.conversation "
            "WHERE c.external_id = ? ORDER BY inbox.seq",
            (str(chat),),
        ).fetchall()
        assert [text for (text,) in rows] == [f"{QUESTION} {round}" for round in range(3)]
        said = base.execute(
            "SELECT m.text FROM messages m JOIN conversations c ON c.id = m.conversation "
            "WHERE c.external_id = ? AND m.author != 'customer' ORDER BY m.seq",
            (str(chat),),
        ).fetchall()
        shown = [text.partition("\n\n¹")[0] for text in api.texts(chat)]
        assert_in_order(shown, [text for (text,) in said])
    assert base.execute("SELECT count(*) FROM turns WHERE outcome IS NULL").fetchone() == (0,)
    base.close()


def assert_in_order(shown: list[str], said: list[str]) -> None:
    """Everything said was shown in its order; what is shown beyond that repeats what stands right before it."""
    left, before = list(said), ""
    for text in shown:
        if left and text == left[0]:
            left.pop(0)
        else:
            assert text == before, "neither the next message nor a repetition of the last one"
        before = text
    assert left == []
