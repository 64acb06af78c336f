"""The promise of the house, from end to end: a real server, the packaged encoder, two real browsers.

A customer asks in Russian, reads a cited answer, allows a look at an order, asks for a person; an operator
sees the conversation, claims it, and answers. Nothing is faked but the people.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.api.running import Server, running
from tests.api.widget_browser import chat_frame, say, visitor

pytestmark = [pytest.mark.browser, pytest.mark.heavy]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("story"), embedder="use") as found:
        yield found


def test_a_customer_is_answered_by_the_ai_and_then_by_a_person(server: Server, browser: Browser) -> None:
    with visitor(browser) as customers, visitor(browser, viewport={"width": 1280, "height": 860}) as staff:
        shop = customers.new_page()
        shop.goto(f"{server.address}/demo/?lang=ru")
        shop.locator("details.account summary").click()
        shop.locator("button[value=anna]").click()
        shop.locator("mayak-chat button").click()
        chat = chat_frame(shop)
        chat.locator("body[data-phase=ready]").wait_for()
        log = chat.locator(".log")
        expect(log).to_contain_text("автоматический помощник магазина «Фонарь»")

        say(chat, "Сколько дней на возврат товара?")
        expect(log).to_contain_text("14 дней")
        chat.locator("button.raised").first.click()
        expect(chat.locator(".passage")).to_contain_text("14 дней")
        shop.keyboard.press("Escape")

        say(chat, "Где мой заказ 1045-А?")
        card = chat.locator(".card.consent")
        expect(card).to_contain_text("мне нужно посмотреть ваши заказы")
        card.get_by_role("button", name="Разрешить").click()
        expect(log).to_contain_text(re.compile("1045-А.*в пути"))

        chat.get_by_role("button", name="Позвать человека").last.click()
        expect(log).to_contain_text(re.compile("Передаю разговор|Сейчас сотрудников нет"))

        desk = staff.new_page()
        desk.goto(f"{server.address}/console/")
        desk.locator("input[name=login]").fill("operator")
        desk.locator("input[name=password]").fill(server.password("operator"))
        desk.locator("button.primary").click()
        desk.get_by_role("link", name="Анна Соколова").click()
        expect(desk.locator("body")).to_contain_text("Сколько дней на возврат товара?")
        desk.locator("form[action$='/claim'] button").click()
        desk.locator("#reply").fill("Добрый день. Курьер позвонит вам за час до приезда.")
        desk.locator("form.composer button.primary").click()

        expect(log).to_contain_text("Курьер позвонит вам за час до приезда.")
        person = log.locator("[data-author=person]").last
        expect(person).to_contain_text("Курьер позвонит вам")
        said_before = log.locator("[data-author=ai]").count()
        say(chat, "Спасибо, а он точно будет сегодня?")
        expect(desk.locator("body")).to_contain_text("он точно будет сегодня")
        assert log.locator("[data-author=ai]").count() == said_before, "the AI spoke while a person holds"
