"""What goes wrong between opening a conversation and answering in it: said in words, and the typed text is not lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from bs4 import BeautifulSoup

from api.rights.erasing import erase
from api.rights.subject import subject_named
from tests.api.console_house import Console, console, escalated, form_token, send, sign_in, signed_in
from tools.context import ConversationId

TYPED = "Половина ответа"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


@pytest.fixture
async def olga(house: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(house, "olga") as browser:
        yield browser


async def claimed(house: Console, browser: httpx.AsyncClient, **how: str) -> ConversationId:
    talk = await escalated(house.building, **how)  # type: ignore[arg-type]
    await send(browser, f"/console/dialogues/{talk}/claim")
    return talk


async def forget(house: Console, id: str) -> None:
    async with house.building.engine.begin() as connection:
        subject = await subject_named(connection, id)
        await erase(connection, subject, whole=True, secret="s", at=house.clock.now())


def field(page: str) -> str:
    found = BeautifulSoup(page, "html.parser").select_one("textarea")
    assert found is not None
    return found.text.removeprefix("\n")


async def test_a_reply_to_a_closed_conversation_is_not_sent_and_comes_back(
    house: Console, olga: httpx.AsyncClient
) -> None:
    talk = await claimed(house, olga)
    async with signed_in(house, "olga") as elsewhere:
        await send(elsewhere, f"/console/dialogues/{talk}/close")
    before = await house.building.records.messages(talk)
    answer = await send(olga, f"/console/dialogues/{talk}/reply", text=TYPED)
    assert answer.status_code == 409
    assert "was closed meanwhile" in answer.text
    assert field(answer.text) == TYPED
    assert await house.building.records.messages(talk) == before


async def test_a_forgotten_customer_is_neither_claimed_nor_answered_and_the_text_comes_back(
    house: Console, olga: httpx.AsyncClient
) -> None:
    talk = await claimed(house, olga)
    await send(olga, f"/console/dialogues/{talk}/suggest")
    await forget(house, talk)
    for act in ("claim", "return", "close", "suggest", "reply"):
        answer = await send(olga, f"/console/dialogues/{talk}/{act}", text=TYPED)
        assert answer.status_code == 404, act
        assert "conversation" in answer.text, act
    assert field(answer.text) == TYPED


@pytest.mark.parametrize("length", [4_001, 100_000])
async def test_a_reply_that_is_too_long_comes_back_whole(
    house: Console, olga: httpx.AsyncClient, length: int
) -> None:
    talk = await claimed(house, olga)
    text = ("строка\n" * length)[:length].strip()
    answer = await send(olga, f"/console/dialogues/{talk}/reply", text=text)
    assert answer.status_code == 422
    assert field(answer.text) == text


async def test_ends_of_lines_are_no_letters_of_a_reply(house: Console, olga: httpx.AsyncClient) -> None:
    talk = await claimed(house, olga)
    text = "а\n" * 1999 + "я"
    answer = await send(olga, f"/console/dialogues/{talk}/reply", text=text.replace("\n", "\r\n"))
    assert "said=replied" in answer.headers["Location"]
    assert (await house.building.records.messages(talk))[-1].text == text


async def test_who_lost_the_role_while_typing_is_told_that_nothing_was_sent_and_where_the_draft_is(
    house: Console, olga: httpx.AsyncClient
) -> None:
    talk = await claimed(house, olga)
    token, before = await form_token(olga), await house.building.records.messages(talk)
    await house.staff.set_roles("olga", frozenset({"curator"}))
    form = {"form_token": token, "text": TYPED}
    for act in ("reply", "suggest", "claim"):
        answer = await olga.post(f"/console/dialogues/{talk}/{act}", data=form)
        assert answer.headers["Location"] == "/console/login?said=expired"
    await sign_in(olga, "olga")
    for act in ("reply", "suggest", "claim"):
        answer = await olga.post(f"/console/dialogues/{talk}/{act}", data=form)
        assert answer.status_code == 403
        assert "Nothing was sent or changed" in answer.text
        assert "kept in this browser" in answer.text
    assert await house.building.records.messages(talk) == before


async def test_whose_session_ended_while_typing_signs_in_again_and_is_told_that_the_draft_is_kept(
    house: Console, olga: httpx.AsyncClient
) -> None:
    talk = await claimed(house, olga)
    token, before = await form_token(olga), await house.building.records.messages(talk)
    await house.staff.close_sessions("olga")
    form = {"form_token": token, "text": TYPED}
    answer = await olga.post(f"/console/dialogues/{talk}/reply", data=form)
    assert answer.headers["Location"] == "/console/login?said=expired"
    assert "the draft of your reply is kept" in (await olga.get(answer.headers["Location"])).text
    assert await house.building.records.messages(talk) == before
