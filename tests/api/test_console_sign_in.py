"""Signing in to the console: sessions that end, waits that grow, forms that only our own pages can send."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.records.staff import IDLE, LIFE, LONGEST_WAIT, LoginTaken, Person, wait_after
from api.console.sign_in import ATTEMPTS_PER_MINUTE
from api.security import Rate
from api.staff import BadAccount, Entrance, add_person, ensure_demo_staff
from tests.api.console_house import BASE, PASSWORD, Console, console, form_token, sign_in, signed_in, token_in


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


async def test_the_right_password_leads_to_the_page_of_the_role(house: Console) -> None:
    for login, page in (("olga", "/console/dialogues"), ("kirill", "/console/knowledge")):
        async with house.browser() as browser:
            answer = await sign_in(browser, login)
            assert (answer.status_code, answer.headers["Location"]) == (303, page)
            assert (await browser.get(page)).status_code == 200


async def test_the_login_may_be_typed_with_capitals_and_spaces(house: Console) -> None:
    async with house.browser() as browser:
        assert (await sign_in(browser, " Olga ")).status_code == 303


async def test_after_signing_in_one_is_where_one_wanted_to_go(house: Console) -> None:
    async with house.browser() as browser:
        sent_away = await browser.get("/console/dialogues?show=done")
        assert sent_away.headers["Location"] == "/console/login?next=%2Fconsole%2Fdialogues%3Fshow%3Ddone"
        page = await browser.get(sent_away.headers["Location"])
        assert 'value="/console/dialogues?show=done"' in page.text
        answer = await sign_in(browser, "olga", next="/console/dialogues?show=done")
        assert answer.headers["Location"] == "/console/dialogues?show=done"


@pytest.mark.parametrize(
    "next", ["https://evil.example/", "//evil.example", "/console/\\evil.example", "/consolex", "/v1/me"]
)
async def test_signing_in_never_leads_away_from_the_console(house: Console, next: str) -> None:
    async with house.browser() as browser:
        answer = await sign_in(browser, "olga", next=next)
        assert answer.headers["Location"] == "/console/dialogues"
        looked = await browser.get("/console/look", params={"back": next, "language": "ru"})
        assert looked.headers["Location"] == "/console"


async def test_a_wrong_password_and_an_unknown_login_read_the_same(house: Console) -> None:
    async with house.browser() as browser:
        known = await sign_in(browser, "olga", "wrong password")
        unknown = await sign_in(browser, "nobody", "wrong password")
    assert known.status_code == unknown.status_code == 401
    words = [page.text.replace(token_in(page.text), "") for page in (known, unknown)]
    assert words[0].replace('value="olga"', "") == words[1].replace('value="nobody"', "")


async def test_an_unknown_login_costs_a_check_of_a_password_too(
    house: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    entrance = Entrance()
    fits = entrance._fits
    monkeypatch.setattr(
        entrance, "_fits", lambda stored, password: checked.append(stored) or fits(stored, password)
    )
    for login in ("olga", "nobody"):
        assert await entrance.sign_in(house.staff, login=login, password="wrong password") is None
    assert len(checked) == 2
    assert {stored.split("$")[3] for stored in checked} == {"m=19456,t=2,p=1"}


async def test_five_failures_make_the_login_wait_and_each_further_one_longer(house: Console) -> None:
    async with house.browser() as browser:
        for _ in range(5):
            assert (await sign_in(browser, "olga", "wrong password")).status_code == 401
        locked = await sign_in(browser, "olga")
        assert locked.status_code == 429
        assert "Wait 1\u00a0minute" in locked.text
        house.clock.pass_by(seconds=31)
        assert (await sign_in(browser, "olga", "wrong password")).status_code == 401
        house.clock.pass_by(seconds=31)
        assert (await sign_in(browser, "olga")).status_code == 429
        house.clock.pass_by(seconds=30)
        assert (await sign_in(browser, "olga")).status_code == 303


async def test_an_unknown_login_is_locked_just_the_same(house: Console) -> None:
    async with house.browser() as browser:
        answers = [(await sign_in(browser, "nobody", "wrong password")).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


async def test_one_locked_login_does_not_lock_another(house: Console) -> None:
    async with house.browser() as browser:
        for _ in range(6):
            await sign_in(browser, "olga", "wrong password")
        assert (await sign_in(browser, "pavel")).status_code == 303


async def test_signing_in_forgets_earlier_failures(house: Console) -> None:
    async with house.browser() as browser:
        for _ in range(4):
            await sign_in(browser, "olga", "wrong password")
        await sign_in(browser, "olga")
    async with house.browser() as browser:
        for _ in range(4):
            assert (await sign_in(browser, "olga", "wrong password")).status_code == 401
        assert (await sign_in(browser, "olga")).status_code == 303


def test_waits_double_and_stop_growing() -> None:
    waits = [wait_after(failures) for failures in (0, 4, 5, 6, 7, 20, 10_000)]
    assert waits[:2] == [timedelta(0)] * 2
    assert waits[2:5] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert waits[5:] == [LONGEST_WAIT] * 2


async def test_one_address_cannot_try_many_logins_at_once(house: Console) -> None:
    house.app.state.console_entrance = Entrance()
    house.app.state.console_attempts = Rate(ATTEMPTS_PER_MINUTE, now=lambda: 0.0)
    async with house.browser() as browser:
        answers = [(await sign_in(browser, f"nobody{n}", "wrong password")).status_code for n in range(21)]
    assert answers == [401] * 20 + [429]


async def test_the_cookie_is_for_this_server_alone_and_hidden_from_scripts(house: Console) -> None:
    async with house.browser() as browser:
        cookie = (await sign_in(browser, "olga")).headers["Set-Cookie"]
    assert cookie.startswith("mayak_console=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


async def test_over_tls_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    async with (
        console(tmp_path, public_url="https://desk.test") as house,
        house.browser(Origin="https://desk.test") as browser,
    ):
        browser.base_url = "https://desk.test"
        cookie = (await sign_in(browser, "olga")).headers["Set-Cookie"]
        assert cookie.startswith("__Host-mayak_console=")
        assert "Secure" in cookie.split("; ")
        assert (await browser.get("/console/dialogues")).status_code == 200


async def test_the_token_is_new_with_every_sign_in_and_stored_only_as_a_digest(house: Console) -> None:
    from sqlalchemy import select

    from agent.records.staff_tables import staff_sessions

    async with house.browser() as browser:
        await browser.get("/console/login")
        before = browser.cookies["mayak_console"]
        await sign_in(browser, "olga")
        after = browser.cookies["mayak_console"]
    assert before != after
    async with house.building.engine.connect() as connection:
        stored = [row.token_hash for row in await connection.execute(select(staff_sessions))]
    assert len(stored) == 1
    assert stored[0] not in (before, after)


async def test_signing_out_ends_the_session_on_the_server(house: Console) -> None:
    async with signed_in(house, "olga") as browser:
        stolen = browser.cookies["mayak_console"]
        token = await form_token(browser)
        answer = await browser.post("/console/logout", data={"form_token": token})
        assert answer.headers["Location"] == "/console/login?said=signed_out"
    async with house.browser() as thief:
        thief.cookies.set("mayak_console", stolen)
        assert (await thief.get("/console/dialogues")).headers["Location"].startswith("/console/login")


async def test_somebody_can_be_signed_out_everywhere(house: Console) -> None:
    async with signed_in(house, "olga") as one, signed_in(house, "olga") as other:
        await house.staff.close_sessions("olga")
        for browser in (one, other):
            assert (await browser.get("/console/dialogues")).status_code == 303


@pytest.mark.parametrize(("steps", "step"), [(1, IDLE + timedelta(seconds=1)), (16, LIFE / 15)])
async def test_a_session_ends_when_unused_and_at_the_latest_after_its_life(
    house: Console, steps: int, step: timedelta
) -> None:
    async with signed_in(house, "olga") as browser:
        alive = []
        for _ in range(steps):
            house.clock.pass_by(seconds=step.total_seconds())
            alive.append((await browser.get("/console/dialogues")).status_code == 200)
    assert alive[-1] is False
    assert all(alive[:-1])


async def test_who_left_the_company_is_signed_out_and_cannot_sign_in(house: Console) -> None:
    from sqlalchemy import update

    from agent.records.staff_tables import staff

    async with signed_in(house, "olga") as browser:
        async with house.building.engine.begin() as connection:
            await connection.execute(update(staff).where(staff.c.login == "olga").values(disabled=True))
        assert (await browser.get("/console/dialogues")).status_code == 303
        assert (await sign_in(browser, "olga")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://desk.test.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_from_another_site_is_refused(house: Console, headers: dict[str, str]) -> None:
    async with signed_in(house, "olga") as browser:
        form = {"form_token": await form_token(browser)}
        for path in ("/console/logout", "/console/login", "/console/dialogues/x/claim"):
            answer = await browser.post(path, data=form, headers=headers)
            assert answer.status_code == 403
            assert "another site" in answer.text


async def test_who_goes_away_while_sending_a_form_leaves_no_fault_behind(
    house: Console, caplog: pytest.LogCaptureFixture
) -> None:
    arrives: list[dict[str, object]] = [
        {"type": "http.request", "body": b"form_token=", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[dict[str, object]] = []
    headers = [(b"host", b"desk.test"), (b"origin", BASE.encode())]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/console/login",
        "raw_path": b"/console/login",
        "query_string": b"",
        "headers": [*headers, (b"content-type", b"application/x-www-form-urlencoded")],
        "client": ("127.0.0.1", 1),
        "server": ("desk.test", 80),
        "scheme": "http",
        "http_version": "1.1",
    }

    async def receive() -> dict[str, object]:
        return arrives.pop(0) if arrives else {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await house.app(scope, receive, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 422
    assert not [line for line in caplog.records if line.levelname == "ERROR"]


@pytest.mark.parametrize("token", ["", "0" * 64, "кириллица"])
async def test_a_form_without_its_token_is_refused(house: Console, token: str) -> None:
    async with signed_in(house, "marina") as browser:
        for path in ("/console/logout", "/console/dialogues/x/claim", "/console/draft"):
            answer = await browser.post(path, data={"form_token": token})
            assert answer.status_code == 403, path
            assert "out of date" in answer.text
        assert (await browser.get("/console/dialogues")).status_code == 200


async def test_a_form_token_of_another_session_is_refused(house: Console) -> None:
    async with signed_in(house, "olga") as one, signed_in(house, "olga") as other:
        token = await form_token(other)
        assert (await one.post("/console/logout", data={"form_token": token})).status_code == 403


async def test_the_sign_in_form_has_a_token_of_its_own(house: Console) -> None:
    async with house.browser() as browser:
        form = {"form_token": "0" * 64, "login": "olga", "password": PASSWORD}
        assert (await browser.post("/console/login", data=form)).status_code == 403


async def test_every_page_says_what_may_load_and_is_not_kept(house: Console) -> None:
    async with signed_in(house, "olga") as browser:
        for path in ("/console/dialogues", "/console/login", "/console/dialogues/none", "/console/knowledge"):
            headers = (await browser.get(path)).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert headers["Cache-Control"] == "no-store"


async def test_pages_are_in_the_language_of_the_browser_until_another_is_chosen(house: Console) -> None:
    async with house.browser(**{"Accept-Language": "de-DE,en;q=0.8,ru;q=0.5"}) as browser:
        assert "Staff sign-in" in (await browser.get("/console/login")).text
        await browser.get("/console/look", params={"language": "ru", "theme": "dark"})
        page = (await browser.get("/console/login")).text
        assert "Вход для сотрудников" in page
        assert 'data-theme="dark"' in page


async def test_signing_in_and_out_is_in_the_audit(house: Console) -> None:
    async with signed_in(house, "olga") as browser:
        await browser.post("/console/logout", data={"form_token": await form_token(browser)})
    assert [row.actor for row in await house.audited("sign_in")] == ["olga"]
    assert [row.actor for row in await house.audited("sign_out")] == ["olga"]
    assert (await house.building.records.trail.verified()).holds


async def test_the_demo_gets_its_accounts_once_and_keeps_their_passwords(tmp_path: Path) -> None:
    async with console(tmp_path, staffed=False) as house:
        first = await ensure_demo_staff(house.building)
        assert [login for login, _ in first] == ["operator", "curator"]
        assert await ensure_demo_staff(house.building) == first
        assert len({password for _, password in first}) == 2
        kept = next(tmp_path.glob("staff*.json"))
        assert kept.stat().st_mode & 0o077 == 0
        for login, password in first:
            async with house.browser() as browser:
                assert (await sign_in(browser, login, password)).status_code == 303


async def test_an_account_needs_a_usable_login_a_long_password_and_a_free_name(house: Console) -> None:
    def person(login: str = "vera", **more: object) -> Person:
        return Person(**{"login": login, "name": "Вера", "roles": frozenset({"operator"}), **more})  # type: ignore[arg-type]

    for wrong, password in (
        (person("Вера"), PASSWORD),
        (person("v"), PASSWORD),
        (person(), "short"),
        (person(name=" "), PASSWORD),
        (person(roles=frozenset()), PASSWORD),
    ):
        with pytest.raises(BadAccount):
            await add_person(house.staff, wrong, password=password)
    with pytest.raises(LoginTaken):
        await add_person(house.staff, person("olga"), password=PASSWORD)
    assert [one.login for one in await house.staff.people()] == ["kirill", "marina", "olga", "pavel"]


async def test_files_of_the_console_are_public_and_kept_by_their_version(house: Console) -> None:
    async with house.browser() as browser:
        page = (await browser.get("/console/login")).text
        for address in [part.split('"')[0] for part in page.split('href="')[1:] if "/static/" in part]:
            answer = await browser.get(address)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"]
        assert (await browser.get("/console/static/x/console.css")).headers["Cache-Control"] == "no-cache"
        assert (await browser.get("/console/static/x/router.py")).status_code == 404
    assert BASE not in page
