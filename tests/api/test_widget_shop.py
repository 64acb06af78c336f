"""The demo shop: believable, in two languages, and the only place where one may be anybody."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, expect

from api.routes import shop_page
from api.routes.shop_page import FOLDER, SHOWN, Shop, shop_of
from api.settings import ROOT, Settings
from tests.api.widget_browser import chat_frame, chromium, visitor
from tests.api.widget_server import World, build_app, problem, serving
from tools.phrases import Phrases

DEMO = ROOT / "demo"


def house(folder: Path, **settings: Any) -> Any:
    """As much of an open house as the shop's page looks at."""
    pack = SimpleNamespace(folder=folder, company=SimpleNamespace(currency="RUB"))
    chosen = Settings(identity_secret="s" * 40, **settings)
    return SimpleNamespace(building=SimpleNamespace(pack=pack, settings=chosen))


def with_shop(app: FastAPI) -> FastAPI:
    app.include_router(shop_page.router)
    shop = shop_of(house(DEMO))
    shop = Shop(goods=shop.goods, people=shop.people, phrases=shop.phrases, sign=lambda id: f"h.{id}.s")
    app.dependency_overrides[shop_of] = lambda: shop
    return app


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(with_shop(FastAPI()), follow_redirects=False) as client:
        yield client


def test_the_front_page_shows_goods_and_the_chat_of_an_anonymous_visitor(client: TestClient) -> None:
    answer = client.get("/demo/")
    assert answer.status_code == 200
    assert 'lang="ru"' in answer.text
    assert answer.text.count("<li>") == len(SHOWN)
    assert "3\u00a0990\u00a0₽" in unescape(answer.text)
    assert "identity=" not in answer.text
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert re.findall(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", answer.text) == []


def test_the_language_is_chosen_by_address_then_cookie_then_browser(client: TestClient) -> None:
    assert "Light you can rely on" in client.get("/demo/?lang=en").text
    assert "Light you can rely on" in client.get("/demo/").text
    client.cookies.clear()
    assert 'lang="en"' in client.get("/demo/", headers={"Accept-Language": "en-GB,en;q=0.9"}).text
    assert 'lang="ru"' in client.get("/demo/?lang=xx").text


@pytest.mark.parametrize("login", ["anna", "boris", "vera", "john"])
def test_a_demo_customer_signs_in_and_out(client: TestClient, login: str) -> None:
    answer = client.post("/demo/sign-in", data={"login": login})
    assert (answer.status_code, answer.headers["Location"]) == (303, "./")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    page = client.get("/demo/").text
    assert re.search(r'identity="h\.c-\d+\.s"', page)
    client.post("/demo/sign-out")
    assert "identity=" not in client.get("/demo/").text


def test_a_script_gets_the_token(client: TestClient) -> None:
    answer = client.post("/demo/sign-in", data={"login": "anna"}, headers={"Accept": "application/json"})
    assert answer.json() == {"identity": "h.c-001.s", "name": "Анна Соколова"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_nobody_else_can_be_signed_in(client: TestClient) -> None:
    assert client.post("/demo/sign-in", data={"login": "c-001"}).status_code == 404
    assert client.post("/demo/sign-in", data={"login": ""}).status_code in (404, 422)
    client.cookies.set("fonar_customer", "c-001")
    assert "identity=" not in client.get("/demo/").text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_sign_its_visitor_in(client: TestClient, site: str) -> None:
    answer = client.post("/demo/sign-in", data={"login": "anna"}, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403


@pytest.mark.parametrize("name", ["page.html", "texts", "__init__.py", "..%2f__init__.py"])
def test_only_the_pages_own_files_are_served(client: TestClient, name: str) -> None:
    assert client.get(f"/demo/{name}").status_code == 404
    assert client.get("/demo/art.svg").headers["Content-Type"] == "image/svg+xml"


def test_the_page_exists_for_the_demo_alone(tmp_path: Path) -> None:
    for other in (house(tmp_path), house(DEMO, demo=False)):
        with pytest.raises(HTTPException) as refused:
            shop_of(other)
        assert refused.value.status_code == 404
    assert shop_of(house(DEMO, identity_public_key="-----BEGIN PUBLIC KEY-----")).people == {}
    assert shop_of(house(DEMO)).sign(shop_of(house(DEMO)).people["anna"].id).count(".") == 2


def test_every_product_on_the_page_is_in_the_shop_and_has_a_drawing() -> None:
    shop = shop_of(house(DEMO))
    assert tuple(good.code for good in shop.goods) == SHOWN
    drawings = (FOLDER / "art.svg").read_text("utf-8")
    for good in shop.goods:
        assert f'id="{good.category}"' in drawings
        assert good.price > 0
        assert good.attributes


def test_the_page_has_the_same_texts_in_both_languages() -> None:
    assert Phrases(FOLDER / "texts").differences() == []


@pytest.mark.browser
def test_signing_in_and_out_changes_whose_chat_it_is() -> None:
    world = World()
    with serving(with_shop(build_app(world))) as address, chromium() as browser:
        world.address = address
        _sign_in_and_out(browser, world)
        world.refuse = lambda method, path: problem(503, "closing")


def _sign_in_and_out(browser: Browser, world: World) -> None:
    with visitor(browser) as context:
        page = context.new_page()
        page.goto(f"{world.address}/demo/")
        page.locator("[data-ask]").click()
        expect(chat_frame(page).locator(".quick")).to_have_count(3)
        page.locator("summary").click()
        page.get_by_role("button", name="Анна Соколова").click()
        expect(page.get_by_role("button", name="Выйти")).to_be_visible()
        expect(chat_frame(page).locator(".quick")).to_have_count(3)
        assert world.opened[-1]["identity"] == "h.c-001.s"
        page.get_by_role("button", name="Выйти").click()
        expect(chat_frame(page).locator(".quick")).to_have_count(3)
        assert "identity" not in world.opened[-1]
        assert len(world.opened) == 3
        assert page.evaluate("window.__violations") == []
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
