"""The console in a real browser: an operator takes over from the AI, a curator changes what it knows."""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from agent.records.staff import Person, Staff
from api.console.router import console_router
from api.container import Building, open_building
from api.curation import Curation
from api.main import create_app
from api.settings import Settings
from api.staff import add_person
from knowledge.imports.journal import Import, Journal
from knowledge.imports.report import Alike, Row, skipped
from knowledge.reading.findings import Flag, Note
from knowledge.sources.port import Outcome, Schedule
from knowledge.types import DocumentId, Query
from tests.api.console_house import PASSWORD, PEOPLE, escalated
from tests.api.widget_browser import visitor
from tests.api.widget_server import serving
from tests.migrated import migrated

pytestmark = pytest.mark.browser


@dataclass  # mutable: filled when the server has started
class Running:
    """A served house; `do` runs a coroutine where the house lives."""

    address: str = ""
    building: Building | None = None
    loop: asyncio.AbstractEventLoop | None = None
    ready: threading.Event = field(default_factory=threading.Event)

    def do(self, work: Callable[[Building], Coroutine[Any, Any, Any]]) -> Any:
        assert self.building is not None
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(work(self.building), self.loop).result(timeout=120)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running()
    data = tmp_path_factory.mktemp("console")

    @asynccontextmanager
    async def opened() -> AsyncIterator[Building]:
        settings = Settings(data=data, embedder="fake", quiet_ms=0)
        migrated(settings.database_url)
        async with open_building(settings) as building:
            staff = Staff(building.engine, clock=building.clock)
            for login, name, role in PEOPLE:
                person = Person(login=login, name=name, roles=frozenset({role}))
                await add_person(staff, person, password=PASSWORD)
            running.building, running.loop = building, asyncio.get_running_loop()
            yield building

    app = create_app(opened, extras=(lambda app: app.include_router(console_router()),))
    with serving(app) as address:
        running.address = address
        yield running


