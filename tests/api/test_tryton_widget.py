"""The promise of real systems, from end to end: a real Tryton, a real server, a real browser.

A sale is made in Tryton; its customer asks in the widget where it is; the warehouse sends it; the answer changes.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.api.running import running
from tests.api.widget_browser import chat_frame, say, visitor
from tests.systems.tryton import Server as Tryton

pytestmark = [pytest.mark.heavy, pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_sale_made_in_tryton_is_found_and_its_shipment_changes_the_answer(
    tryton_server: Tryton, browser: Browser, tmp_path: Path
) -> None:
    company = tryton_server.database()
    number = tryton_server.staff(company, "sell", "c-001", "FN-105-BK", "2")
    settings = tryton_server.settings(company)
    with running(tmp_path, embedder="use", **settings) as mayak, visitor(browser) as customers:
        shop = customers.new_page()
        shop.goto(f"{mayak.address}/demo/?lang=ru")
        shop.locator("details.account summary").click()
        shop.locator("button[value=anna]").click()
        shop.locator("mayak-chat button").click()
        chat = chat_frame(shop)
        chat.locator("body[data-phase=ready]").wait_for()
        log = chat.locator(".log")

        say(chat, f"Где мой заказ {number}?")
        card = chat.locator(".card.consent")
        expect(card).to_contain_text("мне нужно посмотреть ваши заказы")
        card.get_by_role("button", name="Разрешить").click()
        expect(log).to_contain_text(f"Заказ {number} принят, готовим его к отправке.")

        tryton_server.staff(company, "pay", number)
        tryton_server.staff(company, "ship", number, "assign_force", "pick", "pack")
        say(chat, f"А что сейчас с заказом {number}?")
        expect(log).to_contain_text(f"Заказ {number} собран и ждёт отправки.")

        tryton_server.staff(company, "ship", number, "do")
        say(chat, f"Где мой заказ {number}?")
        expect(log).to_contain_text(re.compile(f"Заказ {number} отправлен "))
        expect(log).to_contain_text(re.compile(f"Трек-номер заказа {number} — STORY"))
    assert tryton_server.filled.keys["bot"] not in mayak.log
