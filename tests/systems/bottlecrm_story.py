"""BottleCRM's real server through the HTTP adapter: contacts, cases, another's, a lost answer. Run by scripts/check-slow."""

import json
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.mapped import mapped_systems
from tests.listening import listening
from tests.systems.bottlecrm import Crm, NoCrm, bottlecrm
from tests.tools.desks import PURPOSES
from tests.tools.shop import Clock, caller
from tools.context import CustomerId
from tools.crm.http import HttpCRM
from tools.errors import NotFound, Unavailable
from tools.http_client import HttpSystem, Limits
from tools.intents.fake import FakeIntents
from tools.openapi.asking import Asking
from tools.openapi.examine import examined
from tools.openapi.functions import openapi_tools
from tools.openapi.system import System
from tools.proposal import Proposal
from tools.toolbox import Toolbox

pytestmark = pytest.mark.timeout(3600)
MAPPING = Path(__file__).with_name("bottlecrm.toml")
PEOPLE = {"anna": ("Анна", "Соколова"), "boris": ("Борис", "Крылов")}


@pytest.fixture(scope="module")
def crm(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    try:
        with bottlecrm(postgres_url, folder=tmp_path_factory.mktemp("bottlecrm")) as running:
            yield running
    except NoCrm as absent:
        pytest.skip(str(absent))


@pytest.fixture(scope="module")
def system(crm: Crm, tmp_path_factory: pytest.TempPathFactory) -> System:
    folder = tmp_path_factory.mktemp("pack")
    (folder / "systems").mkdir()
    (folder / "systems" / "bottlecrm.toml").write_bytes(MAPPING.read_bytes())
    (folder / "systems" / "bottlecrm.openapi.yaml").write_bytes(crm.document.read_bytes())
    found = mapped_systems(folder, purposes=PURPOSES, taken=(), currency="RUB", timezone="Europe/Moscow")
    return found["bottlecrm"]


@pytest.fixture(scope="module")
def people(crm: Crm) -> Mapping[str, CustomerId]:
    """Two contacts, written as the company's own staff would."""
    made = {}
    with httpx.Client(base_url=crm.address, headers=_bearer(crm.key), trust_env=False, timeout=60) as staff:
        for name, (first, last) in PEOPLE.items():
            body = {"first_name": first, "last_name": last, "email": f"{name}@example.com", "city": "Бор"}
            made[name] = CustomerId(staff.post("/api/contacts/", json=body).raise_for_status().json()["id"])
    return made


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@asynccontextmanager
async def asking(crm: Crm, *, key: str = "", address: str = "") -> AsyncIterator[Asking]:
    http = HttpSystem(
        "bottlecrm",
        address or crm.address,
        headers=_bearer(key or crm.key),
        limits=Limits(call=60, attempt=30),
    )
    try:
        yield Asking(http, seconds=60)
    finally:
        await http.close()


def tools_of(system: System, asked: Asking) -> Toolbox:
    return Toolbox(*openapi_tools(system, asked, FakeIntents(), now=Clock()))


async def told(tools: Toolbox, tool: str, who: CustomerId, /, **arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await tools.call(tool, arguments, caller(who, purposes=PURPOSES)))
    return found


async def opened(tools: Toolbox, who: CustomerId, name: str) -> str:
    asked = await told(tools, "open_case", who, name=name, description="Из чата.")
    proposal = Proposal.from_dict(asked["proposal"])
    effect = await tools.execute(proposal, caller(who, purposes=PURPOSES), key=proposal.id)
    assert effect.state == "done", effect
    assert tools.effect_text(effect, "ru") == f"Обращение «{name}» заведено."
    return str(effect.facts["case"])


async def test_a_contact_is_a_customer_and_nobody_else_is(
    crm: Crm, system: System, people: Mapping[str, CustomerId]
) -> None:
    async with asking(crm) as asked:
        register = HttpCRM(system, asked)
        anna = await register.customer(people["anna"])
        assert (anna.name, anna.email, anna.city) == ("Анна Соколова", "anna@example.com", "Бор")
        for nobody in ("", "x", "00000000-0000-4000-8000-000000000000", "../cases"):
            with pytest.raises(NotFound):
                await register.customer(CustomerId(nobody))


async def test_a_case_is_opened_listed_and_told_to_its_owner_alone(
    crm: Crm, system: System, people: Mapping[str, CustomerId]
) -> None:
    anna, boris = people["anna"], people["boris"]
    async with asking(crm) as asked:
        tools = tools_of(system, asked)
        case = await opened(tools, anna, "Не горит фонарь")
        listed = await told(tools, "my_cases", anna)
        assert [entry["case"] for entry in listed["facts"]["entries"]] == [case]
        assert "Не горит фонарь" in listed["sentences"][0]
        assert listed["sentences"][0].endswith(": новое.")
        assert (await told(tools, "case_status", anna, id=case))["facts"]["subject"] == "Не горит фонарь"
        foreign = await told(tools, "case_status", boris, id=case)
        absent = await told(tools, "case_status", boris, id="00000000-0000-4000-8000-000000000000")
        assert foreign == absent
        assert foreign["fault"] == "not_found"
        assert (await told(tools, "my_cases", boris))["sentences"] == ["Обращений у вас нет."]


async def test_a_lost_answer_is_found_again_by_its_mark(
    crm: Crm, system: System, people: Mapping[str, CustomerId]
) -> None:
    async with losing(crm) as address, asking(crm, address=address) as asked:
        await opened(tools_of(system, asked), people["boris"], "Возврат гирлянды")
    async with asking(crm) as asked:
        listed = await told(tools_of(system, asked), "my_cases", people["boris"])
        assert len(listed["facts"]["entries"]) == 1


async def test_a_narrow_key_opens_no_cases(
    crm: Crm, system: System, people: Mapping[str, CustomerId]
) -> None:
    async with asking(crm, key=crm.narrow_key) as asked:
        tools = tools_of(system, asked)
        raw = await told(tools, "open_case", people["anna"], name="Нельзя", description="-")
        proposal = Proposal.from_dict(raw["proposal"])
        effect = await tools.execute(proposal, caller(people["anna"], purposes=PURPOSES), key="k")
        assert (effect.state, effect.facts["reason"]) == ("refused", "refused")
    async with asking(crm, key="bcrm_pat_wrong") as asked:
        # It says 403 of a wrong key, as of what is another's; the doctor tells the two apart.
        with pytest.raises(NotFound):
            await HttpCRM(system, asked).customer(people["anna"])
        with pytest.raises(Unavailable):
            await examined(system, asked)


async def test_what_it_takes(crm: Crm, system: System, people: Mapping[str, CustomerId], capsys: Any) -> None:
    async with asking(crm) as asked:
        tools, times = tools_of(system, asked), []
        for _ in range(20):
            began = time.perf_counter()
            await told(tools, "my_cases", people["anna"])
            times.append((time.perf_counter() - began) * 1000)
    with capsys.disabled():
        print(
            f"\nBottleCRM: ready in {crm.ready:.1f} s; my_cases p50 {statistics.median(times):.0f} ms, max {max(times):.0f} ms"
        )


@asynccontextmanager
async def losing(crm: Crm) -> AsyncIterator[str]:
    """A door in front of it that passes everything on and loses the answer to the first write."""
    import asyncio
    from urllib.parse import urlsplit

    parts, lost = urlsplit(crm.address), list[bool]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        length = next((int(row[15:]) for row in lines if row.lower().startswith("content-length:")), 0)
        body = await reader.readexactly(length)
        kept = [row for row in lines if row and not row.lower().startswith("connection:")]
        up, down = await asyncio.open_connection(parts.hostname, parts.port)
        down.write("\r\n".join([*kept, "Connection: close", "", ""]).encode() + body)
        answer = await up.read()
        down.close()
        if lines[0].startswith("POST") and not lost:
            lost.append(True)
        else:
            writer.write(answer)
            await writer.drain()

    async with listening(serve) as port:
        yield f"http://127.0.0.1:{port}"
        assert lost
