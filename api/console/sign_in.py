"""Signing in and out, and how the console looks to whoever uses it."""

import secrets
from datetime import timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request, Response

from agent.records.factors import Factors
from agent.records.staff import CODE_LIFE, LIFE, Person, Place
from api.console.page import (
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    THEMES,
    PageRoute,
    SignInFirst,
    redirect,
)
from api.console.visit import Anybody, Visit, checked_form, same_origin, session_cookie, set_cookie
from api.errors import Problem
from api.opened import address_of
from api.second_factor import SecondFactor
from api.security import Rate, hashed, new_token
from api.staff import Entrance, Locked, SignedIn
from tools.phrases import LANGUAGES

ATTEMPTS_PER_MINUTE = 20
"""Attempts to sign in from one network address."""
YEAR_SECONDS = 365 * 24 * 3600
HOME = "/console"
SAID = ("signed_out", "expired", "changed")

router = APIRouter(route_class=PageRoute)


def entrance(request: Request) -> Entrance:
    """The one place where passwords are checked, for the life of the application."""
    state = request.app.state
    if not hasattr(state, "console_entrance"):
        state.console_entrance = Entrance()
        state.console_attempts = Rate(ATTEMPTS_PER_MINUTE)
    return cast(Entrance, state.console_entrance)


def take_attempt(request: Request) -> None:
    """Count one attempt of this network address. Raises a 429 problem where there were too many."""
    entrance(request)
    cast(Rate, request.app.state.console_attempts).take(address_of(request))


def second_factor(visit: Visit) -> SecondFactor:
    """What people have beside their passwords."""
    building = visit.house.building
    return SecondFactor(Factors(building.engine, clock=building.clock), secret=building.identity_secret)


def place_of(request: Request) -> Place:
    """Where a session begins."""
    return Place(address=address_of(request), agent=request.headers.get("User-Agent", ""))


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
    if settings.oidc_only:
        raise Problem(403, "local_off", "No passwords here")
    take_attempt(request)
    async with checked_form(visit) as sent:
        login, next, password = (sent.text(name) for name in ("login", "next", "password"))
    found = await door.sign_in(visit.staff, login=login, password=password, place=place_of(request))
    if isinstance(found, Locked):
        return _form(visit, next=next, login=login, trouble="locked", minutes=minutes_of(found), status=429)
    if found is None:
        return _form(visit, next=next, login=login, trouble="wrong", status=401)
    if visit.session is not None:
        # A browser has one session: who signs in anew has left the old one.
        await visit.staff.close_session(hashed(visit.token))
    if found.stage == "code":
        response = redirect("/console/login/code", next=next if is_own(next) else "")
        set_cookie(
            request, response, session_cookie(request), found.token, seconds=int(CODE_LIFE.total_seconds())
        )
        return response
    return await _entered(visit, found, next=next, by="password")


@router.get("/console/login/code")
async def code_form(visit: Anybody, next: Annotated[str, Query(max_length=300)] = "") -> Response:
    """The form for the second factor; of use only after the right password."""
    if visit.session is None or visit.person is not None:
        return redirect("/console/login" if visit.person is None else first_page(visit.person))
    return _code_form(visit, next=next)


@router.post("/console/login/code")
async def second(visit: Anybody) -> Response:
    """Check the second factor; a wrong code counts like a wrong password."""
    request, staff = visit.request, visit.staff
    same_origin(request, base=visit.house.building.settings.base_url)
    take_attempt(request)
    async with checked_form(visit) as sent:
        code, next = sent.text("code"), sent.text("next")
    if visit.session is None or visit.person is not None:
        return redirect("/console/login" if visit.person is None else first_page(visit.person))
    person = visit.session.person
    wait = await staff.attempt(person.login)
    if wait > timedelta(0):
        return _code_form(
            visit, next=next, trouble="locked", minutes=minutes_of(Locked(wait=wait)), status=429
        )
    if not await second_factor(visit).proved(person.login, code):
        await visit.house.building.records.audit("wrong_code", actor=person.login, target=person.login)
        return _code_form(visit, next=next, trouble="wrong_code", status=401)
    await staff.forgive(person.login)
    await staff.close_session(hashed(visit.token))
    token = new_token()
    await staff.open_session(person.login, token_hash=hashed(token), place=place_of(request))
    return await _entered(visit, SignedIn(person=person, token=token), next=next, by="code")


async def _entered(visit: Visit, found: SignedIn, *, next: str, by: str) -> Response:
    """Hand the browser its session and lead it where it wanted to go."""
    request, login = visit.request, found.person.login
    await visit.house.building.records.audit("sign_in", actor=login, target=login, detail={"by": by})
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
    await visit.note("sign_out", visit.own.person.login)
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


def minutes_of(locked: Locked) -> int:
    """Return the wait in minutes, as it is told."""
    return -(-int(locked.wait.total_seconds() + 1) // 60)


def _code_form(
    visit: Visit, *, next: str, trouble: str = "", minutes: int = 0, status: int = 200
) -> Response:
    kept = next if is_own(next) else ""
    return visit.page("login_code.html", status=status, next=kept, trouble=trouble, minutes=minutes)


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
    shown, request, settings = visit, visit.request, visit.house.building.settings
    fresh = "" if visit.token else secrets.token_urlsafe(32)
    if fresh:
        shown = Visit(request=request, house=visit.house, language=visit.language, session=None, token=fresh)
    response = shown.page(
        "login.html",
        status=status,
        next=next if is_own(next) else "",
        login=login,
        trouble=trouble,
        minutes=minutes,
        provider=settings.oidc_name if settings.oidc_issuer else None,
        only=settings.oidc_only,
        said=said if (said := request.query_params.get("said", "")) in SAID else "",
    )
    if fresh:
        set_cookie(request, response, session_cookie(request), fresh, seconds=None)
    return response
