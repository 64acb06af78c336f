"""A curator's day in a real browser: a PDF becomes knowledge, is asked about, corrected, and put back.

The pages, the library, the encoder and the turn are real; customers ask in the chat of a shop's page.
"""

import asyncio
import re
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, Frame, Page, expect

from agent.records.staff import Person, Staff
from api.console.router import console_router
from api.container import Building, open_building
from api.main import create_app
from api.routes.shop_page import CONTENT_POLICY
from api.settings import ROOT, Settings
from api.staff import add_person
from tests.api.console_house import PASSWORD, PEOPLE
from tests.api.widget_browser import open_chat, say, visitor
from tests.api.widget_server import serving
from tests.knowledge.files import pdf
from tests.migrated import migrated

pytestmark = [pytest.mark.browser, pytest.mark.heavy]

QUESTION = "Within how many days can I return an unopened tent?"
QUESTIONS = f"""
- {{q: "{QUESTION}", language: en, document: tent-returns.en, contains: "14 days"}}
- {{q: "What will the weather be tomorrow?", language: en, document: null, kind: outside}}
"""
SHOP = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<script src="/widget.js"></script><h1>Shop</h1><mayak-chat language="en"></mayak-chat></html>"""
LINES = (
    "Returning a tent",
    "An unopened tent can be returned within 14 days of delivery.",
    "The money goes back to the card it came from.",
)


@dataclass  # mutable: filled when the server has started
class House:
    """A served house."""

    address: str = ""
    ready: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("curator")
    company = folder / "company"
    shutil.copytree(ROOT / "demo", company, ignore=shutil.ignore_patterns("knowledge", "sources"))
    (company / "questions.yaml").write_text(QUESTIONS, "utf-8")
    # One document leaves the confidence, fitted on full libraries, little to go by.
    policy = (company / "policy.toml").read_text("utf-8")
    (company / "policy.toml").write_text(re.sub(r"(?m)^answer = .*$", "answer = 0.2", policy), "utf-8")
    (folder / "data").mkdir()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Building]:
        settings = Settings(
            data=folder / "data", company=company, embedder="use", quiet_ms=0, sender="outbox"
        )
        await asyncio.to_thread(migrated, settings.database_url)
        async with open_building(settings) as building:
            staff = Staff(building.engine, clock=building.clock)
            for login, name, role in PEOPLE:
                person = Person(login=login, name=name, roles=frozenset({role}))
                await add_person(staff, person, password=PASSWORD)
            yield building

    app = create_app(opened, extras=(lambda app: app.include_router(console_router()), _shop))
    with serving(app) as address:
        yield House(address=address)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    def draw(page: object) -> None:
        page.add_page()  # type: ignore[attr-defined]
        for size, line in zip((20, 12, 12), LINES, strict=True):
            page.set_font("Helvetica", size=size)  # type: ignore[attr-defined]
            page.multi_cell(0, 10, line, new_x="LMARGIN", new_y="NEXT")  # type: ignore[attr-defined]

    file = tmp_path / "tent-returns.pdf"
    file.write_bytes(pdf(draw))
    file.with_name("broken.pdf").write_bytes(pdf(draw)[:400])
    return file


def _shop(app: FastAPI) -> None:
    @app.get("/shop")
    async def shop() -> HTMLResponse:
        return HTMLResponse(SHOP, headers={"Content-Security-Policy": CONTENT_POLICY})


def asked(browser: Browser, house: House, days: str) -> None:
    """Ask as a new customer; the answer names these days and no others, and its source opens."""
    with visitor(browser, locale="en-GB") as context:
        chat: Frame = open_chat(context.new_page(), f"{house.address}/shop")
        say(chat, QUESTION)
        log = chat.locator(".log")
        expect(log).to_contain_text(f"within {days} of delivery")
        for other in {"14 days", "30 days"} - {days}:
            expect(log).not_to_contain_text(other)
        chat.locator("button.raised").first.click()
        expect(chat.locator(".passage")).to_contain_text(f"within {days} of delivery")


def publish_in_view(page: Page, *, version: int, accept: bool = False) -> None:
    """See the consequences, then publish."""
    page.get_by_role("link", name="Проверить последствия").click()
    page.get_by_role("button", name="Проверить").click()
    expect(page.get_by_role("heading", name="Решение")).to_be_visible()
    expect(page.locator("[data-verdict]")).to_contain_text(QUESTION)
    if accept:
        page.get_by_label("Вижу, что станет хуже").check()
    page.get_by_label("Почему").fill("Проверено")
    page.get_by_role("button", name=f"Опубликовать версию {version}").click()
    expect(page.get_by_role("status").first).to_contain_text("Опубликовано")


def test_a_pdf_is_read_looked_at_published_asked_about_corrected_and_put_back(
    house: House, browser: Browser, paper: Path
) -> None:
    with visitor(browser, viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.goto(f"{house.address}/console")
        page.get_by_label("Логин").fill("kirill")
        page.get_by_label("Пароль").fill(PASSWORD)
        page.get_by_role("button", name="Войти").click()
        page.get_by_role("link", name="Загрузить", exact=True).click()
        page.locator("input[type=file]").set_input_files([paper, paper.with_name("broken.pdf")])
        expect(page.locator("[data-files-chosen] li")).to_have_count(2)
        page.get_by_role("button", name="Загрузить", exact=True).click()
        expect(page.get_by_role("heading", name="Загрузка окончена")).to_be_visible()
        expect(page.locator(".row-skipped")).to_contain_text("Файл повреждён или прислан не целиком")
        page.get_by_role("link", name="Returning a tent").click()
        expect(page.locator("#passages")).to_contain_text("within 14 days of delivery")

        page.get_by_label("Вопрос словами клиента").fill(QUESTION)
        page.get_by_role("button", name="Спросить").click()
        expect(page.locator(".told .after")).to_contain_text("within 14 days")
        expect(page.locator(".told > section").first).not_to_contain_text("14 days")

        publish_in_view(page, version=1)
        asked(browser, house, "14 days")

        editor = page.get_by_label("Текст", exact=False).first
        editor.fill(editor.input_value().replace("14 days", "30 days"))
        expect(page.locator("#passages")).to_contain_text("within 30 days of delivery")
        page.get_by_role("button", name="Сохранить черновик").click()
        expect(page.get_by_role("status").first).to_contain_text("Черновик сохранён")
        publish_in_view(page, version=2, accept=True)
        asked(browser, house, "30 days")

        page.get_by_role("button", name="Вернуть в ответы").click()
        expect(page.get_by_role("status").first).to_contain_text("Прежняя версия снова в ответах")
        asked(browser, house, "14 days")

        page.get_by_role("link", name="История", exact=True).click()
        expect(page.locator(".events")).to_contain_text("Проверено")
        expect(page.locator(".diff mark").first).to_be_visible()
        assert page.evaluate("window.__violations") == []
