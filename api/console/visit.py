"""Who opens a page, and whether they may: session, role, and proof that a form was sent from our own page.

```
request ─► visit ─► signed_in(role) ─────────────► GET
                        └─► sent(role): origin ─► session ─► role ─► form ─► its token ─► POST
```
The body of a form is read last, so that nobody who may not send it can make us read it.
"""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from agent.records.chain import NOBODY, Subject
from agent.records.desk import Desk
from agent.records.staff import Person, Role, Session, Staff
from api.console.page import FactorFirst, SignInFirst, html, language_of, phrases, theme_of
from api.errors import Problem
from api.opened import Opened, opened
from api.security import hashed
from tools.context import Language

FIELD_BYTES = 8 * 1024 * 1024
"""Longest field of a form: a document's text, every letter of two bytes."""
FIELDS = 40
MANY_FIELDS = 2_000
"""Fields of a form that names documents by the hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request to the console; `session` is None where nobody is signed in, `token` is the cookie's value."""

    request: Request
    house: Opened
    language: Language
    session: Session | None
    token: str

    @property
    def person(self) -> Person | None:
        """The person who is signed in, None as long as a code is awaited."""
        whole = self.session is not None and self.session.stage == "whole"
        return self.session.person if whole and self.session is not None else None

    @property
    def own(self) -> Session:
        """The session of the person who is signed in, whatever is still asked of them. Raises `SignInFirst`."""
        if self.session is None or self.person is None:
            raise SignInFirst
        return self.session

    @property
    def who(self) -> Person:
        """The person who is signed in, and as well as their role has to be. Raises `SignInFirst`, `FactorFirst`."""
        own = self.own
        if self.needs_factor:
            raise FactorFirst
        return own.person

    @property
    def needs_factor(self) -> bool:
        """Whether the company asks for a second factor of this person, who has none; a provider asks by itself."""
        asked = self.house.building.pack.policy.staff.second_factor
        own = self.own
        return own.means == "local" and not own.factor and bool(own.person.roles & set(asked))

    @property
    def timezone(self) -> str:
        """The company's zone."""
        return self.house.building.pack.timezone

    @property
    def staff(self) -> Staff:
        """Accounts and sessions."""
        return Staff(self.house.building.engine, clock=self.house.building.clock)

    @property
    def desk(self) -> Desk:
        """Conversations that called for a person."""
        return Desk(self.house.building.engine)

    @property
    def form_token(self) -> str:
        """What every form of this visit carries; it cannot be guessed without the cookie."""
        return hashed(f"form.{self.token}")

    def say(self, key: str, language: Language | None = None, **facts: object) -> str:
        """Return a text of the console."""
        return phrases(self.timezone).say(key, language or self.language, **facts)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Render a page of this visit."""
        return html(
            template,
            language=self.language,
            theme=theme_of(self.request),
            timezone=self.timezone,
            status=status,
            me=self.person,
            form_token=self.form_token,
            company=self.house.building.pack.name[self.language],
            address=self.request.url.path,
            here=self._here(),
            **values,
        )

    def _here(self) -> str:
        """The page to come back to; after a form that failed it is the page the form was on."""
        path, query = self.request.url.path, self.request.url.query
        if self.request.method != "GET":
            return path.rpartition("/")[0]
        return f"{path}?{query}" if query else path

    async def note(
        self, act: str, target: str, *, about: Subject = NOBODY, shown: Sequence[Subject] = (), **detail: Any
    ) -> None:
        """Write a line of the audit about what this person did or read, and whom it is about."""
        records = self.house.building.records
        await records.audit(
            act, actor=self.own.person.login, target=target, detail=detail, about=about, shown=shown
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A form that came from our own page."""

    visit: Visit
    form: FormData

    def text(self, name: str, *, most: int = 400) -> str:
        """Return a field, cut at `most` characters; empty when it is absent."""
        value = self.form.get(name)
        return value[:most] if isinstance(value, str) else ""

    def texts(self, name: str, *, most: int = 400) -> list[str]:
        """Return every value of a field, once each."""
        found = (value[:most] for value in self.form.getlist(name) if isinstance(value, str) and value)
        return list(dict.fromkeys(found))

    def files(self, name: str) -> list[UploadFile]:
        """Return the uploaded files."""
        return [
            value for value in self.form.getlist(name) if isinstance(value, UploadFile) and value.filename
        ]

    def file(self, name: str) -> UploadFile | None:
        """Return an uploaded file, None when nothing was chosen."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None


def is_secure(request: Request) -> bool:
    """Whether the browser reaches us over TLS, by this server's own or a proxy's."""
    return request.url.scheme == "https" or opened(request).building.settings.base_url.startswith("https:")


def session_cookie(request: Request) -> str:
    """The name of the session's cookie; `__Host-` lets no other host of the domain set it."""
    return "__Host-mayak_console" if is_secure(request) else "mayak_console"


