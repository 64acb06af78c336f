"""The webhook: nothing without its secret, nothing answered before it is stored, order kept where it can be."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from api.channels.sequence import InOrder
from api.serving import channels
from api.settings import BadSetting
from tests.api.desk import settings_in
from tests.api.telegram_desk import Post, open_post, sometime
from tests.telegram_api import TOKEN, TelegramApi, telegram_api

SECRET = "a-secret_Of_the_webhook"
ANSWER = "You said: {}\n\n¹ Returns"


async def registered(api: TelegramApi) -> None:
    async def done() -> bool:
        return bool(api.webhook)

    await sometime(done)


async def test_updates_are_posted_here_and_stored_before_they_are_confirmed(tmp_path: Path) -> None:
    async with telegram_api() as api, open_post(tmp_path, api, telegram_secret=SECRET) as post:
        await registered(api)
        assert api.webhook["url"] == "http://mayak/v1/channels/telegram/webhook"
        assert (api.webhook["secret_token"], api.webhook["max_connections"]) == (SECRET, "1")
        update = api.numbered(message=api.letter(1, text="hello"))
        assert await api.post(post.client, update) == 200
        assert await post.texts(1) == ["hello"]
        assert await api.post(post.client, update) == 200
        assert await api.until(1, 1) == [ANSWER.format("hello")]
        assert await post.texts(1) == ["hello"]
        assert api.made("getUpdates") == []


async def test_without_the_right_secret_nothing_is_stored(tmp_path: Path) -> None:
    async with telegram_api() as api, open_post(tmp_path, api, telegram_secret=SECRET) as post:
        await registered(api)
        update = api.numbered(message=api.letter(1, text="hello"))
        for wrong in ("wrong", f"{SECRET}x", SECRET[:-1], SECRET.lower(), "секрет"):
            headers = {"X-Telegram-Bot-Api-Secret-Token": wrong.encode()}
            answer = await post.client.post(api.webhook["url"], json=update, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (401, "urn:mayak:problem:webhook_refused")
        assert (await post.client.post(api.webhook["url"], json=update)).status_code == 401
        assert await post.texts(1) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"update_id": {}}', b"\xff"])
async def test_what_is_no_update_is_refused(tmp_path: Path, house: Post, body: bytes) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
    answer = await house.client.post("/v1/channels/telegram/webhook", content=body, headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (422, "Not an update")


@pytest.fixture
async def house(tmp_path: Path) -> Any:
    async with telegram_api() as api, open_post(tmp_path, api, telegram_secret=SECRET) as post:
        yield post


async def test_without_a_secret_the_webhook_is_off(tmp_path: Path) -> None:
    async with telegram_api() as api, open_post(tmp_path, api) as post:
        update = api.numbered(message=api.letter(1, text="hello"))
        answer = await post.client.post("/v1/channels/telegram/webhook", json=update)
        assert (answer.status_code, answer.json()["title"]) == (404, "Webhook off")
        assert await post.texts(1) == []


async def test_without_a_token_there_is_no_webhook_at_all(tmp_path: Path) -> None:
    assert channels(settings_in(tmp_path, telegram_secret=SECRET)) == ()


@pytest.mark.parametrize(
    "wrong", [{"telegram_token": "no token"}, {"telegram_token": TOKEN, "telegram_secret": "ключ"}]
)
async def test_a_token_or_secret_that_cannot_be_one_is_refused_at_the_start(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    with pytest.raises(BadSetting) as refused:
        channels(settings_in(tmp_path, **wrong))
    assert refused.value.remedy
    assert wrong["telegram_token"] not in str(refused.value)


async def test_posts_that_overtake_one_another_keep_each_chats_order_and_doubles_are_taken_once(
    tmp_path: Path,
) -> None:
    async with telegram_api() as api, open_post(tmp_path, api, telegram_secret=SECRET) as post:
        await registered(api)
        said = {chat: [f"{n} of {chat}" for n in range(6)] for chat in range(1, 5)}
        updates = [
            api.numbered(message=api.letter(chat, text=said[chat][n])) for n in range(6) for chat in said
        ]
        double = [*updates, *updates]
        random.Random(11).shuffle(double)
        statuses = await asyncio.gather(*(api.post(post.client, update) for update in double))
        assert set(statuses) == {200}
        for chat, words in said.items():
            assert await post.texts(chat) == words
        await post.settled(24)
        for chat, words in said.items():
            answers = [text.removesuffix("\n\n¹ Returns") for text in api.texts(chat)]
            assert "\n".join(text.removeprefix("You said: ") for text in answers).split("\n") == words


async def test_numbers_are_let_through_in_order_and_a_missing_one_is_not_waited_for_long() -> None:
    sequence, entered = InOrder(grace=0.2), []

    async def arrive(number: int) -> None:
        async with sequence.place(number, "chat"):
            entered.append(number)

    await asyncio.gather(*(arrive(number) for number in (14, 12, 11, 13, 12)))
    assert entered == [11, 12, 12, 13, 14]
    began = asyncio.get_running_loop().time()
    await asyncio.gather(arrive(16), arrive(15))
    assert asyncio.get_running_loop().time() - began < 0.1
    await asyncio.wait_for(asyncio.gather(*(arrive(number) for number in (20, 19))), 1)
    assert entered[5:] == [15, 16, 19, 20]


async def test_one_chat_at_work_does_not_hold_up_another() -> None:
    sequence, go_on = InOrder(grace=0.01), asyncio.Event()
    entered: list[str] = []

    async def arrive(number: int, chat: str) -> None:
        async with sequence.place(number, chat):
            entered.append(chat)
            if chat == "slow":
                await go_on.wait()

    slow = asyncio.create_task(arrive(1, "slow"))
    behind = asyncio.create_task(arrive(2, "slow"))
    await arrive(3, "quick")
    assert entered == ["slow", "quick"]
    go_on.set()
    await asyncio.gather(slow, behind)
    assert entered == ["slow", "quick", "slow"]
