"""One's own account: the second factor, the password, and where one is signed in.

It is open to whoever is signed in, so that somebody whose role asks for a second factor can set one up here.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from api.console.device import device_of
from api.console.page import ACCOUNT, PageRoute, redirect
from api.console.sign_in import entrance, minutes_of, second_factor, take_attempt
from api.console.visit import Anybody, Sent, Visit, checked_form, same_origin
from api.second_factor import app_address, in_groups, qr_code
from api.staff import LONGEST_PASSWORD, SHORTEST_PASSWORD, BadAccount, Entrance, Locked, password_hash

router = APIRouter(prefix=ACCOUNT, route_class=PageRoute)

SAID = ("factor_off", "ended", "others_ended")
Trouble = tuple[str, int]
"""The text that tells what is wrong, and the minutes it names."""


async def own(visit: Anybody) -> Visit:
    """Return the visit of somebody who is signed in. Raises `SignInFirst`."""
    assert visit.own
    return visit


async def own_form(visit: Anybody) -> AsyncIterator[Sent]:
    """Return a form somebody who is signed in sent from our own page."""
    same_origin(visit.request, base=visit.house.building.settings.base_url)
    assert visit.own
    async with checked_form(visit) as form:
        yield form


Own = Annotated[Visit, Depends(own)]
OwnSent = Annotated[Sent, Depends(own_form)]
Door = Annotated[Entrance, Depends(entrance)]


@router.get("")
async def account(visit: Own, said: Annotated[str, Query(max_length=16)] = "") -> Response:
    """The page."""
    return await _page(visit, said=said if said in SAID else "")


@router.post("/factor")
async def begin(sent: OwnSent, door: Door) -> Response:
    """Show a new secret to whoever knows the password."""
    visit, login = sent.visit, sent.visit.own.person.login
    if trouble := await _password_trouble(sent, door):
        return await _page(visit, trouble=trouble, status=422)
    secret = await second_factor(visit).begin(login)
    return await _page(visit) if secret is None else await _page(visit, secret=secret)


@router.post("/factor/confirm")
async def confirm(sent: OwnSent) -> Response:
    """Put the secret into use once the app shows the right code; every other browser is signed out."""
    visit, login = sent.visit, sent.visit.own.person.login
    factor = second_factor(visit)
    secret = await factor.begun(login)
    if secret is None:
        return redirect(ACCOUNT)
    codes = await factor.confirm(login, sent.text("code"))
    if codes is None:
        return await _page(visit, secret=secret, trouble=("not_yet", 0), status=422)
    await visit.staff.close_sessions(login, but=visit.own.id)
    await visit.note("factor_on", login)
    return await _page(visit, codes=codes)


@router.post("/factor/codes")
async def renew(sent: OwnSent) -> Response:
    """Make new recovery codes for whoever has the factor."""
    visit, login = sent.visit, sent.visit.own.person.login
    if trouble := await _code_trouble(sent):
        return await _page(visit, trouble=trouble, status=422)
    codes = await second_factor(visit).renew(login)
    await visit.note("recovery_codes", login)
    return await _page(visit, codes=codes)


@router.post("/factor/off")
async def off(sent: OwnSent) -> Response:
    """Take the factor away from whoever has it, such as before a new telephone."""
    visit, login = sent.visit, sent.visit.own.person.login
    if trouble := await _code_trouble(sent):
        return await _page(visit, trouble=trouble, status=422)
    await second_factor(visit).remove(login)
    await visit.note("factor_off", login)
    return redirect(ACCOUNT, said="factor_off")


@router.post("/password")
async def password(sent: OwnSent, door: Door) -> Response:
    """Change the password; every other browser is signed out, and this one has to sign in again."""
    visit, login = sent.visit, sent.visit.own.person.login
    if trouble := await _password_trouble(sent, door):
        return await _page(visit, trouble=trouble, status=422)
    new = sent.text("new", most=LONGEST_PASSWORD + 1)
    if new != sent.text("again", most=LONGEST_PASSWORD + 1):
        return await _page(visit, trouble=("not_same", 0), status=422)
    try:
        stored = await password_hash(new)
    except BadAccount:
        return await _page(visit, trouble=("bad_password", 0), status=422)
    await visit.note("password", login)
    await visit.staff.set_password(login, stored)
    return redirect("/console/login", said="changed")


@router.post("/sessions/end")
async def end_others(sent: OwnSent) -> Response:
    """Sign out everywhere but here."""
    visit, login = sent.visit, sent.visit.own.person.login
    ended = await visit.staff.close_sessions(login, but=visit.own.id)
    await visit.note("sessions_ended", login, sessions=ended)
    return redirect(ACCOUNT, said="others_ended")


@router.post("/sessions/{id}/end")
async def end(id: str, sent: OwnSent) -> Response:
    """Sign out one of one's own browsers; another person's looks absent."""
    visit, login = sent.visit, sent.visit.own.person.login
    if await visit.staff.close_sessions(login, id=id):
        await visit.note("sessions_ended", login, sessions=1)
    return redirect(ACCOUNT, said="ended")


async def _password_trouble(sent: Sent, door: Entrance) -> Trouble | None:
    """Check the password of whoever is signed in; wrong ones count as they do at the sign-in."""
    visit, login = sent.visit, sent.visit.own.person.login
    take_attempt(visit.request)
    found = await door.check(visit.staff, login=login, password=sent.text("password"))
    if isinstance(found, Locked):
        return "locked", minutes_of(found)
    if found is None:
        return "wrong_password", 0
    await visit.staff.forgive(login)
    return None


async def _code_trouble(sent: Sent) -> Trouble | None:
    """Check a code of the factor in use; wrong ones count as they do at the sign-in."""
    visit, login = sent.visit, sent.visit.own.person.login
    take_attempt(visit.request)
    wait = await visit.staff.attempt(login)
    if wait > timedelta(0):
        return "locked", minutes_of(Locked(wait=wait))
    if not await second_factor(visit).proved(login, sent.text("code")):
        await visit.note("wrong_code", login)
        return "wrong_code", 0
    await visit.staff.forgive(login)
    return None


async def _page(
    visit: Visit,
    *,
    said: str = "",
    trouble: Trouble | None = None,
    secret: str = "",
    codes: tuple[str, ...] = (),
    status: int = 200,
) -> Response:
    own, staff = visit.own, visit.staff
    factor = await second_factor(visit).of(own.person.login)
    in_use = factor is not None and factor.confirmed
    return visit.page(
        "account.html",
        status=status,
        said=said,
        trouble=trouble[0] if trouble else "",
        minutes=trouble[1] if trouble else 0,
        local=own.means == "local" and bool(await staff.password_hash(own.person.login)),
        factor=in_use,
        asked=visit.needs_factor and not in_use,
        left=factor.codes if factor else 0,
        setting=_setting(visit, secret) if secret else None,
        codes=codes,
        sessions=[
            (one, device_of(one.place.agent), one.id == own.id)
            for one in await staff.sessions(own.person.login)
        ],
        shortest=SHORTEST_PASSWORD,
        longest=LONGEST_PASSWORD,
    )


def _setting(visit: Visit, secret: str) -> dict[str, Any]:
    """What an authenticator app is told, as a picture and in letters."""
    company = visit.house.building.pack.name[visit.language]
    address = app_address(secret, login=visit.own.person.login, company=company)
    return {"qr": qr_code(address), "key": in_groups(secret)}