class Customer:
    """Somebody who writes over HTTP, as the widget does."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(base_url=address)
        opened = self.http.post("/v1/conversations", json={"language": "ru"}).json()
        self.path = f"/v1/conversations/{opened['id']}"
        self.http.headers["Authorization"] = f"Bearer {opened['token']}"
        self.id = opened["id"]

    def says(self, key: str, text: str) -> None:
        answer = self.http.post(f"{self.path}/messages", json={"key": key, "text": text})
        assert answer.status_code == 202, answer.text

    def told(self, words: str) -> str:
        """Follow the events until one carries `words`; return who said it."""
        with self.http.stream("GET", f"{self.path}/events", timeout=20) as stream:
            for line in stream.iter_lines():
                if line.startswith("data:") and words in line:
                    return line
        raise AssertionError(f"never told: {words}")


def signed_in(page: Page, house: Running, login: str) -> None:
    page.goto(f"{house.address}/console")
    page.get_by_label("Логин").fill(login)
    page.get_by_label("Пароль").fill(PASSWORD)
    page.get_by_role("button", name="Войти").click()
    page.wait_for_url("**/console/*")


def quiet(page: Page) -> None:
    """Nothing was blocked by the content policy."""
    assert page.evaluate("window.__violations") == []


def test_an_operator_takes_over_answers_and_gives_back(house: Running, browser: Browser) -> None:
    customer = Customer(house.address)
    with visitor(browser, viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        signed_in(page, house, "olga")
        expect(page.get_by_role("heading", name="Никто не ждёт")).to_be_visible()
        customer.says("k1", "Позовите оператора!")
        row = page.locator(".row").first
        expect(row).to_contain_text("Позовите оператора!")
        expect(row).to_contain_text("Просит человека")
        row.click()
        page.get_by_role("button", name="Взять себе").click()
        expect(page.get_by_role("status").first).to_contain_text("Разговор ваш")
        assert '"author": "person"' in customer.told("Дальше отвечаю я")
        page.keyboard.type("Здравствуйте! Смотрю ваш заказ.")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".entry.person").last).to_contain_text("Смотрю ваш заказ")
        assert '"name": "Ольга"' in customer.told("Смотрю ваш заказ")
        expect(page.get_by_label("Ответ клиенту")).to_have_value("")
        customer.says("k2", "Спасибо, жду")
        expect(page.locator(".entry.customer").last).to_contain_text("Спасибо, жду")
        page.keyboard.press("Escape")
        page.keyboard.press("b")
        expect(page.get_by_role("dialog")).to_contain_text("Разговор снова у автоматического помощника.")
        page.keyboard.press("Enter")
        expect(page.locator(".holder")).to_have_text("Отвечает помощник")
        customer.says("k3", "Вы робот?")
        assert '"author": "ai"' in customer.told("Да, я программа")
        quiet(page)


def test_a_receipt_is_opened_by_keyboard_and_the_focus_comes_back_to_its_answer(
    house: Running, browser: Browser
) -> None:
    customer = Customer(house.address)
    customer.says("k1", "Вы робот?")
    customer.told("Да, я программа")
    with visitor(browser, viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        signed_in(page, house, "olga")
        page.goto(f"{house.address}/console/dialogues/{customer.id}")
        link = page.get_by_role("link", name="Какие данные использованы")
        link.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Какие данные использованы")
        expect(dialog).to_contain_text("за пределы компании ничего не ушло")
        assert not dialog.evaluate("e => e.scrollWidth > e.clientWidth")
        page.keyboard.press("Escape")
        expect(link).to_be_focused()
        page.goto(f"{house.address}{link.get_attribute('href')}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Какие данные использованы")
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        quiet(page)


def test_a_draft_survives_news_from_the_customer_and_a_reload(house: Running, browser: Browser) -> None:
    talk = house.do(lambda building: escalated(building, says="Где заказ?"))
    with visitor(browser) as context:
        page = context.new_page()
        signed_in(page, house, "olga")
        page.goto(f"{house.address}/console/dialogues/{talk}")
        page.keyboard.press("c")
        reply = page.get_by_label("Ответ клиенту")
        reply.fill("Половина ответа")
        assert house.building is not None
        records = house.building.records
        house.do(lambda building: records.accept(talk, key="k9", text="Ещё вопрос"))
        expect(page.locator(".entry.customer").last).to_contain_text("Ещё вопрос")
        expect(reply).to_have_value("Половина ответа")
        page.reload()
        expect(reply).to_have_value("Половина ответа")
        page.get_by_role("button", name="Завершить").click()
        page.get_by_role("dialog").get_by_role("button", name="Отмена").click()
        expect(page.locator(".holder")).to_contain_text("Ведёте вы")
        page.keyboard.press("e")
        page.get_by_role("dialog").get_by_role("button", name="Завершить").click()
        expect(page.locator(".holder")).to_have_text("Разговор завершён")


def test_the_one_who_came_second_sees_who_was_first(house: Running, browser: Browser) -> None:
    talk = house.do(lambda building: escalated(building, says="Кто первый?"))
    with visitor(browser) as one, visitor(browser) as other:
        pages = [context.new_page() for context in (one, other)]
        for page, login in zip(pages, ("olga", "pavel"), strict=True):
            signed_in(page, house, login)
            page.goto(f"{house.address}/console/dialogues/{talk}")
        pages[0].get_by_role("button", name="Взять себе").click()
        expect(pages[0].locator(".holder")).to_contain_text("Ведёте вы")
        expect(pages[1].locator(".holder")).to_have_text("Ведёт Ольга, помощник молчит")
        expect(pages[1].get_by_role("button", name="Взять себе")).to_have_count(0)


def test_a_curator_uploads_publishes_and_edits(house: Running, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "podarok.md"
    file.write_text("# Подарочная упаковка\n\nУпакуем любой заказ в подарок за 150 рублей.\n", "utf-8")

    def found(words: str) -> str:
        async def search(building: Building) -> str:
            hits = (await building.library.search(Query(words, language="ru", k=3))).hits
            return " ".join(hit.passage.text for hit in hits)

        return str(house.do(search))

    with visitor(browser) as context:
        page = context.new_page()
        signed_in(page, house, "kirill")
        page.get_by_role("link", name="Написать").click()
        page.locator("input[type=file]").set_input_files(file)
        page.get_by_role("button", name="Прочитать файлы").click()
        expect(page.get_by_role("heading", name="Загрузка окончена")).to_be_visible()
        page.locator(".row-imported a").first.click()
        expect(page.locator("#passages")).to_contain_text("150 рублей")
        assert found("подарочная упаковка") == ""
        page.get_by_role("button", name="Опубликовать версию 1").click()
        expect(page.get_by_role("status").first).to_contain_text("Опубликовано")
        assert "150 рублей" in found("подарочная упаковка")
        page.get_by_label("Текст").fill(
            "# Подарочная упаковка\n\nУпакуем любой заказ в подарок за 200 рублей."
        )
        page.get_by_role("button", name="Сохранить черновик").click()
        expect(page.get_by_role("status").first).to_contain_text("Черновик сохранён")
        assert "150 рублей" in found("подарочная упаковка")
        page.get_by_role("button", name="Опубликовать версию 2").click()
        expect(page.get_by_role("status").first).to_contain_text("Опубликовано")
        words = found("подарочная упаковка")
        assert ("200 рублей" in words, "150 рублей" in words) == (True, False)
        quiet(page)


def test_a_file_that_is_too_large_is_refused_before_it_travels(
    house: Running, browser: Browser, tmp_path: Path
) -> None:
    big = tmp_path / "big.txt"
    with big.open("wb") as file:
        file.truncate(20_000_001)
    with visitor(browser) as context:
        page = context.new_page()
        signed_in(page, house, "kirill")
        page.goto(f"{house.address}/console/imports")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.method))
        page.locator("input[type=file]").set_input_files(big)
        expect(page.get_by_role("alert")).to_contain_text("«big.txt» больше 20 МБ")
        page.get_by_role("button", name="Загрузить", exact=True).click()
        assert "POST" not in asked


def test_passages_of_a_new_document_are_shown_while_it_is_written(house: Running, browser: Browser) -> None:
    with visitor(browser) as context:
        page = context.new_page()
        signed_in(page, house, "kirill")
        page.goto(f"{house.address}/console/draft")
        page.get_by_label("Текст", exact=False).first.fill(
            "# Одно\n\nПервая мысль.\n\n# Другое\n\nВторая мысль."
        )
        expect(page.locator("#passages ol > li")).to_have_count(2)
        quiet(page)


def test_files_are_dropped_read_and_told_of_without_scripts_too(
    house: Running, browser: Browser, tmp_path: Path
) -> None:
    good, bad = tmp_path / "bez-skriptov.md", tmp_path / "pusto.md"
    good.write_text("# Без скриптов\n\nВсё равно читается.", "utf-8")
    bad.write_text("", "utf-8")
    with visitor(browser, java_script_enabled=False) as context:
        page = context.new_page()
        signed_in(page, house, "kirill")
        page.goto(f"{house.address}/console/imports")
        page.locator("input[type=file]").set_input_files([good, bad])
        page.get_by_role("button", name="Загрузить", exact=True).click()
        for _ in range(100):
            if page.get_by_role("heading", name="Загрузка окончена").count():
                break
            page.wait_for_timeout(200)
            page.get_by_role("link", name="Обновить").click()
        expect(page.locator(".row-skipped")).to_contain_text("нет слов")
        expect(page.locator(".row-imported")).to_contain_text("Без скриптов")


def test_files_dropped_onto_the_page_are_taken(house: Running, browser: Browser) -> None:
    with visitor(browser) as context:
        page = context.new_page()
        signed_in(page, house, "kirill")
        page.goto(f"{house.address}/console/imports")
        page.evaluate(DROP)
        expect(page.locator("[data-files-chosen] li")).to_have_count(2)
        page.get_by_role("button", name="Загрузить", exact=True).click()
        expect(page.get_by_role("heading", name="Загрузка окончена")).to_be_visible()
        expect(page.locator(".row-imported")).to_have_count(2)
        quiet(page)


DROP = """
() => {
  const carried = new DataTransfer();
  for (const name of ["brosili-odin.md", "brosili-dva.md"]) {
    carried.items.add(new File([`# ${name}\n\nСлова из файла ${name}.`], name, { type: "text/markdown" }));
  }
  document.querySelector("[data-files]").dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true }));
}
"""
"""Two files dropped by hand."""


def test_the_main_acts_work_without_scripts(house: Running, browser: Browser) -> None:
    talk = house.do(lambda building: escalated(building, says="Без скриптов"))
    with visitor(browser, java_script_enabled=False) as context:
        page = context.new_page()
        signed_in(page, house, "olga")
        page.goto(f"{house.address}/console/dialogues/{talk}")
        page.get_by_role("button", name="Взять себе").click()
        page.get_by_label("Ответ клиенту").fill("Отвечаю без скриптов.")
        page.get_by_role("button", name="Отправить").click()
        expect(page.locator(".entry.person").last).to_contain_text("Отвечаю без скриптов.")
        page.get_by_role("button", name="Вернуть помощнику").click()
        expect(page.locator(".holder")).to_have_text("Отвечает помощник")
        page.locator("details.me summary").click()
        page.get_by_role("button", name="Выйти").click()
        expect(page.get_by_role("status")).to_contain_text("Вы вышли.")


@pytest.fixture(scope="module")
def wide(house: Running) -> tuple[str, str, str]:
    """A conversation, a document and a report of an import with words that do not fit into a line."""
    talk = house.do(lambda building: escalated(building, says="Широкое" * 40, rejected="number: " + "я" * 80))
    document = "shirina"
    text = "# Ширина\n\n" + "слово" * 60
    for words in (text, text + " до 31 декабря 2026"):
        house.do(
            lambda building, words=words: building.library.save_draft(
                document, words, title="Ширина" * 20, language="ru", by="staff:kirill"
            )
        )
    house.do(lambda building: Curation(building).preview(document, by="staff:kirill"))
    return talk, document, house.do(long_report)


@pytest.mark.parametrize(
    ("width", "theme"),
    [
        (320, "light"),
        pytest.param(320, "dark", marks=pytest.mark.heavy),
        pytest.param(768, "light", marks=pytest.mark.heavy),
        (1440, "dark"),
    ],
)
def test_no_page_is_wider_than_the_screen_and_all_text_can_be_read(
    house: Running, browser: Browser, wide: tuple[str, str, str], width: int, theme: str
) -> None:
    talk, document, report = wide
    with visitor(browser, viewport={"width": width, "height": 700}, color_scheme=theme) as context:
        page = context.new_page()
        signed_in(page, house, "marina")
        for path in (
            "dialogues",
            f"dialogues/{talk}",
            "dialogues?show=mine",
            "knowledge",
            "draft",
            "imports",
            f"imports/{report}",
            "knowledge?health=flagged",
            "conflicts",
            "gaps",
            "accuracy",
            f"knowledge/{document}/history?old=1&new=2",
            f"knowledge/{document}/conflicts",
            f"knowledge/{document}/consequences",
            f"knowledge/{document}",
            "nowhere",
        ):
            page.goto(f"{house.address}/console/{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert page.evaluate(FAINT) == [], path


async def long_report(building: Building) -> str:
    """An import with all there is to remark, its names wider than any screen."""
    number, now = secrets.token_hex(8), building.clock.now()
    wide, journal = "https://docs.example/" + "dlinno" * 40, Journal(building.engine)
    flags = (Flag(kind="hidden_text", quote="скрыто" * 30, where="p. 1"),)
    rows = (
        Row(
            path=wide,
            document=DocumentId("shirina"),
            result="imported",
            passages=3,
            flags=flags,
            notes=(Note(kind="scan", detail="", where="page 2"),),
            alike=(Alike(document=DocumentId("shirina"), share=0.93),),
        ),
        skipped(wide, reason="", remedy="", why="private"),
    )
    await journal.begin(Import(number=number, by="staff:kirill", drafts=True, wanted=(wide,), began=now))
    await journal.finish(number, state="stopped", rows=rows, at=now)
    outcome = Outcome(imported=1, unchanged=2, skipped=3, why="robots")
    plan = Schedule(source=wide, every=timedelta(days=1), last=now, paused=True, outcome=outcome)
    await building.library.notes.keep_schedule(plan)
    return number


FAINT = """
() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const read = new Map();
  const rgba = (colour) => {
    if (!read.has(colour)) read.set(colour, drawn(colour));
    return read.get(colour);
  };
  // Reading a pixel back is slow, and a page has few colours.
  const drawn = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      layers.push(colour);
      if (colour[3] === 255) break;
    }
    return layers.reverse().reduce((under, over) =>
      [0, 1, 2].map((n) => under[n] + (over[n] - under[n]) * (over[3] / 255)), [255, 255, 255]);
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest(".unseen, .skip")) continue;
    const [one, other] = [light(rgba(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) faint.push(`${walker.currentNode.data.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return faint;
}
"""
"""Texts whose contrast with what is painted behind them is below 4.5 : 1."""
