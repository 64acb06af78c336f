"""What every browser test of the doors starts from: Chromium once a module, a clean visitor and the widget's world a test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.api.widget_browser import chromium, visitor
from tests.api.widget_server import World, widget_world


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def world() -> Iterator[World]:
    with widget_world() as world:
        yield world


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with visitor(browser) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
