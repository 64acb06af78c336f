"""The page of accuracy: the promise, what it rests on, the curves, and their numbers; for curators alone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from bs4 import BeautifulSoup

from agent.confidence import Fitted
from agent.promise import Case
from tests.api.console_house import Console, console, signed_in


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


@pytest.fixture
async def browser(house: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(house, "kirill") as opened:
        yield opened


async def test_curves_stand_as_pictures_and_as_numbers(house: Console, browser: httpx.AsyncClient) -> None:
    page = BeautifulSoup((await browser.get("/console/accuracy")).text, "html.parser")
    calibration = house.building.turn.calibration
    assert len(page.select("figure.plot svg[role=img][aria-label] polyline")) == 2
    assert not page.select("[style]"), "the content policy lets no inline style through"
    first, second = (table.select("tbody tr") for table in page.select(".curves table"))
    assert sum(int(row.select("td")[2].text) for row in first) == len(calibration.cases)
    assert second[-1].select("td")[0].text == "1.00"
    assert calibration.fitted.sha256 in page.text
    assert calibration.fitted.on in page.text


async def test_the_threshold_is_told_as_it_came_about(house: Console, browser: httpx.AsyncClient) -> None:
    turn = house.building.turn
    assert "set by hand" in (await browser.get("/console/accuracy")).text
    sure = tuple(Case(confidence=0.9, right=True) for _ in range(60))
    turn.calibration = replace(turn.calibration, by_hand=None, cases=sure)
    assert "from a confidence of 0.90" in (await browser.get("/console/accuracy")).text
    turn.calibration = replace(turn.calibration, cases=tuple(replace(one, right=False) for one in sure))
    assert "too few labelled answers" in (await browser.get("/console/accuracy")).text


async def test_a_calibration_without_judged_answers_says_what_to_do(
    house: Console, browser: httpx.AsyncClient
) -> None:
    turn = house.building.turn
    turn.calibration = replace(turn.calibration, cases=(), fitted=Fitted())
    page = (await browser.get("/console/accuracy")).text
    assert "mayak eval calibrate --answers" in page
    assert "<polyline" not in page


async def test_an_operator_neither_sees_nor_opens_it(house: Console) -> None:
    async with signed_in(house, "olga") as operator:
        assert (await operator.get("/console/accuracy")).status_code == 403
        assert "/console/accuracy" not in (await operator.get("/console/dialogues")).text
