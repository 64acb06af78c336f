"""Mayak as an MCP server: the SDK's own client against the real house, its shop, its documents, its consents."""

import asyncio
import json
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from agent.policy.consent import change
from agent.records.tables import audit
from api.identity import sign
from api.main import create_app
from api.mcp_door import IDENTITY, LOOKUPS_PER_MINUTE, mcp_door
from api.security import Rate
from api.serving import agents, prepared
from api.settings import ROOT, BadSetting, Settings
from knowledge.types import DocumentId
from tests.tools.parcels import free_port
from tools.assurance import raised
from tools.context import ConversationId, CustomerId

KEY = "k" * 40
SECRET = "s" * 40
ANNA, BORIS = CustomerId("c-001"), CustomerId("c-002")
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}
JSON = {"Accept": "application/json, text/event-stream"}


class Door:
    """A running house with the door open; `client` is plain HTTP."""

    def __init__(self, app: Any, base: str, router: Any) -> None:
        self.app = app
        self.door = router.routes[-1].endpoint
        self.base = base

    @property
    def house(self) -> Any:
        return self.app.state.opened

    @asynccontextmanager
    async def session(self, *, key: str = KEY, identity: str = "") -> AsyncIterator[ClientSession]:
        headers = {"Authorization": f"Bearer {key}", **({IDENTITY: identity} if identity else {})}
        async with (
            httpx.AsyncClient(headers=headers, trust_env=False, timeout=20) as client,
            streamable_http_client(f"{self.base}/mcp", http_client=client) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            yield session

    async def call(self, tool: str, arguments: dict[str, Any], **who: str) -> Any:
        async with self.session(**who) as session:
            return await session.call_tool(tool, arguments)

    async def post(self, body: Any = HELLO, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            return await client.post(f"{self.base}/mcp", json=body, headers={**JSON, **headers})

    async def consents(self, customer: CustomerId, *, granted: bool = True) -> None:
        building = self.house.building
        id = ConversationId(secrets.token_hex(8))
        await building.records.open_conversation(
            id=id,
            channel="widget",
            language="ru",
            customer_id=customer,
            assurance="verified",
            token_hash="",
            disclosure=None,
        )
        choice = change(building.pack.purposes["orders:read"], granted=granted, language="ru")
        await building.records.consent_outside(id, choice)


def signed(customer: str, **how: Any) -> str:
    return sign(customer, secret=how.get("secret", SECRET), audience=how.get("audience", "mayak"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    port = free_port()
    settings = Settings(
        company=ROOT / "demo",
        data=tmp_path_factory.mktemp("data"),
        embedder="fake",
        port=port,
        identity_secret=SECRET,
        mcp_server_keys=("o" * 40, KEY),
    )
    router = mcp_door(settings)
    app = create_app(partial(prepared, settings), extras=[lambda app: app.include_router(router)])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False, ws="none"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
        assert not serving.done(), "the server did not start"
    yield Door(app, f"http://127.0.0.1:{port}", router)
    app.state.opened.building.notices.stop()
    server.should_exit = True
    await serving


pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestKnowledge:
    async def test_live_passages_come_with_what_to_cite(self, door: Door) -> None:
        async with door.session() as session:
            assert [tool.name for tool in (await session.list_tools()).tools] == ["search_knowledge"]
            question = {"query": "сколько дней на возврат", "language": "ru", "limit": 3}
            result = await session.call_tool("search_knowledge", question)
        body = result.structuredContent
        assert not result.isError
        assert 0 < len(body["passages"]) <= 3
        assert {"document", "passage", "title", "text", "language"} <= body["passages"][0].keys()
        assert json.loads(result.content[0].text) == body
        live = await door.house.building.library.live([p["passage"] for p in body["passages"]])
        assert len(live) == len(body["passages"])

    async def test_what_staff_alone_may_read_is_not_found(self, door: Door) -> None:
        """Security requirement 18: an audience is no filter a caller chooses."""
        library = door.house.building.library
        canary = "Пароль от сейфа склада канарейка-7714"
        await library.publish(await _saved(library, f"# Сейф\n\n{canary}\n", audience="staff"), by="test")
        result = await door.call("search_knowledge", {"query": "пароль от сейфа склада"})
        assert "канарейка" not in json.dumps(result.structuredContent, ensure_ascii=False)
        refused = await door.call("search_knowledge", {"query": "сейф", "audience": "staff"})
        assert refused.isError

    async def test_a_retired_document_is_no_longer_handed_on(self, door: Door) -> None:
        library = door.house.building.library
        name = await _saved(
            library, "# Дирижабль\n\nДоставка дирижаблем стоит 77 рублей.\n", audience="customer"
        )
        await library.publish(name, by="test")
        found = await door.call("search_knowledge", {"query": "доставка дирижаблем", "language": "ru"})
        assert "дирижаблем" in found.structuredContent["passages"][0]["text"]
        await library.retire(name, by="test")
        found = await door.call("search_knowledge", {"query": "доставка дирижаблем", "language": "ru"})
        assert all("дирижаблем" not in passage["text"] for passage in found.structuredContent["passages"])


class TestOrders:
    async def test_an_order_is_looked_up_for_the_signed_customer_who_allowed_it(self, door: Door) -> None:
        await door.consents(ANNA)
        async with door.session(identity=signed(ANNA)) as session:
            names = [tool.name for tool in (await session.list_tools()).tools]
            assert names == ["search_knowledge", "order_status"]
            result = await session.call_tool("order_status", {"order_id": "№ 1051", "language": "ru"})
        assert not result.isError
        assert result.structuredContent["facts"]["order"] == "1051"
        assert result.content[0].text.startswith("Заказ 1051")

    async def test_a_foreign_order_and_an_absent_one_give_the_same_answer(self, door: Door) -> None:
        """Security requirement 2: object-level checks; the two are never told apart."""
        await door.consents(ANNA)
        foreign, absent = [
            await door.call("order_status", {"order_id": order}, identity=signed(ANNA))
            for order in ("1077", "8888")
        ]
        assert foreign.isError
        assert foreign == absent

    async def test_without_consent_nothing_is_looked_up(self, door: Door) -> None:
        """Security requirement 23: no purpose without a valid record."""
        result = await door.call("order_status", {"order_id": "1077"}, identity=signed(BORIS))
        assert result.isError
        assert "соглас" in result.content[0].text
        await door.consents(BORIS)
        assert not (await door.call("order_status", {"order_id": "1077"}, identity=signed(BORIS))).isError
        await door.consents(BORIS, granted=False)
        assert (await door.call("order_status", {"order_id": "1077"}, identity=signed(BORIS))).isError

    async def test_nothing_is_looked_up_for_a_customer_whose_data_are_restricted(self, door: Door) -> None:
        await door.consents(ANNA)
        records, order, question = (
            door.house.building.records,
            {"order_id": "1051"},
            {"query": "возврат товара"},
        )
        await records.freeze(ANNA, known=True, by="vera", why="a dispute")
        try:
            before = len(await lines(door))
            refused = [
                await door.call(tool, what, identity=signed(ANNA))
                for tool, what in (("order_status", order), ("search_knowledge", question))
            ]
            assert all(result.isError and result.structuredContent is None for result in refused)
            assert "остановлена" in refused[0].content[0].text
            assert [detail["outcome"] for _, _, detail in (await lines(door))[before:]] == ["restricted"] * 2
            # Others, and whoever asks for nobody, are served.
            assert not (await door.call("search_knowledge", question)).isError
        finally:
            await records.thaw(ANNA, known=True, by="vera")
        assert not (await door.call("order_status", order, identity=signed(ANNA))).isError

    async def test_personal_data_leave_masked_as_for_a_model_outside(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await door.consents(ANNA)
        pack, toolbox = door.house.building.pack, door.house.building.toolbox
        told = "Заказ 1051 привезут Анне Петровой, +7 901 555-31-77."
        answer = {
            "ok": True,
            "kind": "order",
            "sentences": [told],
            "facts": {"order": "1051", "phone": "+7 901 555-31-77"},
        }

        async def call(*_: Any) -> str:
            return json.dumps(answer, ensure_ascii=False)

        async def asked() -> str:
            result = await door.call("order_status", {"order_id": "1051"}, identity=signed(ANNA))
            assert not result.isError
            assert result.structuredContent["facts"]["order"] == "1051"
            return f"{result.content[0].text} {json.dumps(result.structuredContent, ensure_ascii=False)}"

        monkeypatch.setattr(toolbox, "call", call)
        masked = await asked()
        assert "555-31-77" not in masked
        assert "Петров" not in masked
        assert "Заказ 1051 привезут" in masked
        plain = pack.policy.privacy.model_copy(update={"model_external": "plain"})
        monkeypatch.setattr(pack, "policy", pack.policy.model_copy(update={"privacy": plain}))
        assert told in await asked()

    async def test_no_argument_can_name_a_customer(self, door: Door) -> None:
        """Security requirement 1: identity only from the signed token."""
        result = await door.call("order_status", {"order_id": "1051"})
        assert result.isError
        smuggled = {"order_id": "1077", "customer_id": str(BORIS)}
        refused = await door.call("order_status", smuggled, identity=signed(ANNA))
        assert refused.isError
        assert refused.structuredContent is None

    @pytest.mark.parametrize(
        "token",
        [
            signed(ANNA, secret="x" * 40),
            signed(ANNA, audience="another"),
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjLTAwMSJ9.",
            "c-001",
            "",
        ],
    )
    async def test_a_wrong_identity_is_refused_whole(self, door: Door, token: str) -> None:
        """Security requirement 7: unsigned, foreign or for somebody else; never taken for anonymous."""
        answer = await door.post(**{"Authorization": f"Bearer {KEY}", IDENTITY: token})
        assert answer.status_code == 401
        assert answer.json()["type"].endswith("identity_refused")

    async def test_a_token_is_refused_where_the_company_counts_none(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pack = door.house.building.pack
        off = pack.policy.assurance.model_copy(update={"factors": ("code",)})
        monkeypatch.setattr(pack, "policy", pack.policy.model_copy(update={"assurance": off}))
        key = {"Authorization": f"Bearer {KEY}"}
        answer = await door.post(**key, **{IDENTITY: signed(ANNA)})
        assert answer.status_code == 401
        assert answer.json()["type"].endswith("identity_off")
        assert (await door.post(**key)).status_code == 200

    async def test_a_token_is_not_enough_where_the_company_asks_for_a_code(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await door.consents(ANNA)
        toolbox = door.house.building.toolbox
        surer = raised(toolbox._rules["order_status"], "stepped_up", name="order_status")
        monkeypatch.setitem(toolbox._rules, "order_status", surer)
        result = await door.call("order_status", {"order_id": "1051"}, identity=signed(ANNA))
        assert result.isError
        assert result.structuredContent is None


async def lines(door: Door) -> list[tuple[str, str, Any]]:
    """The audit's lines about other agents."""
    async with door.house.building.engine.connect() as connection:
        rows = await connection.execute(
            select(audit).where(audit.c.act.startswith("mcp.")).order_by(audit.c.n)
        )
        return [(row.act, row.target, row.detail) for row in rows]


class TestAudit:
    async def test_every_look_up_told_or_refused_is_a_line_of_the_audit(self, door: Door) -> None:
        await door.consents(ANNA)
        await door.consents(BORIS, granted=False)
        before = len(await lines(door))
        await door.call("search_knowledge", {"query": "возврат товара", "language": "ru", "limit": 2})
        for customer, order in ((ANNA, "1051"), (ANNA, "1077"), (BORIS, "1077")):
            await door.call("order_status", {"order_id": order}, identity=signed(customer))
        await door.call("order_status", {"order_id": "1051"})
        await door.call("order_status", {"order_id": "1051", "customer_id": "c-002"}, identity=signed(ANNA))
        await door.call("drop_tables", {})
        new = (await lines(door))[before:]
        assert [(act, target, detail["outcome"]) for act, target, detail in new] == [
            ("mcp.search_knowledge", "", "told"),
            ("mcp.order_status", ANNA, "told"),
            ("mcp.order_status", ANNA, "nothing"),
            ("mcp.order_status", BORIS, "no_basis"),
            ("mcp.order_status", "", "not_identified"),
            ("mcp.order_status", ANNA, "bad_arguments"),
            ("mcp.other", "", "unknown_tool"),
        ]
        assert new[0][2]["passages"] == 2
        assert [detail["order"] for act, _, detail in new if act == "mcp.order_status"][:2] == [
            "1051",
            "1077",
        ]
        assert "возврат" not in json.dumps(new, ensure_ascii=False), "questions may name people"
        assert (await door.house.building.records.trail.verified()).holds

    async def test_a_wrong_identity_and_a_flood_of_look_ups_are_lines_too(self, door: Door) -> None:
        before = len(await lines(door))
        key = {"Authorization": f"Bearer {KEY}"}
        await door.post(**key, **{IDENTITY: signed(ANNA, secret="x" * 40)})
        visitor, calls = CustomerId("c-003"), 2 * LOOKUPS_PER_MINUTE
        async with door.session(identity=signed(visitor)) as session:
            for _ in range(calls):
                await session.call_tool("order_status", {"order_id": "1"})
        new = (await lines(door))[before:]
        assert (new[0][0], new[0][2]["outcome"]) == ("mcp.identity", "identity_refused")
        assert len(new) == calls + 1
        assert {target for _, target, _ in new[1:]} == {visitor}
        assert {detail["outcome"] for _, _, detail in new[1:]} == {"no_basis", "too_many_requests"}

    async def test_keys_are_told_apart_and_not_written_down(self, door: Door) -> None:
        for key in (KEY, "o" * 40):
            await door.call("search_knowledge", {"query": "возврат"}, key=key)
        async with door.house.building.engine.connect() as connection:
            actors = [row.actor for row in await connection.execute(select(audit).order_by(audit.c.n))][-2:]
        assert actors[0] != actors[1]
        assert all(actor.startswith("mcp:") and KEY[:8] not in actor for actor in actors)

    async def test_what_cannot_be_written_down_is_not_told(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def full(act: str, **how: Any) -> None:
            raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

        await door.consents(ANNA)
        monkeypatch.setattr(door.house.building.records, "audit", full)
        result = await door.call("order_status", {"order_id": "1051"}, identity=signed(ANNA))
        assert result.isError
        assert "1051" not in str(result)


class TestDoor:
    @pytest.mark.parametrize("key", ["", "Bearer", "Bearer wrong", f"Basic {KEY}", f"Bearer {KEY}x"])
    async def test_a_wrong_key_opens_nothing(self, door: Door, key: str) -> None:
        answer = await door.post(**({"Authorization": key} if key else {}))
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert KEY not in answer.text

    async def test_another_name_or_another_site_is_turned_away(self, door: Door) -> None:
        """Security requirement 14: against rebinding of names, and against scripts of other sites."""
        key = {"Authorization": f"Bearer {KEY}"}
        assert (await door.post(**key)).status_code == 200
        assert (await door.post(**key, Host="evil.example")).status_code == 421
        for origin in ("https://evil.example", "null", door.base):
            assert (await door.post(**key, Origin=origin)).status_code == 403

    async def test_nothing_is_held_open_and_nothing_long_is_read(self, door: Door) -> None:
        """Security requirement 19: no streams, small bodies."""
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            for method in ("GET", "DELETE", "PUT"):
                answer = await client.request(
                    method, f"{door.base}/mcp", headers={**JSON, "Authorization": f"Bearer {KEY}"}
                )
                assert answer.status_code == 405
        long = {**HELLO, "padding": "x" * 70_000}
        assert (await door.post(long, **{"Authorization": f"Bearer {KEY}"})).status_code == 413

    async def test_what_breaks_is_not_told(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        async def broken(query: Any) -> Any:
            raise RuntimeError("password of the database")

        monkeypatch.setattr(door.house.building.library, "search", broken)
        result = await door.call("search_knowledge", {"query": "возврат"})
        assert result.isError
        assert "password" not in str(result)

    async def test_a_flood_is_slowed_down(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """Security requirement 19: a limit for every key, and for those who have none."""
        answers = [(await door.post(Authorization="Bearer guess")).status_code for _ in range(40)]
        assert answers[-1] == 429
        monkeypatch.setattr(door.door, "_by_key", Rate(2))
        other = {"Authorization": f"Bearer {'o' * 40}"}
        slowed = [await door.post(**other) for _ in range(3)][-1]
        assert slowed.status_code == 429
        assert int(slowed.headers["retry-after"]) >= 1


@pytest.mark.asyncio(loop_scope="function")
async def test_without_keys_the_door_does_not_exist(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    assert agents(settings) == ()
    assert len(agents(replace(settings, mcp_server_keys=(KEY,)))) == 1
    with pytest.raises(BadSetting, match="32 characters") as refused:
        mcp_door(replace(settings, mcp_server_keys=("short",)))
    assert "token_urlsafe" in refused.value.remedy


async def _saved(library: Any, text: str, *, audience: str) -> DocumentId:
    name = DocumentId(f"mcp-{audience}")
    title = text.split("\n")[0].strip("# ")
    await library.save_draft(name, text, title=title, language="ru", by="test")
    await library.describe(
        name, audience=audience, department=None, valid_from=None, valid_until=None, by="test"
    )
    return name
