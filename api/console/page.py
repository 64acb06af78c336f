"""How a page of the console is made: texts, templates, headers, and errors told in words.

Nothing is fetched from elsewhere, nothing inline runs: the content policy below is the whole list of what may load.
"""

import hashlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

import api.widget
from agent.curves import FOLDER as PLOTS
from agent.errors import AgentFault
from api.errors import STATUS, Problem
from api.outage import outage_of
from api.render import to_html
from knowledge.errors import KnowledgeFault
from tools.context import Language
from tools.phrases import LANGUAGES, Phrases

FOLDER = Path(__file__).parent
TOKENS = Path(api.widget.__file__).with_name("tokens.css")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    # With `no-referrer` browsers send “Origin: null” with forms, and the origin is checked here.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
LANGUAGE_COOKIE, THEME_COOKIE = "mayak_console_language", "mayak_console_theme"
ACCOUNT = "/console/account"
THEMES = ("auto", "light", "dark")
KNOWLEDGE_STATUS: Mapping[str, int] = {"unknown_document": 404, "too_large": 413}

logger = logging.getLogger("mayak.console")
static = APIRouter()


class SignInFirst(Exception):
    """The page is for people who are signed in."""


class FactorFirst(SignInFirst):
    """The page is for people with a second factor, and this one has none yet."""


@cache
def phrases(timezone: str = "UTC") -> Phrases:
    """The console's texts; moments are shown in `timezone`."""
    return Phrases(FOLDER / "texts", timezone=timezone)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([FOLDER / "templates", PLOTS]),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset
    return environment


def html(
    template: str, *, language: Language, theme: str, timezone: str, status: int = 200, **values: Any
) -> Response:
    """Render a template; it may use `say`, `has`, `moment`, `day`, `formatted` and what is given."""
    texts = phrases(timezone)

    def say(key: str, **facts: object) -> str:
        return texts.say(key, language, **facts)

    page = _environment().get_template(template)
    body = page.render(
        language=language,
        theme=theme,
        say=say,
        has=lambda key: texts.has(key, language),
        moment=lambda at: moment(at, language=language, timezone=timezone),
        day=lambda at: day_of(at, language=language, timezone=timezone),
        formatted=formatted,
        **values,
    )
    return Response(body, status_code=status, media_type="text/html", headers=dict(HEADERS))


def formatted(text: str, *, author: str = "ai") -> Markup:
    """Return a message or passage as safe HTML."""
    return Markup(to_html(text, author=author))


def moment(at: datetime, *, language: Language, timezone: str) -> str:
    """Return the time of today, else the day too, in the company's zone."""
    local = at.astimezone(ZoneInfo(timezone))
    clock = local.strftime("%H:%M")
    if local.date() == datetime.now(ZoneInfo(timezone)).date():
        return clock
    return f"{day_of(local, language=language, timezone=timezone)}, {clock}"


def day_of(at: datetime | date, *, language: Language, timezone: str) -> str:
    """Return the day, with the year where it is not this one."""
    zone = ZoneInfo(timezone)
    local = at.astimezone(zone).date() if isinstance(at, datetime) else at
    locale = "ru" if language == "ru" else "en_GB"
    if local.year == datetime.now(zone).year:
        noon = datetime(local.year, local.month, local.day, 12)
        return str(format_skeleton("MMMd", noon, locale=locale))
    return str(format_date(local, "d MMM y", locale=locale))


def language_of(request: Request, *, default: Language = "ru") -> Language:
    """Return the language somebody chose, else the first of the browser's that the console speaks."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    accepted = (part.strip()[:2].lower() for part in request.headers.get("Accept-Language", "").split(","))
    for wish in (chosen, *accepted):
        if wish in LANGUAGES:
            return wish
    return default


def theme_of(request: Request) -> str:
    """Return `auto`, `light` or `dark`."""
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"


class PageRoute(APIRoute):
    """Answers a fault with a page instead of a problem document: a person reads it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route."""
        answer = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await answer(request)
            except SignInFirst as first:
                return _to_sign_in(request, first)
            except Problem as problem:
                code = "role_sent" if problem.code == "role" and request.method != "GET" else problem.code
                response = error_page(request, status=problem.status, code=code)
                response.headers.update(problem.headers)
                return response
            except AgentFault as fault:
                return error_page(request, status=STATUS.get(fault.code, 500), code=fault.code)
            except KnowledgeFault as fault:
                return error_page(request, status=KNOWLEDGE_STATUS.get(fault.code, 422), code=fault.code)
            except RequestValidationError:
                return error_page(request, status=422, code="invalid")
            except HTTPException as fault:
                return error_page(request, status=fault.status_code, code=str(fault.status_code))
            except Exception as fault:
                # The outermost layer of a page: whatever broke, the person gets words, the log gets the rest.
                if outage := outage_of(fault):
                    logger.error("%s %s: %s %s", request.method, request.url.path, outage.what, outage.remedy)
                    return error_page(request, status=503, code="storage")
                logger.error("%s %s: %r", request.method, request.url.path, fault, exc_info=fault)
                return error_page(request, status=500, code="other")

        return told


def error_page(request: Request, *, status: int, code: str, typed: str = "") -> Response:
    """Say what is wrong and what to do about it; what somebody had `typed` is given back to be copied."""
    language = language_of(request)
    known = code if phrases().has(f"error.{code}.title", language) else "other"
    if known == "other" and status == 404:
        known = "404"
    return html(
        "error.html",
        language=language,
        theme=theme_of(request),
        timezone="UTC",
        status=status,
        code=known,
        page_status=status,
        typed=typed,
    )


def _to_sign_in(request: Request, first: SignInFirst) -> Response:
    # A script asks for a part of a page; it must learn that it has to leave, not get another page's HTML.
    if request.headers.get("X-Part"):
        return Response(status_code=401, headers=dict(HEADERS))
    if isinstance(first, FactorFirst):
        return redirect(ACCOUNT)
    if request.method != "GET":
        return redirect("/console/login", said="expired")
    query = f"?{request.url.query}" if request.url.query else ""
    return redirect("/console/login", next=f"{request.url.path}{query}")


def redirect(path: str, **query: str) -> Response:
    """Return a redirect of a form to the page it leads to; empty values are left out."""
    asked = urlencode({name: value for name, value in query.items() if value})
    joint = "&" if "?" in path else "?"
    target = f"{path}{joint}{asked}" if asked else path
    return Response(status_code=303, headers={**HEADERS, "Location": target})


@cache
def _assets() -> Mapping[str, bytes]:
    files = [*sorted((FOLDER / "static").iterdir()), TOKENS]
    return {path.name: path.read_bytes() for path in files if path.suffix in MEDIA_TYPES}


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for name, content in sorted(_assets().items()):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:16]


def asset(name: str) -> str:
    """Return the address of a file of the console; it changes with the file's words."""
    return f"/console/static/{_version()}/{name}"


@static.get("/static/{version}/{name}")
def file(version: str, name: str) -> Response:
    """One style or script; public, as the sign-in page needs them."""
    content = _assets().get(name)
    if content is None:
        raise HTTPException(404)
    kept = "public, max-age=31536000, immutable" if version == _version() else "no-cache"
    headers = {"Cache-Control": kept, "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=MEDIA_TYPES[Path(name).suffix], headers=headers)
