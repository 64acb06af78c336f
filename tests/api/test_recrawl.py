"""The server imports again what is due: with jitter, off when told, and never stopped by a source that fails."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api.container import Building
from api.recrawl import keep_fresh, look, recrawl_door
from api.serving import clocks
from api.settings import Settings
from knowledge.imports.journal import Journal
from knowledge.imports.stopping import Stop
from knowledge.sources.fetch import Fetcher
from knowledge.sources.port import Schedule
from knowledge.types import Query
from tests.api.console_house import Clock, console
from tests.knowledge.site import Dialled, Site, names


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
async def building(tmp_path: Path, site: Site) -> AsyncIterator[Building]:
    async with console(tmp_path) as opened:
        fetcher = Fetcher(using=names(), dial=lambda: Dialled(site))
        yield replace(opened.building, fetcher=fetcher)


def page(words: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "text/html", "ETag": f'"{words}"'}, f"<h1>Help</h1><p>{words}</p>".encode()


async def planned(building: Building, path: str, **more: bool) -> None:
    plan = Schedule(source=f"http://docs.example/{path}", every=timedelta(hours=6), last=None, **more)
    await building.library.notes.keep_schedule(plan)


async def test_what_is_due_is_imported_as_its_plan_says_and_told_in_the_journal(
    building: Building, site: Site
) -> None:
    site.pages["/live"], site.pages["/draft"] = page("We answer in a day."), page("Parcels wait for a week.")
    await planned(building, "live")
    await planned(building, "draft", drafts=True)
    await planned(building, "resting", paused=True)
    await look(building, stop=Stop())
    known = {one.id: one.status for one in await building.library.catalogue.documents()}
    assert known == {"docs.example-live": "published", "docs.example-draft": "draft"}
    assert "/resting" not in site.paths
    last = await Journal(building.engine).last()
    assert {(one.by, one.wanted, one.state) for one in last} == {
        ("schedule", ("http://docs.example/live",), "ended"),
        ("schedule", ("http://docs.example/draft",), "ended"),
    }
    await look(building, stop=Stop())
    assert len(await Journal(building.engine).last()) == 2


async def test_an_unchanged_source_writes_no_report_and_a_changed_one_does(
    building: Building, site: Site
) -> None:
    site.pages["/help"] = page("We answer in a day.")
    await planned(building, "help")
    clock = building.clock
    assert isinstance(clock, Clock)
    for words, reports in (
        ("We answer in a day.", 1),
        ("We answer in a day.", 1),
        ("We answer in an hour.", 2),
    ):
        site.pages["/help"] = page(words)
        await look(building, stop=Stop())
        clock.pass_by(hours=7)
        assert len(await Journal(building.engine).last()) == reports
    (found,) = (await building.library.search(Query("answer", language="en"))).hits
    assert "an hour" in found.passage.text


async def test_a_failing_source_is_logged_and_noted_and_does_not_stop_the_others(
    building: Building, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.pages["/good"] = page("Words of a good page.")
    for path in ("good", "gone"):
        await planned(building, path)
    with caplog.at_level(logging.WARNING):
        await look(building, stop=Stop())
    assert "404" in caplog.text
    outcomes = {
        one.source.rpartition("/")[2]: one.outcome for one in await building.library.notes.schedules()
    }
    assert outcomes["gone"] is not None
    assert outcomes["good"] is not None
    assert (outcomes["gone"].why, outcomes["good"].imported) == ("unreachable", 1)


async def test_looks_are_spread_and_go_on_after_one_that_failed(
    building: Building, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    stop = Stop()
    lots = iter((0.0, 0.5, 1.0))

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            stop.ask()

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("disk")

    monkeypatch.setattr("api.recrawl.look", broken)
    await keep_fresh(building, minutes=5, stop=stop, sleep=sleep, lot=lambda: next(lots))
    assert waited == pytest.approx([240, 300, 360])
    assert caplog.text.count("disk") >= 2


async def test_the_task_lives_as_long_as_the_application(tmp_path: Path) -> None:
    async with console(tmp_path) as house:
        door = recrawl_door(60)
        before = asyncio.all_tasks()
        async with door.lifespan_context(house.app):
            (task,) = asyncio.all_tasks() - before
            await asyncio.sleep(0)
        assert task.done()


def test_zero_switches_it_off() -> None:
    assert clocks(Settings(recrawl_minutes=0)) == ()
    assert len(clocks(Settings())) == 1
