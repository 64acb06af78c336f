"""Telegram end to end: a chat is a conversation, an update is taken once, an answer arrives."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.api.desk import PACK
from tests.api.telegram_desk import Post, open_post, sometime
from tests.telegram_api import TelegramApi, telegram_api

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUP = -900
NUMBERS = itertools.count(5000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api() -> AsyncIterator[TelegramApi]:
    async with telegram_api() as api:
        yield api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def post(api: TelegramApi, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Post]:
    async with open_post(tmp_path_factory.mktemp("post"), api) as post:
        yield post


@pytest.fixture
def anna(api: TelegramApi) -> int:
    """The private chat of a customer whose client speaks English."""
    chat = next(NUMBERS)
    api.languages[chat] = "en-GB"
    return chat


@pytest.fixture
def boris(api: TelegramApi) -> int:
    """The private chat of a customer whose client speaks Russian."""
    chat = next(NUMBERS)
    api.languages[chat] = "ru"
    return chat


async def test_a_question_is_answered_with_its_sources_and_without_previews(
    post: Post, api: TelegramApi, anna: int
) -> None:
    await api.says(anna, "returns & <b>refunds</b>")
    (text,) = await api.until(anna, 1)
    assert text == "You said: returns & <b>refunds</b>\n\n¹ Returns"
    (call,) = [c.fields for c in api.made("sendMessage") if c.fields["chat_id"] == str(anna)]
    assert call["link_preview_options"] == '{"is_disabled": true}'
    assert "reply_markup" not in call
    conversation = await post.records.conversation(await post.conversation(anna))
    assert conversation.channel == "telegram"
    assert (conversation.assurance, conversation.language) == ("anonymous", "en")


async def test_who_opens_the_chat_is_told_in_their_language_that_a_program_answers(
    post: Post, api: TelegramApi, anna: int, boris: int
) -> None:
    await api.says(anna, "/start")
    await api.says(boris, "/start from_the_site")
    assert "automated assistant" in (await api.until(anna, 1))[0]
    assert "автоматический помощник" in (await api.until(boris, 1))[0]
    labels = [label for label, _ in api.chat(boris)[0].buttons]
    assert labels == [*PACK.quick_replies["ru"], "Позвать человека"]
    await api.presses(boris, labels[0])
    assert (await api.until(boris, 2))[1].startswith("You said:")
    assert (await post.lines(boris))[:2] == [("system", api.texts(boris)[0]), ("customer", labels[0])]


async def test_without_a_clients_language_the_words_decide(post: Post, api: TelegramApi) -> None:
    chat = next(NUMBERS)
    await api.says(chat, "Сколько дней на возврат товара?")
    await api.until(chat, 1)
    assert (await post.records.conversation(await post.conversation(chat))).language == "ru"


async def test_opening_the_chat_again_while_a_person_holds_it_is_a_message_to_them(
    post: Post, api: TelegramApi, anna: int
) -> None:
    await api.says(anna, "person please")
    await api.until(anna, 1)
    await api.says(anna, "/start")
    assert await post.stored(anna, 2) == ["person please", "/start"]


async def test_consent_is_given_by_a_button_and_the_press_is_confirmed(
    post: Post, api: TelegramApi, anna: int
) -> None:
    await api.says(anna, "orders please")
    await api.until(anna, 1)
    assert [label for label, _ in api.chat(anna)[0].buttons] == ["Allow"]
    tap = await api.presses(anna, "Allow")
    assert (await api.until(anna, 2))[1] == "Thanks."
    (row,) = await post.records.consents(await post.conversation(anna))
    assert (row.purpose, row.granted) == ("orders:read", True)
    assert await api.tapped(tap) == ""


@pytest.mark.parametrize(
    "data", ["2:0:0123456789abcdef", "99:0:0123456789abcdef", "x", "2:7:0123456789abcdef"]
)
async def test_a_button_that_was_never_offered_does_nothing(
    post: Post, api: TelegramApi, anna: int, data: str
) -> None:
    await api.says(anna, "orders please")
    await api.until(anna, 1)
    tap = await api.presses(anna, "Allow", data=data)
    assert await api.tapped(tap) == "This button no longer works. Tell me in words what you need."
    assert len(await post.texts(anna)) == 1
    assert await post.records.consents(await post.conversation(anna)) == ()


async def test_another_chats_button_does_nothing_here(
    post: Post, api: TelegramApi, anna: int, boris: int
) -> None:
    await api.says(anna, "orders please")
    await api.says(boris, "hello")
    await api.until(anna, 1)
    await api.until(boris, 1)
    tap = await post_press(api, boris, data=api.chat(anna)[0].buttons[0][1])
    assert await api.tapped(tap) == "Эта кнопка больше не действует. Напишите словами, что нужно."
    assert await post.records.consents(await post.conversation(boris)) == ()


async def post_press(api: TelegramApi, chat: int, *, data: str) -> str:
    """Press what was never shown in the chat, as a manipulated client can."""
    letter = api.letter(chat, text="hello")
    query = {"id": f"forged{chat}", "from": api.person(chat), "chat_instance": "1", "message": letter}
    await api.send(callback_query={**query, "data": data})
    return f"forged{chat}"


async def test_a_persons_words_arrive_under_their_name_and_the_assistant_is_silent(
    post: Post, api: TelegramApi, anna: int
) -> None:
    await api.says(anna, "person please")
    await api.until(anna, 1)
    id = await post.conversation(anna)
    await post.records.claim(id, operator="olga", name="Olga", said="Olga here.")
    await post.records.person_says(id, "Your parcel <is> on its way.", operator="olga", name="Olga")
    texts = await api.until(anna, 3)
    assert texts[1:] == ["Olga · person\nOlga here.", "Olga · person\nYour parcel <is> on its way."]
    assert api.chat(anna)[2].html.startswith("<b>Olga · person</b>\n")
    assert api.chat(anna)[0].html.startswith("<b>AI</b>\n")
    actions = len(api.made("sendChatAction"))
    await api.says(anna, "thank you")
    await post.stored(anna, 2)
    await asyncio.sleep(0.3)
    assert len(api.texts(anna)) == 3
    assert len(api.made("sendChatAction")) == actions


async def test_typing_is_shown_while_the_turn_runs(post: Post, api: TelegramApi, anna: int) -> None:
    turn = post.house.building.turn
    turn.reached.clear()
    turn.gate.clear()
    await api.says(anna, "slow question")
    await asyncio.wait_for(turn.reached.wait(), 10)
    sign = {"chat_id": str(anna), "action": "typing"}

    async def shown() -> bool:
        return sign in [call.fields for call in api.made("sendChatAction")]

    await sometime(shown)
    assert api.texts(anna) == []
    turn.gate.set()
    await api.until(anna, 1)


@pytest.mark.heavy
async def test_a_hundred_updates_in_disorder_and_double_keep_each_chats_order(
    post: Post, api: TelegramApi
) -> None:
    chats = [next(NUMBERS) for _ in range(10)]
    said = {chat: [f"message {n} of {chat}" for n in range(10)] for chat in chats}
    updates = [
        api.numbered(message=api.letter(chat, text=said[chat][n])) for n in range(10) for chat in chats
    ]
    double = [*updates, *updates]
    random.Random(7).shuffle(double)
    before = len(await post.inbox())
    await api.put(*double)
    await post.settled(before + 100)
    for chat in chats:
        lines = await post.lines(chat)
        assert [text for author, text in lines if author == "customer"] == said[chat]
        answers = [text for author, text in lines if author == "ai"]
        assert "\n".join(text.removeprefix("You said: ") for text in answers).split("\n") == said[chat]
        assert [text.removesuffix("\n\n¹ Returns") for text in api.texts(chat)] == answers


async def test_anything_but_words_is_answered_by_saying_so_once(
    post: Post, api: TelegramApi, anna: int
) -> None:
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 10, "height": 10}]
    await api.says(anna, photo=photo)
    greeting, remark = await api.until(anna, 2)
    assert "automated assistant" in greeting
    assert remark.startswith("Only text gets through here")
    for _ in range(3):
        await api.says(anna, photo=photo, media_group_id="album")
    await api.says(anna, photo=photo, caption="what is this lamp?")
    texts = await api.until(anna, 5)
    assert sorted(texts[2:]) == [remark, remark, "You said: what is this lamp?\n\n¹ Returns"]
    assert await post.texts(anna) == ["what is this lamp?"]


async def test_a_service_message_is_nobodys_question(post: Post, api: TelegramApi, anna: int) -> None:
    await api.says(anna, message_auto_delete_timer_changed={"message_auto_delete_time": 60})
    await api.says(anna, "hello")
    await api.until(anna, 1)
    assert await post.texts(anna) == ["hello"]


async def test_a_group_is_left_alone_and_who_addresses_us_there_is_sent_to_a_private_chat(
    post: Post, api: TelegramApi, anna: int
) -> None:
    api.languages[GROUP] = "en"
    await api.send(message=api.letter(GROUP, kind="group", text="where is my order?"))
    await api.send(message=api.letter(GROUP, kind="group", text="/start@lamp_bot"))
    assert await api.until(GROUP, 1) == ["I answer in private chats only. Write to me there."]
    await api.says(anna, "hello")
    await api.until(anna, 1)
    assert len(api.texts(GROUP)) == 1
    assert await post.texts(GROUP) == []


async def test_an_edit_counts_while_nothing_is_answered_and_is_left_alone_afterwards(
    post: Post, api: TelegramApi, anna: int
) -> None:
    turn = post.house.building.turn
    turn.reached.clear()
    turn.gate.clear()
    await api.says(anna, "slow start")
    await asyncio.wait_for(turn.reached.wait(), 10)
    letter = (await api.says(anna, "wher is it"))["message"]
    await api.edits(letter, "where is it")
    assert await post.stored(anna, 3) == ["slow start", "wher is it", "where is it"]
    turn.gate.set()

    async def answered() -> bool:
        return "where is it" in " ".join(api.texts(anna))

    await sometime(answered)
    answers = len(api.texts(anna))
    await api.edits(letter, "where was it")
    await api.says(anna, "bye")
    await api.until(anna, answers + 1)
    assert (await post.texts(anna))[3:] == ["bye"]


async def test_too_many_messages_are_refused_in_words_and_only_once(
    post: Post, api: TelegramApi, anna: int
) -> None:
    many = PACK.limits.messages_per_minute + 8
    for n in range(many):
        await api.says(anna, f"number {n}")

    def refusals() -> list[str]:
        return [text for text in api.texts(anna) if text.startswith("That's too many messages")]

    async def refused() -> bool:
        return bool(refusals())

    await sometime(refused, seconds=30)
    assert PACK.limits.messages_per_minute <= len(await post.texts(anna)) < many
    assert len(refusals()) <= 2, "at most one a minute"


async def test_a_long_answer_comes_in_parts_that_end_with_sentences(
    post: Post, api: TelegramApi, anna: int
) -> None:
    await api.says(anna, "person please")
    await api.until(anna, 1)
    id = await post.conversation(anna)
    text = " ".join(f"Sentence number {n} is neither long nor short." for n in range(250))
    await post.records.claim(id, operator="olga", name="Olga")
    await post.records.person_says(id, text, operator="olga", name="Olga")
    texts = (await api.until(anna, 4))[1:]
    assert all(len(part) <= 4096 and part.endswith(".") for part in texts)
    assert " ".join(texts).removeprefix("Olga · person\n") == text
