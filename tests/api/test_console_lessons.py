"""What an operator answered becomes a proposal when the case ends, and knowledge when a curator says so."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from agent.records.resolved import Cases, masked
from api.console.jobs import jobs
from api.learning import Learning
from knowledge.types import DocumentId
from tests.api.console_house import Console, console, escalated, send, signed_in
from tests.api.test_console_dialogues import harmless
from tests.api.test_curation import REPLY, WRAP, asked_in_vain
from tests.api.xss_payloads import PAYLOADS
from tools.context import ConversationId


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened
        await settled(opened)


async def settled(house: Console) -> None:
    await jobs(SimpleNamespace(app=house.app)).settled()  # type: ignore[arg-type]


async def lessons(house: Console, browser: httpx.AsyncClient, show: str = "open") -> str:
    """The page of the curator when every case was looked at."""
    await settled(house)
    return (await browser.get(f"/console/lessons?show={show}")).text


def first(page: str) -> str:
    """The id of the first proposal on a page."""
    return page.split('id="lesson-')[1].split('"')[0]


async def test_a_case_that_ends_makes_a_proposal_of_what_the_person_answered(house: Console) -> None:
    talk = await asked_in_vain(house.building, reply=f"Анна, здравствуйте! Одну минуту. {REPLY}")
    async with signed_in(house, "olga") as olga, signed_in(house, "kirill") as kirill:
        assert "No new proposals" in await lessons(house, kirill)
        await send(olga, f"/console/dialogues/{talk}/close")
        page = await lessons(house, kirill)
        assert f">{REPLY}</textarea>" in page
        assert WRAP in page
        # The evidence is all they said, without the name.
        assert "Одну минуту" in page
        assert "Анна" not in page
        assert "first answered by Ольга" in page
        read = await house.audited("questions")
        assert read[-1].target == "lessons"


async def test_what_was_looked_at_once_is_not_read_again_when_the_next_case_ends(house: Console) -> None:
    read: list[str] = []

    def counted(text: str) -> str:
        read.append(text)
        return masked(text)

    learning = Learning(house.building)
    learning.cases = Cases(house.building.engine, mask=counted)
    for wording in (WRAP, "Сколько стоит подарочная упаковка"):
        read.clear()
        talk = await asked_in_vain(house.building, wording)
        await house.building.records.close(talk, operator="olga", said="Всё.")
        await learning.gather()
        assert wording in read
        assert len(read) <= 3, "the question and the replies of this case alone"
    assert await learning.gather() == 0


async def test_giving_back_teaches_too_and_the_same_question_is_counted_not_repeated(house: Console) -> None:
    async with signed_in(house, "olga") as olga, signed_in(house, "kirill") as kirill:
        for wording in (WRAP, "подарочная упаковка: сколько стоит?", "Сколько стоит подарочная упаковка"):
            talk = await asked_in_vain(house.building, wording)
            await send(olga, f"/console/dialogues/{talk}/return")
            await settled(house)
        page = await lessons(house, kirill)
        assert page.count('id="lesson-') == 1
        assert "<strong>3</strong>" in page


@pytest.mark.parametrize(
    "reply",
    ["Здравствуйте! Одну минуту.", "Ваш заказ 1045-А приедет завтра.", "Подскажите номер заказа?", ""],
)
async def test_greetings_and_facts_of_one_case_make_no_proposal(house: Console, reply: str) -> None:
    talk = await asked_in_vain(house.building, reply=reply)
    async with signed_in(house, "olga") as olga, signed_in(house, "kirill") as kirill:
        await send(olga, f"/console/dialogues/{talk}/close")
        assert "No new proposals" in await lessons(house, kirill)


async def test_a_case_without_a_question_teaches_nothing(house: Console) -> None:
    talk = await escalated(house.building)
    records = house.building.records
    await records.claim(talk, operator="olga", name="Ольга")
    await records.person_says(talk, REPLY, operator="olga", name="Ольга")
    await records.close(talk, operator="olga")
    assert await Learning(house.building).gather() == 0


async def test_who_called_a_person_at_once_is_understood_by_what_they_said_to_them(house: Console) -> None:
    talk = await escalated(house.building)
    records = house.building.records
    house.clock.pass_by(seconds=5)
    await records.accept(talk, key="k2", text="Сколько стоит подарочная упаковка?")
    await records.claim(talk, operator="olga", name="Ольга", said="Ольга. Дальше отвечаю я про упаковку.")
    house.clock.pass_by(seconds=5)
    await records.person_says(talk, REPLY, operator="olga", name="Ольга")
    await records.close(talk, operator="olga")
    assert await Learning(house.building).gather() == 1
    (one,) = await Learning(house.building).proposals()
    # The greeting of whoever took the case is no answer.
    assert (one.lesson.question, one.lesson.answer) == (WRAP, REPLY)


async def test_an_operator_words_the_lesson_at_the_end_and_sees_what_is_left_out(house: Console) -> None:
    talk = await asked_in_vain(house.building, reply=f"{REPLY} Ваш заказ уже собран.")
    async with signed_in(house, "olga") as olga, signed_in(house, "kirill") as kirill:
        assert f"/console/dialogues/{talk}/lesson" in (await olga.get(f"/console/dialogues/{talk}")).text
        page = (await olga.get(f"/console/dialogues/{talk}/lesson")).text
        assert f">{REPLY}</textarea>" in page
        assert "Ваш заказ уже собран." in page
        assert "about this customer" in page
        empty = await send(
            olga, f"/console/dialogues/{talk}/lesson", propose="yes", question=WRAP, answer=" "
        )
        assert empty.headers["Location"].endswith("trouble=empty")
        done = await send(
            olga,
            f"/console/dialogues/{talk}/lesson",
            propose="yes",
            question="Сколько стоит упаковка для заказа 1045-А?",
            answer="Упаковка — 90 рублей.\r\nАнна Петрова делает её бесплатно.",
            end="close",
        )
        assert "said=closed" in done.headers["Location"]
        page = await lessons(house, kirill)
        assert "Упаковка — 90 рублей." in page
        assert "Анна" not in page
        assert "1045-А" not in page
        assert (await house.building.records.conversation(talk)).holder == "closed"
        assert len(await house.audited("lesson_proposed")) == 1


async def test_an_operator_may_withhold_the_lesson(house: Console) -> None:
    talk = await asked_in_vain(house.building)
    async with signed_in(house, "olga") as olga, signed_in(house, "kirill") as kirill:
        await send(olga, f"/console/dialogues/{talk}/lesson", question=WRAP, answer=REPLY, end="return")
        assert (await house.building.records.conversation(talk)).holder == "ai"
        assert "No new proposals" in await lessons(house, kirill)


async def test_who_does_not_hold_the_case_neither_ends_it_nor_proposes(house: Console) -> None:
    talk = await asked_in_vain(house.building)
    async with signed_in(house, "pavel") as pavel:
        assert "is not yours" in (await pavel.get(f"/console/dialogues/{talk}/lesson")).text
        answer = await send(
            pavel, f"/console/dialogues/{talk}/lesson", propose="yes", question="q", answer="a"
        )
        assert answer.status_code == 409
        assert await Learning(house.building).book.wish(await turn_of(house, talk)) is None


async def turn_of(house: Console, talk: ConversationId) -> str:
    case = await Learning(house.building).cases.of(talk)
    assert case is not None
    return case.turn


async def test_a_draft_of_the_curators_words_is_published_like_any_other_and_taken_back_only_when_retired(
    house: Console,
) -> None:
    talk = await asked_in_vain(house.building)
    await house.building.records.close(talk, operator="olga")
    async with signed_in(house, "kirill") as kirill:
        await send(kirill, "/console/lessons")
        name = first(await lessons(house, kirill))
        empty = await send(kirill, f"/console/lessons/{name}/draft", question=WRAP, answer="")
        assert "trouble=wrong_state" in empty.headers["Location"]
        made = await send(kirill, f"/console/lessons/{name}/draft", question=WRAP, answer="Упаковка: 90 ₽.")
        assert made.headers["Location"] == f"/console/knowledge/lesson-{name}?said=drafted"
        text = await house.building.library.catalogue.text(DocumentId(f"lesson-{name}"))
        assert text == f"# {WRAP}\n\nУпаковка: 90 ₽.\n"
        assert "Упаковка: 90 ₽." in await lessons(house, kirill, "drafted")
        await house.building.library.publish(DocumentId(f"lesson-{name}"), by="staff:kirill")
        page = await lessons(house, kirill, "published")
        assert "Open the article" in page
        assert "Take the decision back" not in page
        live = await send(kirill, f"/console/lessons/{name}/reopen")
        assert "trouble=wrong_state" in live.headers["Location"]
        await house.building.library.retire(DocumentId(f"lesson-{name}"), by="staff:kirill")
        await send(kirill, f"/console/lessons/{name}/reopen")
        assert first(await lessons(house, kirill)) == name


async def test_a_refused_proposal_does_not_come_back_until_it_is_taken_back(house: Console) -> None:
    async with signed_in(house, "kirill") as kirill:
        talk = await asked_in_vain(house.building)
        await house.building.records.close(talk, operator="olga")
        await send(kirill, "/console/lessons")
        name = first(await lessons(house, kirill))
        await send(kirill, f"/console/lessons/{name}/refuse", refusal="known", why="см. «Услуги»")
        assert "No new proposals" in await lessons(house, kirill)
        talk = await asked_in_vain(house.building)
        await house.building.records.close(talk, operator="olga")
        await send(kirill, "/console/lessons")
        assert "No new proposals" in await lessons(house, kirill)
        page = await lessons(house, kirill, "refused")
        for words in ("already in the documents", "см. «Услуги»", "<strong>2</strong>"):
            assert words in page
        again = await send(kirill, f"/console/lessons/{name}/refuse", refusal="known")
        assert "trouble=wrong_state" in again.headers["Location"]
        await send(kirill, f"/console/lessons/{name}/reopen")
        assert first(await lessons(house, kirill)) == name
        (line,) = await house.audited("lesson_refused")
        assert (line.actor, line.detail["reason"]) == ("kirill", "known")


async def test_a_case_whose_end_nobody_saw_is_looked_at_when_the_page_is_opened(house: Console) -> None:
    talk = await asked_in_vain(house.building)
    await house.building.records.close(talk, operator="olga")
    async with signed_in(house, "kirill") as kirill:
        await kirill.get("/console/lessons")
        assert WRAP in await lessons(house, kirill)


async def test_what_customers_and_staff_write_is_shown_as_text(house: Console) -> None:
    for payload in PAYLOADS[:6]:
        talk = await asked_in_vain(
            house.building, f"Сколько стоит {payload}", reply=f"Это стоит 90 рублей {payload} всегда"
        )
        await house.building.records.close(talk, operator="olga")
    await Learning(house.building).gather()
    async with signed_in(house, "kirill") as kirill:
        harmless(await lessons(house, kirill))
