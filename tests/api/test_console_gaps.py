"""Gaps in the console: what was asked in vain, a draft of staff's own words, and how it goes after closing."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from api.console.jobs import jobs
from knowledge.types import DocumentId
from tests.api.console_house import Console, console, form_token, send, signed_in
from tests.api.test_console_dialogues import harmless
from tests.api.test_curation import REPLY, WRAP, asked_in_vain
from tests.api.xss_payloads import PAYLOADS


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


@pytest.fixture
async def browser(house: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(house, "kirill") as opened:
        yield opened


async def shown(house: Console, browser: httpx.AsyncClient) -> str:
    """The page when everything has been looked at."""
    await browser.get("/console/gaps")
    await jobs(SimpleNamespace(app=house.app)).settled()  # type: ignore[arg-type]
    return (await browser.get("/console/gaps")).text


async def test_a_gap_becomes_a_draft_and_is_closed_by_what_was_published(
    house: Console, browser: httpx.AsyncClient
) -> None:
    assert "No gaps in sight" in await shown(house, browser)
    await asked_in_vain(house.building)
    await send(browser, "/console/gaps")
    page = await shown(house, browser)
    for words in (WRAP, REPLY, "not sure", "Make a draft"):
        assert words in page
    name = page.split('action="/console/gaps/')[1].split("/")[0]
    made = await send(browser, f"/console/gaps/{name}/draft")
    assert made.headers["Location"] == f"/console/knowledge/gap-{name}?said=drafted"
    assert REPLY in (await browser.get(made.headers["Location"])).text
    page = await shown(house, browser)
    assert "has a draft" in page
    early = await send(browser, f"/console/gaps/{name}/close", document=f"gap-{name}")
    assert "trouble=wrong_state" in early.headers["Location"]
    house.clock.pass_by(minutes=1)
    await house.building.library.publish(DocumentId(f"gap-{name}"), by="staff:kirill")
    await send(browser, f"/console/gaps/{name}/close", document=f"gap-{name}")
    page = await shown(house, browser)
    assert "Nobody has asked since." in page
    await send(browser, f"/console/gaps/{name}/reopen")
    assert "Make a draft" in await shown(house, browser)


async def test_an_approved_answer_begins_with_how_customers_asked_and_what_staff_said(
    house: Console, browser: httpx.AsyncClient
) -> None:
    await asked_in_vain(house.building)
    page = await shown(house, browser)
    assert "No answers from documents" in page
    name = page.split('action="/console/gaps/')[1].split("/")[0]
    sheet = (await browser.get(f"/console/gaps/{name}/answer")).text
    assert REPLY in sheet
    assert f"## {WRAP.rstrip('?')}?" in sheet
    assert 'name="approved" value="yes" checked' in sheet
    typed = {"title": "Wrapping", "text": f"## {WRAP}\n\n{REPLY}", "language": "en", "audience": "customer"}
    made = await send(browser, "/console/draft", **typed, approved="yes")
    document = DocumentId(made.headers["Location"].split("/")[-1].split("?")[0])
    assert (await house.building.library.catalogue.document(document)).approved
    assert "answers without a model" in (await browser.get(f"/console/knowledge/{document}")).text
    await send(browser, f"/console/knowledge/{document}/details", audience="customer")
    assert not (await house.building.library.catalogue.document(document)).approved


async def test_a_gap_that_is_gone_is_told_in_words(house: Console, browser: httpx.AsyncClient) -> None:
    for act in ("draft", "close", "reopen"):
        answer = await send(browser, f"/console/gaps/none/{act}")
        assert "no such gap" in (await browser.get(answer.headers["Location"])).text
        await shown(house, browser)


async def test_what_customers_asked_never_becomes_markup(house: Console, browser: httpx.AsyncClient) -> None:
    await form_token(browser)
    for payload in PAYLOADS[:6]:
        await asked_in_vain(house.building, f"вопрос {payload}", f"Ответ сотрудника длинный {payload}")
    harmless(await shown(house, browser))
