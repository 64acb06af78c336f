"""Consequences in the console: a draft is checked beside the page, and published with what it changes in view."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from api.console.jobs import Jobs, Tell, jobs
from api.settings import ROOT
from knowledge.types import DocumentId
from tests.api.console_house import Console, console, send, signed_in
from tests.api.test_curation import LIVE, NEW, QUESTIONS, RETURNS

PAGE = "/console/knowledge/returns/consequences"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    company = tmp_path / "company"
    shutil.copytree(ROOT / "demo", company, ignore=shutil.ignore_patterns("knowledge", "sources"))
    (company / "questions.yaml").write_text(QUESTIONS, "utf-8")
    # The fake embedder is hardly ever sure.
    policy = (company / "policy.toml").read_text("utf-8")
    (company / "policy.toml").write_text(re.sub(r"(?m)^answer = .*$", "answer = 0.05", policy), "utf-8")
    async with console(tmp_path / "data", company=company) as opened:
        await drafted(opened, LIVE)
        await opened.building.library.publish(RETURNS, by="staff:kirill")
        yield opened


@pytest.fixture
async def browser(house: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(house, "kirill") as opened:
        yield opened


async def drafted(house: Console, text: str, *, name: str = "returns", title: str = "Возврат") -> None:
    await house.building.library.save_draft(
        DocumentId(name), text, title=title, language="ru", by="staff:kirill"
    )


async def checked(house: Console, browser: httpx.AsyncClient) -> str:
    """Check the newest draft; return the page that tells of it."""
    await send(browser, PAGE)
    await jobs(SimpleNamespace(app=house.app)).settled()  # type: ignore[arg-type]
    return (await browser.get(PAGE)).text


async def decide(browser: httpx.AsyncClient, page: str, act: str, **fields: str) -> httpx.Response:
    number = page.split('name="change" value="')[1].split('"')[0]
    return await send(browser, f"{PAGE}/{act}", change=number, **fields)


async def live(house: Console) -> int:
    return (await house.building.library.catalogue.document(RETURNS)).version


async def test_what_changes_is_shown_before_and_publishing_is_a_recorded_decision(
    house: Console, browser: httpx.AsyncClient
) -> None:
    assert "Not checked yet" in (await browser.get(PAGE)).text
    await drafted(house, NEW)
    page = await checked(house, browser)
    assert "3\u00a0questions asked, 2 unchanged." in page
    assert "no longer finds what it should" in page
    before, after = page.split("<h3>Now</h3>")[1].split("<h3>Then</h3>")
    assert ("14 дней" in before, "30 дней" in after) == (True, True)
    refused = await decide(browser, page, "publish")
    assert (refused.status_code, await live(house)) == (422, 1)
    assert "Some answers get worse" in refused.text
    done = await decide(browser, page, "publish", accept_worse="1", why="New law")
    assert done.headers["Location"].endswith("said=published")
    assert await live(house) == 2
    assert "New law" in (await browser.get("/console/knowledge/returns/history")).text
    (line,) = await house.audited("published")
    assert (line.actor, line.detail["accepted"]["worse"]) == ("kirill", 1)
    assert "Decided: publish. Кирилл" in (await browser.get(PAGE)).text


async def test_deciding_against_it_leaves_the_draft(house: Console, browser: httpx.AsyncClient) -> None:
    await drafted(house, NEW)
    page = await checked(house, browser)
    await decide(browser, page, "drop", why="Not yet")
    assert await live(house) == 1
    page_after = (await browser.get(PAGE)).text
    assert "Decided: don&#39;t publish." in page_after
    again = await decide(browser, page, "publish", accept_worse="1")
    assert (again.status_code, await live(house)) == (422, 1)


async def test_consequences_of_an_older_text_cannot_be_decided_on(
    house: Console, browser: httpx.AsyncClient
) -> None:
    await drafted(house, NEW)
    await checked(house, browser)
    await drafted(house, NEW.replace("30", "60"))
    page = (await browser.get(PAGE)).text
    assert "Check again" in page
    assert 'name="change"' not in page


async def test_a_change_of_another_document_cannot_be_published_from_here(
    house: Console, browser: httpx.AsyncClient
) -> None:
    await drafted(house, NEW)
    page = await checked(house, browser)
    await drafted(house, LIVE, name="other")
    number = page.split('name="change" value="')[1].split('"')[0]
    answer = await send(
        browser, "/console/knowledge/other/consequences/publish", change=number, accept_worse="1"
    )
    assert (answer.status_code, await live(house)) == (404, 1)


async def test_with_a_remote_model_the_page_says_that_only_the_search_was_compared(
    house: Console, browser: httpx.AsyncClient
) -> None:
    building = house.building
    remote = replace(building, settings=replace(building.settings, model="openai:gpt"))
    house.app.state.opened = SimpleNamespace(building=remote)
    await drafted(house, NEW)
    assert "only what search finds" in await checked(house, browser)


async def test_a_job_tells_how_far_it_is_runs_once_and_says_what_broke_it() -> None:
    known, gate = Jobs(), asyncio.Event()

    async def work(tell: Tell) -> str:
        tell(1, 4)
        await gate.wait()
        return "done"

    async def broken(tell: Tell) -> None:
        raise ValueError("no")

    job = known.start("a", work, by="kirill")
    await asyncio.sleep(0)
    assert known.start("a", work, by="marina") is job
    assert (job.percent, job.ended) == (25, False)
    later = known.start("a", work, by="marina", anew=True)
    assert later is not job
    seen = known.of("a")
    gate.set()
    known.start("b", broken, by="kirill")
    await known.settled()
    assert (job.result, later.result, known.of("b").fault if known.of("b") else "") == (
        "done",
        "done",
        "other",
    )
    assert seen is not None
    assert not seen.ended, "what a page took stays as it was"
    assert known.start("a", work, by="kirill") is not job
    await known.settled()
