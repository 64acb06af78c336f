"""The queue and the console: an open console is presence, and whom the queue chose sees it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.queueing import Queue
from tests.api.console_house import Console, console, escalated, send, signed_in


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


def queue_of(house: Console) -> Queue:
    built = house.building
    return Queue(records=built.records, pack=built.pack, phrases=built.phrases, clock=house.clock)


async def test_whom_the_queue_chose_sees_it_and_so_does_everybody_else(house: Console) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "olga") as olga, signed_in(house, "pavel") as pavel:
        await queue_of(house).look()
        chosen = (await house.building.records.conversation(talk)).assigned
        assert chosen == "olga"
        assert "Offered to you" in (await olga.get("/console/dialogues")).text
        page = (await pavel.get("/console/dialogues")).text
        assert "Offered to Ольга" in page
        await send(pavel, f"/console/dialogues/{talk}/claim")
        assert "Offered" not in (await olga.get("/console/dialogues")).text
    assert (await house.building.records.conversation(talk)).operator == "pavel"


async def test_the_list_of_an_open_page_learns_whom_the_queue_chose(house: Console) -> None:
    await escalated(house.building)
    async with signed_in(house, "olga") as olga:
        page = (await olga.get("/console/dialogues")).text
        mark = page.split('data-mark="')[1].split('"')[0]
        assert (await olga.get(f"/console/dialogues/list?known={mark}")).status_code == 204
        await queue_of(house).look()
        assert "Offered to you" in (await olga.get(f"/console/dialogues/list?known={mark}")).text


async def test_a_console_that_is_looked_at_keeps_its_owner_present_and_a_closed_one_does_not(
    house: Console,
) -> None:
    async with signed_in(house, "olga") as olga:
        for _ in range(6):
            house.clock.pass_by(seconds=15)
            await olga.get("/console/dialogues/list")
            assert [one.login for one in await house.building.records.operators()] == ["olga"]
        house.clock.pass_by(seconds=81)
        assert await house.building.records.operators() == ()
