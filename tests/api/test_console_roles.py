"""Who may open what: every route of the console against every kind of visitor."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from api.console.jobs import jobs
from api.console.router import console_router
from tests.api.console_house import Console, console, escalated, form_token, signed_in

EVERYBODY = frozenset({"nobody", "olga", "kirill", "marina"})
STAFF = frozenset({"olga", "kirill", "marina"})
OPERATORS = frozenset({"olga", "marina"})
CURATORS = frozenset({"kirill", "marina"})
"""olga is an operator, kirill a curator, marina an admin."""

TABLE: dict[tuple[str, str], frozenset[str]] = {
    ("GET", "/console"): STAFF,
    ("GET", "/console/{rest:path}"): EVERYBODY,
    ("GET", "/console/login"): EVERYBODY,
    ("POST", "/console/login"): EVERYBODY,
    ("GET", "/console/login/code"): EVERYBODY,
    ("POST", "/console/login/code"): EVERYBODY,
    ("GET", "/console/sign-on"): EVERYBODY,
    ("GET", "/console/sign-on/callback"): EVERYBODY,
    ("GET", "/console/account"): STAFF,
    ("POST", "/console/account/factor"): STAFF,
    ("POST", "/console/account/factor/confirm"): STAFF,
    ("POST", "/console/account/factor/codes"): STAFF,
    ("POST", "/console/account/factor/off"): STAFF,
    ("POST", "/console/account/password"): STAFF,
    ("POST", "/console/account/sessions/end"): STAFF,
    ("POST", "/console/account/sessions/{id}/end"): STAFF,
    ("POST", "/console/logout"): STAFF,
    ("GET", "/console/look"): EVERYBODY,
    ("GET", "/console/static/{version}/{name}"): EVERYBODY,
    ("GET", "/console/live"): OPERATORS,
    ("GET", "/console/dialogues/{id}/around"): OPERATORS,
    ("POST", "/console/dialogues/{id}/typing"): OPERATORS,
    ("GET", "/console/dialogues"): OPERATORS,
    ("GET", "/console/dialogues/list"): OPERATORS,
    ("GET", "/console/dialogues/{id}"): OPERATORS,
    ("GET", "/console/dialogues/{id}/part"): OPERATORS,
    ("GET", "/console/dialogues/{id}/receipts/{turn}"): OPERATORS,
    ("POST", "/console/dialogues/{id}/claim"): OPERATORS,
    ("POST", "/console/dialogues/{id}/reply"): OPERATORS,
    ("POST", "/console/dialogues/{id}/note"): OPERATORS,
    ("POST", "/console/dialogues/{id}/transfer"): OPERATORS,
    ("POST", "/console/dialogues/{id}/snooze"): OPERATORS,
    ("POST", "/console/dialogues/{id}/wake"): OPERATORS,
    ("POST", "/console/dialogues/{id}/suggest"): OPERATORS,
    ("POST", "/console/dialogues/{id}/ready"): OPERATORS,
    ("POST", "/console/dialogues/{id}/return"): OPERATORS,
    ("POST", "/console/dialogues/{id}/close"): OPERATORS,
    ("POST", "/console/dialogues/{id}/promises/{promise}/kept"): OPERATORS,
    ("POST", "/console/dialogues/{id}/promises/{promise}/mistaken"): OPERATORS,
    ("POST", "/console/dialogues/{id}/promises/{promise}/stands"): OPERATORS,
    ("POST", "/console/dialogues/{id}/promises/{promise}/due"): OPERATORS,
    ("GET", "/console/knowledge"): CURATORS,
    ("GET", "/console/knowledge.csv"): CURATORS,
    ("POST", "/console/bulk"): CURATORS,
    ("POST", "/console/bulk/undo"): CURATORS,
    ("GET", "/console/gaps"): CURATORS,
    ("POST", "/console/gaps"): CURATORS,
    ("GET", "/console/gaps/{gap}/answer"): CURATORS,
    ("GET", "/console/accuracy"): CURATORS,
    ("POST", "/console/gaps/{gap}/draft"): CURATORS,
    ("POST", "/console/gaps/{gap}/close"): CURATORS,
    ("POST", "/console/gaps/{gap}/reopen"): CURATORS,
    ("GET", "/console/dialogues/{id}/flag/{turn}"): OPERATORS,
    ("POST", "/console/dialogues/{id}/flag/{turn}"): OPERATORS,
    ("GET", "/console/flags"): CURATORS,
    ("POST", "/console/flags/{flag}/case"): CURATORS,
    ("POST", "/console/flags/{flag}/dismiss"): CURATORS,
    ("POST", "/console/flags/{flag}/reopen"): CURATORS,
    ("GET", "/console/lessons"): CURATORS,
    ("POST", "/console/lessons"): CURATORS,
    ("POST", "/console/lessons/{lesson}/draft"): CURATORS,
    ("POST", "/console/lessons/{lesson}/refuse"): CURATORS,
    ("POST", "/console/lessons/{lesson}/reopen"): CURATORS,
    ("GET", "/console/dialogues/{id}/lesson"): OPERATORS,
    ("POST", "/console/dialogues/{id}/lesson"): OPERATORS,
    ("GET", "/console/conflicts"): CURATORS,
    ("POST", "/console/conflicts"): CURATORS,
    ("GET", "/console/draft"): CURATORS,
    ("POST", "/console/draft"): CURATORS,
    ("POST", "/console/draft/passages"): CURATORS,
    ("GET", "/console/imports"): CURATORS,
    ("POST", "/console/imports"): CURATORS,
    ("POST", "/console/imports/sources"): CURATORS,
    ("GET", "/console/imports/{number}"): CURATORS,
    ("POST", "/console/imports/{number}/stop"): CURATORS,
    ("GET", "/console/knowledge/{document}"): CURATORS,
    ("POST", "/console/knowledge/{document}"): CURATORS,
    ("POST", "/console/passages"): CURATORS,
    ("POST", "/console/knowledge/{document}/passages"): CURATORS,
    ("POST", "/console/knowledge/{document}/ask"): CURATORS,
    ("GET", "/console/knowledge/{document}/history"): CURATORS,
    ("GET", "/console/knowledge/{document}/conflicts"): CURATORS,
    ("GET", "/console/knowledge/{document}/consequences"): CURATORS,
    ("POST", "/console/knowledge/{document}/consequences"): CURATORS,
    ("POST", "/console/knowledge/{document}/consequences/publish"): CURATORS,
    ("POST", "/console/knowledge/{document}/consequences/drop"): CURATORS,
    ("POST", "/console/knowledge/{document}/submit"): CURATORS,
    ("POST", "/console/knowledge/{document}/reject"): CURATORS,
    ("POST", "/console/knowledge/{document}/withdraw"): CURATORS,
    ("POST", "/console/knowledge/{document}/comment"): CURATORS,
    ("POST", "/console/knowledge/{document}/right"): CURATORS,
    ("POST", "/console/knowledge/{document}/publish"): CURATORS,
    ("POST", "/console/knowledge/{document}/retire"): CURATORS,
    ("POST", "/console/knowledge/{document}/rollback"): CURATORS,
    ("POST", "/console/knowledge/{document}/details"): CURATORS,
}


def routes(router: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every method and path of a router and of those included in it."""
    for route in router.routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from routes(included, prefix + route.include_context.prefix)
        else:
            yield from ((method, prefix + route.path) for method in sorted(route.methods))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as opened:
        yield opened


