"""Signing in at the company's provider: who gets in, as whom, and what is refused on the way."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.records.staff import Person
from api.console.sign_in import ATTEMPTS_PER_MINUTE
from api.security import Rate
from api.settings import BadSetting, Settings
from api.sign_on.admitting import Create, Enter, Link, Linked, Refused, Rules, admitted
from api.sign_on.choose import provider_of, rules_of
from api.sign_on.provider import Client, Provider, challenge
from tests.api.console_house import Console, console, sign_in, signed_in
from tests.api.oidc_provider import BACK, CLIENT, ISSUER, SECRET, FakeProvider, key

DEMO = Path(__file__).resolve().parents[2] / "demo"
ON = "/console/sign-on"
ROLES = ("support=operator", "editors=curator")


@asynccontextmanager
async def provided(
    folder: Path, provider: FakeProvider, *, company: Path | None = None, **settings: Any
) -> AsyncIterator[Console]:
    """A console that knows this provider."""
    async with console(folder, company=company) as house:
        told = {"oidc_issuer": ISSUER, "oidc_client": CLIENT, "oidc_secret": SECRET, "oidc_roles": ROLES}
        changed = replace(house.building.settings, **{**told, **settings})
        building = replace(house.building, settings=changed)
        house.app.state.opened.building = building
        client = Client(issuer=ISSUER, id=CLIENT, secret=SECRET, scopes=("openid",), back=BACK)
        house.app.state.console_provider = Provider(client, transport=provider.transport)
        yield replace(house, building=building)


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
async def house(tmp_path: Path, provider: FakeProvider) -> AsyncIterator[Console]:
    async with provided(tmp_path, provider) as opened:
        yield opened


async def sign_on(
    browser: httpx.AsyncClient, provider: FakeProvider, subject: str, *, next: str = "", **claims: Any
) -> httpx.Response:
    """Go to the provider, sign in there, and come back."""
    away = await browser.get(ON, params={"next": next})
    assert away.status_code == 303, away.text
    back = provider.signs_in(away.headers["Location"], subject, **claims)
    return await browser.get(f"{ON}/callback", params=back)


async def is_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/console/account")).status_code == 200


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_an_account_is_linked_by_its_login_and_known_by_its_subject_from_then_on(
    house: Console, provider: FakeProvider
) -> None:
    async with house.browser() as browser:
        entered = await sign_on(
            browser, provider, "s-1", preferred_username="Olga", next="/console/dialogues?show=done"
        )
        assert entered.headers["Location"] == "/console/dialogues?show=done"
        assert (await browser.get("/console/dialogues")).status_code == 200
        assert "with the company account" in (await browser.get("/console/account")).text
    async with house.browser() as browser:
        assert (await sign_on(browser, provider, "s-1", preferred_username="renamed")).status_code == 303
        assert await is_in(browser)
    assert [row.target for row in await house.audited("account_linked")] == ["olga"]
    assert [row.detail for row in await house.audited("sign_in")] == [{"by": "oidc"}] * 2


async def test_a_login_that_is_linked_opens_to_nobody_else_of_the_provider(
    house: Console, provider: FakeProvider
) -> None:
    async with house.browser() as browser:
        await sign_on(browser, provider, "s-1", preferred_username="olga")
    async with house.browser() as thief:
        refused = await sign_on(thief, provider, "s-2", preferred_username="olga", groups=["support"])
        assert refused.status_code == 403
        assert "belongs to somebody else" in refused.text
        assert not await is_in(thief)


async def test_somebody_unknown_gets_a_page_that_says_so_and_nothing_else(
    house: Console, provider: FakeProvider
) -> None:
    async with house.browser(**{"Accept-Language": "ru"}) as browser:
        refused = await sign_on(browser, provider, "s-9", preferred_username="stranger", groups=["sales"])
        assert refused.status_code == 403
        assert "Вы вошли как «stranger»" in refused.text
        assert not await is_in(browser)
    assert await house.staff.person("stranger") is None
    assert [row.detail for row in await house.audited("sign_on_refused")] == [{"why": "unknown"}]


async def test_a_claim_makes_an_account_and_gives_and_takes_its_roles(
    house: Console, provider: FakeProvider
) -> None:
    facts = {"preferred_username": "vera", "name": "Вера Павлова"}
    async with house.browser() as browser:
        await sign_on(browser, provider, "s-3", groups=["sales", "support"], **facts)
        made = await house.staff.person("vera")
        assert made == Person(login="vera", name="Вера Павлова", roles=frozenset({"operator"}))
        assert (await browser.get("/console/knowledge")).status_code == 403
        async with house.browser() as other:
            await sign_on(other, provider, "s-3", groups=["editors"], **facts)
            assert (await other.get("/console/knowledge")).status_code == 200
            assert not await is_in(browser), "other roles end earlier sessions"
            async with house.browser() as third:
                refused = await sign_on(third, provider, "s-3", groups=[], **facts)
                assert (refused.status_code, "no longer has a role" in refused.text) == (403, True)
            assert not await is_in(other)
    async with house.browser() as browser:
        assert (await sign_in(browser, "vera", "")).status_code == 401, "it has no password"


async def test_who_is_blocked_here_stays_out(house: Console, provider: FakeProvider) -> None:
    async with house.browser() as browser:
        await sign_on(browser, provider, "s-1", preferred_username="olga")
        await house.staff.set_disabled("olga", True)
        assert not await is_in(browser)
        assert (await sign_on(browser, provider, "s-1", preferred_username="olga")).status_code == 403
        await sign_on(browser, provider, "s-4", preferred_username="pavel")
    await house.staff.set_disabled("kirill", True)
    async with house.browser() as browser:
        assert (await sign_on(browser, provider, "s-5", preferred_username="kirill")).status_code == 403


async def test_claims_that_only_userinfo_tells_count_for_the_same_person(
    house: Console, provider: FakeProvider
) -> None:
    provider.userinfo = {"sub": "s-6", "groups": ["editors"], "preferred_username": "nina"}
    async with house.browser() as browser:
        assert (await sign_on(browser, provider, "s-6")).headers["Location"] == "/console/knowledge"
    async with house.browser() as browser:
        assert (await sign_on(browser, provider, "s-7")).status_code == 502
        assert not await is_in(browser)


FORGED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "issuer": ({"iss": "https://evil.example"}, {}),
    "audience": ({"aud": "another"}, {}),
    "expired": ({"exp": 1}, {}),
    "nonce": ({"nonce": "another"}, {}),
    "key": ({}, {"kid": "unknown"}),
}


@pytest.mark.parametrize("what", sorted(FORGED))
async def test_a_token_that_fails_a_check_opens_nothing(
    house: Console, provider: FakeProvider, what: str
) -> None:
    provider.claims, provider.header = FORGED[what]
    async with house.browser() as browser:
        refused = await sign_on(browser, provider, "s-1", preferred_username="olga")
        assert refused.status_code == 403
        assert "didn&#39;t pass our checks" in refused.text
        assert not await is_in(browser)


async def test_a_new_key_of_the_provider_is_fetched_and_one_that_is_not_published_is_not_believed(
    house: Console, provider: FakeProvider
) -> None:
    async with house.browser() as browser:
        await sign_on(browser, provider, "s-1", preferred_username="olga")
        # Keys were fetched this minute: an unknown one does not make us ask again and again.
        fresh = key("two")
        provider.key, provider.published = fresh, [fresh]
        assert (await sign_on(browser, provider, "s-1")).status_code == 403
        house.app.state.console_provider._keys = (0.0, house.app.state.console_provider._keys[1])
        assert (await sign_on(browser, provider, "s-1")).status_code == 303
        provider.key = key("three")
        assert (await sign_on(browser, provider, "s-1")).status_code == 403
    assert provider.asked.count("openid-configuration") == 1


async def test_an_answer_counts_once_in_its_own_browser_with_its_own_state(
    house: Console, provider: FakeProvider
) -> None:
    async with house.browser() as browser, house.browser() as victim:
        away = (await browser.get(ON)).headers["Location"]
        back = provider.signs_in(away, "s-1", preferred_username="olga")
        assert (await victim.get(f"{ON}/callback", params=back)).status_code == 400, "without the cookie"
        await victim.get(ON)
        assert (await victim.get(f"{ON}/callback", params=back)).status_code == 400, "of another sign-in"
        assert not await is_in(victim)
        kept = browser.cookies["mayak_sign_on"]
        assert (await browser.get(f"{ON}/callback", params=back)).status_code == 303
        browser.cookies.clear()
        browser.cookies.set("mayak_sign_on", kept)
        assert (await browser.get(f"{ON}/callback", params=back)).status_code == 400, "a second time"


async def test_a_stolen_code_is_worth_nothing_without_the_verifier(
    house: Console, provider: FakeProvider
) -> None:
    async with house.browser() as victim, house.browser() as thief:
        code = provider.signs_in((await victim.get(ON)).headers["Location"], "s-1", preferred_username="olga")
        own = provider.signs_in((await thief.get(ON)).headers["Location"], "s-2")
        refused = await thief.get(f"{ON}/callback", params={"code": code["code"], "state": own["state"]})
        assert refused.status_code == 403
        assert not await is_in(thief)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"state": "x"}, 400),
        ({"state": ""}, 400),
        ({"iss": "https://evil.example"}, 400),
        ({"code": ""}, 403),
        ({"code": "", "error": "access_denied"}, 403),
        ({"error": "server_error"}, 403),
        ({"code": "x" * 5000}, 422),
    ],
)
async def test_a_wrong_answer_opens_nothing(
    house: Console, provider: FakeProvider, changed: dict[str, str], status: int
) -> None:
    async with house.browser() as browser:
        back = provider.signs_in(
            (await browser.get(ON)).headers["Location"], "s-1", preferred_username="olga"
        )
        answer = await browser.get(f"{ON}/callback", params={**back, **changed})
        assert answer.status_code == status
        assert not await is_in(browser)


async def test_a_provider_that_signs_its_answers_must_sign_each(
    house: Console, provider: FakeProvider
) -> None:
    """RFC 9207."""
    provider.metadata = {"authorization_response_iss_parameter_supported": True}
    for more, status in (({}, 400), ({"iss": f"{ISSUER}/"}, 400), ({"iss": ISSUER}, 303)):
        async with house.browser() as browser:
            away = (await browser.get(ON)).headers["Location"]
            back = provider.signs_in(away, "s-1", preferred_username="olga")
            assert (await browser.get(f"{ON}/callback", params={**back, **more})).status_code == status


async def test_ten_minutes_are_enough_to_sign_in(house: Console, provider: FakeProvider) -> None:
    async with house.browser() as browser:
        back = provider.signs_in(
            (await browser.get(ON)).headers["Location"], "s-1", preferred_username="olga"
        )
        house.clock.pass_by(minutes=11)
        assert (await browser.get(f"{ON}/callback", params=back)).status_code == 400


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example", "/v1/me"])
async def test_coming_back_never_leads_away(house: Console, provider: FakeProvider, next: str) -> None:
    async with house.browser() as browser:
        entered = await sign_on(browser, provider, "s-1", preferred_username="olga", next=next)
        assert entered.headers["Location"] == "/console/dialogues"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": f"{ISSUER}/"},
        {"token_endpoint": "http://id.example.test/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
        {"userinfo_endpoint": "ftp://id.example.test"},
    ],
)
async def test_a_discovery_document_of_another_or_without_tls_is_not_used(
    house: Console, provider: FakeProvider, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata
    async with house.browser() as browser:
        answer = await browser.get(ON)
        assert (answer.status_code, "doesn&#39;t answer" in answer.text) == (502, True)


@pytest.mark.parametrize("broken", ["openid-configuration", "jwks", "token"])
async def test_a_provider_that_is_down_is_told_in_words(
    house: Console, provider: FakeProvider, broken: str
) -> None:
    provider.broken = {broken}
    async with house.browser() as browser:
        answer = await browser.get(ON)
        if answer.status_code == 303:
            back = provider.signs_in(answer.headers["Location"], "s-1", preferred_username="olga")
            answer = await browser.get(f"{ON}/callback", params=back)
        assert (answer.status_code, "doesn&#39;t answer" in answer.text) == (502, True)
        assert (await sign_in(browser, "olga")).status_code == 303, "passwords go on"


async def test_passwords_can_be_done_away_with(tmp_path: Path, provider: FakeProvider) -> None:
    only = provided(tmp_path, provider, oidc_only=True, oidc_name="Фонарь ID")
    async with only as house, house.browser() as browser:
        page = (await browser.get("/console/login")).text
        assert "Sign in with Фонарь ID" in page
        assert 'name="password"' not in page
        refused = await browser.post("/console/login", data={"login": "olga"})
        assert (refused.status_code, "Passwords are off" in refused.text) == (403, True)
        await sign_on(browser, provider, "s-1", preferred_username="olga")
        account = (await browser.get("/console/account")).text
        assert 'type="password"' not in account


async def test_sessions_of_passwords_end_where_passwords_do(house: Console) -> None:
    async with signed_in(house, "olga") as browser:
        assert await is_in(browser)
        changed = replace(house.building.settings, oidc_only=True)
        house.app.state.opened.building = replace(house.building, settings=changed)
        assert not await is_in(browser)


async def test_the_second_factor_of_those_who_sign_in_elsewhere_is_asked_there(
    tmp_path: Path, provider: FakeProvider
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(DEMO, pack)
    policy = pack / "policy.toml"
    policy.write_text(f'{policy.read_text("utf-8")}\n[staff]\nsecond_factor = ["operator"]\n', "utf-8")
    async with provided(tmp_path / "data", provider, company=pack) as house, house.browser() as browser:
        await sign_on(browser, provider, "s-1", preferred_username="olga")
        assert (await browser.get("/console/dialogues")).status_code == 200


async def test_without_a_provider_there_is_no_such_page(tmp_path: Path) -> None:
    async with console(tmp_path) as house, house.browser() as browser:
        assert "sign-on" not in (await browser.get("/console/login")).text
        assert (await browser.get(ON)).status_code == (await browser.get(f"{ON}/callback")).status_code == 404


async def test_one_address_cannot_begin_without_end(house: Console, provider: FakeProvider) -> None:
    async with house.browser() as browser:
        await browser.get(ON)
        house.app.state.console_attempts = Rate(ATTEMPTS_PER_MINUTE, now=lambda: 0.0)
        answers = [(await browser.get(ON)).status_code for _ in range(ATTEMPTS_PER_MINUTE + 1)]
    assert answers == [303] * ATTEMPTS_PER_MINUTE + [429]


@pytest.mark.parametrize(
    "settings",
    [
        {"oidc_only": True},
        {"oidc_issuer": "http://id.example.com", "oidc_client": "mayak"},
        {"oidc_issuer": "id.example.com", "oidc_client": "mayak"},
        {"oidc_issuer": ISSUER},
        {"oidc_issuer": ISSUER, "oidc_client": "mayak", "oidc_roles": ("support",)},
        {"oidc_issuer": ISSUER, "oidc_client": "mayak", "oidc_roles": ("support=boss",)},
        {"oidc_issuer": ISSUER, "oidc_client": "mayak", "oidc_roles": ("=admin",)},
    ],
)
def test_settings_that_cannot_work_are_refused_with_a_remedy(settings: dict[str, Any]) -> None:
    with pytest.raises(BadSetting) as refused:
        provider_of(Settings(**settings))
    assert refused.value.remedy


RULES = Rules(roles={"support": "operator", "cn=editors,dc=x": "curator"})
OLGA = Person(login="olga", name="Ольга", roles=frozenset({"operator"}))
GONE = replace(OLGA, disabled=True)


@pytest.mark.parametrize(
    ("claims", "linked", "named", "taken", "verdict"),
    [
        ({}, None, None, False, Refused(why="unknown", login="")),
        ({"preferred_username": "vera"}, None, None, False, Refused(why="unknown", login="vera")),
        (
            {"preferred_username": "vera", "groups": "sales"},
            None,
            None,
            False,
            Refused(why="unknown", login="vera"),
        ),
        ({"preferred_username": "olga"}, None, OLGA, False, Link(login="olga")),
        ({"preferred_username": "olga"}, None, OLGA, True, Refused(why="taken", login="olga")),
        ({"preferred_username": "olga"}, None, GONE, False, Refused(why="blocked", login="olga")),
        ({"groups": ["support"]}, None, None, False, Refused(why="bad_login", login="")),
        (
            {"preferred_username": "v@x.ru", "groups": ["support"]},
            None,
            None,
            False,
            Refused(why="bad_login", login="v@x.ru"),
        ),
        ({"preferred_username": ["olga"]}, None, None, False, Refused(why="unknown", login="")),
        (
            {"preferred_username": "vera", "groups": "support"},
            None,
            None,
            False,
            Create(person=Person(login="vera", name="vera", roles=frozenset({"operator"}))),
        ),
        ({}, Linked(person=OLGA, managed=False), None, False, Enter(login="olga")),
        (
            {"groups": ["cn=editors,dc=x"]},
            Linked(person=OLGA, managed=False),
            None,
            False,
            Enter(login="olga"),
        ),
        (
            {"groups": ["cn=editors,dc=x", "support", 7, None]},
            Linked(person=OLGA, managed=True),
            None,
            False,
            Enter(login="olga", roles=frozenset({"operator", "curator"})),
        ),
        (
            {"groups": []},
            Linked(person=OLGA, managed=True),
            None,
            False,
            Refused(why="no_role", login="olga"),
        ),
        (
            {"groups": ["support"]},
            Linked(person=GONE, managed=True),
            None,
            False,
            Refused(why="blocked", login="olga"),
        ),
    ],
)
def test_who_is_let_in(
    claims: dict[str, Any], linked: Linked | None, named: Person | None, taken: bool, verdict: object
) -> None:
    assert admitted(claims, rules=RULES, linked=linked, named=named, taken=taken) == verdict


def test_a_value_with_an_equals_sign_is_a_value_all_the_same() -> None:
    assert rules_of(Settings(oidc_roles=("cn=editors=curator",))).roles == {"cn=editors": "curator"}
