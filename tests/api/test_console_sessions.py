"""Sessions of staff: where one is signed in, ending them, and what ends them at the next request."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from typer.testing import CliRunner

from agent.records.staff import UnknownLogin
from api.commands.staff import app
from api.console.device import device_of
from api.console.router import console_router
from api.console.sign_in import ATTEMPTS_PER_MINUTE
from api.security import Rate
from api.settings import Settings
from tests.api.console_house import PASSWORD, Console, console, form_token, send, sign_in, signed_in
from tests.api.test_console_roles import routes

ACCOUNT = "/console/account"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
POSTS = sorted(path for method, path in routes(console_router()) if method == "POST")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


async def is_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get(ACCOUNT)).status_code == 200


async def test_one_sees_where_one_is_signed_in_and_which_is_this_browser(house: Console) -> None:
    async with house.browser(**{"User-Agent": FIREFOX}) as desk, signed_in(house, "olga") as phone:
        await sign_in(desk, "olga")
        page = (await phone.get(ACCOUNT)).text
        assert page.count("/sessions/") == 2, "one other session, and all others"
        assert "Firefox · Windows" in page
        assert page.count("this browser") == 1
    async with signed_in(house, "pavel") as other:
        assert "Firefox" not in (await other.get(ACCOUNT)).text


async def test_one_of_ones_sessions_is_ended_and_the_other_goes_on(house: Console) -> None:
    async with signed_in(house, "olga") as here, signed_in(house, "olga") as there:
        [other] = [
            one for one in await house.staff.sessions("olga") if one.id not in await own_id(here, house)
        ]
        answer = await send(here, f"{ACCOUNT}/sessions/{other.id}/end")
        assert answer.headers["Location"] == f"{ACCOUNT}?said=ended"
        assert (await is_in(here), await is_in(there)) == (True, False)
    assert [row.detail for row in await house.audited("sessions_ended")] == [{"sessions": 1}]


async def own_id(browser: httpx.AsyncClient, house: Console) -> str:
    from api.security import hashed

    session = await house.staff.session(hashed(browser.cookies["mayak_console"]))
    assert session is not None
    return session.id


async def test_one_may_sign_out_everywhere_but_here(house: Console) -> None:
    async with (
        signed_in(house, "olga") as here,
        signed_in(house, "olga") as there,
        signed_in(house, "pavel") as him,
    ):
        await send(here, f"{ACCOUNT}/sessions/end")
        assert (await is_in(here), await is_in(there), await is_in(him)) == (True, False, True)


async def test_a_session_of_somebody_else_looks_absent(house: Console) -> None:
    async with signed_in(house, "olga") as olga, signed_in(house, "marina") as admin:
        for id in (await own_id(olga, house), "none"):
            answer = await send(admin, f"{ACCOUNT}/sessions/{id}/end")
            assert answer.headers["Location"] == f"{ACCOUNT}?said=ended"
        assert await is_in(olga)
    assert await house.audited("sessions_ended") == []


async def test_changing_the_password_ends_every_session(house: Console) -> None:
    new = "another long password"
    async with signed_in(house, "olga") as here, signed_in(house, "olga") as there:
        answer = await send(here, f"{ACCOUNT}/password", password=PASSWORD, new=new, again=new)
        assert answer.headers["Location"] == "/console/login?said=changed"
        assert (await is_in(here), await is_in(there)) == (False, False)
    async with house.browser() as browser:
        assert (await sign_in(browser, "olga")).status_code == 401
        assert (await sign_in(browser, "olga", new)).status_code == 303
    assert [row.actor for row in await house.audited("password")] == ["olga"]


@pytest.mark.parametrize(
    ("password", "new", "again"),
    [
        ("wrong password", "another long password", "another long password"),
        (PASSWORD, "another long password", "another long passwort"),
        (PASSWORD, "short", "short"),
        (PASSWORD, "x" * 201, "x" * 201),
        (PASSWORD, "", ""),
    ],
)
async def test_a_password_that_cannot_be_changed_stays(
    house: Console, password: str, new: str, again: str
) -> None:
    async with signed_in(house, "olga") as browser:
        answer = await send(browser, f"{ACCOUNT}/password", password=password, new=new, again=again)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
        assert await is_in(browser)
    async with house.browser() as browser:
        assert (await sign_in(browser, "olga")).status_code == 303


async def test_guessing_the_password_in_an_open_session_locks_too(house: Console) -> None:
    async with signed_in(house, "olga") as browser:
        for _ in range(5):
            await send(browser, f"{ACCOUNT}/factor", password="wrong password")
        locked = await send(browser, f"{ACCOUNT}/factor", password=PASSWORD)
        assert "Too many attempts" in locked.text


ENDS: dict[str, Callable[[Console], Awaitable[object]]] = {
    "a new password": lambda house: house.staff.set_password("olga", "hash"),
    "other roles": lambda house: house.staff.set_roles("olga", frozenset({"curator"})),
    "a block": lambda house: house.staff.set_disabled("olga", True),
    "being signed out": lambda house: house.staff.close_sessions("olga"),
}


@pytest.mark.parametrize("what", sorted(ENDS))
async def test_what_ends_a_session_counts_from_the_next_request_on(house: Console, what: str) -> None:
    async with signed_in(house, "olga") as browser, signed_in(house, "pavel") as other:
        assert (await browser.get("/console/dialogues")).status_code == 200
        await ENDS[what](house)
        assert (await browser.get("/console/dialogues")).headers["Location"].startswith("/console/login?")
        assert (await other.get("/console/dialogues")).status_code == 200


async def test_the_same_roles_again_end_nothing_and_a_half_session_ends_as_well(house: Console) -> None:
    async with signed_in(house, "olga") as browser:
        assert not await house.staff.set_roles("olga", frozenset({"operator"}))
        assert await is_in(browser)
    await house.staff.open_session("olga", token_hash="half", stage="code")
    await house.staff.set_roles("olga", frozenset({"curator"}))
    assert await house.staff.session("half") is None


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (FIREFOX, "Firefox · Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.1 Safari/605.1.15",
            "Safari · macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36",
            "Chrome · Android",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 YaBrowser/25.10 Safari/537.36",
            "Yandex Browser · Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) Version/26.1 Mobile Safari/604.1",
            "Safari · iPhone",
        ),
        ("curl/8.5", ""),
        ("<script>", ""),
    ],
)
def test_a_browser_is_named_as_people_know_it(agent: str, device: str) -> None:
    assert device_of(agent) == device


async def test_what_a_browser_calls_itself_is_no_markup(house: Console) -> None:
    async with house.browser(**{"User-Agent": "<script>alert(1)</script>" * 40}) as browser:
        await sign_in(browser, "olga")
        assert "<script>alert" not in (await browser.get(ACCOUNT)).text


async def test_every_form_needs_our_origin_and_its_own_token(house: Console) -> None:
    taken = []
    async with signed_in(house, "marina") as browser, signed_in(house, "marina") as other:
        own, foreign = await form_token(browser), await form_token(other)
        for path in POSTS:
            address = re.sub(r"\{[^}]+\}", "none", path)
            for token, headers in (
                (own, {"Origin": "https://evil.example"}),
                (own, {"Origin": "null"}),
                (own, {"Sec-Fetch-Site": "cross-site"}),
                (foreign, {}),
                ("", {}),
            ):
                # Trying often must not be what refuses.
                house.app.state.console_attempts = Rate(ATTEMPTS_PER_MINUTE)
                answer = await browser.post(address, data={"form_token": token}, headers=headers)
                if answer.status_code != 403:
                    taken.append((path, answer.status_code, token == own, headers))
        assert await is_in(browser), "nothing was done"
    assert taken == []


def command(data: Path, *arguments: str, typed: str = "") -> str:
    context = SimpleNamespace(settings=lambda: Settings(data=data))
    done = CliRunner().invoke(app, list(arguments), input=typed, obj=context)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


@pytest.fixture
def data(tmp_path: Path) -> Path:
    command(tmp_path, "add", "ivan", "--name", "Иван", "--role", "operator", typed="long enough\n")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "act", "told"),
    [
        (("password", "ivan", "--generate"), "password", "signed out everywhere"),
        (("roles", "ivan", "--role", "curator"), "roles", "signed out everywhere"),
        (("roles", "ivan", "--role", "operator"), "roles", "had these roles"),
        (("block", "ivan"), "block", "blocked"),
        (("unblock", "ivan"), "unblock", "may sign in"),
        (("sign-out", "ivan"), "sessions_ended", "0 sessions"),
        (("reset-factor", "ivan"), "factor_reset", "had no second factor"),
    ],
)
def test_an_account_is_changed_from_the_command_line_and_the_audit_tells_it(
    data: Path, arguments: tuple[str, ...], act: str, told: str
) -> None:
    import asyncio

    from agent.records.audit import SqlAudit
    from agent.records.engine import connect
    from tests.api.console_house import Clock

    assert told in command(data, *arguments)

    async def lines() -> list[str]:
        engine = connect(Settings(data=data).database_url)
        try:
            return [
                line.fields.target
                for line in await SqlAudit(engine, clock=Clock()).listed(act=act)
                if line.fields
            ]
        finally:
            await engine.dispose()

    assert asyncio.run(lines()) == ["ivan"]
    with pytest.raises(UnknownLogin):
        command(data, *(part.replace("ivan", "nobody") for part in arguments))