def set_cookie(request: Request, response: Response, name: str, value: str, *, seconds: int | None) -> None:
    """Set a cookie that scripts cannot read."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=is_secure(request), httponly=True, samesite="lax"
    )


async def visit(request: Request) -> Visit:
    """Return the visit, signed in or not."""
    house = opened(request)
    token = request.cookies.get(session_cookie(request), "")
    staff = Staff(house.building.engine, clock=house.building.clock)
    session = await staff.session(hashed(token)) if token else None
    if session is not None and session.means == "local" and house.building.settings.oidc_only:
        # Since it began the company has done away with passwords.
        session = None
    return Visit(
        request=request,
        house=house,
        language=language_of(request, default=house.building.pack.languages[0]),
        session=session,
        token=token,
    )


Anybody = Annotated[Visit, Depends(visit)]


def signed_in(role: Role) -> Callable[[Anybody], Awaitable[Visit]]:
    """Return a dependency: the visit of somebody who may do what `role` does."""

    async def allowed(visit: Anybody) -> Visit:
        if not visit.who.may(role):
            raise Problem(403, "role", "Not for this role")
        return visit

    return allowed


def sent(role: Role, *, files: int = 1, fields: int = FIELDS) -> Callable[[Anybody], AsyncIterator[Sent]]:
    """Return a dependency: the form somebody with this role sent from our own page."""

    async def accepted(visit: Anybody) -> AsyncIterator[Sent]:
        same_origin(visit.request, base=visit.house.building.settings.base_url)
        if not visit.who.may(role):
            raise Problem(403, "role", "Not for this role")
        async with checked_form(visit, files=files, fields=fields) as form:
            yield form

    return accepted


@asynccontextmanager
async def checked_form(visit: Visit, *, files: int = 0, fields: int = FIELDS) -> AsyncIterator[Sent]:
    """Read the form and check its token; what was uploaded is gone after the block. Raises a 403 problem."""
    try:
        form = await visit.request.form(max_files=files, max_fields=fields, max_part_size=FIELD_BYTES)
    except (HTTPException, ClientDisconnect) as broken:
        # Who went away while sending it is told nothing, and nothing of it was done.
        raise Problem(422, "form", "The form cannot be read") from broken
    try:
        found = form.get("form_token")
        known = visit.form_token.encode()
        if not isinstance(found, str) or not hmac.compare_digest(found.encode(), known):
            raise Problem(403, "stale", "The page is too old")
        yield Sent(visit=visit, form=form)
    finally:
        await form.close()


def same_origin(request: Request, *, base: str) -> None:
    """Refuse a form another site sent. Raises a 403 problem."""
    origin = request.headers.get("Origin", "")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    own = origin == base or (bool(origin) and urlsplit(origin).netloc == request.headers.get("Host"))
    if not own or site not in ("same-origin", "none"):
        raise Problem(403, "origin", "Sent from another site")


Operator = Annotated[Visit, Depends(signed_in("operator"))]
Curator = Annotated[Visit, Depends(signed_in("curator"))]
OperatorSent = Annotated[Sent, Depends(sent("operator"))]
CuratorSent = Annotated[Sent, Depends(sent("curator"))]
CuratorMany = Annotated[Sent, Depends(sent("curator", fields=MANY_FIELDS))]