def test_the_table_names_every_route_of_the_console() -> None:
    assert set(routes(console_router())) == set(TABLE)


@pytest.mark.parametrize("visitor", sorted(EVERYBODY))
async def test_a_route_answers_only_those_the_table_names(house: Console, visitor: str) -> None:
    talk = await escalated(house.building)
    await house.building.library.save_draft(
        "returns", "# Returns\n\n14 days.", title="Returns", language="en", by="test"
    )
    # A server that stops ends its streams after their first word.
    house.building.notices.stop()
    # Signing out ends the visit, so it comes last.
    rows = sorted(TABLE.items(), key=lambda row: row[0][1] == "/console/logout")
    wrong = []
    async with visiting(house, visitor) as browser:
        token = await form_token(browser)
        for (method, path), allowed in rows:
            address = path.replace(":path", "").format(
                id=talk,
                document="returns",
                version="x",
                gap="none",
                lesson="none",
                flag="none",
                turn="none",
                name="console.css",
                rest="no/such",
                number="none",
                promise="none",
            )
            form = {"form_token": token} if method == "POST" else None
            answer = await browser.request(method, address, data=form)
            sent_away = answer.headers.get("Location", "").startswith("/console/login?")
            left = path == "/console/logout" and visitor != "nobody"
            refused = answer.status_code == 403 or (sent_away and not left)
            # Who may begin work is the question here, not what comes of it.
            await jobs(SimpleNamespace(app=house.app)).close(seconds=0)
            if refused == (visitor in allowed) or answer.status_code >= 500:
                wrong.append((method, path, answer.status_code))
    assert wrong == []


def visiting(house: Console, visitor: str) -> Any:
    return house.browser() if visitor == "nobody" else signed_in(house, visitor)


async def test_a_refused_form_changes_nothing(house: Console) -> None:
    talk = await escalated(house.building)
    async with signed_in(house, "kirill") as browser:
        answer = await browser.post(
            f"/console/dialogues/{talk}/claim", data={"form_token": await form_token(browser)}
        )
        assert answer.status_code == 403
        assert "isn&#39;t for your role" in answer.text
    assert (await house.building.records.conversation(talk)).holder == "queued"


async def test_the_rail_shows_only_the_pages_of_the_role(house: Console) -> None:
    for login, pages in (
        ("olga", {"dialogues"}),
        ("kirill", {"knowledge", "gaps"}),
        ("marina", {"dialogues", "knowledge", "gaps"}),
    ):
        async with signed_in(house, login) as browser:
            page = (await browser.get("/console", follow_redirects=True)).text
        rail = page.split('class="rail-pages"')[1].split("</nav>")[0]
        assert {
            name for name in ("dialogues", "knowledge", "gaps") if f'href="/console/{name}"' in rail
        } == pages


async def test_a_part_of_a_page_is_not_answered_with_the_sign_in_form(house: Console) -> None:
    async with house.browser() as browser:
        answer = await browser.get("/console/dialogues/list", headers={"X-Part": "1"})
        assert (answer.status_code, answer.text) == (401, "")
