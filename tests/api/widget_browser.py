"""Chromium for the widget's tests: one browser a module, one clean context a test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect, sync_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000
WATCH = """
window.__violations = [];
document.addEventListener('securitypolicyviolation',
  (e) => window.__violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
"""


def chromium_path() -> str | None:
    """Where Chromium is, if it is."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser; the test is skipped where there is none."""
    path = chromium_path()
    if path is None:
        pytest.skip("there is no Chromium here; apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visitor(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A clean browser context that notes policy violations in every frame."""
    settings = {"locale": "ru-RU", "viewport": {"width": 1100, "height": 800}} | options
    context = browser.new_context(**settings)
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(WATCH)
    try:
        yield context
    finally:
        context.close()


def chat_frame(page: Page) -> Frame:
    """The frame of the widget on a page, once its words can be read."""
    element = page.locator("mayak-chat iframe").element_handle()
    frame = element.content_frame() if element else None
    assert frame is not None
    return frame


def open_chat(page: Page, address: str) -> Frame:
    """Go to a page with the widget, open it, wait until it can be written to."""
    page.goto(address)
    page.locator("mayak-chat button").click()
    frame = chat_frame(page)
    frame.locator("body[data-phase=ready]").wait_for()
    return frame


def say(frame: Frame, text: str) -> None:
    """Write a message and send it with the key."""
    frame.locator("#text").fill(text)
    frame.locator("#text").press("Enter")
