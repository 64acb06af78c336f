"""A question nobody wrote down: the AI calls a person, the person answers, a curator makes an article, the AI answers it.

Three browsers, in Russian: a customer in the chat of a shop's page, an operator and a curator in the console. The pages, the
library, the encoder, the queue and the turn are real.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, Page, expect

from agent.records.staff import Person, Staff
from api.console.router import console_router
from api.container import Building, open_building
from api.main import create_app
from api.routes.shop_page import CONTENT_POLICY
from api.settings import ROOT, Settings
from api.staff import add_person
from knowledge.types import DocumentId
from tests.api.console_house import PASSWORD, PEOPLE
from tests.api.widget_browser import open_chat, say, visitor
from tests.api.widget_server import serving
from tests.migrated import migrated

pytestmark = [pytest.mark.browser, pytest.mark.heavy]

QUESTION = "Можно ли оплатить заказ криптовалютой?"
REPLY = "Криптовалютой оплатить заказ нельзя: мы принимаем только рубли."
KNOWN = ("payment", "failed-payment", "gift-cards", "returns", "return-by-post")
"""Documents of the demo that are there from the start."""
SHOP = """<!doctype html><html lang="ru"><meta charset="utf-8"><title>Магазин</title>
<script src="/widget.js"></script><h1>Магазин</h1><mayak-chat language="ru"></mayak-chat></html>"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("learning")
    company = folder / "company"
    shutil.copytree(ROOT / "demo", company, ignore=shutil.ignore_patterns("knowledge", "sources"))
    (company / "questions.yaml").write_text("[]\n", "utf-8")
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
            for name in KNOWN:
                text = (ROOT / "demo" / "knowledge" / "ru" / f"{name}.md").read_text("utf-8")
                document = DocumentId(name)
                await building.library.save_draft(document, text, title=name, language="ru", by="test")
                await building.library.publish(document, by="test")
            yield building

    app = create_app(opened, extras=(lambda app: app.include_router(console_router()), _shop))
    with serving(app) as found:
        yield found


def _shop(app: FastAPI) -> None:
    @app.get("/shop")
    async def shop() -> HTMLResponse:
        return HTMLResponse(SHOP, headers={"Content-Security-Policy": CONTENT_POLICY})


def signed_in(page: Page, address: str, login: str) -> None:
    page.goto(f"{address}/console")
    page.get_by_label("Логин").fill(login)
    page.get_by_label("Пароль").fill(PASSWORD)
    page.get_by_role("button", name="Войти").click()
    page.wait_for_url("**/console/*")


def pictured(page: Page, name: str) -> None:
    """Keep a picture of a step where somebody wants to look at it."""
    if folder := os.environ.get("MAYAK_TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"learning-{name}.png")
    assert page.evaluate("window.__violations") == []


def operator_answers(desk: Page) -> None:
    """Take the case, answer it, and end it with a lesson."""
    row = desk.locator(".row").first
    expect(row).to_contain_text(QUESTION)
    row.click()
    expect(desk.locator(".card")).to_be_visible()
    pictured(desk, "2-card")
    desk.get_by_role("button", name="Взять себе").click()
    expect(desk.get_by_role("status").first).to_contain_text("Разговор ваш")
    desk.get_by_label("Ответ клиенту").fill(f"Добрый день! {REPLY} Ваш заказ соберём завтра.")
    desk.get_by_role("button", name="Отправить").click()
    expect(desk.locator(".entry.person").last).to_contain_text(REPLY)


def operator_ends(desk: Page) -> None:
    desk.get_by_role("link", name="Завершить с выводом").click()
    expect(desk.get_by_label("Ответ для всех клиентов")).to_have_value(REPLY)
    expect(desk.get_by_label("Вопрос", exact=True)).to_have_value(QUESTION)
    expect(desk.get_by_role("checkbox")).to_be_checked()
    desk.get_by_text("Не войдёт в ответ").click()
    expect(desk.locator("ul.plain")).to_contain_text("Ваш заказ соберём завтра.")
    pictured(desk, "3-lesson")
    desk.get_by_role("button", name="Завершить", exact=True).click()
    expect(desk.get_by_role("status").first).to_contain_text("Разговор завершён")


def curator_publishes(office: Page, address: str) -> None:
    """Find the proposal, make a draft of it, look at its consequences and publish it."""
    office.goto(f"{address}/console/gaps")
    office.get_by_role("link", name="Ответы сотрудников").click()
    expect(office.get_by_role("heading", name=QUESTION)).to_be_visible()
    expect(office.locator(".evidence")).to_contain_text("Ваш заказ соберём завтра.")
    pictured(office, "4-proposal")
    office.get_by_role("button", name="Сделать черновик статьи").click()
    expect(office.get_by_role("status").first).to_contain_text("Черновик сохранён")
    office.get_by_role("link", name="Проверить последствия").click()
    office.get_by_role("button", name="Проверить").click()
    expect(office.get_by_role("heading", name="Решение")).to_be_visible()
    pictured(office, "5-consequences")
    office.get_by_label("Почему").fill("Ответ сотрудника проверен")
    office.get_by_role("button", name="Опубликовать версию 1").click()
    expect(office.get_by_role("status").first).to_contain_text("Опубликовано")


def test_what_a_person_answered_once_is_answered_by_the_ai_with_a_citation(
    address: str, browser: Browser
) -> None:
    wide = {"viewport": {"width": 1440, "height": 900}}
    with (
        visitor(browser) as customer,
        visitor(browser, **wide) as operator,
        visitor(browser, **wide) as curator,
    ):
        desk, office, shop = operator.new_page(), curator.new_page(), customer.new_page()
        signed_in(desk, address, "olga")
        signed_in(office, address, "kirill")
        chat = open_chat(shop, f"{address}/shop")
        log = chat.locator(".log")
        say(chat, QUESTION)
        expect(log).to_contain_text("Передаю разговор")
        expect(log).not_to_contain_text("только рубли")
        pictured(shop, "1-called")
        operator_answers(desk)
        expect(log).to_contain_text(REPLY)
        operator_ends(desk)
        curator_publishes(office, address)
        with visitor(browser) as another:
            later = another.new_page()
            chat = open_chat(later, f"{address}/shop")
            say(chat, QUESTION)
            expect(chat.locator(".log")).to_contain_text("только рубли")
            chat.locator("button.raised").first.click()
            expect(chat.locator(".passage")).to_contain_text(REPLY)
            pictured(later, "6-answered")
        office.goto(f"{address}/console/lessons?show=published")
        expect(office.get_by_role("heading", name=QUESTION)).to_be_visible()
        pictured(office, "7-published")
