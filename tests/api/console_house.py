"""A house with the console in it for tests: real records, library and pack, no model, no documents at first."""

import asyncio
import atexit
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine

from agent.domain import Answered, Escalated, Reason, Reply, Ticket, TurnRecord
from agent.records.staff import Person, Role, Staff
from api.console.router import console_router
from api.container import Building, open_building
from api.errors import add_problems
from api.settings import Settings
from api.staff import add_person
from tests.migrated import migrated
from tools.context import ConversationId, CustomerId, Language

BASE = "http://desk.test"
PASSWORD = "correct horse battery"
PEOPLE: tuple[tuple[str, str, Role], ...] = (
    ("olga", "Ольга", "operator"),
    ("pavel", "Павел", "operator"),
    ("kirill", "Кирилл", "curator"),
    ("marina", "Марина", "admin"),
)


class Clock:
    """Moves only when told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_by(self, **span: float) -> None:
        self.time += timedelta(**span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The application, what it is built of, and the clock it looks at."""

    app: FastAPI
    building: Building
    clock: Clock

    @property
    def staff(self) -> Staff:
        return Staff(self.building.engine, clock=self.clock)

    def browser(self, **headers: str) -> httpx.AsyncClient:
        """A browser of somebody who is not signed in; it sends forms as browsers do."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url=BASE,
            headers={"Origin": BASE, "Accept-Language": "en", **headers},
        )

    async def audited(self, act: str) -> list[Any]:
        """The lines of the audit about `act`."""
        from sqlalchemy import select

        from agent.records.tables import audit

        async with self.building.engine.connect() as connection:
            rows = await connection.execute(select(audit).where(audit.c.act == act).order_by(audit.c.n))
            return list(rows)


@cache
def prepared(staffed: bool) -> Path:
    """A folder with the migrated database, and `PEOPLE` in it when `staffed`; made once in a process, to be copied.

    A migration takes ten times as long as a copy, and each password is hashed as slowly as it should be.
    """
    folder = Path(mkdtemp(prefix="mayak-console-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = Settings(data=folder)
    migrated(settings.database_url)
    if staffed:
        asyncio.run(_staff(settings.database_url))
    return folder


async def _staff(url: str) -> None:
    engine = create_async_engine(url)
    staff = Staff(engine, clock=Clock())
    for login, name, role in PEOPLE:
        await add_person(staff, Person(login=login, name=name, roles=frozenset({role})), password=PASSWORD)
    await engine.dispose()


@asynccontextmanager
async def console(
    data: Path, *, staffed: bool = True, public_url: str = "", company: Path | None = None
) -> AsyncIterator[Console]:
    """Open the house on an empty folder; `company` is a pack in place of the demo's."""
    shutil.copytree(await asyncio.to_thread(prepared, staffed), data, dirs_exist_ok=True)
    settings = Settings(data=data, embedder="fake", public_url=public_url, sender="outbox")
    settings = replace(settings, company=company) if company is not None else settings
    async with open_building(settings) as built:
        clock = Clock()
        built.records.clock = clock
        building = replace(built, clock=clock)
        app = FastAPI()
        add_problems(app)
        app.include_router(console_router())
        app.state.opened = SimpleNamespace(building=building)
        yield Console(app=app, building=building, clock=clock)


def token_in(page: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found is not None, "the page has no form"
    return found[1]


async def sign_in(
    browser: httpx.AsyncClient, login: str, password: str = PASSWORD, **more: str
) -> httpx.Response:
    """Fill in and send the sign-in form."""
    page = await browser.get("/console/login")
    form = {"form_token": token_in(page.text), "login": login, "password": password, **more}
    return await browser.post("/console/login", data=form)


@asynccontextmanager
async def signed_in(house: Console, login: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which `login` has signed in."""
    async with house.browser() as browser:
        answer = await sign_in(browser, login)
        assert answer.status_code == 303, answer.text
        yield browser


async def form_token(browser: httpx.AsyncClient, page: str = "/console") -> str:
    """The token that this browser's forms carry."""
    return token_in((await browser.get(page, follow_redirects=True)).text)


async def send(browser: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form of the console with its token."""
    return await browser.post(path, data={"form_token": await form_token(browser), **fields})


async def escalated(
    building: Building,
    *,
    says: str = "Позовите человека",
    language: Language = "ru",
    reason: Reason = "customer_asked",
    department: str = "care",
    rejected: str = "",
    customer: str | None = None,
    conversation: ConversationId | None = None,
) -> ConversationId:
    """A conversation whose one question, or the last one of `conversation`, ended in the queue."""
    records = building.records
    if conversation is None:
        opened = await records.open_conversation(
            channel="widget",
            language=language,
            customer_id=CustomerId(customer) if customer else None,
            assurance="verified" if customer else "anonymous",
        )
        conversation = opened.id
    await records.accept(conversation, key=f"called {says}", text=says)
    turn = await records.next_batch(conversation)
    assert turn is not None
    ticket = Ticket(reason=reason, department=department, summary=says, rejected=rejected)
    await records.commit(
        TurnRecord(
            turn=turn,
            conversation=conversation,
            outcome=Escalated(reason=reason),
            language=language,
            replies=(Reply(text="Передаю разговор."),),
            confidence=0.31,
            reasons=("low_support",),
            holder="queued",
            ticket=ticket,
        )
    )
    return conversation


async def answered(building: Building, *, says: str = "Сколько стоит доставка?") -> ConversationId:
    """A conversation that needed nobody."""
    records = building.records
    conversation = await records.open_conversation(channel="widget", language="ru")
    await records.accept(conversation.id, key="k1", text=says)
    turn = await records.next_batch(conversation.id)
    assert turn is not None
    reply = Reply(text="От 290 ₽.")
    await records.commit(
        TurnRecord(
            turn=turn, conversation=conversation.id, outcome=Answered(), language="ru", replies=(reply,)
        )
    )
    return conversation.id
