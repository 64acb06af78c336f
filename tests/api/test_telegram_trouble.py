"""Telegram on a bad day: floods, failures, doubt, restarts. Nothing is lost, what may be double is counted."""

import logging
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from agent.records.tables import outbox
from tests.api.telegram_desk import open_post, sometime
from tests.telegram_api import TOKEN, Fault, telegram_api

pytestmark = pytest.mark.heavy

OTHERS = ("aiosqlite", "asyncio")
"""Loggers that `set_up_logs` keeps quiet: at the lowest level they show the statements of a database."""
ANSWER = "You said: {}\n\n¹ Returns"


async def test_an_update_that_comes_twice_is_answered_once(tmp_path: Path) -> None:
    async with telegram_api() as api:
        async with open_post(tmp_path, api) as post:
            update = await api.says(1, "hello")
            await api.put(update)
            await api.until(1, 1)
            await api.says(2, "a later one")
            await api.until(2, 1)
        api.confirmed = 0
        await api.put(update)
        async with open_post(tmp_path, api) as post:
            await api.says(2, "the last one")
            await api.until(2, 2)
            assert api.texts(1) == ["You said: hello\n\n¹ Returns"]
            assert await post.texts(1) == ["hello"]


async def test_a_flood_is_waited_out_as_told_without_holding_up_other_chats(tmp_path: Path) -> None:
    async with telegram_api() as api, open_post(tmp_path, api) as post:
        api.faults.append(Fault("flood", seconds=2))
        await api.says(1, "one")
        await sometime(lambda: said(post, "later", 1))
        await api.says(1, "two")
        await api.says(2, "other")
        await api.until(2, 1)
        assert await api.until(1, 2) == [ANSWER.format("one"), ANSWER.format("two")]
        first, second, *_ = [c.at for c in api.made("sendMessage") if c.fields["chat_id"] == "1"]
        assert second - first >= 2
        assert api.chat(2)[0].at < second
        await sometime(lambda: said(post, "delivered", 3))
        assert await post.states() == ["delivered"] * 3
        assert post.counted("repeated") == 0


async def said(post: Any, result: str, count: int) -> bool:
    return bool(post.counted(result) >= count)


@pytest.mark.parametrize("trouble", ["error", "drop"])
async def test_an_answer_that_failed_is_sent_again_until_it_arrives(tmp_path: Path, trouble: Any) -> None:
    async with telegram_api() as api, open_post(tmp_path, api) as post:
        api.faults.append(Fault(trouble, times=2))
        await api.says(1, "hello")
        assert await api.until(1, 1) == [ANSWER.format("hello")]
        assert post.counted("uncertain") == 2, "nobody can tell a late failure from an early one"


async def test_what_arrived_unconfirmed_is_sent_again_counted_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with telegram_api() as api, open_post(tmp_path, api) as post:
        api.faults.append(Fault("late"))
        await api.says(1, "hello")
        assert await api.until(1, 2) == [ANSWER.format("hello")] * 2
        await sometime(lambda: said(post, "delivered", 1))
        assert (post.counted("uncertain"), post.counted("repeated")) == (1, 1)
        assert await post.states() == ["delivered"]
    assert "repeated: sent again, it may have arrived before" in caplog.text


async def test_of_a_message_in_parts_only_the_missing_ones_are_sent_again(tmp_path: Path) -> None:
    async with telegram_api() as api, open_post(tmp_path, api) as post:
        await api.says(1, "person please")
        await api.until(1, 1)
        id = await post.conversation(1)
        await post.records.claim(id, operator="olga", name="Olga")
        api.faults += [Fault("pass"), Fault("error")]
        text = " ".join(f"Sentence {n} of a long letter." for n in range(400))
        await post.records.person_says(id, text, operator="olga", name="Olga")
        await sometime(lambda: said(post, "delivered", 2))
        assert post.counted("uncertain") == 1
        assert " ".join(api.texts(1)[1:]).removeprefix("Olga · person\n") == text


async def test_who_blocked_the_bot_is_not_written_to_again_and_staff_can_see_it(tmp_path: Path) -> None:
    async with telegram_api() as api, open_post(tmp_path, api) as post:
        api.faults.append(Fault("blocked"))
        await api.says(1, "hello")
        await sometime(lambda: said(post, "refused", 1))
        assert await post.states() == ["failed"]
        await api.says(1, "me again")
        assert await api.until(1, 1) == [ANSWER.format("me again")]
        await sometime(lambda: said(post, "delivered", 1))
        assert await post.states() == ["failed", "delivered"]


async def test_a_message_that_could_not_be_stored_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telegram_api() as api, open_post(tmp_path, api) as post:
        accept, failed = post.records.accept, []

        async def full_disk(*args: Any, **more: Any) -> Any:
            if not failed:
                failed.append(args)
                raise OperationalError("INSERT", {}, Exception("database or disk is full"))
            return await accept(*args, **more)

        monkeypatch.setattr(post.records, "accept", full_disk)
        await api.says(1, "hello")
        assert await api.until(1, 1) == [ANSWER.format("hello")]
        assert failed


async def test_one_odd_update_holds_up_nobody(tmp_path: Path) -> None:
    async with telegram_api() as api, open_post(tmp_path, api):
        await api.send(message={"message_id": "?", "chat": {"id": "x", "type": "private"}})
        await api.says(1, "hello")
        assert await api.until(1, 1) == [ANSWER.format("hello")]
        # An update as odd as this is in no description.
        api.violations.clear()


async def test_the_house_opens_without_telegram_and_hears_what_waited(tmp_path: Path) -> None:
    async with telegram_api() as api:
        api.faults.append(Fault("error", method="deleteWebhook"))
        await api.says(1, "written while nobody was there")
        async with open_post(tmp_path, api):
            assert await api.until(1, 1) == [ANSWER.format("written while nobody was there")]


async def test_a_wrong_token_stops_nothing_but_the_line_and_is_not_repeated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = TOKEN.replace("secret", "other1")
    async with telegram_api() as api, open_post(tmp_path, api, telegram_token=wrong) as post:

        async def told() -> bool:
            return "InvalidToken" in caplog.text

        await sometime(told)
        assert (await post.client.get("/healthz")).status_code == 200
    assert wrong.partition(":")[2] not in caplog.text


@pytest.mark.heavy
async def test_no_log_and_no_fault_holds_the_token_or_what_was_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with telegram_api() as api, open_post(tmp_path, api) as post:
        for trouble in ("flood", "error", "drop", "late"):
            api.faults.append(Fault(trouble, seconds=1))
        await api.says(1, "my own words")
        await api.until(1, 2)
        await sometime(lambda: said(post, "delivered", 1))
        faults = [row.fault for row in await post.rows(outbox)]
    assert "uncertain" in caplog.text
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name not in OTHERS)
    for text in (ours, *faults):
        assert TOKEN.partition(":")[2] not in text
        assert "my own words" not in text
