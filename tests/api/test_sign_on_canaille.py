"""Staff sign in at a real provider, Canaille, in a real browser: its own form, PKCE, a token verified by its keys."""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from agent.records.staff import Person, Staff
from api.console.router import console_router
from api.container import open_building
from api.main import create_app
from api.settings import Settings
from api.sign_on.choose import BACK, provider_of
from api.sign_on.provider import NotGranted, challenge
from api.sign_on.token import BadToken
from api.staff import add_person
from tests.api.console_house import PASSWORD as OWN_PASSWORD
from tests.api.widget_browser import visitor
from tests.api.widget_server import serving
from tests.migrated import migrated
from tests.systems import canaille
from tests.systems.canaille import CLIENT, PASSWORD, SECRET, Canaille

pytestmark = [pytest.mark.heavy, pytest.mark.browser, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Mayak and the provider of its staff."""

    mayak: str
    provider: Canaille
    settings: Settings


@pytest.fixture(scope="module")
def world(canaille_command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("canaille")
    with canaille.served(folder, back=f"http://127.0.0.1:{port}{BACK}") as provider:
        settings = Settings(
            data=tmp_path_factory.mktemp("mayak"),
            port=port,
            embedder="fake",
            oidc_issuer=provider.address,
            oidc_client=CLIENT,
            oidc_secret=SECRET,
            oidc_scopes=("openid", "profile", "email", "groups"),
            oidc_login_claim="sub",
            oidc_roles=("support=operator",),
            oidc_name="Canaille",
            oidc_only=True,
        )

        @asynccontextmanager
        async def opened():  # type: ignore[no-untyped-def]
            migrated(settings.database_url)
            async with open_building(settings) as building:
                staff = Staff(building.engine, clock=building.clock)
                olga = Person(login="olga", name="Ольга", roles=frozenset({"curator"}))
                await add_person(staff, olga, password=OWN_PASSWORD)
                yield building

        app = create_app(opened, extras=(lambda app: app.include_router(console_router()),))
        with serving(app, port=port) as address:
            yield World(mayak=address, provider=provider, settings=settings)


def at_the_provider(page: Page, login: str) -> None:
    """Fill in Canaille's own form."""
    page.locator("[name=login]").fill(login)
    page.keyboard.press("Enter")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_an_account_of_ours_enters_with_its_own_roles(world: World, browser: Browser) -> None:
    with visitor(browser) as context:
        page = context.new_page()
        page.goto(f"{world.mayak}/console/knowledge?show=draft")
        expect(page.locator("[name=password]")).to_have_count(0)
        page.get_by_role("link", name="Войти через Canaille").click()
        assert page.url.startswith(world.provider.address)
        at_the_provider(page, "olga")
        page.wait_for_url(f"{world.mayak}/console/knowledge?show=draft")
        page.goto(f"{world.mayak}/console/account")
        expect(page.get_by_text("через учётную запись компании").first).to_be_visible()
        assert page.evaluate("window.__violations") == []


def test_a_group_of_the_provider_makes_an_account(world: World, browser: Browser) -> None:
    with visitor(browser) as context:
        page = context.new_page()
        page.goto(f"{world.mayak}/console/sign-on")
        at_the_provider(page, "vera")
        page.wait_for_url(f"{world.mayak}/console/dialogues")
        page.locator(".me summary").click()
        expect(page.locator(".me-name")).to_contain_text("Вера Павлова")
        expect(page.locator(".me-name")).to_contain_text("оператор")


def test_a_stranger_is_told_and_stays_outside(world: World, browser: Browser) -> None:
    with visitor(browser) as context:
        page = context.new_page()
        page.goto(f"{world.mayak}/console/sign-on")
        at_the_provider(page, "stranger")
        expect(page.get_by_role("heading", name="У вас пока нет доступа")).to_be_visible()
        page.goto(f"{world.mayak}/console/dialogues")
        assert "/console/login" in page.url


def test_the_real_provider_takes_a_code_with_its_verifier_and_its_nonce_alone(world: World) -> None:
    # The browser of the tests above has a loop of its own in this thread.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, _exchanged(world)).result(timeout=120)


async def _exchanged(world: World) -> None:
    provider = provider_of(world.settings)
    assert provider is not None
    told = "v" * 64
    rows = ((told, "nonce", ""), ("w" * 64, "nonce", "NotGranted"), (told, "another", "BadToken"))
    async with httpx.AsyncClient(trust_env=False) as http:
        for verifier, nonce, fault in rows:
            code = await _code(http, await provider.address(state="s", nonce="nonce", verifier=told))
            try:
                claims = await provider.claims(code, nonce=nonce, verifier=verifier)
                assert (claims["sub"], claims["groups"]) == ("vera", ["support"])
                found = ""
            except (NotGranted, BadToken) as refused:
                found = type(refused).__name__
            assert found == fault
        bare = (await provider.address(state="s", nonce="n", verifier=told)).replace(
            f"code_challenge={challenge(told)}&", ""
        )
        assert "code=" not in (await http.get(bare)).headers.get("Location", "")


async def _code(http: httpx.AsyncClient, address: str) -> str:
    """Sign in as Vera over plain HTTP, the second time by the provider's own session."""
    answer = await http.get(address)
    for field in ("login", "password"):
        if answer.status_code in (302, 303) and "code=" not in answer.headers["Location"]:
            answer = await http.get(
                httpx.URL(address).join(answer.headers["Location"]), follow_redirects=False
            )
        if answer.status_code != 200:
            break
        token = answer.text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
        form = {"csrf_token": token, field: "vera" if field == "login" else PASSWORD}
        answer = await http.post(answer.url, data=form, headers={"Referer": str(answer.url)})
    while "code=" not in answer.headers["Location"]:
        answer = await http.get(httpx.URL(address).join(answer.headers["Location"]))
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
