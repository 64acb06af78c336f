"""Promises in the console: made with a reply, shown under it and in the list, put right, marked as kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from agent.departments import back_at
from agent.due import Working, pledge_in
from agent.pledge import STANDING, End, Owed, Pledge, PledgeId
from agent.records.desk import Line
from api.console.page import PageRoute, redirect
from api.console.visit import OperatorSent, Sent, Visit
from tools.context import ConversationId

router = APIRouter(prefix="/console/dialogues/{id}/promises", route_class=PageRoute)
Haste = Literal["calm", "near", "late", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One promise as it is shown; `minutes` are left, at least 1; `local` is its time in a field of the company's zone.

    `closed`: nobody works then.
    """

    owed: Owed
    owner: str
    mine: bool
    haste: Haste
    minutes: int
    local: str
    closed: bool

    @property
    def stands(self) -> bool:
        """Whether somebody still has to act."""
        return self.owed.state in STANDING


async def pledged(visit: Visit, id: ConversationId, text: str) -> Pledge | None:
    """Return what a reply promises."""
    building = visit.house.building
    conversation = await building.records.conversation(id)
    working = Working(pack=building.pack, department=building.pack.department(conversation.department))
    return pledge_in(text, now=building.clock.now(), language=conversation.language, working=working)


async def promised(visit: Visit, id: ConversationId) -> tuple[Shown, ...]:
    """Return what was promised in a conversation, the first due first."""
    found = await visit.house.building.records.promises(id)
    names = await visit.staff.names(owed.name for owed in found if owed.owner == "person")
    return tuple(shown(visit, owed, names=names) for owed in found)


def shown(visit: Visit, owed: Owed, *, names: Mapping[str, str]) -> Shown:
    """Return a promise with names, and its time as this moment sees it."""
    pack, now = visit.house.building.pack, visit.house.building.clock.now()
    department = pack.department(owed.department)
    theirs = names.get(owed.name, owed.name) if owed.owner == "person" else department.name[visit.language]
    return Shown(
        owed=owed,
        owner=theirs,
        mine=owed.owner == "person" and owed.name == visit.who.login,
        haste=owed.haste(now),
        minutes=max(1, round((owed.due - now).total_seconds() / 60)),
        local=f"{owed.due.astimezone(ZoneInfo(visit.timezone)):%Y-%m-%dT%H:%M}",
        closed=back_at(owed.due, pack=pack, department=department) is not None,
    )


async def promise_mark(visit: Visit, id: ConversationId) -> tuple[object, ...]:
    """Return what changes when the promises of a conversation's page would."""
    now = visit.house.building.clock.now()
    found = await visit.house.building.records.promises(id)
    return tuple((one.id, one.state, one.due, one.haste(now)) for one in found)


def promises_mark(visit: Visit, lines: Iterable[Line]) -> str:
    """Return what changes when the promises of the list would; the last minutes count."""
    now = visit.house.building.clock.now()
    found: list[tuple[object, ...]] = []
    for line in lines:
        if line.promise is not None:
            haste = line.promise.haste(now)
            left = round((line.promise.due - now).total_seconds() / 60) if haste == "near" else 0
            found.append((line.promise.id, line.promise.due, haste, left))
    return repr(found) if found else ""


@router.post("/{promise}/kept")
async def kept(id: str, promise: str, sent: OperatorSent) -> Response:
    """The promise is kept, though no message says so."""
    return await _marked(sent, id, promise, "marked")


@router.post("/{promise}/mistaken")
async def mistaken(id: str, promise: str, sent: OperatorSent) -> Response:
    """The words promised nothing."""
    return await _marked(sent, id, promise, "mistaken")


@router.post("/{promise}/stands")
async def stands(id: str, promise: str, sent: OperatorSent) -> Response:
    """The promise stands after all."""
    return await _marked(sent, id, promise, "")


@router.post("/{promise}/due")
async def due(id: str, promise: str, sent: OperatorSent) -> Response:
    """Correct until when it is."""
    visit = sent.visit
    try:
        at = datetime.fromisoformat(sent.text("due", most=16)).replace(tzinfo=ZoneInfo(visit.timezone))
    except ValueError:
        return _back(sent, id, trouble="promise_time")
    if at <= visit.house.building.clock.now():
        return _back(sent, id, trouble="promise_past")
    records = visit.house.building.records
    await records.put_off(ConversationId(id), PledgeId(promise), operator=visit.who.login, due=at)
    return _back(sent, id)


async def _marked(sent: Sent, id: str, promise: str, end: End) -> Response:
    records, login = sent.visit.house.building.records, sent.visit.who.login
    await records.mark_promise(ConversationId(id), PledgeId(promise), operator=login, end=end)
    return _back(sent, id)


def _back(sent: Sent, id: str, *, trouble: str = "") -> Response:
    where = {name: sent.text(name) for name in ("show", "department")}
    return redirect(f"/console/dialogues/{id}", said="" if trouble else "promise", trouble=trouble, **where)
