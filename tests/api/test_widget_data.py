"""«Мои данные» in a real browser: switches for purposes, what is held, taking it along and having it deleted."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.widget_browser import open_chat, say, visitor
from tests.api.widget_server import World

pytestmark = [pytest.mark.browser, pytest.mark.heavy]


def test_what_is_allowed_is_switched_by_the_customer_and_what_is_held_is_told(
    page: Page, world: World
) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "Где мой заказ?")
    frame.locator(".card.consent .equal").first.click()
    expect(frame.locator(".source")).to_have_count(1)
    frame.get_by_role("button", name="Меню").click()
    frame.get_by_role("button", name="Мои данные").click()
    panel = frame.locator("dialog")
    orders = panel.get_by_role("switch", name="Скажу, где заказ, когда приедет и что в нём.")
    expect(orders).to_have_attribute("aria-checked", "true")
    orders.focus()
    page.keyboard.press("Space")
    expect(orders).to_have_attribute("aria-checked", "false")
    expect(orders).to_be_focused()
    assert world.talk.consents == {"orders:read": False}
    row = panel.locator('[data-purpose="profile:read"]')
    expect(row).to_contain_text("договор")
    expect(row.get_by_role("switch")).to_have_count(0)
    expect(panel).to_contain_text("12 сообщений")
    expect(panel.get_by_role("button", name="Удалить мои данные")).to_have_count(0)
    expect(panel.get_by_role("button", name="Скачать")).to_have_count(0)


def test_everything_is_taken_along_and_deleted_after_one_question(page: Page, world: World) -> None:
    world.can = ["export", "erase"]
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "Сколько стоит доставка?")
    expect(frame.locator(".source")).to_have_count(2)
    frame.get_by_role("button", name="Меню").click()
    frame.get_by_role("button", name="Мои данные").click()
    panel = frame.locator("dialog")
    with page.expect_download() as taken:
        panel.get_by_role("button", name="Скачать для чтения").click()
    assert taken.value.suggested_filename == "moi-dannye.html"
    panel.get_by_role("button", name="Удалить мои данные").click()
    expect(panel).to_contain_text("вернуть их не получится")
    panel.get_by_role("button", name="Не удалять").click()
    assert world.erased == []
    panel.get_by_role("button", name="Удалить мои данные").click()
    panel.get_by_role("button", name="Удалить", exact=True).click()
    expect(panel).to_contain_text("данные удаляются")
    expect(panel).to_contain_text("Готово. Удалено:")
    expect(panel.locator("li")).to_have_text(["1 разговор", "12 сообщений"])
    expect(panel).to_contain_text("Заказы, которые ещё в пути")
    expect(panel).to_contain_text("Подтверждение №ab12")
    assert len(world.erased) == 1
    page.keyboard.press("Escape")
    expect(frame.locator(".source")).to_have_count(0)
    assert len(world.opened) == 2


def test_a_document_opened_from_a_receipt_leads_back_to_it(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "Сколько стоит доставка?")
    opener = frame.get_by_role("button", name="Какие данные использованы").last
    opener.focus()
    page.keyboard.press("Enter")
    panel = frame.get_by_role("dialog", name="Какие данные использованы")
    expect(panel.get_by_role("button", name="Назад")).to_have_count(0)
    panel.get_by_text("Прочитано, но в ответ не вошло: 1").click()
    panel.get_by_role("button", name="Возврат товара").click()
    passage = frame.get_by_role("dialog", name="Откуда это")
    expect(passage).to_contain_text("не был в употреблении")
    passage.get_by_role("button", name="Назад").click()
    expect(panel).to_contain_text("Кто читал ваше сообщение")
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


@pytest.mark.parametrize("width", [320])
def test_receipt_and_data_fit_the_smallest_phone(browser: Browser, world: World, width: int) -> None:
    world.can = ["export", "erase"]
    with visitor(browser, viewport={"width": width, "height": 640}, locale="en-GB") as context:
        page = context.new_page()
        frame = open_chat(page, f"{world.address}/shop?language=en")
        say(frame, "Сколько стоит доставка?")
        frame.get_by_role("button", name="What data was used").last.click()
        panel = frame.locator("dialog")
        expect(panel).to_contain_text("Your orders: order number")
        wide = "e => e.scrollWidth > e.clientWidth"
        assert not panel.locator(".panel-body").evaluate(wide)
        page.keyboard.press("Escape")
        frame.get_by_role("button", name="Menu").click()
        frame.get_by_role("button", name="My data").click()
        expect(panel).to_contain_text("12 messages")
        assert not panel.locator(".panel-body").evaluate(wide)
        assert not frame.locator("body").evaluate(wide)
