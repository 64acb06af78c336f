"""A real Tryton behind a real server: who may see what, what is done and what is left to people, and its outage."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.door import Visit, open_visit
from api.health import Finding, examine
from api.settings import read_settings
from tests.api.running import Server, running
from tests.systems.tryton import Server as Tryton

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def company(tryton_server: Tryton) -> str:
    """The database of the company whose customers write."""
    return tryton_server.database()


@pytest.fixture(scope="module")
def mayak(tryton_server: Tryton, company: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("mayak")
    with running(data, embedder="use", **tryton_server.settings(company)) as found:
        yield found


@pytest.fixture
async def client(mayak: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=mayak.address, trust_env=False, timeout=60) as found:
        yield found


async def signed_in(client: httpx.AsyncClient, login: str, *purposes: str, language: Any = "ru") -> Visit:
    """A conversation of a customer of the demo shop, who agreed to these purposes."""
    told = await client.post("/demo/sign-in", data={"login": login}, headers={"Accept": "application/json"})
    visit = await open_visit(client, language=language, identity=told.json()["identity"])
    for purpose in purposes:
        await visit.post("/consents", {"purpose": purpose, "granted": True})
    return visit


async def ask(visit: Visit, text: str = "", **more: Any) -> dict[str, Any]:
    return await visit.turn_after(await visit.send(text, **more))


async def test_another_customers_sale_looks_absent(
    client: httpx.AsyncClient, tryton_server: Tryton, company: str
) -> None:
    number = tryton_server.staff(company, "sell", "c-001", "FN-101-BK", "1")
    visit = await signed_in(client, "boris", "orders:read")
    foreign = await ask(visit, f"Где мой заказ {number}?")
    absent = await ask(visit, "Где мой заказ 987654?")
    assert "FN-101" not in foreign["text"]
    assert foreign["text"].replace(number, "N") == absent["text"].replace("987654", "N")


async def test_a_quotation_is_cancelled_by_the_customers_own_button_and_once(
    client: httpx.AsyncClient, tryton_server: Tryton, company: str
) -> None:
    number = tryton_server.staff(company, "quote", "c-004", "FN-101-BK", "1")
    visit = await signed_in(client, "john", "orders:read", "orders:write", language="en")
    asked = await ask(visit, f"Please cancel order {number}")
    assert asked["outcome"] == "waiting"
    assert f"Cancel order {number}" in asked["text"]
    assert tryton_server.staff(company, "state", number).startswith("quotation")
    messages = (await visit.get("/messages"))["messages"]
    yes = next(
        button["action"]
        for message in reversed(messages)
        for button in message["buttons"]
        if button["action"]["kind"] == "confirm" and button["action"]["yes"]
    )
    done = await ask(visit, action=yes)
    assert f"order {number} is cancelled" in done["text"]
    assert tryton_server.staff(company, "state", number).startswith("cancelled")


async def test_what_tryton_leaves_to_people_is_said_and_not_done(
    client: httpx.AsyncClient, tryton_server: Tryton, company: str
) -> None:
    visit = await signed_in(client, "vera", "orders:read", "orders:write")
    told = await ask(visit, "Отмените, пожалуйста, заказ 1090")
    assert "этого сделать нельзя: поможет сотрудник" in told["text"] or told["outcome"] == "escalated"
    assert tryton_server.staff(company, "state", "1090").startswith("processing")


async def test_a_tryton_that_is_down_is_said_to_be_and_no_state_is_invented(
    tryton_server: Tryton, company: str, tmp_path: Path
) -> None:
    settings = tryton_server.settings(company) | {"tryton_url": "http://127.0.0.1:9"}
    with running(tmp_path, embedder="fake", **settings) as mayak:
        async with httpx.AsyncClient(base_url=mayak.address, trust_env=False, timeout=60) as client:
            visit = await signed_in(client, "anna", "orders:read")
            told = await ask(visit, "Где мой заказ 1045-А?")
    assert not re.search("в пути|доставлен|отправлен|отменён", told["text"])
    assert "не отвечает" in told["text"] or told["outcome"] == "escalated"


async def doctor(data: Path, **settings: str) -> Finding:
    """Return what the doctor finds of Tryton."""
    own = {"data": str(data), "embedder": "fake", **settings}
    found = await examine(read_settings({f"MAYAK_{name.upper()}": value for name, value in own.items()}))
    assert settings["tryton_key"] not in str(found)
    return next(one for one in found if one.name == "tryton")


async def test_the_doctor_says_whether_tryton_answers_and_lets_the_bot_work(
    tryton_server: Tryton, company: str, tmp_path: Path
) -> None:
    settings = tryton_server.settings(company)
    well = await doctor(tmp_path, **settings)
    assert (well.ok, well.detail) == (True, "series 8.2")
    wrong = {
        "tryton_key": "0" * 128,
        "tryton_database": "nowhere",
        "tryton_url": "http://127.0.0.1:9",
    }
    barred = [settings | {name: value} for name, value in wrong.items()]
    for other in (*barred, settings | {"tryton_key": tryton_server.filled.keys["clerk"]}):
        ill = await doctor(tmp_path, **other)
        assert not ill.ok
        assert ill.remedy
