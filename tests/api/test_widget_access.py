"""The widget for everybody: keyboard alone, screen readers, small screens, large fingers, no motion."""

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.api.widget_browser import chat_frame, open_chat, say, visitor
from tests.api.widget_server import World

pytestmark = [pytest.mark.browser, pytest.mark.heavy]

FOCUSED = "document.activeElement?.getAttribute('aria-label') || document.activeElement?.textContent || document.activeElement?.id"
SMALL = """() => [...document.querySelectorAll('button, a[href], textarea')]
  .filter((e) => e.checkVisibility() && !e.classList.contains('raised'))
  .map((e) => [e.getAttribute('aria-label') || e.textContent, e.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.height < 43.5 || box.width < 43.5)).map(([name, box]) => `${name} ${box.width}x${box.height}`)"""


def focused(frame: Frame) -> str:
    return str(frame.evaluate(FOCUSED))


def press_until(page: Page, frame: Frame, name: str, key: str = "Tab", at_most: int = 25) -> None:
    """Press a key until the thing with this name has the focus."""
    for _ in range(at_most):
        if focused(frame).strip() == name:
            return
        page.keyboard.press(key)
    raise AssertionError(f"{name} was not reached; the focus is on {focused(frame)}")


def test_the_whole_story_needs_only_a_keyboard(page: Page, world: World) -> None:
    page.goto(f"{world.address}/shop")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.localName") == "mayak-chat"
    page.keyboard.press("Enter")
    frame = chat_frame(page)
    expect(frame.locator("#text")).to_be_focused()
    page.keyboard.type("Где мой заказ?")
    page.keyboard.press("Enter")
    expect(frame.locator(".card.consent")).to_be_visible()
    press_until(page, frame, "Разрешить", "Shift+Tab")
    page.keyboard.press("Space")
    expect(frame.locator(".source")).to_have_count(1)
    frame.locator("#text").focus()
    press_until(page, frame, "Какие данные использованы", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(frame.locator("dialog .numbers")).to_be_visible()
    page.keyboard.press("Escape")
    expect(frame.locator("dialog")).to_be_hidden()
    assert focused(frame) == "Какие данные использованы"
    press_until(page, frame, "Меню", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(frame.locator(".menu")).to_be_visible()
    assert focused(frame) == "Русский"
    page.keyboard.press("Escape")
    expect(frame.locator(".menu")).to_be_hidden()
    assert focused(frame) == "Меню"
    page.keyboard.press("Escape")
    expect(page.locator("mayak-chat iframe")).to_be_hidden()
    assert page.evaluate("document.activeElement.localName") == "mayak-chat"
    page.keyboard.press("Enter")
    expect(frame.locator("#text")).to_be_focused()


def test_enter_sends_and_shift_enter_breaks_the_line(page: Page, world: World) -> None:
    world.quiet = True
    frame = open_chat(page, f"{world.address}/shop")
    frame.locator("#text").focus()
    page.keyboard.type("Первая")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("вторая")
    assert world.posts == []
    page.keyboard.press("Enter")
    expect(frame.locator(".customer:not(.waiting):not(.sending)")).to_have_count(1)
    assert world.posts[0]["text"] == "Первая\nвторая"
    page.keyboard.press("Enter")
    page.keyboard.type("   ")
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert len(world.posts) == 1


def test_a_screen_reader_is_told_finished_messages_once_and_no_history(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    log = frame.get_by_role("log", name="Переписка")
    expect(log).to_have_attribute("aria-live", "polite")
    expect(frame.locator(".status")).to_have_attribute("role", "status")
    say(frame, "Сколько стоит доставка?")
    expect(frame.locator(".writing")).to_have_attribute("aria-busy", "true")
    expect(frame.locator(".source")).to_have_count(2)
    expect(frame.locator('[data-author="ai"]').last.locator(".chip")).to_have_attribute(
        "title", "Ответ искусственного интеллекта"
    )
    page.reload()
    frame = chat_frame(page)
    frame.locator("body[data-phase=ready]").wait_for()
    assert frame.locator(".log").get_attribute("aria-live") == "off"
    expect(frame.locator(".log")).to_have_attribute("aria-live", "polite")


def test_every_control_has_a_name(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "Сколько стоит доставка?")
    expect(frame.locator(".source")).to_have_count(2)
    nameless = frame.evaluate(
        "[...document.querySelectorAll('button, a, textarea, [role]')]"
        ".filter((e) => e.checkVisibility() && !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length"
        " || ['status'].includes(e.getAttribute('role')))).map((e) => e.outerHTML)"
    )
    assert nameless == []
    assert page.locator("mayak-chat iframe").get_attribute("title") == "Чат с помощником"


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_everything_without_sideways_scrolling(
    browser: Browser, world: World, width: int
) -> None:
    size = {"width": width, "height": 640}
    with visitor(browser, viewport=size, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        frame = open_chat(page, f"{world.address}/shop")
        box = page.locator("mayak-chat iframe").bounding_box()
        assert box == {"x": 0, "y": 0, "width": width, "height": 640}
        for text in (
            "Где мой заказ?",
            "Отмените заказ 1051",
            "Сколько стоит доставка?",
            "щ" * 300,
            "https://" + "x" * 200,
        ):
            say(frame, text)
            page.wait_for_timeout(500)
            assert frame.evaluate("document.documentElement.scrollWidth") <= width
            assert frame.evaluate("document.querySelector('.scroller').scrollWidth") <= width
            assert frame.evaluate(SMALL) == []
        world.talk.hand("queued")
        expect(frame.locator(".queue")).to_be_visible()
        frame.get_by_role("button", name="Меню").click()
        assert frame.evaluate("document.documentElement.scrollWidth") <= width
        assert frame.evaluate(SMALL) == []


def test_the_chat_fits_a_narrow_page_at_double_zoom(browser: Browser, world: World) -> None:
    with visitor(browser, viewport={"width": 640, "height": 400}, device_scale_factor=2) as context:
        page = context.new_page()
        frame = open_chat(page, f"{world.address}/shop")
        say(frame, "Где мой заказ?")
        expect(frame.locator(".card.consent")).to_be_visible()
        assert frame.locator("#text").bounding_box()["height"] >= 44  # type: ignore[index]
        assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_nothing_moves_for_those_who_asked_for_stillness(browser: Browser, world: World) -> None:
    with visitor(browser, reduced_motion="reduce") as context:
        page = context.new_page()
        frame = open_chat(page, f"{world.address}/shop")
        # Long enough to be looked at on a busy machine.
        world.pause = 2.0
        say(frame, "Сколько стоит доставка?")
        expect(frame.locator(".status.on")).to_be_visible()
        assert frame.evaluate("document.getAnimations().length") == 0


def test_a_page_that_reopens_the_chat_keeps_the_readers_focus(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    expect(frame.locator("#text")).to_be_focused()
    page.reload()
    expect(chat_frame(page).locator(".quick")).to_have_count(3)
    assert page.evaluate("document.activeElement.localName") == "body"
