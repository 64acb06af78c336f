"""The stream of an open page: what wakes it, what it says, when it ends, and what it never carries."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from api.around import Sign
from api.console import live
from api.console.inbox import Known, Readings, inbox_of
from tests.api.console_house import Console, console, escalated, form_token, sign_in, signed_in
from tools.context import CustomerId

SAID = "Где мой аквамариновый торшер?"
HEX = r"[0-9a-f]{24}"
SECONDS = 10


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def served(house: Console) -> AsyncIterator[str]:
    """The application on a loopback port: a stream can be read there while it is written."""
    config = uvicorn.Config(house.app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        house.building.notices.stop()
        server.should_exit = True
        await serving


@asynccontextmanager
async def at_the_desk(house: Console, address: str, login: str = "olga") -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Origin": address, "Accept-Language": "ru"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=SECONDS) as browser:
        assert (await sign_in(browser, login)).status_code == 303
        yield browser


class Page:
    """An open page's end of the stream."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.raw: list[str] = []
        self.id = ""

    async def next(self) -> tuple[str, dict[str, str]]:
        """The next event; an empty name when the stream has ended."""
        kind, data = "", "{}"
        async with asyncio.timeout(SECONDS):
            async for line in self._lines:
                self.raw.append(line)
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    data = value
                elif name == "id":
                    self.id = value
                elif not line and kind:
                    return kind, json.loads(data)
        return "", {}

    async def silent(self, seconds: float) -> bool:
        """Whether nothing is said for so long; the stream cannot be read on after that."""
        try:
            async with asyncio.timeout(seconds):
                await self.next()
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def following(browser: httpx.AsyncClient, *, last: str = "", **view: str) -> AsyncIterator[Page]:
    headers = {"Last-Event-ID": last} if last else {}
    async with browser.stream("GET", "/console/live", params=view, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        yield Page(response)


async def mark(browser: httpx.AsyncClient, part: str) -> str:
    found = re.search(rf'data-mark="({HEX})"', (await browser.get(part)).text)
    assert found is not None
    return found[1]


async def test_a_call_for_a_person_reaches_an_open_list_by_its_mark(house: Console) -> None:
    async with served(house) as address, at_the_desk(house, address) as browser, following(browser) as page:
        kind, first = await page.next()
        assert kind == "marks"
        assert first["list"] == await mark(browser, "/console/dialogues/list")
        talk = await escalated(house.building, says=SAID)
        _, then = await page.next()
        assert then["list"] != first["list"]
        part = await browser.get("/console/dialogues/list", params={"known": first["list"]})
        assert f"row-{talk}" in part.text
        # The call was written in several steps, each of which has a mark; the last one is the page's.
        while f'data-mark="{then["list"]}"' not in part.text:
            _, then = await page.next()


async def test_the_open_conversation_has_a_mark_of_its_own(house: Console) -> None:
    talk = await escalated(house.building)
    other = await escalated(house.building)
    records = house.building.records
    async with (
        served(house) as address,
        at_the_desk(house, address) as browser,
        following(browser, open=talk) as page,
    ):
        _, first = await page.next()
        assert first["case"] == await mark(browser, f"/console/dialogues/{talk}/part")
        await records.accept(other, key="k2", text="Не про то")
        _, then = await page.next()
        assert then["list"] != first["list"]
        assert then["case"] == first["case"]
        await records.accept(talk, key="k2", text="Про это")
        marks = then
        while marks["case"] == then["case"]:
            _, marks = await page.next()


async def test_nothing_of_a_customer_is_in_the_stream(house: Console) -> None:
    talk = await escalated(house.building, says=SAID, customer="c-001")
    async with (
        served(house) as address,
        at_the_desk(house, address) as browser,
        following(browser, open=talk) as page,
    ):
        await page.next()
        await house.building.records.accept(talk, key="k2", text=SAID)
        house.building.notices.around.show(Sign("looking", talk, "pavel", "x"))
        house.building.notices.around.show(Sign("typing", talk))
        await page.next()
        data = rf'data: {{"list": "{HEX}", "case": "{HEX}", "around": "{HEX}"}}'
        allowed = re.compile(rf"retry: 1000|id: {HEX}\.{HEX}\.{HEX}|event: marks|{data}|")
        assert [line for line in page.raw if not allowed.fullmatch(line)] == []


async def test_a_page_that_comes_back_is_told_what_changed_meanwhile_and_only_that(house: Console) -> None:
    talk = await escalated(house.building)
    async with served(house) as address, at_the_desk(house, address) as browser:
        async with following(browser, open=talk) as page:
            _, first = await page.next()
        last = page.id
        async with following(browser, open=talk, last=last) as page:
            assert await page.silent(0.4)
        # While there is no stream something happens; no bell of it can be heard later.
        await house.building.records.accept(talk, key="k2", text="Пока связи не было")
        async with following(browser, open=talk, last=last) as page:
            _, then = await page.next()
            assert then["case"] != first["case"]
            assert then["list"] != first["list"]
        async with following(browser, open=talk, last="no marks of ours") as page:
            assert (await page.next())[1] == then


async def test_the_stream_ends_with_the_session_and_with_the_role(
    house: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.05)
    ends = (
        lambda: house.staff.close_sessions("olga"),
        lambda: house.staff.set_roles("olga", frozenset({"curator"})),
        lambda: house.staff.set_disabled("olga", True),
    )
    async with served(house) as address:
        for end in ends:
            async with at_the_desk(house, address) as browser, following(browser) as page:
                await page.next()
                await end()
                assert (await page.next())[0] == "over"
                assert await page.next() == ("", {})
                assert (await browser.get("/console/live")).status_code == 303
            await house.staff.set_disabled("olga", False)
            await house.staff.set_roles("olga", frozenset({"operator"}))


async def test_a_person_has_a_bounded_number_of_streams(
    house: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "STREAMS", 1)
    async with served(house) as address, at_the_desk(house, address) as browser:
        async with following(browser) as page:
            await page.next()
            assert (await browser.get("/console/live")).status_code == 429
            async with at_the_desk(house, address, "pavel") as other, following(other) as hers:
                assert (await hers.next())[0] == "marks"
        async with asyncio.timeout(SECONDS):
            while inbox_of(house.app).streams:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        async with following(browser) as page:
            assert (await page.next())[0] == "marks"


async def test_a_silent_stream_gives_signs_of_life(house: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.05)
    async with served(house) as address, at_the_desk(house, address) as browser, following(browser) as page:
        await page.next()
        assert (await page.next())[0] == "here"
        assert ": here" in page.raw


async def test_the_customer_who_types_and_the_colleague_who_looks_are_seen_beside_the_conversation(
    house: Console,
) -> None:
    talk = await escalated(house.building)
    notices = house.building.notices
    async with served(house) as address, at_the_desk(house, address) as browser:
        line = f"/console/dialogues/{talk}/around"
        assert "Чат у клиента закрыт" in (await browser.get(line)).text
        async with following(browser, open=talk) as page:
            _, alone = await page.next()
            async with at_the_desk(house, address, "marina") as other, following(other, open=talk) as hers:
                await hers.next()
                _, both = await page.next()
                assert both["around"] != alone["around"]
                assert "Марина тоже смотрит" in (await browser.get(line)).text
                assert "Ольга тоже смотрит" in (await other.get(line)).text
            _, left = await page.next()
            assert left["around"] == alone["around"]
            notices.around.show(Sign("online", talk, source="tab"))
            await page.next()
            assert "Клиент в чате" in (await browser.get(line)).text
            notices.around.show(Sign("typing", talk))
            _, typed = await page.next()
            assert "Клиент печатает" in (await browser.get(line)).text
            assert (await browser.get(line, params={"known": typed["around"]})).status_code == 204


async def test_only_who_holds_the_conversation_is_seen_to_write_in_it(house: Console) -> None:
    talk = await escalated(house.building)
    around = house.building.notices.around
    path = f"/console/dialogues/{talk}"
    async with signed_in(house, "olga") as olga, signed_in(house, "pavel") as pavel:
        form = {"form_token": await form_token(olga)}
        await olga.post(f"{path}/claim", data=form)
        assert (await pavel.post(f"{path}/typing", data={"form_token": await form_token(pavel)})).is_success
        assert not around.scene(talk).answering
        assert (await olga.post(f"{path}/typing", data=form)).status_code == 204
        assert around.scene(talk).answering == {"olga"}
        assert "Ольга is writing" in (await pavel.get(f"{path}/around")).text
        assert "writing" not in (await olga.get(f"{path}/around")).text
        await olga.post(f"{path}/reply", data={**form, "text": "Смотрю", "key": "k"})
        assert not around.scene(talk).answering
        assert (await olga.post(f"{path}/typing", data={})).status_code == 403


async def test_one_reading_serves_all_who_ask_meanwhile_and_never_one_who_asked_later() -> None:
    readings, gate = Readings(), asyncio.Event()
    began: list[int] = []

    async def read() -> int:
        began.append(len(began))
        await gate.wait()
        return began[-1]

    first = [asyncio.create_task(readings.get("list", read)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert began == [0]
    later = [asyncio.create_task(readings.get("list", read)) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*first) == [0, 0, 0]
    assert await asyncio.gather(*later) == [1, 1, 1]
    assert await readings.get("list", read) == 2


async def test_a_reading_that_fails_fails_for_those_who_wait_for_it_and_nobody_else() -> None:
    readings = Readings()

    async def broken() -> int:
        raise ValueError("no list")

    async def read() -> int:
        return 1

    with pytest.raises(ValueError, match="no list"):
        await readings.get("list", broken)
    assert await readings.get("list", read) == 1


async def test_names_of_the_list_are_read_once_in_a_while(house: Console) -> None:
    asked: list[CustomerId] = []
    time = [0.0]

    class Register:
        async def customer(self, id: CustomerId) -> object:
            asked.append(id)
            return await house.building.crm.customer(id)

    known = Known(now=lambda: time[0])
    register, anna = Register(), CustomerId("c-001")
    for _ in range(3):
        await known.customer(anna, crm=register)  # type: ignore[arg-type]
    assert asked == [anna]
    time[0] = 31
    assert await known.customer(anna, crm=register) is None  # type: ignore[arg-type]
    assert asked == [anna, anna]
