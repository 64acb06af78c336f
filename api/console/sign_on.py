"""Signing in at the company's provider: away, and back with a code.

```
start ─► cookie, state, nonce, PKCE ─► provider ─► callback: once, same browser, same state ─► claims ─► admitted?
```
Somebody the provider knows and we do not gets a page that says so, and nothing else.
"""

import hmac
import logging
import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from agent.records.sign_ons import WAY, SignOns, Way
from agent.records.staff import LIFE, LoginTaken, Person
from api.console.page import PageRoute, redirect
from api.console.sign_in import first_page, is_own, place_of, take_attempt
from api.console.visit import Anybody, Visit, is_secure, session_cookie, set_cookie
from api.errors import Problem
from api.security import hashed, new_token
from api.sign_on.admitting import Create, Enter, Link, Linked, Refused, admitted, login_of
from api.sign_on.choose import provider_of, rules_of
from api.sign_on.provider import NoProvider, NotGranted, Provider
from api.sign_on.token import BadToken

LONGEST_CODE = 4096
CHANCE_BYTES = 32

logger = logging.getLogger("mayak.sign_on")
router = APIRouter(prefix="/console/sign-on", route_class=PageRoute)

Answer = Annotated[str, Query(max_length=LONGEST_CODE)]


def provider(visit: Visit) -> Provider:
    """The provider, for the life of the application. Raises a 404 problem where there is none."""
    state = visit.request.app.state
    if not hasattr(state, "console_provider"):
        state.console_provider = provider_of(visit.house.building.settings)
    if state.console_provider is None:
        raise Problem(404, "404", "No provider")
    found: Provider = state.console_provider
    return found


def way_cookie(request: Request) -> str:
    """The name of the cookie that binds a sign-in under way to its browser."""
    return "__Host-mayak_sign_on" if is_secure(request) else "mayak_sign_on"


@router.get("")
async def start(visit: Anybody, next: Annotated[str, Query(max_length=300)] = "") -> Response:
    """Send the browser to the provider."""
    at = provider(visit)
    take_attempt(visit.request)
    browser, state, nonce = (secrets.token_urlsafe(CHANCE_BYTES) for _ in range(3))
    verifier = secrets.token_urlsafe(48)
    try:
        address = await at.address(state=state, nonce=nonce, verifier=verifier)
    except NoProvider as fault:
        return _no_provider(visit, fault)
    way = Way(state_hash=hashed(state), nonce=nonce, verifier=verifier, next=next if is_own(next) else "")
    await _sign_ons(visit).begin(hashed(browser), way)
    response = redirect(address)
    seconds = int(WAY.total_seconds())
    set_cookie(visit.request, response, way_cookie(visit.request), browser, seconds=seconds)
    return response


@router.get("/callback")
async def callback(
    visit: Anybody, code: Answer = "", state: Answer = "", error: Answer = "", iss: Answer = ""
) -> Response:
    """Take the code of whoever comes back, once."""
    at, request = provider(visit), visit.request
    take_attempt(request)
    browser = request.cookies.get(way_cookie(request), "")
    way = await _sign_ons(visit).take(hashed(browser)) if browser else None
    if way is None or not hmac.compare_digest(hashed(state), way.state_hash):
        return _told(visit, "stale", status=400)
    if error or not code:
        logger.warning("The provider let nobody in: %r.", error[:200])
        return _told(visit, "denied" if error == "access_denied" else "refused", status=403)
    try:
        if not await at.is_from(iss):
            logger.error("An answer of %r came for a sign-in at %r.", iss[:200], at.client.issuer)
            return _told(visit, "refused", status=400)
        claims = await at.claims(code, nonce=way.nonce, verifier=way.verifier)
    except NoProvider as fault:
        return _no_provider(visit, fault)
    except (BadToken, NotGranted) as fault:
        logger.error("A sign-in at the provider failed: %s", fault)
        return _told(visit, "refused", status=403)
    return await _decided(visit, claims, next=way.next)


async def _decided(visit: Visit, claims: Mapping[str, Any], *, next: str) -> Response:
    building = visit.house.building
    rules, issuer, subject = rules_of(building.settings), provider(visit).client.issuer, str(claims["sub"])
    kept, staff = _sign_ons(visit), visit.staff
    linked, login = await _linked(visit, issuer, subject), login_of(claims, rules)
    named = await staff.person(login) if login else None
    taken = named is not None and await kept.is_linked(named.login)
    verdict = admitted(claims, rules=rules, linked=linked, named=named, taken=taken)
    try:
        match verdict:
            case Refused(why=why, login=known):
                logger.warning("The provider's %r (subject %r) was not let in: %s.", known, subject, why)
                await building.records.audit(
                    "sign_on_refused", actor="oidc", target=known, detail={"why": why}
                )
                if why == "no_role":
                    # What was opened while they had one closes with it.
                    await staff.close_sessions(known)
                return _told(visit, why, status=403, login=known)
            case Create(person=person):
                await kept.create(person, issuer=issuer, subject=subject)
                await building.records.audit(
                    "account_made", actor="oidc", target=person.login, detail={"roles": sorted(person.roles)}
                )
            case Link(login=own):
                await kept.link(own, issuer=issuer, subject=subject)
                await building.records.audit("account_linked", actor="oidc", target=own)
            case Enter(login=own, roles=roles) if roles is not None:
                if await staff.set_roles(own, roles):
                    await building.records.audit(
                        "roles", actor="oidc", target=own, detail={"roles": sorted(roles)}
                    )
    except LoginTaken:
        return _told(visit, "taken", status=409, login=login)
    who = verdict.person.login if isinstance(verdict, Create) else verdict.login
    return await _entered(visit, await staff.person(who), next=next)


async def _entered(visit: Visit, person: Person | None, *, next: str) -> Response:
    if person is None:
        return _told(visit, "refused", status=403)
    request, staff, token = visit.request, visit.staff, new_token()
    if visit.session is not None:
        await staff.close_session(hashed(visit.token))
    await staff.open_session(person.login, token_hash=hashed(token), means="oidc", place=place_of(request))
    await visit.house.building.records.audit(
        "sign_in", actor=person.login, target=person.login, detail={"by": "oidc"}
    )
    response = redirect(next if is_own(next) else first_page(person))
    set_cookie(request, response, session_cookie(request), token, seconds=int(LIFE.total_seconds()))
    set_cookie(request, response, way_cookie(request), "", seconds=0)
    return response


async def _linked(visit: Visit, issuer: str, subject: str) -> Linked | None:
    found = await _sign_ons(visit).login_of(issuer, subject)
    person = await visit.staff.person(found[0]) if found is not None else None
    return Linked(person=person, managed=found[1]) if found is not None and person is not None else None


def _sign_ons(visit: Visit) -> SignOns:
    building = visit.house.building
    return SignOns(building.engine, clock=building.clock)


def _no_provider(visit: Visit, fault: NoProvider) -> Response:
    logger.error("The provider of sign-ins: %s", fault)
    return _told(visit, "silent", status=502)


def _told(visit: Visit, why: str, *, status: int, login: str = "") -> Response:
    """Say why nobody was let in; the details are in the log."""
    local = not visit.house.building.settings.oidc_only
    return visit.page("sign_on.html", status=status, why=why, known=login, local=local)
