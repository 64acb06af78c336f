"""On every channel the AI says what it is: first of all, and again once a person has handed back."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.api.identity_desk import Town, open_town, settings_of
from tests.api.telegram_desk import sometime
from tests.telegram_api import TOKEN, TelegramApi, telegram_api
from tools.context import ConversationId

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = 7100
AGAIN = "С вами снова автоматический помощник магазина «Фонарь». Человека можно позвать в любой момент."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api() -> AsyncIterator[TelegramApi]:
    async with telegram_api() as api:
        yield api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(api: TelegramApi, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    line: dict[str, Any] = {"telegram_token": TOKEN, "telegram_api": api.url, "public_url": "http://mayak"}
    settings = settings_of(folder / "house", **line)
    async with open_town(settings) as town:
        yield town


async def attended(town: Town, conversation: ConversationId, *, end: str) -> None:
    """Let a person take the conversation, speak, and let go of it."""
    records = town.building.records
    await records.claim(conversation, operator="olga", name="Ольга")
    await records.person_says(conversation, "Проверила, всё в порядке.", operator="olga", name="Ольга")
    await getattr(records, end)(conversation, operator="olga")


@pytest.mark.parametrize("channel", ["widget", "api"])
@pytest.mark.parametrize("end", ["return_to_ai", "close"])
async def test_after_a_person_the_next_answer_begins_with_it_and_only_that_one(
    town: Town, channel: str, end: str
) -> None:
    visit = await town.visit(channel=channel)
    assert "автоматический помощник магазина «Фонарь»" in (await visit.lines())[0]
    await attended(town, visit.id, end=end)
    await visit.say("Привет")
    assert (await visit.lines())[-2] == AGAIN
    await visit.say("Спасибо")
    assert (await visit.lines()).count(AGAIN) == 1


async def test_a_messenger_is_told_with_the_first_answer_and_after_a_person(
    town: Town, api: TelegramApi
) -> None:
    api.languages[CHAT] = "ru"
    await api.says(CHAT, "Привет")
    first = await api.until(CHAT, 2)
    assert "автоматический помощник магазина «Фонарь»" in first[0]
    records = town.building.records
    known = await records.open_conversation(channel="telegram", external_id=str(CHAT), language="ru")
    await attended(town, known.id, end="return_to_ai")
    await api.until(CHAT, 3)
    await api.says(CHAT, "Привет")
    assert AGAIN in (await api.until(CHAT, 5))[3]


async def test_a_turn_that_broke_says_what_answers_before_it_says_so(town: Town) -> None:
    visit = await town.visit(channel="api")
    await attended(town, visit.id, end="return_to_ai")
    turn = town.building.turn

    async def broken(*_: Any, **__: Any) -> None:
        raise ValueError("the turn broke")

    turn.run, run = broken, turn.run
    try:
        assert (await visit.say("Привет"))["outcome"] == "escalated"
    finally:
        turn.run = run
    assert (await visit.lines())[-2] == AGAIN
    await sometime(lambda: said_it(town, visit.id))


async def said_it(town: Town, conversation: ConversationId) -> bool:
    return bool((await town.building.records.conversation(conversation)).disclosed)
