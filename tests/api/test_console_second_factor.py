"""The second factor of staff: setting it up, signing in with it, losing it, and what a thief can do without it."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pyotp
import pytest
from sqlalchemy import select

from agent.records.factors import Factors
from agent.records.staff import ROLES
from agent.records.staff_tables import staff_factors, staff_recovery
from agent.terms import StaffTerms
from api.second_factor import (
    CODES,
    STEP_SECONDS,
    Seal,
    SecondFactor,
    Unreadable,
    app_address,
    plain,
    qr_code,
    recovery_codes,
    step_of,
)
from tests.api.console_house import PASSWORD, Console, console, form_token, sign_in, signed_in, token_in

DEMO = Path(__file__).resolve().parents[2] / "demo"
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""“12345678901234567890” in base32, of the test vectors in RFC 6238, appendix B."""
ACCOUNT = "/console/account"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


def shown_now(house: Console, secret: str, *, steps: int = 0) -> str:
    """What the app shows, so many steps from now."""
    return pyotp.TOTP(secret).at(house.clock.now(), counter_offset=steps)


async def post(browser: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    token = await form_token(browser, ACCOUNT)
    return await browser.post(f"{ACCOUNT}{path}", data={"form_token": token, **fields})


async def enrolled(house: Console, login: str) -> tuple[str, list[str]]:
    """Set the factor up as its owner would; return the secret and the recovery codes."""
    async with signed_in(house, login) as browser:
        page = (await post(browser, "/factor", password=PASSWORD)).text
        secret = key_of(page)
        done = await post(browser, "/factor/confirm", code=shown_now(house, secret))
        assert done.status_code == 200, done.text
    house.clock.pass_by(seconds=STEP_SECONDS)
    return secret, codes_of(done.text)


def key_of(page: str) -> str:
    found = re.search(r'class="factor-key">([A-Z2-7 ]+)<', page)
    assert found is not None, "no key is shown"
    return found[1].replace(" ", "")


def codes_of(page: str) -> list[str]:
    return re.findall(r"<li>([A-Z0-9]{4}(?:-[A-Z0-9]{4}){3})</li>", page)


async def with_code(browser: httpx.AsyncClient, login: str, code: str, *, next: str = "") -> httpx.Response:
    """Sign in with the right password, then send this code."""
    browser.cookies.clear()
    asked = await sign_in(browser, login, next=next)
    assert asked.headers["Location"].startswith("/console/login/code"), asked.text
    page = await browser.get(asked.headers["Location"])
    form = {"form_token": token_in(page.text), "code": code, "next": next}
    return await browser.post("/console/login/code", data=form)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert step_of(code, secret=RFC_SECRET, now=moment) == seconds // STEP_SECONDS
    assert step_of(f"{code[:3]} {code[3:]}", secret=RFC_SECRET, now=moment) == seconds // STEP_SECONDS
    assert step_of(code[::-1] + "1", secret=RFC_SECRET, now=moment) is None


@pytest.mark.parametrize(("off", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_differ_by_one_step(off: int, counts: bool) -> None:
    now = datetime(2026, 11, 30, 12, 0, 10, tzinfo=UTC)
    code = pyotp.TOTP(RFC_SECRET).at(now, counter_offset=off)
    assert (step_of(code, secret=RFC_SECRET, now=now) is not None) is counts


def test_a_sealed_secret_opens_for_its_login_and_key_alone() -> None:
    seal = Seal("one secret of the installation")
    sealed = seal.close(RFC_SECRET, login="olga")
    assert RFC_SECRET not in sealed
    assert seal.open(sealed, login="olga") == RFC_SECRET
    assert seal.close(RFC_SECRET, login="olga") != sealed
    for other, login in ((seal, "pavel"), (Seal("another secret"), "olga")):
        with pytest.raises(Unreadable):
            other.open(sealed, login=login)
    for broken in ("", "кириллица", sealed[:-8], sealed[8:]):
        with pytest.raises(Unreadable):
            seal.open(broken, login="olga")


def test_the_app_is_told_who_for_whom_and_a_picture_of_it_needs_nothing_from_outside() -> None:
    address = app_address(RFC_SECRET, login="olga", company="Фонарь")
    assert address.startswith("otpauth://totp/")
    assert f"secret={RFC_SECRET}" in address
    picture = qr_code(address)
    assert picture.startswith("<svg")
    assert "href" not in picture
    assert "style=" not in picture
    assert "script" not in picture


def test_recovery_codes_are_ten_and_all_different() -> None:
    made = recovery_codes()
    assert len(set(made)) == CODES == 10
    assert all(re.fullmatch(r"[A-Z2-9]{4}(-[A-Z2-9]{4}){3}", one) for one in made)
    assert plain(f" {made[0].lower()} ") == made[0].replace("-", "")


async def test_setting_it_up_takes_the_password_and_a_right_code(house: Console) -> None:
    async with signed_in(house, "olga") as browser:
        refused = await post(browser, "/factor", password="wrong password")
        assert refused.status_code == 422
        assert "factor-key" not in refused.text
        page = (await post(browser, "/factor", password=PASSWORD)).text
        secret = key_of(page)
        assert "<svg" in page.split('class="factor-qr"')[1].split("</div>")[0]
        wrong = await post(browser, "/factor/confirm", code=shown_now(house, secret, steps=5))
        assert (wrong.status_code, key_of(wrong.text)) == (422, secret)
        done = await post(browser, "/factor/confirm", code=shown_now(house, secret))
        assert len(codes_of(done.text)) == CODES
        later = (await browser.get(ACCOUNT)).text
        assert secret not in later.replace(" ", "")
        assert codes_of(later) == []
        assert "10 recovery codes left" in later.replace("\u00a0", " ")
    assert [row.actor for row in await house.audited("factor_on")] == ["olga"]


async def test_a_secret_that_was_not_confirmed_is_asked_of_nobody(house: Console) -> None:
    async with signed_in(house, "olga") as browser:
        first = key_of((await post(browser, "/factor", password=PASSWORD)).text)
        second = key_of((await post(browser, "/factor", password=PASSWORD)).text)
        assert first != second
    async with house.browser() as browser:
        assert (await sign_in(browser, "olga")).headers["Location"] == "/console/dialogues"


async def test_nothing_in_the_database_opens_anything(house: Console, tmp_path: Path) -> None:
    secret, codes = await enrolled(house, "olga")
    async with house.building.engine.connect() as connection:
        factor = (await connection.execute(select(staff_factors))).one()
        kept = {row.code_hash for row in await connection.execute(select(staff_recovery))}
    assert len(kept) == CODES
    assert secret not in str(factor)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*sqlite*"))
    for one in (secret, *codes, *(plain(code) for code in codes)):
        assert one.encode() not in files


async def test_the_right_password_alone_opens_nothing(house: Console) -> None:
    secret, _ = await enrolled(house, "olga")
    async with house.browser() as browser:
        asked = await sign_in(browser, "olga", next="/console/dialogues?show=done")
        assert asked.headers["Location"] == "/console/login/code?next=%2Fconsole%2Fdialogues%3Fshow%3Ddone"
        for path in ("/console/dialogues", ACCOUNT, "/console"):
            assert (await browser.get(path)).headers["Location"].startswith("/console/login?")
        token = token_in((await browser.get("/console/login/code")).text)
        ended = await browser.post(f"{ACCOUNT}/sessions/end", data={"form_token": token})
        assert ended.headers["Location"].startswith("/console/login?")
        entered = await with_code(
            browser, "olga", shown_now(house, secret), next="/console/dialogues?show=done"
        )
        assert (entered.status_code, entered.headers["Location"]) == (303, "/console/dialogues?show=done")
        assert (await browser.get("/console/dialogues")).status_code == 200
    assert [row.detail for row in await house.audited("sign_in")][-1] == {"by": "code"}


async def test_the_session_of_the_password_is_not_that_of_the_code(house: Console) -> None:
    secret, _ = await enrolled(house, "olga")
    async with house.browser() as browser, house.browser() as thief:
        await sign_in(browser, "olga")
        half = browser.cookies["mayak_console"]
        page = await browser.get("/console/login/code")
        await browser.post(
            "/console/login/code",
            data={"form_token": token_in(page.text), "code": shown_now(house, secret)},
        )
        assert browser.cookies["mayak_console"] != half
        thief.cookies.set("mayak_console", half)
        assert (await thief.get("/console/dialogues")).status_code == 303


async def test_a_right_password_waits_ten_minutes_for_its_code(house: Console) -> None:
    await enrolled(house, "olga")
    async with house.browser() as browser:
        await sign_in(browser, "olga")
        house.clock.pass_by(minutes=9)
        assert (await browser.get("/console/login/code")).status_code == 200
        house.clock.pass_by(minutes=2)
        assert (await browser.get("/console/login/code")).headers["Location"] == "/console/login"


async def test_a_code_is_taken_once_and_no_earlier_one_after_it(house: Console) -> None:
    secret, _ = await enrolled(house, "olga")
    async with house.browser() as browser:
        before, now = shown_now(house, secret, steps=-1), shown_now(house, secret)
        assert (await with_code(browser, "olga", now)).status_code == 303
        for used in (now, before):
            assert (await with_code(browser, "olga", used)).status_code == 401
        await house.staff.forgive("olga")
        house.clock.pass_by(seconds=STEP_SECONDS)
        assert (await with_code(browser, "olga", shown_now(house, secret))).status_code == 303


async def test_of_ten_at_once_one_uses_the_code(house: Console) -> None:
    secret, codes = await enrolled(house, "olga")
    factor = SecondFactor(
        Factors(house.building.engine, clock=house.clock), secret=house.building.identity_secret
    )
    for code in (shown_now(house, secret), codes[0]):
        assert sum(await asyncio.gather(*(factor.proved("olga", code) for _ in range(10)))) == 1


async def test_each_recovery_code_stands_in_once(house: Console) -> None:
    _, codes = await enrolled(house, "olga")
    async with house.browser() as browser:
        assert (await with_code(browser, "olga", codes[3].lower())).status_code == 303
        assert (await with_code(browser, "olga", codes[3])).status_code == 401
        assert (await with_code(browser, "olga", codes[4])).status_code == 303
        assert "8 recovery codes left" in (await browser.get(ACCOUNT)).text.replace("\u00a0", " ")


async def test_new_recovery_codes_end_the_old_ones(house: Console) -> None:
    secret, old = await enrolled(house, "olga")
    async with house.browser() as browser:
        await with_code(browser, "olga", shown_now(house, secret))
        assert (await post(browser, "/factor/codes", code="000000")).status_code == 422
        new = codes_of((await post(browser, "/factor/codes", code=old[0])).text)
        assert len(new) == CODES
        assert not set(new) & set(old)
    async with house.browser() as browser:
        assert (await with_code(browser, "olga", old[1])).status_code == 401
        assert (await with_code(browser, "olga", new[0])).status_code == 303


async def test_wrong_codes_lock_as_wrong_passwords_do(house: Console) -> None:
    secret, _ = await enrolled(house, "olga")
    async with house.browser() as browser:
        await sign_in(browser, "olga")
        token = token_in((await browser.get("/console/login/code")).text)

        async def tried(code: str) -> int:
            form = {"form_token": token, "code": code}
            return (await browser.post("/console/login/code", data=form)).status_code

        # The password was the first of five attempts.
        assert [await tried("000000") for _ in range(4)] == [401] * 4
        assert await tried(shown_now(house, secret)) == 429
        assert (await sign_in(browser, "olga")).status_code == 429, "nor is the password checked"
        house.clock.pass_by(seconds=31)
        assert await tried(shown_now(house, secret)) == 303
    assert len(await house.audited("wrong_code")) == 4


async def test_a_right_password_forgives_no_wrong_code(house: Console) -> None:
    await enrolled(house, "olga")
    async with house.browser() as browser:
        answers = []
        for _ in range(3):
            asked = await sign_in(browser, "olga")
            answers.append(asked.status_code)
            if asked.status_code == 429:
                break
            page = await browser.get("/console/login/code")
            form = {"form_token": token_in(page.text), "code": "000000"}
            answers.append((await browser.post("/console/login/code", data=form)).status_code)
    assert answers == [303, 401, 303, 401, 303, 429]


async def test_it_is_turned_off_with_a_code_only(house: Console) -> None:
    secret, _ = await enrolled(house, "olga")
    async with house.browser() as browser:
        await with_code(browser, "olga", shown_now(house, secret))
        house.clock.pass_by(seconds=STEP_SECONDS)
        assert (await post(browser, "/factor/off", code=PASSWORD)).status_code == 422
        off = await post(browser, "/factor/off", code=shown_now(house, secret))
        assert off.headers["Location"] == f"{ACCOUNT}?said=factor_off"
        browser.cookies.clear()
        assert (await sign_in(browser, "olga")).headers["Location"] == "/console/dialogues"
    async with house.building.engine.connect() as connection:
        assert (await connection.execute(select(staff_recovery))).all() == []


async def test_setting_it_up_signs_out_every_other_browser(house: Console) -> None:
    async with signed_in(house, "olga") as other:
        await enrolled(house, "olga")
        assert (await other.get("/console/dialogues")).status_code == 303


async def test_another_installations_secret_cannot_read_it_and_recovery_codes_still_count(
    house: Console,
) -> None:
    secret, codes = await enrolled(house, "olga")
    factor = SecondFactor(Factors(house.building.engine, clock=house.clock), secret="another secret")
    assert not await factor.proved("olga", shown_now(house, secret))
    assert await factor.proved("olga", codes[0])


def test_a_pack_may_ask_it_of_every_role_there_is() -> None:
    assert StaffTerms(second_factor=ROLES).second_factor == ROLES


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Console]:
    """A company that asks operators and admins for a second factor."""
    pack = tmp_path / "pack"
    shutil.copytree(DEMO, pack)
    policy = pack / "policy.toml"
    policy.write_text(
        f'{policy.read_text("utf-8")}\n[staff]\nsecond_factor = ["operator", "admin"]\n', "utf-8"
    )
    async with console(tmp_path / "data", company=pack) as opened:
        yield opened


@pytest.mark.parametrize(("login", "asked"), [("olga", True), ("marina", True), ("kirill", False)])
async def test_whose_role_asks_for_it_sees_their_account_alone_until_they_have_it(
    strict: Console, login: str, asked: bool
) -> None:
    page = "/console/knowledge" if login == "kirill" else "/console/dialogues"
    async with signed_in(strict, login) as browser:
        first = await browser.get(page)
        assert (first.status_code == 303) is asked
        part = await browser.get(page, headers={"X-Part": "1"})
        assert (part.status_code == 401) is asked
        if not asked:
            return
        assert first.headers["Location"] == ACCOUNT
        told = (await browser.get(ACCOUNT)).text
        assert "Your role needs a second factor" in told
        token = token_in(told)
        sent = await browser.post("/console/dialogues/x/claim", data={"form_token": token})
        assert sent.headers["Location"] == ACCOUNT
        secret = key_of((await post(browser, "/factor", password=PASSWORD)).text)
        await post(browser, "/factor/confirm", code=shown_now(strict, secret))
        assert (await browser.get(page)).status_code == 200
