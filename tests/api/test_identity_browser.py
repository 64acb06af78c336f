"""Signing in by a code in a real browser: who is a stranger asks about an order, and sees it once the code came true."""

import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from api.identity import sign
from tests.api.identity_desk import SECRET, settings_of
from tests.api.running import Server, running
from tests.api.widget_browser import chat_frame, say, visitor

pytestmark = [pytest.mark.browser, pytest.mark.heavy, pytest.mark.timeout(600)]

STRICT = (
    ("[assurance.tools]\n", '[assurance.tools]\ncancel_order = "stepped_up"\n'),
    ("per_hour = 300", "per_hour = 999"),
)
LETTER_SECONDS = 60


PAGE = """<!doctype html><html lang="{language}"><meta charset="utf-8"><title>Shop</title>
<script src="{base}/widget.js"></script><mayak-chat language="{language}" {identity}></mayak-chat>"""


class Site:
    """A company's own site on another origin: one page that embeds the chat, with what the test puts into it."""

    def __init__(self) -> None:
        self.page = ""
        site = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(site.page.encode())

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    found = Site()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Server]:
    settings = settings_of(tmp_path_factory.mktemp("codes"), policy=STRICT)
    own = {"company": str(settings.company), "identity_secret": SECRET, "widget_origins": site.address}
    with running(settings.data, embedder="fake", sender="outbox", quiet_ms="0", **own) as found:
        yield found


def chat_of(page: Page, site: Site, server: Server, *, language: str = "ru", customer: str = "") -> Frame:
    """Open the chat on the company's site, as a signed-in customer where one is named."""
    token = sign(customer, secret=SECRET, audience="mayak") if customer else ""
    identity = f'identity="{token}"' if token else ""
    site.page = PAGE.format(language=language, base=server.address, identity=identity)
    page.goto(site.address)
    page.locator("mayak-chat button").click()
    chat = chat_frame(page)
    chat.locator("body[data-phase=ready]").wait_for()
    return chat


def letters(server: Server) -> list[Path]:
    return sorted((server.data / "outbox").glob("*.txt"))


def code_in(server: Server, *, after: int) -> str:
    """Wait for another letter than the first `after`; return the digits in it."""
    deadline = time.monotonic() + LETTER_SECONDS
    while len(letters(server)) <= after:
        assert time.monotonic() < deadline, "no letter came"
        time.sleep(0.05)
    return str(re.findall(r"\b\d{6}\b", letters(server)[-1].read_text("utf-8"))[0])


# A consent is its customer's: whoever gave it in one conversation is not asked again in another.
WORDS = {
    "ru": {
        "mail": "anna@example.com",
        "ask": "Где мой заказ 1045-А?",
        "code": "Прислать код",
        "contact": "Напишите почту или телефон",
        "sent": "код уже в пути",
        "known": "теперь вижу, что это вы",
        "allow": "Разрешить",
        "order": "Заказ 1045-А",
        "state": "В пути",
    },
    "en": {
        "mail": "boris@example.com",
        "ask": "Where is my order 1077?",
        "code": "Send me a code",
        "contact": "e-mail",
        "sent": "on its way",
        "known": "I can see it's you",
        "allow": "Allow",
        "order": "Order 1077",
        "state": "On its way",
    },
}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_stranger_is_known_by_the_code_and_then_sees_the_order(
    server: Server, site: Site, browser: Browser, language: str
) -> None:
    words, before = WORDS[language], len(letters(server))
    with visitor(browser, locale="ru-RU" if language == "ru" else "en-GB") as context:
        page = context.new_page()
        chat = chat_of(page, site, server, language=language)
        log = chat.locator(".log")
        say(chat, words["ask"])
        button = chat.get_by_role("button", name=words["code"], exact=True)
        expect(button).to_be_visible()
        expect(chat.locator(".result")).to_have_count(0)
        expect(log).not_to_contain_text("FNR")

        button.focus()
        page.keyboard.press("Enter")
        expect(log).to_contain_text(words["contact"])
        say(chat, words["mail"])
        expect(log.locator("[data-author=ai]").last).to_contain_text(words["sent"])
        code = code_in(server, after=before)
        say(chat, code)
        expect(log).to_contain_text(words["known"])

        consent = chat.locator(".card.consent")
        expect(chat.locator(".result")).to_have_count(0)
        consent.get_by_role("button", name=words["allow"], exact=True).click()
        card = chat.get_by_role("article", name=words["order"], exact=True)
        expect(card.locator(".state")).to_have_text(words["state"])
        expect(card.locator("[aria-current=step]")).to_have_count(1)

        page.reload()
        again = chat_frame(page)
        expect(again.get_by_role("article", name=words["order"], exact=True)).to_be_visible()
        shown = again.locator(".log").inner_text()
        assert code not in shown
        assert words["mail"] not in shown
        assert code not in server.log


def test_a_wrong_code_shows_nothing_and_another_one_may_be_asked_for(
    server: Server, site: Site, browser: Browser
) -> None:
    before = len(letters(server))
    with visitor(browser) as context:
        chat = chat_of(context.new_page(), site, server)
        log = chat.locator(".log")
        say(chat, WORDS["ru"]["ask"])
        chat.get_by_role("button", name="Прислать код", exact=True).click()
        expect(log).to_contain_text("Напишите почту или телефон")
        say(chat, "anna@example.com")
        code = code_in(server, after=before)
        say(chat, f"{(int(code) + 1) % 1_000_000:06}")
        expect(log).to_contain_text("Код не подошёл")
        expect(chat.locator(".result")).to_have_count(0)
        expect(chat.locator(".card.consent")).to_have_count(0)
        expect(chat.get_by_role("button", name="Прислать новый код", exact=True)).to_be_visible()


def test_a_change_that_needs_a_fresh_code_goes_on_after_it(
    server: Server, site: Site, browser: Browser
) -> None:
    before = len(letters(server))
    with visitor(browser) as context:
        chat = chat_of(context.new_page(), site, server, customer="c-001")
        log = chat.locator(".log")
        say(chat, "Отмените заказ 1051")
        expect(log).to_contain_text("ещё раз убедиться, что это вы")
        chat.get_by_role("button", name="Прислать код", exact=True).click()
        expect(log).to_contain_text("Отправил код на контакт из вашего профиля")
        say(chat, code_in(server, after=before))
        chat.locator(".card.consent").get_by_role("button", name="Разрешить", exact=True).click()
        expect(log).to_contain_text(re.compile("Отменить заказ 1051"))
        expect(chat.get_by_role("button", name="Да, подтверждаю", exact=True)).to_be_visible()
