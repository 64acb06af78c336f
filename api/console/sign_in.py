"""Signing in and out, and how the console looks to whoever uses it."""

import secrets
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request, Response

from agent.records.staff import LIFE, Person
from api.console.page import (
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    THEMES,
    PageRoute,
    SignInFirst,
    redirect,
)
from api.console.visit import Anybody, Visit, checked_form, same_origin, session_cookie, set_cookie
from api.opened import address_of
from api.security import Rate, hashed
from api.staff import Entrance, Locked
from tools.phrases import LANGUAGES

ATTEMPTS_PER_MINUTE = 20
"""Attempts to sign in from one network address."""
YEAR_SECONDS = 365 * 24 * 3600
HOME = "/console"
SAID = ("signed_out", "expired")

router = APIRouter(route_class=PageRoute)


def entrance(request: Request) -> Entrance:
    """The one place where passwords are checked, for the life of the application."""
    state = request.app.state
    if not hasattr(state, "console_entrance"):
        state.console_entrance = Entrance()
        state.console_attempts = Rate(ATTEMPTS_PER_MINUTE)
    return cast(Entrance, state.console_entrance)


@router.get("/console")
async def home(visit: Anybody) -> Response:
    """Go to the first page this person may see."""
    return redirect(first_page(visit.who))


def first_page(person: Person) -> str:
    """Return where somebody's work is."""
    return "/console/dialogues" if person.may("operator") else "/console/knowledge"


@router.get("/console/login")
async def form(visit: Anybody, next: Annotated[str, Query(max_length=300)] = "") -> Response:
    """The sign-in form."""
    if visit.person is not None:
        return redirect(first_page(visit.person))
    return _form(visit, next=next)


@router.post("/console/login")
async def sign_in(visit: Anybody, door: Annotated[Entrance, Depends(entrance)]) -> Response:
    """Check login and password; the same words whatever of them is wrong."""
    request, settings = visit.request, visit.house.building.settings
    same_origin(request, base=settings.base_url)
    cast(Rate, request.app.state.console_attempts).take(address_of(request))
    async with checked_form(visit) as sent:
        login, next, password = (sent.text(name) for name in ("login", "next", "password"))
    found = await door.sign_in(visit.staff, login=login, password=password)
    if isinstance(found, Locked):
        minutes = -(-int(found.wait.total_seconds() + 1) // 60)
        return _form(visit, next=next, login=login, trouble="locked", minutes=minutes, status=429)
    if found is None:
        return _form(visit, next=next, login=login, trouble="wrong", status=401)
    records = visit.house.building.records
    await records.audit("sign_in", actor=found.person.login, target=found.person.login)
    response = redirect(next if is_own(next) else first_page(found.person))
    seconds = int(LIFE.total_seconds())
    set_cookie(request, response, session_cookie(request), found.token, seconds=seconds)
    return response


@router.post("/console/logout")
async def sign_out(visit: Anybody) -> Response:
    """End this browser's session."""
    same_origin(visit.request, base=visit.house.building.settings.base_url)
    if visit.person is None:
        raise SignInFirst
    async with checked_form(visit):
        pass
    await visit.staff.close_session(hashed(visit.token))
    await visit.note("sign_out", visit.who.login)
    response = redirect("/console/login", said="signed_out")
    set_cookie(visit.request, response, session_cookie(visit.request), "", seconds=0)
    return response


@router.get("/console/look")
async def look(
    visit: Anybody,
    language: Annotated[str, Query(max_length=8)] = "",
    theme: Annotated[str, Query(max_length=8)] = "",
    back: Annotated[str, Query(max_length=300)] = HOME,
) -> Response:
    """Choose language or light and dark; kept in this browser."""
    response = redirect(back if is_own(back) else HOME)
    if language in LANGUAGES:
        set_cookie(visit.request, response, LANGUAGE_COOKIE, language, seconds=YEAR_SECONDS)
    if theme in THEMES:
        set_cookie(visit.request, response, THEME_COOKIE, theme, seconds=YEAR_SECONDS)
    return response


def is_own(path: str) -> bool:
    """Whether a path leads to a page of the console and nowhere else."""
    return (path == HOME or path.startswith((f"{HOME}/", f"{HOME}?"))) and not set(path) & set("\\\r\n\t")


def _form(
    visit: Visit,
    *,
    next: str = "",
    login: str = "",
    trouble: str = "",
    minutes: int = 0,
    status: int = 200,
) -> Response:
    """Show the form. Before anybody signed in a cookie of chance stands in for the session in the form's token."""
    shown, request = visit, visit.request
    fresh = "" if visit.token else secrets.token_urlsafe(32)
    if fresh:
        shown = Visit(request=request, house=visit.house, language=visit.language, person=None, token=fresh)
    response = shown.page(
        "login.html",
        status=status,
        next=next if is_own(next) else "",
        login=login,
        trouble=trouble,
        minutes=minutes,
        said=said if (said := request.query_params.get("said", "")) in SAID else "",
    )
    if fresh:
        set_cookie(request, response, session_cookie(request), fresh, seconds=None)
    return response
